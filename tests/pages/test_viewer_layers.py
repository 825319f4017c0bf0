"""What the viewer in the browser receives."""

import json

import cv2
import numpy as np
from results_by_hand import hand_made_result

from core.types import Result
from pages.ui.layers import pack


def unpack(packet: bytes) -> tuple[dict, bytes]:
    """Header and blobs of a packet."""
    length = int.from_bytes(packet[:4], "little")
    return json.loads(packet[4 : 4 + length]), packet[4 + length :]


def decoded(spec: dict, blobs: bytes) -> np.ndarray:
    """One picture of a packet."""
    offset, size = spec["at"]
    return cv2.imdecode(np.frombuffer(blobs[offset : offset + size], np.uint8), cv2.IMREAD_UNCHANGED)


def test_heat_maps_keep_their_values_and_gaps(result: Result):
    header, blobs = unpack(pack(result, "one"))
    heatmap = result.pictures.heatmaps["denseblock3"]
    spec = header["maps"]["cam:denseblock3"]
    sent = decoded(spec, blobs)

    values = np.where(sent == 0, np.nan, (sent.astype(float) - 1) / 254)
    assert spec["gaps"] and (spec["vmin"], spec["vmax"]) == (0.0, 1.0)
    np.testing.assert_allclose(values, heatmap, atol=1 / 254)


def test_densities_stand_on_the_fixed_scale(result: Result):
    header, blobs = unpack(pack(result, "one"))
    spec = header["maps"]["dab"]
    sent = decoded(spec, blobs).astype(float) / 255 * spec["vmax"]

    expected = np.clip(result.pictures.dab, 0, spec["vmax"])
    assert np.abs(sent - expected).mean() < 0.05


def test_tiles_are_shares_of_the_upload(result: Result):
    header, _ = unpack(pack(result, "one"))

    assert header["tiles"][-1][:4] == [0.5, 0.5, 0.5, 0.5]


def test_a_virtual_stain_is_marked_and_compared(result: Result):
    virtual = hand_made_result(result.pictures.image, virtual=True)
    header, _ = unpack(pack(virtual, "two"))

    assert "not real staining" in header["banner"]
    assert header["start"]["layer"] == "compare"
    assert set(header["images"]) == {"image", "ihc"}


def test_a_page_of_pictures_is_small():
    tissue = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (1400, 1400, 3), dtype=np.uint8), (5, 5), 0)

    assert len(pack(hand_made_result(tissue), "large")) < 2_000_000
