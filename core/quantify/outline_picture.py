"""Nuclei outlined over an image in the colours of their classes."""

import cv2
import numpy as np
import numpy.typing as npt

from core.quantify.adjusted import classes_of
from core.quantify.grading import LEFT_OUT, UNCHANGED
from core.types import Adjustments, Nuclei, RGBImage

RGB = tuple[int, int, int]

CLASS_COLOURS: dict[int, RGB] = {
    0: (0, 114, 178),
    1: (240, 228, 66),
    2: (230, 159, 0),
    3: (213, 94, 0),
}
"""RGB of the classes 0-3, from the palette for colour-blind people of Okabe and Ito (2008)."""

LEFT_OUT_COLOUR: RGB = (140, 140, 140)
REGION_COLOUR: RGB = (20, 20, 20)

_SHIFT = 4
"""Bits behind the point of the coordinates that OpenCV draws."""

_LINE_OF_AREA = 0.15
"""Thickness of a line as a share of the root of a nucleus' area: thin enough to leave the inside visible."""


def render_outlines(
    picture: RGBImage, nuclei: Nuclei, size: tuple[int, int], adjustments: Adjustments = UNCHANGED
) -> RGBImage:
    """Draw every nucleus by its class, those that do not count in gray, and the regions.

    Args:
        picture: (H, W, 3) uint8 RGB of the whole image, at any size.
        size: (width, height) of the upload, whose pixels the outlines are in.
    Returns:
        (H, W, 3) uint8 RGB, a new picture.
    """
    canvas = picture.copy()
    scale = np.array([picture.shape[1] / size[0], picture.shape[0] / size[1]])
    classes = classes_of(nuclei, adjustments)
    thickness = _thickness(nuclei, float(scale.mean()))
    corners = (nuclei.outlines + 0.5) * scale - 0.5  # (N, 16, 2), between the middles of pixels
    for value, colour in {LEFT_OUT: LEFT_OUT_COLOUR, **CLASS_COLOURS}.items():
        _draw(canvas, list(corners[classes == value]), colour, thickness)
    for region in adjustments.regions:
        outline = np.asarray(region.points) * scale - 0.5
        _draw(canvas, [outline], (255, 255, 255), 2 * thickness + 2)
        _draw(canvas, [outline], LEFT_OUT_COLOUR if region.exclude else REGION_COLOUR, 2 * thickness)
    return canvas


def _thickness(nuclei: Nuclei, scale: float) -> int:
    if not len(nuclei):
        return 1
    side_px = float(np.sqrt(np.median(nuclei.area_um2))) / nuclei.mpp * scale
    return int(np.clip(round(_LINE_OF_AREA * side_px), 1, 2))


def _draw(canvas: RGBImage, polygons: list[npt.NDArray[np.float64]], colour: RGB, thickness: int) -> None:
    """Draw closed polygons, (K, 2) each in pixels of the canvas, with smooth edges."""
    fixed = [np.rint(polygon * (1 << _SHIFT)).astype(np.int32) for polygon in polygons]
    cv2.polylines(canvas, fixed, True, colour, thickness, cv2.LINE_AA, _SHIFT)
