"""Decoding of the image formats an upload may have; `core.images` is the way in."""

import io
import math
import struct
import warnings
from dataclasses import dataclass
from typing import Any

import cv2
import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image

from core.errors import InvalidImageError, TooLargeError
from core.image_scale import mpp_from_density
from core.types import RGBImage

PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")

KNOWN_FILES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or Office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x80", "a Python pickle"),
)
"""First bytes of files that are sent by mistake, so that the sentence can name them."""

DAMAGE = (OSError, ValueError, RuntimeError, SyntaxError, IndexError, KeyError, TypeError, struct.error, EOFError)
"""What the decoding libraries raise for damaged files (imagecodecs: RuntimeError, Pillow: all the others)."""


@dataclass(frozen=True)
class DecodedPixels:
    """Upright RGB pixels with their physical size and what had to be converted."""

    image: RGBImage
    mpp: float | None
    notes: tuple[str, ...]


def decode_pixels(data: bytes, name: str, *, min_side: int, max_pixels: int) -> DecodedPixels:
    """Decode the first page or frame of an image file; see `core.images.decode`."""
    if data[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        from core.image_tiff import decode_tiff

        return decode_tiff(data, name, min_side=min_side, max_pixels=max_pixels)
    header = _open(data, name, max_pixels)
    check_size(header.width, header.height, name, min_side=min_side, max_pixels=max_pixels)
    notes: list[str] = []
    frames = int(getattr(header, "n_frames", 1))
    if frames > 1 and header.format != "MPO":
        notes.append(f"Only the first of {frames} frames was used.")
    try:
        orientation = int(header.getexif().get(0x0112, 1))
        mpp = _stored_mpp(header)
        pixels = _pixels(data, header, name)
    except MemoryError as error:
        raise TooLargeError(f"{name} needs more memory than this computer has free. Crop the image.") from error
    except DAMAGE as error:
        raise damaged(name, header.format or "image") from error
    image = to_rgb(pixels, notes, cmyk=header.mode == "CMYK", palette=header.mode == "P")
    return DecodedPixels(upright(image, orientation, notes), mpp, tuple(notes))


def check_size(width: int, height: int, name: str, *, min_side: int, max_pixels: int) -> None:
    """Refuse sizes that cannot be analysed, from the header alone."""
    if width * height > max_pixels:
        raise TooLargeError(
            f"{name} has {width} x {height} px ({width * height / 1e6:.0f} megapixels), the limit is "
            f"{max_pixels / 1e6:.0f} megapixels. Crop a region or export it at a lower magnification."
        )
    if min(width, height) < min_side:
        raise InvalidImageError(
            f"{name} has {width} x {height} px, at least {min_side} x {min_side} px are needed. "
            "Upload a larger field of the slide."
        )


def damaged(name: str, kind: str) -> InvalidImageError:
    """The error for a file that starts as an image and cannot be read to its end."""
    return InvalidImageError(
        f"{name} starts like a {kind} file but is damaged or incomplete. Copy or export it again, then upload that."
    )


def to_rgb(pixels: npt.NDArray[Any], notes: list[str], *, cmyk: bool = False, palette: bool = False) -> RGBImage:
    """Turn decoded samples into (H, W, 3) uint8 RGB, noting each conversion.

    Args:
        pixels: (H, W) gray or (H, W, C) with 1 to 4 channels of any integer or float type; CMYK is converted already.
    """
    if cmyk:
        notes.append("CMYK colours were converted to RGB.")
    if palette:
        notes.append("Palette colours were converted to RGB.")
    pixels = to_8_bit(pixels, notes)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    channels = pixels.shape[2]
    if channels in (2, 4):
        pixels = _over_white(pixels, notes)
        channels -= 1
    if channels == 1:
        notes.append("The image is gray: no stain colour can be measured.")
        pixels = np.repeat(pixels[..., :1], 3, axis=2)
    return np.ascontiguousarray(pixels[..., :3])


def to_8_bit(pixels: npt.NDArray[Any], notes: list[str]) -> npt.NDArray[np.uint8]:
    """Scale samples to 8 bits: by the bits in use for integers, from [0, 1] or by their range for floats."""
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.bool_:
        return pixels.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(pixels.dtype, np.floating):
        values = np.nan_to_num(pixels.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(values.min()), float(values.max())
        if low >= 0 and high <= 1:
            low, high = 0.0, 1.0
        notes.append("Floating-point values were scaled to 8 bits per channel.")
        return ((values - low) * (255 / max(high - low, 1e-6)) + 0.5).astype(np.uint8)
    low = min(int(pixels.min()), 0)  # signed files: keep the zero where it is unless values lie below
    high = int(pixels.max()) - low
    # Cameras store 10, 12 or 14 bits in 16: dividing by 65535 would turn their images black.
    bits = next((bits for bits in (8, 10, 12, 14, 16, 24, 32) if high < 2**bits), 64)
    stored = pixels.dtype.itemsize * 8
    notes.append(
        f"{stored}-bit values were scaled to 8 bits per channel."
        if bits == stored
        else f"{stored}-bit values that use {bits} bits were scaled to 8 bits per channel."
    )
    factor = np.float32(255 / (2**bits - 1))
    return ((pixels.astype(np.float32) - low) * factor + 0.5).astype(np.uint8)


def upright(image: RGBImage, orientation: int, notes: list[str]) -> RGBImage:
    """Apply an EXIF or TIFF orientation (1-8)."""
    if orientation not in range(2, 9):
        return image
    turned = np.swapaxes(image, 0, 1) if orientation >= 5 else image
    if orientation in (3, 4, 7, 8):
        turned = turned[::-1]
    if orientation in (2, 3, 6, 7):
        turned = turned[:, ::-1]
    notes.append("The image was turned upright as its orientation tag says.")
    return np.ascontiguousarray(turned)


def _open(data: bytes, name: str, max_pixels: int) -> Image.Image:
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        # Pillow's own guard would refuse the header without telling its size.
        width, height = struct.unpack(">II", data[16:24])
        check_size(width, height, name, min_side=1, max_pixels=max_pixels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=PILLOW_FORMATS)
    except Image.DecompressionBombError as error:
        raise TooLargeError(
            f"{name} has more than the {max_pixels / 1e6:.0f} megapixels that can be read. "
            "Crop a region or export it at a lower magnification."
        ) from error
    except DAMAGE as error:
        raise InvalidImageError(
            f"{name} is not an image that can be read: it looks like {_looks_like(data)}. "
            "Upload a PNG, JPEG, TIFF, WebP, BMP or GIF file."
        ) from error


def _looks_like(data: bytes) -> str:
    for start, title in KNOWN_FILES:
        if data.startswith(start):
            return title
    if data[128:132] == b"DICM":
        return "a DICOM file"
    if data[4:8] == b"ftyp":
        return "a HEIC photograph or a video"
    if data[:2] == b"\xff\xd8" or data[:4] == b"\x89PNG":
        return "a damaged image"
    sample = data[:512]
    if all(byte in b"\t\r\n\f" or byte >= 32 for byte in sample):
        return "text"
    return "an unknown format"


def _pixels(data: bytes, header: Image.Image, name: str) -> npt.NDArray[Any]:
    """Decode with the fastest library that does this kind correctly."""
    if header.format in ("JPEG", "MPO"):
        if not _jpeg_is_complete(data):
            raise damaged(name, "JPEG")
        if header.mode in ("RGB", "L"):
            return np.asarray(imagecodecs.jpeg8_decode(data))
    if header.format == "PNG" and data[24] == 16:
        return np.asarray(imagecodecs.png_decode(data))  # Pillow would drop the lower 8 bits of colour images
    if header.mode == "CMYK":
        return np.asarray(header.convert("RGB"))
    if header.mode in ("P", "PA") or (header.mode in ("1", "L", "RGB") and "transparency" in header.info):
        return np.asarray(header.convert("RGBA" if "transparency" in header.info else "RGB"))
    if header.mode in ("1", "L", "LA", "RGB", "RGBA", "I", "I;16"):
        return np.asarray(header)
    return np.asarray(header.convert("RGB"))


def _jpeg_is_complete(data: bytes) -> bool:
    """Look for the end marker behind the first scan; decoders fill what is missing with gray and say nothing."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        if data[position + 1] == 0xDA:
            return data.rfind(b"\xff\xd9") > position
        position += 1 if data[position + 1] == 0xFF else 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return False


def _over_white(pixels: npt.NDArray[np.uint8], notes: list[str]) -> npt.NDArray[np.uint8]:
    colour, alpha = pixels[..., :-1], pixels[..., -1:]
    if int(alpha.min()) == 255:
        return colour
    notes.append("Transparent parts were laid over white.")
    weight = cv2.multiply(alpha, 1 / 255, dtype=cv2.CV_32F).reshape(alpha.shape)
    over: npt.NDArray[np.uint8] = (255.5 + (colour.astype(np.float32) - 255) * weight).astype(np.uint8)
    return over


def _stored_mpp(header: Image.Image) -> float | None:
    density = header.info.get("dpi")
    if not isinstance(density, tuple) or len(density) != 2:
        return None
    x, y = float(density[0]), float(density[1])
    return mpp_from_density(x, y, unit_um=25_400) if math.isfinite(x) and math.isfinite(y) else None
