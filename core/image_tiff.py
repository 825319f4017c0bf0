"""TIFF files: plain, Aperio SVS, OME and ImageJ; first page only."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile

from core.errors import InvalidImageError, TooLargeError
from core.image_formats import DAMAGE, DecodedPixels, check_size, damaged, to_rgb, upright
from core.image_scale import UM_PER_UNIT, mpp_from_density, mpp_from_description
from core.types import RGBImage

TIFF_DAMAGE = (*DAMAGE, tifffile.TiffFileError, ZeroDivisionError, AttributeError, AssertionError, OverflowError)

UNIT_UM = {2: 25_400.0, 3: 10_000.0, 4: 1_000.0, 5: 1.0}
"""Micrometres of the values of the ResolutionUnit tag (inch, cm, and the extensions mm and um)."""


def decode_tiff(data: bytes, name: str, *, min_side: int, max_pixels: int) -> DecodedPixels:
    """Decode the first page of a TIFF file; see `core.images.decode`."""
    notes: list[str] = []
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page = file.pages.first
            _check(page, name, min_side=min_side, max_pixels=max_pixels)
            if len(file.pages) > 1:
                notes.append(f"Only the first of {len(file.pages)} pages was used.")
            mpp = _mpp(file, page)
            orientation = int(_tag(page, "Orientation", 1))
            image = _convert(page, page.asarray(), notes)
    except MemoryError as error:
        raise TooLargeError(f"{name} needs more memory than this computer has free. Crop the image.") from error
    except TIFF_DAMAGE as error:
        raise damaged(name, "TIFF") from error
    return DecodedPixels(upright(image, orientation, notes), mpp, tuple(notes))


def _check(page: Any, name: str, *, min_side: int, max_pixels: int) -> None:
    check_size(page.imagewidth, page.imagelength, name, min_side=min_side, max_pixels=max_pixels)
    samples = int(page.samplesperpixel)
    if page.imagedepth > 1 or samples > 4:
        raise InvalidImageError(
            f"{name} has {samples} channels and {page.imagedepth} planes; an RGB or gray image is needed. "
            "Export it as an RGB picture."
        )
    # A forged tile size would be allocated before the first byte is read.
    if page.is_tiled and page.tilewidth * page.tilelength > max_pixels:
        raise TooLargeError(f"{name} has tiles of {page.tilewidth} x {page.tilelength} px. Export it as a plain TIFF.")


def _convert(page: Any, pixels: npt.NDArray[Any], notes: list[str]) -> RGBImage:
    """Bring the samples of a page into the order and meaning of RGB."""
    photometric = int(page.photometric)
    if pixels.ndim == 3 and int(page.planarconfig or 1) == 2:
        pixels = np.moveaxis(pixels, 0, -1)
    if photometric == 3 and page.colormap is not None:
        colours = np.moveaxis(page.colormap, 0, -1)
        colours = (colours >> 8 if int(colours.max()) > 255 else colours).astype(np.uint8)
        return to_rgb(colours[np.minimum(pixels, len(colours) - 1)], notes, palette=True)
    if photometric == 5 and pixels.ndim == 3 and pixels.shape[2] == 4:
        ink = np.float32(1) - pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
        return to_rgb((ink[..., :3] * ink[..., 3:] * 255 + 0.5).astype(np.uint8), notes, cmyk=True)
    if photometric == 0 and pixels.dtype != np.bool_:
        pixels = pixels.max() - pixels  # white is zero
    elif photometric == 0:
        pixels = ~pixels
    return to_rgb(pixels, notes)


def _mpp(file: tifffile.TiffFile, page: Any) -> float | None:
    stated = mpp_from_description(page.description or "")
    if stated is not None:
        return stated
    x, y = _ratio(_tag(page, "XResolution", 0)), _ratio(_tag(page, "YResolution", 0))
    unit_um = UNIT_UM.get(int(_tag(page, "ResolutionUnit", 2)))
    if file.is_imagej:
        unit_um = UM_PER_UNIT.get(str((file.imagej_metadata or {}).get("unit", "")).lower(), unit_um)
    return mpp_from_density(x, y, unit_um=unit_um) if unit_um else None


def _tag(page: Any, name: str, default: int) -> Any:
    tag = page.tags.get(name)
    return default if tag is None else tag.value


def _ratio(value: Any) -> float:
    if isinstance(value, tuple):
        return value[0] / value[1] if value[1] else 0.0
    return float(value)
