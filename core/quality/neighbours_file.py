"""The index of a generator's training tiles on the disk: a small .npz beside the weights, numbers and names only."""

import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from core.errors import WeightsError
from core.quality.arrays_file import save_arrays
from core.quality.neighbours import TrainingIndex

MAX_BYTES = 40_000_000
MAX_TILES = 200_000

_HALVES = ("features", "held_out")
_WHOLES = ("labels", "held_out_labels", "held_out_cases", "held_out_named")
_FLOATS = ("spread", "training_spread", "scale", "mean", "axes")
_NUMBERS = ("limit", "real_median")
_WORDS = ("weights_sha256", "features_sha256")


def save_index(index: TrainingIndex, path: Path) -> None:
    """Write an index as .npz, whole or not at all: features in half precision, no picture.

    Raises:
        StorageError: the disk refused it.
    """
    values: dict[str, npt.NDArray[np.generic]] = {}
    values |= {name: np.asarray(getattr(index, name), np.float16) for name in _HALVES}
    values |= {name: np.asarray(getattr(index, name), np.int32) for name in _WHOLES}
    values |= {name: np.asarray(getattr(index, name), np.float32) for name in _FLOATS}
    values |= {name: np.asarray(getattr(index, name)) for name in (*_NUMBERS, *_WORDS)}
    values |= {"names": _text(index.names), "classes": _text(index.classes)}
    values["pixel_sha"] = np.frombuffer(bytes.fromhex("".join(index.pixel_sha)), np.uint8)
    save_arrays(values, path)


def load_index(path: Path) -> TrainingIndex:
    """Read the index of a generator's training tiles.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise WeightsError(f"{path.name} has more than {MAX_BYTES} bytes: it is no index of training tiles.")
        _check_unpacked(path)
        with np.load(path) as found:
            index = _index({name: found[name] for name in found.files})
    except FileNotFoundError as error:
        raise WeightsError(f"{path.name} is missing: it belongs beside the weights. Copy it there again.") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{path.name} is damaged ({str(error)[:100]}). Copy it again.") from error
    return index


def _check_unpacked(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > 4 * MAX_BYTES:
            raise ValueError("it unpacks to far more than an index")


def _index(values: dict[str, npt.NDArray[np.generic]]) -> TrainingIndex:
    names, classes = _lines(values["names"]), _lines(values["classes"])
    features, held_out = (_numbers(values[name], np.float32) for name in _HALVES)
    wholes = {name: np.asarray(_numbers(values[name], np.float64), np.int64) for name in _WHOLES}
    spread, training_spread, scale, mean, axes = (_numbers(values[name], np.float32) for name in _FLOATS)
    count, held = len(names), len(held_out)
    shapes: tuple[tuple[npt.NDArray[np.generic], tuple[int, ...]], ...] = (
        (features, (count, axes.shape[-1])),
        (held_out, (held, axes.shape[-1])),
        (wholes["labels"], (count,)),
        *((wholes[name], (held,)) for name in _WHOLES[1:]),
        (spread, (len(classes),)),
        (training_spread, (len(classes),)),
        (mean, scale.shape),
        (axes, (*scale.shape, axes.shape[-1])),
        (values["pixel_sha"], (8 * count,)),
    )
    if any(array.shape != shape for array, shape in shapes) or not 0 < count <= MAX_TILES or not held:
        raise ValueError("its tables do not fit together")
    if not all(_in_classes(wholes[name], len(classes)) for name in ("labels", "held_out_labels")):
        raise ValueError("a class is unknown")
    if not all(_lies_inside(name) for name in names):
        raise ValueError("a name leads out of the data set")
    hashes = np.asarray(values["pixel_sha"], np.uint8).tobytes().hex()
    limit, median = (_number(values[name]) for name in _NUMBERS)
    weights, network = (str(values[name]) for name in _WORDS)
    return TrainingIndex(
        classes=classes,
        features=features,
        held_out=held_out,
        names=names,
        pixel_sha=tuple(hashes[k : k + 16] for k in range(0, len(hashes), 16)),
        spread=np.asarray(spread, np.float64),
        training_spread=np.asarray(training_spread, np.float64),
        scale=scale,
        mean=mean,
        axes=axes,
        limit=limit,
        real_median=median,
        weights_sha256=weights,
        features_sha256=network,
        **wholes,
    )


def _text(lines: tuple[str, ...]) -> npt.NDArray[np.uint8]:
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


def _lines(value: npt.NDArray[np.generic]) -> tuple[str, ...]:
    return tuple(np.asarray(value, np.uint8).tobytes().decode().split("\n"))


def _numbers(value: npt.NDArray[np.generic], kind: type[np.float32 | np.float64]) -> npt.NDArray[np.float32]:
    if value.dtype.kind not in "fiu" or not np.isfinite(value).all():
        raise ValueError("a number is missing")
    return np.asarray(value, kind)


def _number(value: npt.NDArray[np.generic]) -> float:
    if value.shape != () or value.dtype.kind not in "fi" or not float(value) >= 0:
        raise ValueError("a number is missing")
    return float(value)


def _in_classes(labels: npt.NDArray[np.int64], classes: int) -> bool:
    return bool(len(labels)) and int(labels.min()) >= 0 and int(labels.max()) < classes


def _lies_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name
