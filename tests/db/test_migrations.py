"""Changes of the structure: applied once, whole or not at all."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from core.db import Database, open_database
from core.db.migrations import MIGRATIONS
from core.errors import StorageError


def add_nickname(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE users ADD COLUMN nickname TEXT DEFAULT 'Cleo'"))


def fail_half_way(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE half (id INTEGER)"))
    connection.execute(text("INSERT INTO nowhere VALUES (1)"))


def tables_of(db: Database) -> set[str]:
    with db.read() as session:
        return set(session.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table'")))


def applied(db: Database) -> list[str]:
    with db.read() as session:
        return list(session.scalars(text("SELECT name FROM migrations ORDER BY name")))


def test_a_new_database_has_all_tables_and_all_migrations_recorded(database: Database) -> None:
    expected = {
        "users",
        "sessions",
        "tokens",
        "tickets",
        "attempts",
        "history",
        "settings",
        "audit",
        "migrations",
    }
    assert expected <= tables_of(database)
    assert applied(database) == sorted(each.__name__ for each in MIGRATIONS)


def test_a_later_migration_is_applied_once(database: Database) -> None:
    database.migrate((*MIGRATIONS, add_nickname))
    database.migrate((*MIGRATIONS, add_nickname))
    with database.read() as session:
        assert session.scalars(text("SELECT nickname FROM users")).all() == []
    assert "add_nickname" in applied(database)


def test_a_migration_that_fails_leaves_nothing_behind(database: Database) -> None:
    before = applied(database)
    with pytest.raises(StorageError, match="tables that this version expects"):
        database.migrate((*MIGRATIONS, fail_half_way))
    assert "half" not in tables_of(database)
    assert applied(database) == before


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'workbench.db'}"
    db = open_database(url)
    db.migrate((*MIGRATIONS, add_nickname))
    db.close()
    with pytest.raises(StorageError, match=r"newer version of the workbench \(add_nickname\)"):
        open_database(url)
