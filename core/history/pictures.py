"""The pictures of a result as one `pictures.npz`: small, quick, and without pickles.

Every map is quantised to 255 steps of its own range and kept as a JPEG, as are the two RGB pictures. What comes back
differs a little: RGB by about 1 gray level on average, a density by under 0.5 % of its largest value on average and
10 % at single pixels of a sharp edge, a heat map by under 0.01 on average. Where a heat map is NaN is kept exactly.
"""

import io
import zipfile
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import StorageError
from core.types import DensityMap, Heatmap, Pictures, RGBImage

RGB_QUALITY = 92
MAP_QUALITY = 90

_LEVELS = 255
_HEATMAP = "heatmap."
_MISSING = "missing."

_Bytes = npt.NDArray[np.uint8]
"""(N,) uint8: an encoded picture."""


def encode_pictures(pictures: Pictures) -> bytes:
    """Return the pictures as the bytes of an npz file."""
    arrays: dict[str, Any] = {"image": _encode_rgb(pictures.image)}
    if not np.array_equal(pictures.ihc, pictures.image):
        arrays["ihc"] = _encode_rgb(pictures.ihc)
    for name, density in (("dab", pictures.dab), ("hematoxylin", pictures.hematoxylin)):
        if density is not None:
            largest = float(density.max())
            arrays[name] = _encode_map(density / largest if largest > 0 else density)
            arrays[f"{name}_max"] = np.float32(largest)
    for layer, heatmap in pictures.heatmaps.items():
        missing = np.isnan(heatmap)
        arrays[_HEATMAP + layer] = _encode_map(np.where(missing, np.float32(0), heatmap))
        if missing.any():
            arrays[_MISSING + layer] = _encode_mask(missing)
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # not compressed: JPEG and PNG are already
    return stream.getvalue()


def decode_pictures(data: bytes) -> Pictures:
    """Return the pictures from the bytes of an npz file.

    Raises:
        StorageError: the bytes are damaged.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        image = _decode_rgb(arrays["image"])
        return Pictures(
            image=image,
            ihc=_decode_rgb(arrays["ihc"]) if "ihc" in arrays else image,
            dab=_decode_density(arrays, "dab"),
            hematoxylin=_decode_density(arrays, "hematoxylin"),
            heatmaps={
                name.removeprefix(_HEATMAP): _decode_heatmap(arrays, name.removeprefix(_HEATMAP))
                for name in arrays
                if name.startswith(_HEATMAP)
            },
        )
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError, cv2.error) as error:
        raise StorageError(
            "The stored pictures of this entry are damaged. Restore them from a backup, or run the analysis again."
        ) from error


def _encode_rgb(image: RGBImage) -> _Bytes:
    # 4:4:4: thin brown membranes on blue would lose their colour to the usual halved colour resolution
    settings = [cv2.IMWRITE_JPEG_QUALITY, RGB_QUALITY]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _encode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)


def _decode_rgb(data: _Bytes) -> RGBImage:
    image: RGBImage = cv2.cvtColor(_decode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return image


def _encode_map(values: npt.NDArray[np.float32]) -> _Bytes:
    """Encode a map in [0, 1]."""
    levels = np.rint(np.clip(values, 0, 1) * _LEVELS).astype(np.uint8)
    return _encode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, MAP_QUALITY])


def _decode_map(data: _Bytes) -> npt.NDArray[np.float32]:
    return _decode(data, cv2.IMREAD_GRAYSCALE).astype(np.float32) / np.float32(_LEVELS)


def _encode_mask(mask: npt.NDArray[np.bool_]) -> _Bytes:
    return _encode(".png", mask.astype(np.uint8) * 255, [cv2.IMWRITE_PNG_BILEVEL, 1])


def _decode_density(arrays: dict[str, Any], name: str) -> DensityMap | None:
    if name not in arrays:
        return None
    return _decode_map(arrays[name]) * np.float32(arrays[f"{name}_max"])


def _decode_heatmap(arrays: dict[str, Any], layer: str) -> Heatmap:
    heatmap = _decode_map(arrays[_HEATMAP + layer])
    if _MISSING + layer in arrays:
        heatmap[_decode(arrays[_MISSING + layer], cv2.IMREAD_GRAYSCALE) > 0] = np.nan
    return heatmap


def _encode(ending: str, picture: npt.NDArray[np.uint8], settings: list[int]) -> _Bytes:
    encoded: _Bytes = cv2.imencode(ending, picture, settings)[1]
    return encoded


def _decode(data: _Bytes, flags: int) -> npt.NDArray[np.uint8]:
    decoded: npt.NDArray[np.uint8] | None = cv2.imdecode(data, flags)
    if decoded is None:
        raise ValueError("a stored picture cannot be decoded")
    return decoded
