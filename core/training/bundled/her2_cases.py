"""The real HER2 cases: images, labels, tiles. Split by case, never by tile.

`python -m core.training.bundled.her2_cases --data ../shared/data --out FOLDER` writes the tiles into class folders.
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import InvalidImageError
from core.inference.classification import prepare_tiles
from core.labels import Her2Score
from core.models.registry import get_card
from core.quantify.membrane_features import ASSUMED_MPP, features_array
from core.stains.separation import white_point
from core.training.data.class_folders import LabelledTile, write_tiles
from core.training.data.cutting import tissue_boxes
from core.types import RGBImage

log = logging.getLogger(__name__)

MISFITS = frozenset({"00003", "00004", "00008", "00009", "00011", "00019", "726fa489"})
"""Cases whose label, that of the whole slide, does not fit the picture (fat, stroma, lymphoid tissue, no DAB).

They train with a small weight and count fully in the evaluation.
"""

TILE_UM = 128.0
"""Side of the tiles that IHCNet sees."""

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
        features: (N, 9) as from `core.quantify.membrane_features.features_array`.
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
    boxes, share = tissue_boxes(image, white, mpp=mpp, tile_um=card.tile_um)
    return TileSet(prepare_tiles(image, boxes, card.input_px), features_array(image, boxes, white, mpp), share)


def labelled_tiles(cases: Sequence[Case], px: int, *, tile_um: float = TILE_UM) -> Iterator[LabelledTile]:
    """Yield score, case and picture of every tissue tile, cut at the true scale of its image.

    Args:
        px: side to which the tiles are reduced.
        tile_um: side of the field that a tile shows, in micrometres.
    """
    for case in cases:
        image = read_image(case.path)
        boxes, _ = tissue_boxes(image, white_point(image), mpp=case.mpps[-1], tile_um=tile_um)
        for tile in prepare_tiles(image, boxes, px):
            yield list(Her2Score)[case.label].value, case.name, tile


def main() -> None:
    """Write the tissue tiles of the HER2 cases into the folders 0, 1+, 2+ and 3+; their label is the case's."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds her2_cores and bci")
    parser.add_argument("--out", type=Path, required=True, help="new folder for the tiles")
    parser.add_argument("--px", type=int, default=224, help="side of a tile in pixels")
    parser.add_argument("--um", type=float, default=TILE_UM, help="side of a tile in micrometres")
    parser.add_argument("--fitting", action="store_true", help="leave out cases whose label the picture does not show")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cases = [case for case in list_cases(arguments.data) if case.fits or not arguments.fitting]
    counts = write_tiles(labelled_tiles(cases, arguments.px, tile_um=arguments.um), arguments.out)
    log.info("%s", ", ".join(f"{count} tiles of {label}" for label, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
