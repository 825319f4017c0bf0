"""The index of a generator's training tiles: features, names and hashes of pixels, no picture."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.inference.synthesis import GENERATORS
from core.inference.tile_features import ACTIVATIONS
from core.labels import CLASSES, Marker
from core.models.sidecar import Sidecar, write_sidecar
from core.quality import generative
from core.quality.neighbours import TrainingIndex, nearest_rows, pixel_hash, principal_axes
from core.quality.neighbours_file import save_index
from core.training.data.items import DataSet, Item, Subset
from core.training.data.reading import Reader, read_image
from core.training.data.tile_cache import TileCache
from core.training.gan.evaluation import Features
from core.training.judging.beside_weights import run_name
from core.training.run_folder import RunFolder, disk_error
from core.types import Progress, no_progress

GENERATOR_OF = {CLASSES[marker]: name for marker, name in GENERATORS.items()}
"""Name under which the weights of these classes are used."""

HEADLINE = ("frechet", "precision", "recall", "class_consistency", "memorised_share")

HELD_OUT = 2000
"""Real tiles of other cases at most: the median distance and the health figures need no more."""


def build_index(
    data: DataSet, tiles: TileCache, features: Features, *, weights_sha256: str, progress: Progress = no_progress
) -> TrainingIndex | None:
    """Describe the tiles that a generator learnt from; None where no real tile was held out to tell what is near.

    Args:
        data: the data set that `tiles` were cut from, split.
        features: of the bundled classifier.
        weights_sha256: of the generator.
    """
    held_out = tiles.of(Subset.TEST) if len(tiles.of(Subset.TEST)) else tiles.of(Subset.VAL)
    if not len(held_out) or not features.sha256:
        return None
    held_out = np.sort(np.random.default_rng(0).permutation(held_out)[:HELD_OUT])
    seen = tiles.of(Subset.TRAIN)
    progress("describing training tiles", 0, 2)
    training, unseen = features.plain(tiles.tiles[seen]), features.plain(tiles.tiles[held_out])
    scaled, others = training * features.scale, unseen * features.scale
    mean = scaled.mean(axis=0)
    axes = principal_axes(scaled)
    kept, kept_others = _rounded((scaled - mean) @ axes), _rounded((others - mean) @ axes)
    _, distances = nearest_rows(kept_others, kept)
    progress("describing training tiles", 1, 2)
    hashes = _hashes(data, np.unique(tiles.items[seen]), progress)
    labels = tiles.labels[held_out]
    return TrainingIndex(
        classes=tiles.classes,
        features=kept,
        labels=tiles.labels[seen],
        names=tuple(_relative(data.items[item], data.root) for item in tiles.items[seen]),
        pixel_sha=tuple(hashes[int(item)] for item in tiles.items[seen]),
        held_out=kept_others,
        held_out_labels=labels,
        held_out_cases=np.unique([tiles.cases[row] for row in held_out], return_inverse=True)[1].astype(np.int64),
        held_out_named=_named(features, unseen, tiles.classes),
        spread=_spread(tiles, held_out),
        training_spread=_spread(tiles, np.sort(np.random.default_rng(1).permutation(seen)[:HELD_OUT])),
        limit=float(np.percentile(distances, generative.CLOSEST)),
        real_median=float(np.median(distances)),
        scale=features.scale.astype(np.float32),
        mean=mean.astype(np.float32),
        axes=axes.astype(np.float32),
        weights_sha256=weights_sha256,
        features_sha256=features.sha256,
    )


def write_beside(
    weights: Path,
    run: RunFolder,
    data: DataSet,
    tiles: TileCache,
    features: Features,
    evaluation: Mapping[str, Any],
    *,
    progress: Progress = no_progress,
) -> None:
    """Write what describes a generator's weights beside them: sidecar and index; an earlier index is replaced.

    Args:
        evaluation: as `core.training.gan.evaluation.evaluate` returns it.
    Raises:
        StorageError: the disk refused a file.
    """
    place, today = weights.with_name(f"{weights.stem}.index.npz"), datetime.now(UTC).date().isoformat()
    try:
        sha256 = hashlib.sha256(weights.read_bytes()).hexdigest()
        place.unlink(missing_ok=True)
    except OSError as error:
        raise disk_error(error) from error
    index = build_index(data, tiles, features, weights_sha256=sha256, progress=progress)
    if index is not None:
        save_index(index, place)
    sidecar = Sidecar(
        model=GENERATOR_OF.get(tiles.classes, "medsyngan"),
        labels=tiles.classes,
        sha256=sha256,
        origin=f"run {run_name(run)}, {today}, data set {data.root.name}",
        date=today,
        index=place.name if index is not None else None,
        figures={name: evaluation["figures"][name] for name in HEADLINE},
    )
    write_sidecar(weights, sidecar)


def _named(features: Features, found: npt.NDArray[np.float32], classes: tuple[str, ...]) -> npt.NDArray[np.int64]:
    if classes != CLASSES[Marker.PR]:
        return np.full(len(found), -1, np.int64)
    return features.named(found[:, :ACTIVATIONS])


def _spread(tiles: TileCache, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    groups = [rows[tiles.labels[rows] == label] for label in range(len(tiles.classes))]
    return np.array([generative.spread(tiles.tiles[mine], tiles.labels[mine]) if len(mine) else 0.0 for mine in groups])


def _rounded(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """As the file will keep them, so that the limit is of what is searched."""
    return rows.astype(np.float16).astype(np.float32)


def _hashes(data: DataSet, items: npt.NDArray[np.int64], progress: Progress) -> dict[int, str]:
    def work(item: Item) -> str:
        return pixel_hash(read_image(item.path).image)

    reader = Reader(data.root, work, step="remembering training tiles", progress=progress)
    chosen = [data.items[int(row)] for row in items]
    found = {int(items[place]): answer for place, answer in reader.results(chosen)}
    return {int(row): found.get(int(row), "0" * 16) for row in items}


def _relative(item: Item, root: Path) -> str:
    try:
        return item.path.relative_to(root).as_posix()
    except ValueError:  # a table may name files elsewhere
        return item.path.name
