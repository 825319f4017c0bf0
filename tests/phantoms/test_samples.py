"""The pictures to try the workbench with."""

import io

import pytest
from PIL import Image

from core.errors import NotFoundError
from core.phantoms.samples import SAMPLES, load_sample


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.key)
def test_every_sample_is_a_png_and_says_whether_it_is_simulated(sample) -> None:  # type: ignore[no-untyped-def]
    data, name = load_sample(sample.key)
    assert Image.open(io.BytesIO(data)).format == "PNG"
    assert name.startswith("simulated") == sample.simulated


def test_unknown_sample_is_named() -> None:
    with pytest.raises(NotFoundError, match="no sample 'her2-9'"):
        load_sample("her2-9")
