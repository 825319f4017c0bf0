"""The physical pixel size is taken from a file only where a microscope can have it."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.image_scale import mpp_from_density, mpp_from_description, plausible_mpp
from core.images import decode

FIELD = np.full((40, 64, 3), 90, np.uint8)


def mpp_of(data: bytes) -> float | None:
    return decode(data, "core.tif", max_bytes=10**8, max_pixels=10**8).mpp


def tiff(**options: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, FIELD, photometric="rgb", **options)
    return stream.getvalue()


def picture(kind: str, dpi: float) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(FIELD).save(stream, kind, dpi=(dpi, dpi))
    return stream.getvalue()


def test_reads_an_aperio_slide(shared_data: Path) -> None:
    data = (shared_data / "slides/CMU-1-Small-Region.svs").read_bytes()
    decoded = decode(data, "CMU-1-Small-Region.svs", max_bytes=10**8, max_pixels=10**8)
    assert decoded.mpp == 0.499 and decoded.image.shape == (2967, 2220, 3)


def test_reads_tiff_resolution_in_its_unit() -> None:
    assert mpp_of(tiff(resolution=(40_000, 40_000), resolutionunit="CENTIMETER")) == pytest.approx(0.25)
    assert mpp_of(tiff(resolution=(50_800, 50_800), resolutionunit="INCH")) == pytest.approx(0.5)


def test_reads_ome_and_imagej() -> None:
    ome = {"axes": "YXS", "PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 0.25}
    stream = io.BytesIO()
    tifffile.imwrite(stream, FIELD, photometric="rgb", ome=True, metadata=ome)
    assert mpp_of(stream.getvalue()) == pytest.approx(0.25)
    imagej = io.BytesIO()
    tifffile.imwrite(imagej, FIELD, imagej=True, resolution=(2, 2), metadata={"unit": "um"})
    assert mpp_of(imagej.getvalue()) == pytest.approx(0.5)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_reads_png_and_jpeg_density(kind: str) -> None:
    assert mpp_of(picture(kind, 50_800)) == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("dpi", [72, 96, 300, 1200])
def test_the_density_of_screens_and_printers_is_no_scale(kind: str, dpi: int) -> None:
    assert mpp_of(picture(kind, dpi)) is None


def test_refuses_pixels_that_are_not_square_or_not_positive() -> None:
    assert plausible_mpp(0.25, 0.3) is None
    assert plausible_mpp(float("nan"), 0.25) is None
    assert mpp_from_density(0, 0, unit_um=10_000) is None


def test_ignores_descriptions_it_does_not_understand() -> None:
    assert mpp_from_description("Aperio Image|AppMag = 20|MPP = 1.2.3") is None
    assert mpp_from_description("MPP = 0.25, said somebody") is None
    assert mpp_from_description('<OME><Pixels PhysicalSizeX="0.5" PhysicalSizeXUnit="pixel"/></OME>') is None
