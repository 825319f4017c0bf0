"""The administrator's settings."""

from dataclasses import replace

import pytest

from core.auth import command_line_user, guest_user
from core.config import get_settings
from core.db import Database
from core.db.audit import AuditQuery, list_audit
from core.db.settings import AppSettings, get_app_settings, save_app_settings
from core.errors import InvalidOptionError, PermissionDeniedError

ADMIN = command_line_user()


def test_what_was_never_set_has_its_default(database: Database) -> None:
    assert get_app_settings(database) == AppSettings(upload_limit_mb=get_settings().upload_limit_mb)


def test_settings_come_back_as_they_were_saved(database: Database) -> None:
    new = AppSettings(
        guest_mode=True,
        upload_limit_mb=50,
        keep_originals=True,
        retention_days=7,
        remote_url="https://workbench.example:8501",
        remote_token="secret",
        weights={"ihcnet": "/srv/weights/Größe.safetensors"},
    )
    save_app_settings(database, ADMIN, new)
    assert get_app_settings(database) == new


def test_changes_are_in_the_audit_log_without_the_token(database: Database) -> None:
    old = get_app_settings(database)
    save_app_settings(
        database, ADMIN, replace(old, guest_mode=True, remote_token="secret", weights={"ihcnet": "x.pth"})
    )
    log = [(row.action, row.detail) for row in list_audit(database, ADMIN, AuditQuery(text="command line"))]
    assert sorted(log) == [
        ("setting changed", "guest_mode: False -> True"),
        ("setting changed", "remote_token: set"),
        ("weights changed", "ihcnet: bundled -> x.pth"),
    ]


def test_the_remote_token_is_not_printed() -> None:
    assert "secret" not in repr(AppSettings(remote_token="secret"))


def test_only_administrators_change_settings(database: Database) -> None:
    with pytest.raises(PermissionDeniedError):
        save_app_settings(database, guest_user(), AppSettings(guest_mode=True))
    assert not get_app_settings(database).guest_mode


@pytest.mark.parametrize(
    "bad",
    [
        AppSettings(upload_limit_mb=0),
        AppSettings(retention_days=-1),
        AppSettings(remote_url="ftp://workbench.example"),
        AppSettings(remote_url="workbench"),
    ],
)
def test_values_out_of_range_are_refused(database: Database, bad: AppSettings) -> None:
    with pytest.raises(InvalidOptionError):
        save_app_settings(database, ADMIN, bad)
