"""Every kind of upload: what works with a note, and what is refused in a sentence."""

import io
import struct
import unicodedata
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import InvalidImageError, TooLargeError
from core.images import decode, encode_jpeg, encode_png, is_blank, resize_to, resize_to_fit, safe_name, thumbnail
from core.types import DecodedImage, RGBImage

LIMITS = {"max_bytes": 50_000_000, "max_pixels": 150_000_000}


def read(data: bytes, name: str = "core.png") -> DecodedImage:
    return decode(data, name, **LIMITS)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.fixture
def field() -> RGBImage:
    """40 x 64 px: red left, blue right, green lower left corner."""
    image = np.zeros((40, 64, 3), np.uint8)
    image[:, :32] = (200, 30, 30)
    image[:, 32:] = (30, 30, 200)
    image[30:, :10] = (30, 200, 30)
    return image


def close(a: RGBImage, b: RGBImage, tolerance: int = 12) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(int) - b.astype(int)).mean()) < tolerance


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"Patient, score\n12, 3+\n", "text"),
        (b"%PDF-1.7 report", "PDF"),
        (b"PK\x03\x04 slides", "ZIP"),
        (b"\x00" * 128 + b"DICM" + b"\x00" * 64, "DICOM"),
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (bytes(range(256)), "unknown format"),
    ],
)
def test_refuses_what_is_no_image_and_says_what_it_is(data: bytes, words: str) -> None:
    with pytest.raises(InvalidImageError, match=words):
        read(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_refuses_a_file_that_was_cut_off(kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    with pytest.raises(InvalidImageError, match="damaged|not an image"):
        read(data[: int(len(data) * share)])


def test_refuses_a_decompression_bomb_from_its_header_alone() -> None:
    with pytest.raises(TooLargeError, match="60000 x 60000"):
        read(png_header(60_000, 60_000))


def test_refuses_a_jpeg_whose_header_claims_more_pixels_than_allowed(field: RGBImage) -> None:
    data = bytearray(encode_jpeg(field))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(TooLargeError, match="megapixels"):
        read(bytes(data))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (20_000, 30), (31, 500)])
def test_refuses_an_image_too_small_to_judge(width: int, height: int) -> None:
    with pytest.raises(InvalidImageError, match=f"{width} x {height} px, at least 32 x 32"):
        read(saved(Image.new("RGB", (width, height)), "PNG"))


def test_refuses_more_bytes_than_allowed(field: RGBImage) -> None:
    with pytest.raises(TooLargeError, match="limit"):
        decode(encode_png(field), "core.png", max_bytes=100, max_pixels=10**6)


def test_every_refusal_is_short_and_names_the_file() -> None:
    for data in (b"", b"text", encode_png(np.zeros((8, 8, 3), np.uint8)), png_header(60_000, 60_000)):
        with pytest.raises((InvalidImageError, TooLargeError)) as caught:
            read(data, "my core.png")
        assert str(caught.value).startswith("my core.png") and len(str(caught.value)) < 250


def test_damaged_files_never_raise_anything_else(field: RGBImage) -> None:
    random = np.random.default_rng(1)
    big = np.asarray(Image.fromarray(field).resize((96, 96)))
    for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF"):
        whole = saved(Image.fromarray(big), kind)
        for _ in range(60):
            data = bytearray(whole)
            for place in random.integers(0, min(len(data), 400), 4):
                data[place] = random.integers(256)
            try:
                read(bytes(data))
            except (InvalidImageError, TooLargeError):
                continue


def test_the_content_decides_not_the_name(field: RGBImage) -> None:
    assert close(read(encode_jpeg(field, 95), "really.png").image, field)


def test_reads_plain_files_exactly(field: RGBImage) -> None:
    for kind in ("PNG", "TIFF", "BMP"):
        decoded = read(saved(Image.fromarray(field), kind))
        assert np.array_equal(decoded.image, field) and decoded.notes == () and decoded.mpp is None
    assert np.array_equal(read(saved(Image.fromarray(field), "WEBP", lossless=True)).image, field)


def test_converts_cmyk(field: RGBImage) -> None:
    for kind in ("JPEG", "TIFF"):
        decoded = read(saved(Image.fromarray(field).convert("CMYK"), kind))
        assert close(decoded.image, field)
        assert decoded.notes == ("CMYK colours were converted to RGB.",)


def test_converts_a_palette(field: RGBImage) -> None:
    for kind in ("PNG", "TIFF", "GIF"):
        decoded = read(saved(Image.fromarray(field).convert("P", palette=Image.Palette.ADAPTIVE), kind))
        assert close(decoded.image, field)
        assert any("Palette" in note for note in decoded.notes)


def test_converts_gray(field: RGBImage) -> None:
    for kind in ("PNG", "JPEG", "TIFF"):
        decoded = read(saved(Image.fromarray(field).convert("L"), kind))
        assert decoded.image.shape == (40, 64, 3)
        assert np.array_equal(decoded.image[..., 0], decoded.image[..., 2])
        assert "gray" in decoded.notes[0]


def test_reads_black_and_white(field: RGBImage) -> None:
    bits = Image.fromarray(field).convert("L").point(lambda level: 255 * (level > 70), "1")
    for kind in ("PNG", "TIFF"):
        assert set(np.unique(read(saved(bits, kind)).image)) <= {0, 255}


def test_lays_transparency_over_white(field: RGBImage) -> None:
    alpha = np.full((40, 64), 255, np.uint8)
    alpha[:, 32:] = 0
    for kind in ("PNG", "TIFF", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        decoded = read(saved(Image.fromarray(np.dstack([field, alpha])), kind, **options))
        assert np.array_equal(decoded.image[:, :32], field[:, :32])
        assert (decoded.image[:, 32:] == 255).all()
        assert decoded.notes == ("Transparent parts were laid over white.",)


def test_drops_an_opaque_alpha_channel_silently(field: RGBImage) -> None:
    decoded = read(saved(Image.fromarray(field).convert("RGBA"), "PNG"))
    assert np.array_equal(decoded.image, field) and decoded.notes == ()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_turns_images_upright(field: RGBImage, kind: str, orientation: int) -> None:
    stored = {1: field, 2: field[:, ::-1], 3: field[::-1, ::-1], 4: field[::-1]}
    stored |= {5: field.swapaxes(0, 1), 6: np.rot90(field), 7: np.rot90(field.swapaxes(0, 1), 2)}
    stored |= {8: np.rot90(field, -1)}
    if kind == "TIFF":
        data = saved(Image.fromarray(stored[orientation]), kind, tiffinfo={274: orientation})
    else:
        exif = Image.Exif()
        exif[0x0112] = orientation
        data = saved(Image.fromarray(stored[orientation]), kind, exif=exif)
    decoded = read(data)
    assert close(decoded.image, field)
    assert any("upright" in note for note in decoded.notes) == (orientation > 1)


def test_takes_the_first_frame_and_the_first_page(field: RGBImage) -> None:
    first, second = Image.fromarray(field), Image.fromarray(field[::-1])
    for kind, word in (("GIF", "frames"), ("PNG", "frames"), ("WEBP", "frames"), ("TIFF", "pages")):
        decoded = read(saved(first, kind, save_all=True, append_images=[second]))
        assert close(decoded.image, field, 20)
        assert any(f"first of 2 {word}" in note for note in decoded.notes)


def test_scales_16_bit_colours(field: RGBImage) -> None:
    import imagecodecs

    decoded = read(imagecodecs.png_encode(field.astype(np.uint16) * 257))
    assert close(decoded.image, field, 1)
    assert "16-bit" in decoded.notes[0]


def test_scales_12_bit_values_stored_in_16_by_their_range() -> None:
    import imagecodecs

    levels = (np.linspace(0, 4095, 40 * 64).reshape(40, 64)).astype(np.uint16)
    decoded = read(imagecodecs.png_encode(levels))
    assert decoded.image.max() == 255 and 120 < decoded.image.mean() < 135
    assert "use 12 bits" in decoded.notes[0]


def test_file_names_are_made_harmless() -> None:
    assert safe_name("../../etc/passwd") == "passwd"
    assert safe_name("C:\\slides\\core 3.png") == "core 3.png"
    assert safe_name("a\x00b\x1b[31m\u202ecod\n.png") == "ab[31mcod .png"
    assert safe_name("..") == safe_name("") == safe_name("/") == "image"
    assert safe_name("Fäll 12 日本.tif") == unicodedata.normalize("NFC", "Fäll 12 日本.tif")
    long = safe_name("ö" * 300 + ".jpeg")
    assert len(long) == 120 and long.endswith("ö.jpeg")


def test_resizing_never_enlarges_to_fit_and_hits_an_exact_size(field: RGBImage) -> None:
    assert resize_to_fit(field, 100) is field
    assert resize_to_fit(field, 32).shape == (20, 32, 3)
    assert resize_to(field, (128, 50)).shape == (50, 128, 3)


def test_pictures_survive_encoding(field: RGBImage) -> None:
    assert np.array_equal(read(encode_png(field)).image, field)
    assert close(read(encode_jpeg(field)).image, field)
    with Image.open(io.BytesIO(thumbnail(np.tile(field, (10, 10, 1)), 100))) as small:
        assert small.format == "JPEG" and small.size == (100, 62)


def test_tells_blank_from_tissue(shared_data: Path) -> None:
    blank = shared_data / "stains/other/fixtures__almost-white-1.png"
    pale = shared_data / "bci/IHC/00005_test_1+.png"
    assert is_blank(read(blank.read_bytes()).image)
    assert not is_blank(read(pale.read_bytes()).image)


def test_decodes_a_large_image() -> None:
    decoded = read(encode_jpeg(np.full((8000, 8000, 3), 200, np.uint8), 50))
    assert decoded.image.shape == (8000, 8000, 3)


def test_decodes_every_shared_image(shared_data: Path) -> None:
    for path in sorted((shared_data / "stains").rglob("*.*")):
        decoded = read(path.read_bytes(), path.name)
        assert decoded.image.dtype == np.uint8 and decoded.mpp is None
