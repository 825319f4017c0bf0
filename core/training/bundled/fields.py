"""Simulated HER2 fields on disk, and random crops of them with exact targets: what IHCNet is pretrained on."""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.labels import Her2Score
from core.phantoms.phantom import her2_phantom, nuclear_phantom, random_tissue
from core.quantify.guideline import her2_score
from core.training.bundled.augment import degrade, restain, turn
from core.types import RGBImage

log = logging.getLogger(__name__)

FIELD_PX = 512
FIELD_MPP = 0.4
MPP_RANGE = (0.42, 1.2)
"""Scales of the crops: a tile of 128 um has 0.57 um per pixel; one of a 20x scan taken for 40x has 1.14."""

SHARD = 60
"""Fields per file."""

TARGETS = ("tumour", "faint", "moderate", "intense", "dab")
"""What the auxiliary head learns: shares of the crop covered by tumour and by cells of each class, mean DAB density."""

MIN_TUMOUR = 0.03
"""Share of a crop that tumour must cover before its score counts fully."""


Field = tuple[RGBImage, npt.NDArray[np.uint8], npt.NDArray[np.uint8], npt.NDArray[np.float32]]
"""Image, class map (0 no tumour, 1-4 classes of cells), DAB density x 100, white point."""


@dataclass(frozen=True)
class Crop:
    """One training example.

    Attributes:
        image: (px, px, 3) uint8 RGB.
        score: class index 0-3.
        weight: of the score in the loss.
        targets: (5,) float32, see `TARGETS`.
    """

    image: RGBImage
    score: int
    weight: float
    targets: npt.NDArray[np.float32]


def make_field(seed: int) -> Field:
    """Simulate one field."""
    kind = np.random.default_rng([seed, 9]).random()
    if kind < 0.08:  # nuclear DAB is no membrane: HER2 score 0
        nuclear = nuclear_phantom(
            seed, percent_positive=100 * kind / 0.08, size_px=FIELD_PX, mpp=FIELD_MPP, varied=True
        )
        image, dab, white = nuclear.image, nuclear.dab, nuclear.white
        classes = nuclear.tumour.astype(np.uint8)
    else:
        tissue = random_tissue(seed, tumour=0.0) if kind < 0.14 else None
        phantom = her2_phantom(
            seed,
            size_px=FIELD_PX,
            mpp=FIELD_MPP,
            score=list(Her2Score)[seed % 4],
            tissue=tissue,
            varied=True,
        )
        image, dab, white, classes = phantom.image, phantom.dab, phantom.white, phantom.cell_classes
    return image, classes, np.clip(dab * 100, 0, 255).astype(np.uint8), np.array(white, np.float32)


def write_shards(folder: Path, *, first: int, count: int) -> None:
    """Simulate `count` shards of fields; a shard that exists is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(first, first + count):
        path = folder / f"fields-{shard:04d}.npz"
        if path.exists():
            continue
        fields = [make_field(shard * SHARD + index) for index in range(SHARD)]
        images, classes, dab, white = (np.stack(part) for part in zip(*fields, strict=True))
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, image=images, classes=classes, dab=dab, white=white)
        partial.rename(path)
        log.info("shard %d written", shard)


class Fields:
    """All shards of a folder in memory; `refresh` picks up new ones."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards: dict[str, dict[str, npt.NDArray[np.generic]]] = {}
        self.refresh()

    def refresh(self) -> int:
        """Read shards written since; return the number of fields."""
        for path in sorted(self.folder.glob("fields-????.npz")):
            if path.name not in self.shards:
                with np.load(path, allow_pickle=False) as data:
                    self.shards[path.name] = {key: data[key] for key in data.files}
        return SHARD * len(self.shards)

    def crop(self, rng: np.random.Generator, px: int, *, mpp: tuple[float, float] = MPP_RANGE) -> Crop:
        """Cut a random square of a random physical scale out of a random field and vary it."""
        shard = self.shards[list(self.shards)[int(rng.integers(len(self.shards)))]]
        index = int(rng.integers(SHARD))
        image, classes, dab = (np.asarray(shard[key][index], np.uint8) for key in ("image", "classes", "dab"))
        field = (image, classes, dab, np.asarray(shard["white"][index], np.float32))
        return crop_field(rng, field, px, mpp=mpp)


def crop_field(rng: np.random.Generator, field: Field, px: int, *, mpp: tuple[float, float] = MPP_RANGE) -> Crop:
    """Cut a random square of a random physical scale out of one field and vary its stain, light and sharpness."""
    image, classes, dab, white = field
    scale = float(np.exp(rng.uniform(*np.log(mpp))))
    side = min(FIELD_PX, round(px * scale / FIELD_MPP))
    y, x = rng.integers(0, FIELD_PX - side + 1, 2)
    window = np.s_[y : y + side, x : x + side]
    varied = restain(rng, image[window], (float(white[0]), float(white[1]), float(white[2])))
    varied = cv2.resize(turn(rng, varied), (px, px), interpolation=cv2.INTER_AREA)
    return _with_targets(degrade(rng, varied), classes[window], dab[window])


def _with_targets(image: RGBImage, classes: npt.NDArray[np.generic], dab: npt.NDArray[np.generic]) -> Crop:
    area = np.bincount(classes.ravel().astype(np.int64), minlength=5) / classes.size
    tumour = float(area[1:].sum())
    share = area[1:] / max(tumour, 1e-6)
    score = her2_score(intense_complete=share[3], moderate_complete=share[2], faint_incomplete=share[1])
    targets = np.array([tumour, area[2], area[3], area[4], dab.mean() / 100.0], np.float32)
    if tumour < MIN_TUMOUR:
        return Crop(image, 0, 0.3, targets)
    return Crop(image, list(Her2Score).index(score), 1.0, targets)


def main() -> None:
    """Write shards of simulated fields: `python -m core.training.bundled.fields FOLDER --shards 20`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shards", type=int, default=20)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    write_shards(arguments.folder, first=0, count=arguments.shards)


if __name__ == "__main__":
    main()
