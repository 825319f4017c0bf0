"""Deleting with undo, and removing for good."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from core import history
from core.config import Settings
from core.db import Database, User
from core.db.audit import list_audit
from core.db.settings import AppSettings, save_app_settings
from core.errors import NotFoundError
from core.types import Result

Make = Callable[..., Result]


def keep(db: Database, user: User, result: Result) -> str:
    saved = history.save(db, user, result, b"upload")
    assert saved is not None
    return saved.entry_id


def test_a_deletion_can_be_undone_for_a_minute(database: Database, anna: User, make_result: Make) -> None:
    ids = [keep(database, anna, make_result(seed)) for seed in range(3)]
    now = datetime.now(UTC)
    assert history.delete(database, anna, ids[:2], now=now) == 2
    assert [row.id for row in history.list_entries(database, anna)] == ids[2:]
    with pytest.raises(NotFoundError):
        history.load(database, anna, ids[0])
    assert history.undo_delete(database, anna, ids[:1], now=now + timedelta(seconds=59)) == 1
    assert history.undo_delete(database, anna, ids[1:2], now=now + timedelta(seconds=61)) == 0
    assert history.load(database, anna, ids[0]).row.id == ids[0]
    actions = [(row.action, row.detail) for row in list_audit(database, anna)][:2]
    assert actions == [("history restored", "1 entries"), ("history deleted", "2 entries")]


def test_a_purge_removes_what_was_deleted_and_nothing_else(
    database: Database, anna: User, settings: Settings, make_result: Make
) -> None:
    ids = [keep(database, anna, make_result(seed)) for seed in range(2)]
    history.delete(database, anna, ids[:1])
    assert history.purge(database) == 0  # it could still be undone
    assert history.purge(database, now=datetime.now(UTC) + history.PURGE_AFTER + timedelta(seconds=1)) == 1
    assert [path.name for path in (settings.data_dir / "history").iterdir()] == ids[1:]
    assert history.load(database, anna, ids[1]).row.id == ids[1]


def test_every_deletion_removes_the_earlier_ones_for_good(
    database: Database, anna: User, settings: Settings, make_result: Make
) -> None:
    ids = [keep(database, anna, make_result(seed)) for seed in range(2)]
    history.delete(database, anna, ids[:1])
    history.delete(database, anna, ids[1:], now=datetime.now(UTC) + timedelta(hours=1))
    assert [path.name for path in (settings.data_dir / "history").iterdir()] == ids[1:]


def test_a_purge_removes_old_originals_but_not_their_results(database: Database, anna: User, make_result: Make) -> None:
    save_app_settings(database, anna, AppSettings(keep_originals=True, retention_days=30))
    entry_id = keep(database, anna, make_result())
    history.purge(database, now=datetime.now(UTC) + timedelta(days=29))
    assert history.original(database, anna, entry_id) == b"upload"
    history.purge(database, now=datetime.now(UTC) + timedelta(days=31))
    assert history.original(database, anna, entry_id) is None
    assert not history.load(database, anna, entry_id).row.has_original
