"""Where a virtual stain depends on how the tissue happened to lie in the tiles."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from core.inference.engine import Engine
from core.inference.tile_blending import TILE_PX
from core.inference.virtual_staining import stain_image
from core.quality.stain_agreement import BLOCK_PX, STAINED, dab_blocks
from core.types import Heatmap, Progress, RGBImage, no_progress

FULL_DENSITY = STAINED
"""Standard deviation of the DAB density that counts as full disagreement: the density from which a block is stained."""

VIEWS = ("as it is", "mirrored left to right", "mirrored top to bottom", "shifted by half a tile")
DOUBTFUL = 0.5
"""Disagreement from which a place is called doubtful."""

MEANING = (
    "The same tissue was stained four times: as it is, mirrored both ways, and shifted by half a tile. Where the map "
    "is high, the amount of brown depends on how the tissue lay: do not trust the stain there. Low disagreement does "
    "not prove the stain right: the generator may be wrong in the same way four times."
)

_Turn = Callable[[RGBImage], RGBImage]


@dataclass(frozen=True)
class Disagreement:
    """How much the brown of a virtual stain changes when the tissue is laid otherwise.

    Attributes:
        map: (h, w) float32 in [0, 1], one value a block of 4 x 4 px: standard deviation of the DAB density over the
            views, in units of `FULL_DENSITY`, at most 1.
        mean: over the picture.
        doubtful: share of the picture with `DOUBTFUL` or more.
    """

    map: Heatmap
    mean: float
    doubtful: float


def disagreement(engine: Engine, he: RGBImage, stained: RGBImage, progress: Progress = no_progress) -> Disagreement:
    """Stain an H&E image three more times, mirrored and shifted, and compare the amounts of brown.

    Args:
        he: (H, W, 3) uint8 RGB at the scale of the generator.
        stained: its virtual stain.
        progress: told the tiles done of all three; may raise CancelledError.
    Raises:
        ModelUnavailableError: the weights are missing or unusable.
    """
    first = dab_blocks(_even(stained))
    total, squares = first.astype(np.float64), first.astype(np.float64) ** 2
    for number, view in enumerate(_views(engine, he, progress), start=1):
        blocks = dab_blocks(_even(view))
        total, squares = total + blocks, squares + blocks.astype(np.float64) ** 2
        count = number + 1
    spread = np.sqrt(np.maximum(squares / count - (total / count) ** 2, 0))
    found = np.clip(spread / FULL_DENSITY, 0, 1).astype(np.float32)
    return Disagreement(found, float(found.mean()), float((found >= DOUBTFUL).mean()))


def _views(engine: Engine, he: RGBImage, progress: Progress) -> Iterator[RGBImage]:
    """Yield the stains of the mirrored and the shifted image, laid as the original."""
    half = TILE_PX // 2
    before, after = np.s_[half:, half:], ((half, 0), (half, 0), (0, 0))
    turns: tuple[tuple[_Turn, _Turn], ...] = (
        (lambda image: image[:, ::-1], lambda image: image[:, ::-1]),
        (lambda image: image[::-1], lambda image: image[::-1]),
        (lambda image: np.pad(image, after, mode="symmetric"), lambda image: image[before]),
    )
    for index, (lay, back) in enumerate(turns):

        def part(_step: str, done: int, total: int, index: int = index) -> None:
            progress("staining once more, " + VIEWS[index + 1], index * total + done, len(turns) * total)

        yield np.ascontiguousarray(back(stain_image(engine, np.ascontiguousarray(lay(he)), part)))


def _even(image: RGBImage) -> RGBImage:
    """Cut off what does not fill a block, so that every view has the same blocks."""
    height, width = (side // BLOCK_PX * BLOCK_PX or side for side in image.shape[:2])
    return image[:height, :width]
