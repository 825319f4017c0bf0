"""Nuclei in a file: figures exactly as they were, small, and refused where damaged."""

import io
from dataclasses import fields, replace

import numpy as np
import pytest
from results_by_hand import hand_made_nuclei

from core.labels import NucleiMethod
from core.quantify.nuclei_file import decode_nuclei, encode_nuclei
from core.quantify.scores import nuclear_scores
from core.types import Nuclei

MIXED = (0, 1, 2, 3, 0, 1)


def same(first: Nuclei, second: Nuclei) -> bool:
    """Whether all figures but the outlines are equal, NaN included."""
    plain = [item.name for item in fields(Nuclei) if item.name not in ("outlines", "membranes")]
    equal = all(np.array_equal(getattr(first, name), getattr(second, name)) for name in plain)
    if first.membranes is None or second.membranes is None:
        return equal and first.membranes is second.membranes
    pairs = ((getattr(first.membranes, n), getattr(second.membranes, n)) for n in ("od", "completeness", "width_um"))
    return equal and all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


@pytest.mark.parametrize("patterns", [False, True])
def test_what_is_stored_comes_back(patterns: bool) -> None:
    nuclei = replace(hand_made_nuclei(MIXED, patterns=patterns), method=NucleiMethod.CLASSICAL, mpp_estimated=True)
    found = decode_nuclei(encode_nuclei(nuclei))
    assert same(found, nuclei)
    assert np.abs(found.outlines - nuclei.outlines).max() <= 1 / 32
    assert nuclear_scores(found) == nuclear_scores(nuclei)


def test_what_other_thresholds_are_applied_to_is_kept() -> None:
    nuclei = hand_made_nuclei(MIXED, patterns=True)
    assert nuclei.membranes is not None
    rays = np.random.default_rng(0).uniform(0, 1, (6, 24)).astype(np.float16)
    membranes = replace(nuclei.membranes, ray_od=rays, tumour=np.linspace(0, 1, 6, dtype=np.float32))
    found = decode_nuclei(encode_nuclei(replace(nuclei, membranes=membranes))).membranes
    assert found is not None
    assert np.array_equal(found.ray_od, membranes.ray_od)
    assert found.ray_od is not None
    assert found.ray_od.dtype == np.float16
    assert np.array_equal(found.tumour, membranes.tumour)
    empty = decode_nuclei(encode_nuclei(hand_made_nuclei([], patterns=True)))
    assert empty.membranes is not None


def test_no_nuclei_come_back_as_none() -> None:
    assert len(decode_nuclei(encode_nuclei(hand_made_nuclei([])))) == 0


def test_nuclei_of_a_whole_core_take_little_room() -> None:
    rng = np.random.default_rng(0)
    nuclei = hand_made_nuclei(rng.choice(4, 20_000), size=(5468, 5468))
    nuclei.outlines[:] += rng.normal(0, 1, nuclei.outlines.shape)
    assert len(encode_nuclei(nuclei)) < 1_500_000


def changed(**arrays: object) -> bytes:
    """A file of nuclei in which some arrays are others."""
    with np.load(io.BytesIO(encode_nuclei(hand_made_nuclei(MIXED)))) as stored:
        kept = {name: stored[name] for name in stored.files}
    stream = io.BytesIO()
    np.savez(stream, **{**kept, **arrays})  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no zip",
        encode_nuclei(hand_made_nuclei(MIXED))[:-40],
        changed(version=np.int32(99)),
        changed(method=np.array("guessed")),
        changed(mpp=np.float64(0)),
        changed(dab_od=np.zeros(5, np.float32)),
        changed(dab_od=np.array(["a"] * 6)),
        changed(centres=np.array(None, dtype=object)),
        changed(outlines=np.zeros((6, 3, 2), np.int16)),
    ],
)
def test_what_does_not_hold_nuclei_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        decode_nuclei(data)
