"""Cut an image into tiles of one physical size.

Frames: `l0_` is the uploaded image at full size, in pixels; a tile's physical side comes from the model's card.
"""

from dataclasses import dataclass
from math import ceil

from core.errors import InvalidImageError

ONE_TILE_UP_TO = 1.5
"""An image whose long side is at most this many tile sides is read as one tile."""

MAX_TILES = 20_000
"""More tiles than this in one upload means a wrong scale rather than a large image."""


@dataclass(frozen=True)
class Box:
    """A rectangle: top left corner and extent, in pixels of the uploaded image."""

    x: int
    y: int
    width: int
    height: int

    def scaled(self, factor: float) -> "Box":
        """The same field in an image that has `factor` pixels per pixel of this one."""
        x, y = round(self.x * factor), round(self.y * factor)
        return Box(
            x,
            y,
            max(1, round((self.x + self.width) * factor) - x),
            max(1, round((self.y + self.height) * factor) - y),
        )


def plan_tiles(size: tuple[int, int], *, mpp: float, tile_um: float) -> list[Box]:
    """Cover an image with tiles of `tile_um` micrometres, row by row.

    The tiles are spread evenly, so that they overlap a little rather than leave a rest at the right or lower edge.

    Args:
        size: (width, height) of the image in pixels.
        mpp: micrometres per pixel.
        tile_um: side of one tile in micrometres.
    Raises:
        InvalidImageError: the image would need more than `MAX_TILES` tiles.
    """
    width, height = size
    side = max(1, round(tile_um / mpp))
    if max(width, height) <= ONE_TILE_UP_TO * side:
        return [Box(0, 0, width, height)]
    columns, rows = _starts(width, side), _starts(height, side)
    if len(columns) * len(rows) > MAX_TILES:
        raise InvalidImageError(
            f"At {mpp:g} µm per pixel this image has {len(columns) * len(rows)} tiles of {tile_um:g} µm; "
            f"at most {MAX_TILES} are scored in one upload. Check the scale, or cut out a smaller field."
        )
    return [Box(x, y, min(side, width), min(side, height)) for y in rows for x in columns]


def _starts(length: int, side: int) -> list[int]:
    """Left edges of evenly spread tiles along one axis."""
    if length <= side:
        return [0]
    count = ceil(length / side)
    return [round(index * (length - side) / (count - 1)) for index in range(count)]
