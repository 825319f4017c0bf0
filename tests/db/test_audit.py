"""The audit log."""

from datetime import UTC, datetime, timedelta

import pytest

from core.auth import command_line_user, guest_user
from core.db import Database, audit
from core.db.audit import AuditQuery
from core.errors import PermissionDeniedError

ADMIN = command_line_user()
TODAY = datetime.now(UTC).date()


@pytest.fixture
def log(database: Database) -> Database:
    audit.record(database, None, "sign-in failed", "unknown name", address="192.0.2.7")
    audit.record(database, ADMIN, "user added", "Jürgen, researcher")
    audit.record(database, ADMIN, "user disabled", "Jürgen_2")
    return database


@pytest.mark.parametrize(
    ("query", "details"),
    [
        (AuditQuery(), ["Jürgen_2", "Jürgen, researcher", "unknown name"]),
        (AuditQuery(text="JÜRGEN"), ["Jürgen_2", "Jürgen, researcher"]),
        (AuditQuery(text="192.0.2.7"), ["unknown name"]),
        (AuditQuery(text="n_2"), ["Jürgen_2"]),
        (AuditQuery(text="%"), []),
        (AuditQuery(text="\ud800\x00" * 100_000), []),
        (AuditQuery(action="user added"), ["Jürgen, researcher"]),
        (AuditQuery(limit=1, offset=1), ["Jürgen, researcher"]),
        (AuditQuery(date_from=TODAY + timedelta(days=1)), []),
        (AuditQuery(date_from=TODAY, date_to=TODAY, action="user added"), ["Jürgen, researcher"]),
    ],
)
def test_lists_what_fits_newest_first(log: Database, query: AuditQuery, details: list[str]) -> None:
    assert [row.detail for row in audit.list_audit(log, ADMIN, query)] == details


def test_names_the_actions_for_a_filter(log: Database) -> None:
    assert audit.audit_actions(log, ADMIN) == ["sign-in failed", "user added", "user disabled"]


def test_is_for_administrators_only(log: Database) -> None:
    with pytest.raises(PermissionDeniedError):
        audit.list_audit(log, guest_user())
