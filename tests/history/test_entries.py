"""Saving, finding, own scores, deleting: always only one's own."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core import auth, history
from core.config import Settings
from core.db import Database, HistoryQuery, HistorySort, User
from core.db.settings import AppSettings, save_app_settings
from core.errors import InvalidOptionError, NotFoundError, PermissionDeniedError
from core.labels import INSUFFICIENT, Marker
from core.types import Result

Make = Callable[..., Result]
TODAY = datetime.now(UTC).date()


def keep(db: Database, user: User, result: Result, original: bytes = b"upload") -> str:
    saved = history.save(db, user, result, original)
    assert saved is not None
    assert not saved.duplicate
    return saved.entry_id


def names(rows: list[history.HistoryRow]) -> list[str]:
    return [row.name for row in rows]


def test_a_saved_result_comes_back(database: Database, anna: User, make_result: Make) -> None:
    result = make_result()
    entry = history.load(database, anna, keep(database, anna, result))
    assert entry.result.analysis == result.analysis
    np.testing.assert_allclose(entry.result.pictures.image, result.pictures.image, atol=12)
    assert set(entry.result.pictures.heatmaps) == set(result.pictures.heatmaps)
    row = entry.row
    assert (row.name, row.marker, row.outcome, row.confidence) == ("ihc.png", Marker.HER2, "2+", 0.7)
    assert (row.tiles, row.notices, row.width, row.height) == (1, ("blurred",), 64, 48)
    assert (row.own_score, row.disagrees, row.has_original) == (None, False, False)


def test_the_history_is_there_tomorrow(database: Database, anna: User, make_result: Make) -> None:
    entry_id = keep(database, anna, make_result())
    database.close()
    assert [row.id for row in history.list_entries(database, anna)] == [entry_id]


def test_one_user_cannot_reach_anothers_entry(database: Database, anna: User, paul: User, make_result: Make) -> None:
    entry_id = keep(database, paul, make_result())
    for attempt in (
        lambda: history.load(database, anna, entry_id),
        lambda: history.get_row(database, anna, entry_id),
        lambda: history.thumbnail(database, anna, entry_id),
        lambda: history.original(database, anna, entry_id),
        lambda: history.record_own_score(database, anna, entry_id, "3+"),
        lambda: history.delete(database, anna, [entry_id]),
    ):
        with pytest.raises(NotFoundError, match="no such entry in your history"):
            attempt()
    assert history.list_entries(database, anna) == []
    assert history.count_entries(database, anna) == 0
    history.delete(database, paul, [entry_id])
    assert history.undo_delete(database, anna, [entry_id]) == 0
    assert history.undo_delete(database, paul, [entry_id]) == 1
    assert history.get_row(database, paul, entry_id).own_score is None


@pytest.mark.parametrize("entry_id", ["", "..", "../../workbench.db", "/etc/passwd", "' OR 1=1 --", "\x00", "\udcff"])
def test_made_up_ids_find_nothing(database: Database, anna: User, make_result: Make, entry_id: str) -> None:
    keep(database, anna, make_result())
    with pytest.raises(NotFoundError):
        history.thumbnail(database, anna, entry_id)


def test_guests_leave_nothing_behind(database: Database, settings: Settings, make_result: Make) -> None:
    guest = auth.guest_user()
    assert history.save(database, guest, make_result(), b"upload") is None
    assert history.list_entries(database, guest) == []
    assert not (settings.data_dir / "history").exists()


def test_the_same_image_twice_is_recognised(database: Database, anna: User, paul: User, make_result: Make) -> None:
    first = keep(database, anna, make_result(name="first.png"))
    assert history.save(database, anna, make_result(name="renamed.png"), b"upload") == history.Saved(first, True)
    assert names(history.list_entries(database, anna)) == ["first.png"]
    keep(database, paul, make_result())  # somebody else's history is no duplicate


def test_other_weights_marker_options_or_image_are_another_entry(
    database: Database, anna: User, make_result: Make
) -> None:
    for result in (
        make_result(),
        make_result(1),
        make_result(models={"ihcnet": "b" * 64}),
        make_result(marker=Marker.PR, outcome="PR+"),
        make_result(heatmaps=False),
        make_result(virtual=True),
    ):
        keep(database, anna, result)
    assert history.count_entries(database, anna) == 6


def test_a_deleted_image_can_be_saved_again(database: Database, anna: User, make_result: Make) -> None:
    first = keep(database, anna, make_result())
    history.delete(database, anna, [first])
    assert keep(database, anna, make_result()) != first


def test_file_names_touch_no_path(database: Database, anna: User, settings: Settings, make_result: Make) -> None:
    name = "../../etc/\x00" + "測" * 300 + "\u202egnp.exe"
    entry_id = keep(database, anna, make_result(name=name))
    assert history.get_row(database, anna, entry_id).name == name.replace("\x00", "")
    files = sorted(path.relative_to(settings.data_dir) for path in (settings.data_dir / "history").rglob("*.*"))
    assert [str(path) for path in files] == [
        f"history/{entry_id}/{file}" for file in ("analysis.json", "pictures.npz", "thumbnail.jpg")
    ]


def test_the_analysis_is_readable_json(database: Database, anna: User, settings: Settings, make_result: Make) -> None:
    entry_id = keep(database, anna, make_result())
    stored = json.loads((settings.data_dir / "history" / entry_id / "analysis.json").read_text(encoding="utf-8"))
    assert stored["outcome"] == "2+"


def test_the_thumbnail_is_a_jpeg(database: Database, anna: User, make_result: Make) -> None:
    assert history.thumbnail(database, anna, keep(database, anna, make_result())).startswith(b"\xff\xd8\xff")


def test_the_original_is_kept_only_if_the_setting_says_so(database: Database, anna: User, make_result: Make) -> None:
    without = keep(database, anna, make_result())
    save_app_settings(database, anna, AppSettings(keep_originals=True))
    with_original = keep(database, anna, make_result(1), b"the upload")
    assert history.original(database, anna, without) is None
    assert history.original(database, anna, with_original) == b"the upload"


QUERIES = [
    (HistoryQuery(), ["Größe 100%.png", "slide_b.png", "case a.png", "core 3+.png"]),
    (HistoryQuery(sort=HistorySort.OLDEST), ["core 3+.png", "case a.png", "slide_b.png", "Größe 100%.png"]),
    (HistoryQuery(sort=HistorySort.NAME), ["case a.png", "core 3+.png", "Größe 100%.png", "slide_b.png"]),
    (HistoryQuery(sort=HistorySort.OUTCOME), ["case a.png", "core 3+.png", "Größe 100%.png", "slide_b.png"]),
    (HistoryQuery(sort=HistorySort.CONFIDENCE), ["case a.png", "slide_b.png", "core 3+.png", "Größe 100%.png"]),
    (HistoryQuery(limit=2, offset=1), ["slide_b.png", "case a.png"]),
    (HistoryQuery(text="GRÖSSE"), ["Größe 100%.png"]),
    (HistoryQuery(text="3+"), ["core 3+.png"]),
    (HistoryQuery(text="png core"), ["core 3+.png"]),
    (HistoryQuery(text="%"), ["Größe 100%.png"]),
    (HistoryQuery(text="e_b"), ["slide_b.png"]),
    (HistoryQuery(text="сомнительно"), ["case a.png"]),
    (HistoryQuery(text="nothing like that"), []),
    (HistoryQuery(marker=Marker.PR), ["slide_b.png"]),
    (HistoryQuery(outcome="1+"), ["case a.png"]),
    (HistoryQuery(outcome=INSUFFICIENT), ["Größe 100%.png"]),
    (HistoryQuery(disagrees=True), ["case a.png"]),
    (HistoryQuery(disagrees=False, sort=HistorySort.NAME), ["core 3+.png", "Größe 100%.png", "slide_b.png"]),
    (HistoryQuery(virtual=True), ["slide_b.png"]),
    (HistoryQuery(virtual=False, limit=1), ["Größe 100%.png"]),
    (HistoryQuery(image_sha256=f"{2:064x}"), ["slide_b.png"]),
    (HistoryQuery(date_from=TODAY, date_to=TODAY, limit=1), ["Größe 100%.png"]),
    (HistoryQuery(date_from=TODAY + timedelta(days=1)), []),
    (HistoryQuery(date_to=TODAY - timedelta(days=1)), []),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_finds_what_fits(
    database: Database, anna: User, make_result: Make, query: HistoryQuery, expected: list[str]
) -> None:
    keep(database, anna, make_result(0, name="core 3+.png", outcome="3+", confidence=0.9))
    unsure = keep(database, anna, make_result(1, name="case a.png", outcome="1+", confidence=0.4))
    keep(database, anna, make_result(2, name="slide_b.png", marker=Marker.PR, outcome="PR-", virtual=True))
    keep(database, anna, make_result(3, name="Größe 100%.png", outcome=INSUFFICIENT))
    history.record_own_score(database, anna, unsure, "2+", "Сомнительно")
    assert names(history.list_entries(database, anna, query)) == expected
    assert history.count_entries(database, anna, replace(query, limit=100, offset=0)) >= len(expected)


@pytest.mark.parametrize(
    ("outcome", "own", "disagrees"),
    [("2+", "3+", True), ("2+", "2+", False), ("2+", None, False), (INSUFFICIENT, "3+", False)],
)
def test_an_own_score_beside_the_models(
    database: Database, anna: User, make_result: Make, outcome: str, own: str | None, disagrees: bool
) -> None:
    entry_id = keep(database, anna, make_result(outcome=outcome))
    row = history.record_own_score(database, anna, entry_id, own, "  see slide 2 ")
    assert (row.own_score, row.own_comment, row.disagrees) == (own, "see slide 2", disagrees)
    assert row.own_at is not None
    assert history.get_row(database, anna, entry_id) == row
    cleared = history.record_own_score(database, anna, entry_id, None)
    assert (cleared.own_score, cleared.own_comment, cleared.own_at, cleared.disagrees) == (None, "", None, False)


@pytest.mark.parametrize(("score", "comment"), [("4+", ""), ("PR+", ""), ("", ""), (None, "x" * 2001)])
def test_an_own_score_is_one_of_the_markers(
    database: Database, anna: User, make_result: Make, score: str | None, comment: str
) -> None:
    entry_id = keep(database, anna, make_result())
    with pytest.raises(InvalidOptionError):
        history.record_own_score(database, anna, entry_id, score, comment)


def test_administrators_see_counts_only(database: Database, anna: User, paul: User, make_result: Make) -> None:
    keep(database, paul, make_result())
    history.delete(database, paul, [keep(database, paul, make_result(1))])
    found = [(each.name, each.entries, each.last is None) for each in history.usage(database, anna)]
    assert found == [("Anna", 0, True), ("Paul", 1, False)]
    assert history.storage_bytes() > 1000
    with pytest.raises(PermissionDeniedError):
        history.usage(database, paul)
