"""The real HER2 cases: images, labels, tiles. Split by case, never by tile."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import InvalidImageError
from core.inference.classification import prepare_tiles
from core.inference.scoring import MIN_TISSUE
from core.labels import Her2Score
from core.models.registry import get_card
from core.quality.measures import TISSUE_SIDE_PX, tissue_fractions, tissue_mask
from core.quantify.membrane import ASSUMED_MPP, features_array
from core.slides.tiling import plan_tiles
from core.stains.separation import white_point
from core.types import RGBImage

MISFITS = frozenset({"00003", "00004", "00008", "00009", "00011", "00019", "726fa489"})
"""Cases whose label, that of the whole slide, does not fit the picture (fat, stroma, lymphoid tissue, no DAB).

They train with a small weight and count fully in the evaluation.
"""

BCI_MPP = 0.5
"""BCI was scanned at 20x; its PNG files do not say so, so that an upload of them counts as 40x."""


@dataclass(frozen=True)
class Case:
    """One case with its weak label.

    Attributes:
        label: class index 0-3, of the case or slide.
        mpps: micrometres per pixel under which the image may be read: as an upload without scale, and truly.
    """

    name: str
    path: Path
    label: int
    mpps: tuple[float, ...]

    @property
    def fits(self) -> bool:
        """The label can be seen in the picture."""
        return self.name not in MISFITS


@dataclass(frozen=True)
class TileSet:
    """The tissue tiles of one image.

    Attributes:
        images: (N, 224, 224, 3) uint8 RGB, what the network sees.
        features: (N, 9) as from `core.quantify.membrane.features_array`.
        tissue: (N,) share of tissue.
    """

    images: RGBImage
    features: npt.NDArray[np.float32]
    tissue: npt.NDArray[np.float64]


def list_cases(data: Path) -> list[Case]:
    """List the cores and patches below `data`, cores first.

    Raises:
        InvalidImageError: there are none.
    """
    scores = [score.value for score in Her2Score]
    cores = [
        Case(path.stem, path, scores.index(path.parent.name), (ASSUMED_MPP,))
        for path in sorted(data.glob("her2_cores/*/*.jpg"))
    ]
    patches = [
        Case(path.stem[:5], path, scores.index(path.stem.rsplit("_", 1)[1]), (ASSUMED_MPP, BCI_MPP))
        for path in sorted(data.glob("bci/IHC/*.png"))
    ]
    if not cores + patches:
        raise InvalidImageError(
            f"No HER2 images below {data}: expected her2_cores/SCORE/*.jpg and bci/IHC/*_SCORE.png."
        )
    return cores + patches


def read_image(path: Path) -> RGBImage:
    """Read one image, (H, W, 3) uint8 RGB."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise InvalidImageError(f"{path} is not an image that can be read.")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def cut_tiles(image: RGBImage, mpp: float) -> TileSet:
    """Cut an image into its tissue tiles exactly as an analysis does.

    Args:
        mpp: micrometres per pixel that are assumed.
    """
    card = get_card("ihcnet")
    white = white_point(image)
    height, width = image.shape[:2]
    scale = min(1.0, TISSUE_SIDE_PX / max(height, width))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    boxes = plan_tiles((width, height), mpp=mpp, tile_um=card.tile_um)
    share = tissue_fractions(tissue_mask(small, white), boxes, small.shape[1] / width)
    boxes = [box for box, fraction in zip(boxes, share, strict=True) if fraction >= MIN_TISSUE]
    return TileSet(
        prepare_tiles(image, boxes, card.input_px),
        features_array(image, boxes, white, mpp),
        share[share >= MIN_TISSUE],
    )
