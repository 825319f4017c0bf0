"""The final figures of a generator, beside the same figures of real tiles that were held out."""

import math
import time
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.config import ROOT
from core.inference.tile_features import BATCH, describe
from core.models.manifest import read_manifest
from core.models.medsyngan import NOISE_DIM, Generator
from core.models.registry import get_card
from core.models.simple_cnn import SimpleCNN
from core.models.weights import load_weights
from core.quality import generative
from core.quality.neighbours import scale_of
from core.training.data import Subset
from core.training.data.tile_cache import TileCache
from core.training.gan.judges import name_classes, train_judge
from core.training.gan.networks import sample
from core.training.run_folder import RunFolder
from core.types import RGBImage

JUDGED = 1000
"""Samples, and real tiles of either kind at most, behind the final figures."""

SCALED = 1000
"""Training tiles that give the features their units."""

SHOWN = 12
"""Images of a class on a picture."""

GAP_PX = 4


class Features:
    """What the bundled SimpleCNN sees in tiles, in units of its standard deviation over training tiles.

    The features themselves are those of `core.inference.tile_features`.

    Attributes:
        bundled: the network has the bundled weights; sha256: of them, empty where it is an untrained one.
        scale: (256,) that brings features to units of their deviation.
    """

    def __init__(self, tiles: TileCache, device: torch.device) -> None:
        """Load the network; an untrained one of a fixed seed takes its place where no weights are bundled."""
        entry = read_manifest(ROOT / "weights").get("simple_cnn")
        self.bundled = entry is not None and all(path.is_file() for path in entry.paths)
        self.sha256 = ""
        if entry is not None and self.bundled:
            loaded = load_weights(get_card("simple_cnn"), entry.paths, sha256=entry.sha256)
            network: nn.Module = loaded.module
            self.sha256 = loaded.sha256
        else:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                network = SimpleCNN()
        assert isinstance(network, SimpleCNN)
        self._network, self._device = network.to(device).eval(), device
        rows = np.random.default_rng(0).permutation(tiles.of(Subset.TRAIN))[:SCALED]
        self.scale = scale_of(self.plain(tiles.tiles[rows]))

    def __call__(self, tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return (N, 256) features of (N, 128, 128, 3) uint8 tiles, scaled."""
        return np.asarray(self.plain(tiles).astype(np.float64) * self.scale)

    def plain(self, tiles: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return the same, not scaled."""
        parts = [describe(self._network, tiles[k : k + BATCH], self._device) for k in range(0, len(tiles), BATCH)]
        return np.concatenate(parts)

    @torch.inference_mode()
    def named(self, activations: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """Return the (N,) class indices that the network gives tiles with these (N, 128) activations."""
        logits = self._network.classify(torch.from_numpy(activations).to(self._device))
        return np.asarray(logits.argmax(dim=1).cpu().numpy(), np.int64)


def evaluate(
    generator: Generator, tiles: TileCache, features: Features, *, run: RunFolder | None = None, seed: int = 0
) -> dict[str, Any]:
    """Compare samples with tiles of unseen cases, and training tiles with the same ones for scale.

    Args:
        generator: in evaluation mode.
        run: where pictures go; None makes none.
    Returns:
        What `evaluation.json` holds.
    """
    began = time.monotonic()
    device = next(generator.parameters()).device
    seen, unseen, subset = tiles.of(Subset.TRAIN), *_held_out(tiles)
    rng = np.random.default_rng(seed + 3)
    unseen = np.sort(rng.permutation(unseen)[:JUDGED])
    labels = tiles.labels[unseen]
    matching = _matching(tiles.labels, seen, labels, rng)  # training tiles of the same classes
    images = sample(generator, *_noise(labels, device, seed=seed + 2)).numpy()
    judge = train_judge(
        tiles.tiles[seen], tiles.labels[seen], classes=len(tiles.classes), device=device, seed=seed + 1000
    )
    space = _Space(features, tiles, seen, unseen)
    figures, per_class = space.figures(images, labels, name_classes(judge, images, device=device))
    others = tiles.tiles[matching]
    real, _ = space.figures(others, labels, name_classes(judge, tiles.tiles[unseen], device=device), real=True)
    answer: dict[str, Any] = {
        "recipe": "medsyngan",
        "kind": "gan",
        "subset": subset.value,
        "classes": list(tiles.classes),
        "counts": {"samples": len(images), "held_out": len(unseen), "training": len(seen)},
        "feature_space": "bundled SimpleCNN: 128 activations, mean and deviation of 64 maps"
        if features.bundled
        else "untrained SimpleCNN",
        "figures": figures,
        "real": real,
        "per_class": per_class,
    }
    if run is not None:
        answer |= _pictures(run, images, labels, tiles, space.copies_of(images))
    return answer | {"seconds": round(time.monotonic() - began, 1)}


class _Space:
    """Real tiles in the feature space, ready to be compared with."""

    def __init__(
        self,
        features: Features,
        tiles: TileCache,
        seen: npt.NDArray[np.int64],
        unseen: npt.NDArray[np.int64],
    ) -> None:
        self._features, self._tiles = features, tiles
        self._seen, self._unseen = seen, unseen
        self._training, self._held_out = features(tiles.tiles[seen]), features(tiles.tiles[unseen])
        self._cases = np.array([tiles.cases[row] for row in unseen])

    def figures(
        self,
        images: npt.NDArray[np.uint8],
        labels: npt.NDArray[np.int64],
        named: npt.NDArray[np.int64],
        *,
        real: bool = False,
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return all figures of these images, and those of each class; `labels` are of the held-out tiles too."""
        found = self._features(images)
        pair, interval = (found, self._held_out, self._cases), generative.interval
        precision, recall = generative.precision_recall(self._held_out, found)
        figures: dict[str, Any] = {
            **_flat("frechet", interval(generative.frechet_distance, *pair, least=0.0)),
            **_flat("kernel", interval(generative.kernel_distance, *pair)),
            **_flat("precision", precision),
            **_flat("recall", recall),
            **_flat("class_consistency", generative.class_consistency(labels, named)),
        }
        if real:  # a training tile is no copy of itself: the held-out ones are asked instead
            images = self._tiles.tiles[self._unseen]
        copied = self.copies_of(images)
        figures |= _flat("memorised_share", copied.share)
        figures["nearest_median"] = float(np.median(copied.nearest))
        unseen = self._tiles.tiles[self._unseen]
        figures["diversity"] = generative.spread(images, labels) / generative.spread(unseen, labels)
        return figures, [] if real else [self._of_class(k, found, labels, named) for k in np.unique(labels)]

    def copies_of(self, images: npt.NDArray[np.uint8]) -> generative.Copies:
        """Look for copies of training tiles."""
        return generative.copies(self._features(images), self._training, self._held_out)

    def _of_class(
        self,
        label: int,
        found: npt.NDArray[np.float64],
        labels: npt.NDArray[np.int64],
        named: npt.NDArray[np.int64],
    ) -> dict[str, Any]:
        mine = labels == label
        return {
            "label": self._tiles.classes[label],
            "count": int(mine.sum()),
            "frechet": generative.frechet_distance(found[mine], self._held_out[mine]),
            "kernel": generative.kernel_distance(found[mine], self._held_out[mine]),
            **_flat("class_consistency", generative.class_consistency(labels[mine], named[mine])),
        }


def montage(images: npt.NDArray[np.uint8], *, columns: int) -> RGBImage:
    """Lay images out in rows, white between them.

    Args:
        images: (N, H, W, 3) uint8 RGB.
    """
    count, height, width = images.shape[:3]
    rows = math.ceil(count / columns)
    page = np.full((rows * (height + GAP_PX) - GAP_PX, columns * (width + GAP_PX) - GAP_PX, 3), 255, np.uint8)
    for number, image in enumerate(images):
        top, left = number // columns * (height + GAP_PX), number % columns * (width + GAP_PX)
        page[top : top + height, left : left + width] = image
    return page


def _pictures(
    run: RunFolder,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    tiles: TileCache,
    copied: generative.Copies,
) -> dict[str, str]:
    """Write samples, real tiles, and the samples nearest to a training tile above that tile."""
    run.pictures.mkdir(parents=True, exist_ok=True)
    unseen, _ = _held_out(tiles)
    rows = [np.flatnonzero(labels == k)[:SHOWN] for k in range(len(tiles.classes))]
    columns = max(len(row) for row in rows)
    _write(run, "samples", _grid(images, rows, columns))
    others = [unseen[np.flatnonzero(tiles.labels[unseen] == k)] for k in range(len(tiles.classes))]
    spaced = [
        row[np.linspace(0, len(row) - 1, min(SHOWN, len(row))).astype(int)] if len(row) else row for row in others
    ]
    _write(run, "held_out", _grid(tiles.tiles, spaced, columns))
    closest = np.argsort(copied.nearest)[:SHOWN]
    origins = tiles.tiles[tiles.of(Subset.TRAIN)[copied.which[closest]]]
    _write(run, "nearest", montage(np.concatenate([images[closest], origins]), columns=len(closest)))
    return {name: f"pictures/{name}.png" for name in ("samples", "held_out", "nearest")}


def _grid(tiles: npt.NDArray[np.uint8], rows: list[npt.NDArray[np.int64]], columns: int) -> RGBImage:
    blank = np.full((1, *tiles.shape[1:]), 255, np.uint8)
    filled = [np.concatenate([tiles[row], np.repeat(blank, columns - len(row), axis=0)]) for row in rows]
    return montage(np.concatenate(filled), columns=columns)


def _write(run: RunFolder, name: str, picture: RGBImage) -> None:
    cv2.imwrite(str(run.pictures / f"{name}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))


def _held_out(tiles: TileCache) -> tuple[npt.NDArray[np.int64], Subset]:
    """Test tiles; where a data set is too small for a test, those of the validation."""
    for subset in (Subset.TEST, Subset.VAL):
        rows = tiles.of(subset)
        if len(rows):
            return rows, subset
    return tiles.of(Subset.TRAIN), Subset.TRAIN


def _matching(
    all_labels: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Draw one of `rows` for each label."""
    groups = {label: rows[all_labels[rows] == label] for label in np.unique(labels)}
    return np.array([rng.choice(groups[label]) if len(groups[label]) else rng.choice(rows) for label in labels])


def _noise(labels: npt.NDArray[np.int64], device: torch.device, *, seed: int) -> tuple[Tensor, Tensor]:
    noise = torch.randn(len(labels), NOISE_DIM, generator=torch.Generator().manual_seed(seed))
    return noise.to(device), torch.from_numpy(np.asarray(labels, np.int64)).to(device)


def _flat(name: str, figure: generative.Figure) -> dict[str, float]:
    values = {key: round(float(value), 5) for key, value in asdict(figure).items()}
    return {name: values["value"], f"{name}_low": values["low"], f"{name}_high": values["high"]}
