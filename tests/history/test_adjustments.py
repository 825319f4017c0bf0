"""Measured nuclei and what a person changed about them, beside the figures as measured."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from results_by_hand import hand_made_nuclei

from core import history
from core.db import Database, User
from core.errors import InvalidOptionError, NotFoundError, StorageError
from core.history import files
from core.history.adjustments import FILE, MAX_REGIONS, decode_adjusted, encode_adjusted
from core.labels import Marker, NucleiMethod
from core.quantify.adjusted import Adjusted
from core.quantify.scores import nuclear_scores
from core.types import Adjustments, Interval, Membranes, MembraneScores, Region, Result, Thresholds

MakeResult = Callable[..., Result]

MIXED = (0, 1, 2, 3) * 25
SIZE = (64, 48)
LEFT = Region(((-10.0, -10.0), (32.0, -10.0), (32.0, 60.0), (-10.0, 60.0)))
CHANGED = Adjustments(Thresholds(0.2, 0.4, 0.6), (LEFT,), {0: 3, 20: -1})


@pytest.fixture
def measured(make_result: MakeResult) -> Result:
    """A PR result with 100 nuclei."""
    result = make_result(7, marker=Marker.PR, outcome="PR+")
    nuclei = hand_made_nuclei(MIXED, size=SIZE)
    scores = replace(result.analysis.measurements, nuclear=nuclear_scores(nuclei))  # type: ignore[type-var]
    return replace(result, analysis=replace(result.analysis, measurements=scores), nuclei=nuclei)


@pytest.fixture
def entry_id(database: Database, paul: User, measured: Result) -> str:
    """Paul's stored entry of it."""
    saved = history.save(database, paul, measured, b"file")
    assert saved is not None
    return saved.entry_id


def test_nuclei_come_back_with_the_result(database: Database, paul: User, measured: Result, entry_id: str) -> None:
    entry = history.load(database, paul, entry_id)
    assert entry.result.analysis == measured.analysis
    assert entry.result.nuclei is not None
    assert measured.nuclei is not None
    assert np.array_equal(entry.result.nuclei.dab_od, measured.nuclei.dab_od)
    assert entry.adjusted is None


def test_an_entry_without_nuclei_opens_and_cannot_be_adjusted(
    database: Database, paul: User, make_result: MakeResult
) -> None:
    saved = history.save(database, paul, make_result(1), b"file")
    assert saved is not None
    entry = history.load(database, paul, saved.entry_id)
    assert (entry.result.nuclei, entry.adjusted) == (None, None)
    with pytest.raises(NotFoundError, match="No nuclei are stored"):
        history.save_adjustments(database, paul, saved.entry_id, CHANGED)


def test_an_analysis_of_an_earlier_version_still_opens(database: Database, paul: User, entry_id: str) -> None:
    path = files.history_folder() / entry_id / "analysis.json"
    stored = json.loads(path.read_text())
    del stored["measurements"]["nuclear"], stored["measurements"]["membrane"]
    path.write_text(json.dumps(stored))
    (path.parent / files.NUCLEI_FILE).unlink()
    entry = history.load(database, paul, entry_id)
    assert entry.result.analysis.measurements is not None
    assert entry.result.analysis.measurements.nuclear is None


def test_adjusted_figures_are_kept_beside_the_original_ones(
    database: Database, paul: User, measured: Result, entry_id: str
) -> None:
    adjusted = history.save_adjustments(database, paul, entry_id, CHANGED)
    assert adjusted is not None
    assert adjusted.nuclear is not None
    assert (adjusted.nuclear.counted, adjusted.nuclear.left_out, adjusted.nuclear.corrected) == (49, 51, 2)
    assert set(adjusted.adjustments.regions[0].points) == {(0, 0), (32, 0), (32, 48), (0, 48)}  # cut at the image
    entry = history.load(database, paul, entry_id)
    assert entry.adjusted == adjusted == history.get_adjustments(database, paul, entry_id)
    assert entry.result.analysis == measured.analysis


def test_the_last_adjustments_replace_the_former_and_none_remove_them(
    database: Database, paul: User, entry_id: str
) -> None:
    history.save_adjustments(database, paul, entry_id, CHANGED)
    second = history.save_adjustments(database, paul, entry_id, Adjustments(corrections={5: 0}))
    assert history.get_adjustments(database, paul, entry_id) == second
    assert history.save_adjustments(database, paul, entry_id, Adjustments()) is None
    assert history.get_adjustments(database, paul, entry_id) is None
    assert not (files.history_folder() / entry_id / FILE).exists()


def test_nobody_reaches_the_nuclei_of_another(database: Database, anna: User, entry_id: str) -> None:
    with pytest.raises(NotFoundError):
        history.save_adjustments(database, anna, entry_id, CHANGED)
    with pytest.raises(NotFoundError):
        history.get_adjustments(database, anna, entry_id)
    with pytest.raises(NotFoundError):
        history.load_nuclei(database, anna, entry_id)
    assert not (files.history_folder() / entry_id / FILE).exists()


@pytest.mark.parametrize(
    ("adjustments", "reason"),
    [
        (Adjustments(regions=(Region(((70, 5), (90, 5), (90, 30))),)), "outside the image, which is 64 x 48"),
        (Adjustments(regions=(Region(((0, 0), (30, 30), (30, 0), (0, 30))),)), "crosses itself"),
        (Adjustments(regions=(LEFT,) * (MAX_REGIONS + 1)), "at most 100"),
        (Adjustments(Thresholds(0.5, 0.4, 0.6)), "rise"),
        (Adjustments(corrections={100: 1}), "no nucleus 100"),
    ],
)
def test_adjustments_that_do_not_fit_are_refused_and_the_former_stay(
    database: Database, paul: User, entry_id: str, adjustments: Adjustments, reason: str
) -> None:
    former = history.save_adjustments(database, paul, entry_id, CHANGED)
    with pytest.raises(InvalidOptionError, match=reason):
        history.save_adjustments(database, paul, entry_id, adjustments)
    assert history.get_adjustments(database, paul, entry_id) == former


@pytest.mark.parametrize("name", [files.NUCLEI_FILE, FILE])
def test_a_damaged_file_is_said_so(database: Database, paul: User, entry_id: str, name: str) -> None:
    history.save_adjustments(database, paul, entry_id, CHANGED)
    (files.history_folder() / entry_id / name).write_bytes(b"damaged")
    with pytest.raises(StorageError, match=r"stored (nuclei|adjustments) of this entry"):
        history.load(database, paul, entry_id)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"version": 9, "adjusted": {}}', b'{"version": 1, "adjusted": {}}'])
def test_adjustments_that_cannot_be_read_are_refused(data: bytes) -> None:
    with pytest.raises(StorageError, match="adjust the figures again"):
        decode_adjusted(data)


def test_membrane_figures_survive_storage_too() -> None:
    share = Interval(12.0, 8.0, 16.0)
    membrane = MembraneScores(200, 3, share, share, share, share, None, 4, "", ("Second read.",), 2)
    adjusted = Adjusted(Adjustments(corrections={4: 3}), None, membrane, "2026-11-21T20:15:00+00:00")
    assert decode_adjusted(encode_adjusted(adjusted)) == adjusted


def test_another_method_makes_another_entry(database: Database, paul: User, measured: Result, entry_id: str) -> None:
    assert history.save(database, paul, measured, b"file") == history.Saved(entry_id, duplicate=True)
    assert measured.nuclei is not None
    other = replace(measured, nuclei=replace(measured.nuclei, method=NucleiMethod.CLASSICAL))
    saved = history.save(database, paul, other, b"file")
    assert saved is not None
    assert not saved.duplicate


def test_membranes_are_stored_with_their_nuclei(database: Database, paul: User, make_result: MakeResult) -> None:
    nuclei = hand_made_nuclei(MIXED, size=SIZE, patterns=True)
    saved = history.save(database, paul, replace(make_result(3), nuclei=nuclei), b"file")
    assert saved is not None
    found = history.load_nuclei(database, paul, saved.entry_id)[1].membranes
    assert isinstance(found, Membranes)
    assert nuclei.membranes is not None
    assert np.array_equal(found.width_um, nuclei.membranes.width_um, equal_nan=True)
