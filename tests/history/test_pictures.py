"""Pictures of a result as a small file."""

import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import StorageError
from core.history.pictures import decode_pictures, encode_pictures
from core.labels import CAM_LAYERS
from core.types import DISPLAY_PX, Pictures


@pytest.fixture
def pictures(shared_data: Path) -> Pictures:
    """A real IHC at display size, its densities, and five heat maps as rough as the layers are."""
    read = cv2.imread(str(next(iter(sorted((shared_data / "bci" / "IHC").glob("*.png"))))))
    image = cv2.cvtColor(cv2.resize(read, (DISPLAY_PX, DISPLAY_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    density = -np.log10(np.maximum(image, 1) / np.float32(255)).astype(np.float32)
    random = np.random.default_rng(0)
    heatmaps = {}
    for layer, cells in zip(CAM_LAYERS, (112, 56, 28, 14, 7), strict=True):
        rough = cv2.GaussianBlur(random.random((cells, cells), dtype=np.float32), (0, 0), 1)
        heatmaps[layer] = cv2.resize(rough, (DISPLAY_PX, DISPLAY_PX))
        heatmaps[layer][:200] = np.nan
    return Pictures(image, image, density[..., 2], density[..., 0], heatmaps)


def test_differ_by_the_stated_steps_only(pictures: Pictures) -> None:
    back = decode_pictures(encode_pictures(pictures))
    assert np.abs(back.image.astype(int) - pictures.image).mean() < 1.5
    assert back.ihc is back.image
    for found, expected in ((back.dab, pictures.dab), (back.hematoxylin, pictures.hematoxylin)):
        assert found is not None
        assert expected is not None
        error = np.abs(found - expected) / expected.max()
        assert (found.dtype, error.mean() < 0.005, error.max() < 0.1) == (np.float32, True, True)
    for layer, expected in pictures.heatmaps.items():
        np.testing.assert_array_equal(np.isnan(back.heatmaps[layer]), np.isnan(expected))
        assert np.nanmean(np.abs(back.heatmaps[layer] - expected)) < 0.01
        assert np.nanmax(back.heatmaps[layer]) <= 1


def test_are_small_and_quick(pictures: Pictures) -> None:
    started = time.process_time()
    encoded = encode_pictures(pictures)
    seconds = time.process_time() - started
    assert len(encoded) < 1_500_000
    assert seconds < 0.3  # 0.06 s alone on one core


def test_what_was_not_measured_stays_absent() -> None:
    image = np.full((40, 50, 3), 200, np.uint8)
    back = decode_pictures(encode_pictures(Pictures(image, image[:, ::-1] // 2)))
    assert (back.dab, back.hematoxylin, back.heatmaps) == (None, None, {})
    np.testing.assert_allclose(back.ihc, 100, atol=1)


def test_an_empty_density_stays_zero() -> None:
    image = np.full((40, 50, 3), 200, np.uint8)
    zero = np.zeros((40, 50), np.float32)
    back = decode_pictures(encode_pictures(Pictures(image, image, zero, zero, {"conv1": zero})))
    assert back.dab is not None
    assert (back.dab.max(), back.heatmaps["conv1"].max()) == (0, 0)


@pytest.mark.parametrize("damage", ["empty", "cut", "noise", "pickle"])
def test_damaged_pictures_are_said_in_a_sentence(damage: str, tmp_path: Path) -> None:
    image = np.zeros((40, 50, 3), np.uint8)
    whole = encode_pictures(Pictures(image, image))
    if damage == "pickle":
        np.savez(tmp_path / "pickle.npz", image=np.array([{"code": "runs"}], dtype=object))
        data = (tmp_path / "pickle.npz").read_bytes()
    else:
        data = {"empty": b"", "cut": whole[:-80], "noise": whole[:150] + b"\x00" * 100 + whole[250:]}[damage]
    with pytest.raises(StorageError, match="damaged"):
        decode_pictures(data)
