"""Pseudo-colour pictures of optical density on a fixed scale, so that two images can be compared."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import InvalidOptionError
from core.types import DensityMap, RGBImage

COLORMAPS = ("viridis", "magma", "inferno", "cividis", "plasma", "gray", "jet")
"""Colormaps offered: perceptual ones first; jet as the published application shows it."""

DENSITY_MAX = 1.5
"""Optical density at the upper end of the scale; strong DAB reaches it."""

FONT = cv2.FONT_HERSHEY_SIMPLEX


@lru_cache(maxsize=len(COLORMAPS))
def colour_table(colormap: str) -> npt.NDArray[np.uint8]:
    """Return the (256, 3) uint8 RGB table of a colormap.

    Raises:
        InvalidOptionError: the colormap is not one of `COLORMAPS`.
    """
    if colormap not in COLORMAPS:
        raise InvalidOptionError(f"Colormap '{colormap}' is not known. Choose one of {', '.join(COLORMAPS)}.")
    import matplotlib  # slow to import; only the first picture pays

    table = (matplotlib.colormaps[colormap](np.arange(256))[:, :3] * 255 + 0.5).astype(np.uint8)
    table.setflags(write=False)
    return table


def apply_table(values: npt.NDArray[np.float32], table: npt.NDArray[np.uint8]) -> RGBImage:
    """Colour (H, W) float values by a table; values are clipped to [0, 1], NaN counts as 0."""
    # OpenCV takes a tenth of NumPy's time here, and a report colours eight pictures.
    known = cv2.patchNaNs(np.array(values, dtype=np.float32), 0.0)
    levels = cv2.convertScaleAbs(cv2.min(cv2.max(known, 0.0), 1.0), alpha=255)
    return np.asarray(cv2.applyColorMap(levels, np.ascontiguousarray(table[:, None])), dtype=np.uint8)


def render_density(dab: DensityMap, colormap: str = "viridis", vmax: float = DENSITY_MAX) -> RGBImage:
    """Show an optical density map in colour, from 0 to `vmax`.

    Args:
        dab: (H, W) float32 optical density.
        colormap: one of `COLORMAPS`.
        vmax: density at the upper end; fixed, never the maximum of the image.
    Returns:
        (H, W, 3) uint8 RGB.
    Raises:
        InvalidOptionError: unknown colormap, or `vmax` not above 0.
    """
    if not vmax > 0:
        raise InvalidOptionError(f"The upper end of the density scale is {vmax:g}; it must be above 0.")
    return apply_table(dab / np.float32(vmax), colour_table(colormap))


def colorbar(colormap: str, vmin: float, vmax: float, label: str, *, width: int = 360) -> RGBImage:
    """Draw a horizontal colour bar with its ends, its middle and its label.

    Args:
        label: what is shown, with its unit ("DAB optical density").
        width: of the picture in pixels.
    Returns:
        (64, width, 3) uint8 RGB on white.
    """
    picture = np.full((64, width, 3), 255, np.uint8)
    margin, top, height = 16, 22, 18
    ramp = np.linspace(0, 1, width - 2 * margin, dtype=np.float32)[None].repeat(height, axis=0)
    picture[top : top + height, margin : width - margin] = apply_table(ramp, colour_table(colormap))
    cv2.putText(picture, label, (margin, 14), FONT, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    for share in (0.0, 0.5, 1.0):
        text = f"{vmin + share * (vmax - vmin):g}"
        (wide, _), _ = cv2.getTextSize(text, FONT, 0.42, 1)
        left = round(margin + share * (width - 2 * margin) - wide / 2)
        cv2.putText(picture, text, (max(2, min(left, width - wide - 2)), 58), FONT, 0.42, (40, 40, 40), 1, cv2.LINE_AA)
    return picture
