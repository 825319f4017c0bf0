"""One upload becomes virtual IHC, or is refused in words."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import InvalidImageError, WrongStainError
from core.images import encode_png
from core.inference.engine import Engine, get_engine
from core.labels import Scale
from core.phantoms.samples import load_sample
from core.staining import stain_upload


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The bundled generator."""
    return get_engine()


@pytest.fixture(scope="module")
def he() -> bytes:
    """A simulated H&E field of 512 px."""
    image = cv2.imdecode(np.frombuffer(load_sample("he")[0], np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".png", image[:512, :512])[1].tobytes()


def test_an_he_field_is_stained_at_the_scale_of_the_generator(engine: Engine, he: bytes) -> None:
    stained = stain_upload(he, "a/b/field.png", engine=engine, scale=Scale.X40)
    assert (stained.name, stained.size, stained.he.shape) == ("field.png", (512, 512), (128, 128, 3))
    assert stained.ihc.shape == stained.he.shape and not np.array_equal(stained.ihc, stained.he)
    assert stained.full_size.shape == (512, 512, 3)
    assert (stained.seams, stained.mpp, stained.agreement, stained.notes) == (None, 1.0, None, ())


def test_at_a_lower_magnification_it_has_more_tiles(engine: Engine, he: bytes) -> None:
    stained = stain_upload(he, "field.png", engine=engine, scale=Scale.X10)
    assert stained.he.shape == (512, 512, 3)
    assert stained.seams is not None and 0.5 < stained.seams < 1.5


def test_an_unknown_scale_is_said(engine: Engine, he: bytes) -> None:
    notes = stain_upload(he, "field.png", engine=engine).notes
    assert any("40x" in note for note in notes)


@pytest.mark.parametrize(("sample", "words"), [("her2-3", "looks like IHC already"), ("pr-negative", "H&E")])
def test_ihc_is_refused_and_stained_where_the_user_insists(engine: Engine, sample: str, words: str) -> None:
    data, name = load_sample(sample)
    with pytest.raises(WrongStainError, match=words):
        stain_upload(data, name, engine=engine)
    insisted = stain_upload(data, name, engine=engine, insist=True)
    assert any("stained on request" in note for note in insisted.notes)


def test_empty_glass_is_no_he(engine: Engine) -> None:
    with pytest.raises(WrongStainError, match="neither"):
        stain_upload(encode_png(np.full((300, 300, 3), 243, np.uint8)), "glass.png", engine=engine)


def test_twenty_pixels_are_too_few(engine: Engine) -> None:
    with pytest.raises(InvalidImageError, match="32"):
        stain_upload(encode_png(np.full((20, 20, 3), 200, np.uint8)), "small.png", engine=engine)


def test_a_real_pair_is_compared(engine: Engine, shared_data: Path) -> None:
    he, ihc = ((shared_data / "bci" / stain / "00001_test_2+.png").read_bytes() for stain in ("HE", "IHC"))
    agreement = stain_upload(he, "00001.png", engine=engine, real=(ihc, "00001.png")).agreement
    assert agreement is not None
    assert agreement.virtual.ssim > agreement.he.ssim  # on a held-out pair


@pytest.mark.parametrize(
    ("real", "words"),
    [(b"no image", "Not compared"), (encode_png(np.full((64, 300, 3), 200, np.uint8)), "cannot show the same field")],
)
def test_a_real_ihc_that_does_not_fit_is_only_a_remark(engine: Engine, he: bytes, real: bytes, words: str) -> None:
    stained = stain_upload(he, "field.png", engine=engine, real=(real, "real.png"))
    assert stained.agreement is None and any(words in note for note in stained.notes)
