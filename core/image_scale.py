"""Physical pixel size from what image files store: only values that a microscope can have are believed."""

import math
import re

PLAUSIBLE_MPP = (0.1, 5.0)
"""Micrometres per pixel from a 100x oil objective to a 2x overview; 72 dpi would be 353."""

UM_PER_UNIT = {
    "nm": 1e-3, "um": 1.0, "µm": 1.0, "μm": 1.0, "\\u00b5m": 1.0, "micron": 1.0, "microns": 1.0, "mm": 1e3, "cm": 1e4,
    "m": 1e6, "inch": 25_400.0, "in": 25_400.0,
}  # fmt: skip
"""Micrometres in the units of OME-XML and ImageJ."""


def plausible_mpp(x: float, y: float) -> float | None:
    """Return the mean of both pixel sides in um if they agree within 5 % and a microscope can have them."""
    if not (math.isfinite(x) and math.isfinite(y)) or min(x, y) <= 0 or max(x, y) > 1.05 * min(x, y):
        return None
    mpp = (x + y) / 2
    return mpp if PLAUSIBLE_MPP[0] <= mpp <= PLAUSIBLE_MPP[1] else None


def mpp_from_density(x: float, y: float, *, unit_um: float) -> float | None:
    """Return the pixel size in um of a density in pixels per unit of `unit_um` micrometres."""
    return plausible_mpp(unit_um / x, unit_um / y) if x > 0 and y > 0 else None


def mpp_from_description(text: str) -> float | None:
    """Return the pixel size that an Aperio description or an OME-XML block states.

    Args:
        text: the ImageDescription tag: "Aperio ...|MPP = 0.4990|..." or "<OME ... PhysicalSizeX="0.25" ...>".
    """
    aperio = re.search(r"\bMPP\s*=\s*([0-9.]+(?:[eE][+-]?[0-9]+)?)", text)
    if text.startswith("Aperio") and aperio:
        value = _number(aperio.group(1))
        return plausible_mpp(value, value)
    pixels = re.search(r"<(?:\w+:)?Pixels\b[^>]*>", text)
    if pixels is None:
        return None
    sides = [_ome_side(pixels.group(0), axis) for axis in "XY"]
    return plausible_mpp(sides[0], sides[1])


def _ome_side(tag: str, axis: str) -> float:
    size = re.search(rf'\bPhysicalSize{axis}="([^"]+)"', tag)
    unit = re.search(rf'\bPhysicalSize{axis}Unit="([^"]+)"', tag)
    factor = UM_PER_UNIT.get(unit.group(1).strip(), math.nan) if unit else 1.0
    return _number(size.group(1)) * factor if size else math.nan


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
