"""Nuclei as the bytes of an npz file: small, without pickles, and with their figures exactly as they were.

Outlines are kept as steps of 1/16 pixel from the centre; everything that a score depends on is kept exactly.
"""

import io
import zipfile
from typing import Any

import numpy as np
import numpy.typing as npt

from core.labels import NucleiMethod
from core.types import Membranes, Nuclei

VERSION = 1

CORNERS = 16
MAX_NUCLEI = 2_000_000
"""More are in no image that can be uploaded."""

_STEPS_PER_PX = 16
_BYTES_OF_NUCLEUS = 256
"""Unpacked, with room for more directions around a nucleus than are measured."""
_FIGURES = ("area_um2", "dab_od", "hematoxylin_od", "confidence")
_MEMBRANES = ("od", "completeness", "width_um")


def encode_nuclei(nuclei: Nuclei) -> bytes:
    """Return nuclei as the bytes of a compressed npz file."""
    steps = np.rint((nuclei.outlines - nuclei.centres[:, None]) * _STEPS_PER_PX)
    arrays: dict[str, Any] = {
        "version": np.int32(VERSION),
        "method": np.array(nuclei.method.value),
        "mpp": np.float64(nuclei.mpp),
        "mpp_estimated": np.bool_(nuclei.mpp_estimated),
        "centres": nuclei.centres.astype(np.float32),
        "outlines": np.clip(steps, -32768, 32767).astype(np.int16),
        "positive": nuclei.positive.astype(np.bool_),
        **{name: getattr(nuclei, name).astype(np.float32) for name in _FIGURES},
    }
    if nuclei.membranes is not None:
        found = nuclei.membranes
        arrays |= {f"membrane_{name}": getattr(found, name).astype(np.float32) for name in _MEMBRANES}
        if found.ray_od is not None:
            arrays["membrane_ray_od"] = found.ray_od.astype(np.float16)
        if found.tumour is not None:
            arrays["membrane_tumour"] = found.tumour.astype(np.float32)
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def decode_nuclei(data: bytes) -> Nuclei:
    """Return the nuclei from the bytes of an npz file.

    Raises:
        ValueError: damaged, of a later version, or not what `encode_nuclei` writes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
        if unpacked > MAX_NUCLEI * _BYTES_OF_NUCLEUS:
            raise ValueError("the file is too large to hold nuclei")
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return _nuclei(arrays)
    except (zipfile.BadZipFile, KeyError, TypeError, EOFError, OSError) as error:
        raise ValueError("the file does not hold nuclei") from error


def _nuclei(arrays: dict[str, npt.NDArray[Any]]) -> Nuclei:
    if int(arrays["version"]) > VERSION:
        raise ValueError("the nuclei were stored by a later version")
    centres = arrays["centres"]
    count = len(centres)
    outlines = centres[:, None] + _shaped(arrays["outlines"], (count, CORNERS, 2)) / np.float32(_STEPS_PER_PX)
    mpp = float(arrays["mpp"])
    if not 0 < mpp < 1000:
        raise ValueError(f"a pixel of {mpp} um")
    return Nuclei(
        centres=_shaped(centres, (count, 2)).astype(np.float32),
        outlines=outlines.astype(np.float32),
        positive=_shaped(arrays["positive"], (count,)).astype(np.bool_),
        mpp=mpp,
        mpp_estimated=bool(arrays["mpp_estimated"]),
        method=NucleiMethod(str(arrays["method"])),
        membranes=_membranes(arrays, count),
        **{name: _shaped(arrays[name], (count,)).astype(np.float32) for name in _FIGURES},
    )


def _membranes(arrays: dict[str, npt.NDArray[Any]], count: int) -> Membranes | None:
    if "membrane_od" not in arrays:
        return None
    od, completeness, width_um = (_shaped(arrays[f"membrane_{name}"], (count,)) for name in _MEMBRANES)
    rays, tumour = arrays.get("membrane_ray_od"), arrays.get("membrane_tumour")
    if rays is not None:
        rays = _shaped(rays, (count, *rays.shape[1:2])).astype(np.float16)
    return Membranes(
        od=od.astype(np.float32),
        completeness=completeness.astype(np.float32),
        width_um=width_um.astype(np.float32),
        ray_od=rays,
        tumour=None if tumour is None else _shaped(tumour, (count,)).astype(np.float32),
    )


def _shaped(values: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    if values.shape != shape or values.dtype.kind not in "fib":
        raise ValueError(f"an array of {values.shape} {values.dtype} in place of {shape} numbers")
    return values
