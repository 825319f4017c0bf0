"""Opening the database, and every way in which it can refuse."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from core.auth import command_line_user
from core.config import ROOT, Settings
from core.db import Database, audit, check_database, get_database, open_database, users
from core.errors import ConflictError, StorageError
from core.labels import Role


@contextmanager
def exclusive_lock(file: Path) -> Iterator[None]:
    """Hold the database as another program would."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def test_a_new_database_is_made_in_the_data_folder(database: Database, settings: Settings) -> None:
    assert (settings.data_dir / "workbench.db").is_file()
    assert database.label == "workbench.db (SQLite)"
    assert get_database() is database
    check_database(database)


def test_only_the_owner_may_look_into_the_data_folder(database: Database, settings: Settings) -> None:  # noqa: ARG001
    assert settings.data_dir.stat().st_mode & 0o077 == 0


def test_uses_write_ahead_logging_and_foreign_keys(database: Database, settings: Settings) -> None:
    with closing(sqlite3.connect(settings.data_dir / "workbench.db")) as other:
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with database.read() as session:
        assert session.connection().exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_what_was_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    url = url_of(tmp_path / "workbench.db")
    first = open_database(url)
    users.insert_user(first, "Cleo", "hash", Role.RESEARCHER)
    first.close()
    assert [user.name for user in users.list_users(open_database(url))] == ["Cleo"]


def test_several_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    url = url_of(tmp_path / "workbench.db")
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_database(url), range(4)))
    assert [users.count_users(each) for each in opened] == [0, 0, 0, 0]


def test_threads_write_at_once_without_losing_anything(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: audit.record(database, None, "test", str(number)), range(40)))
    with database.read() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM audit").scalar() == 40


def test_a_failed_transaction_keeps_nothing(database: Database) -> None:
    users.insert_user(database, "Cleo", "hash", Role.ADMIN)
    with pytest.raises(ConflictError, match="last administrator"):
        users.update_user(database, 1, role=Role.RESEARCHER)
    assert users.get_user(database, 1).role is Role.ADMIN


def test_calls_made_together_are_kept_together_or_not_at_all(database: Database) -> None:
    with pytest.raises(ConflictError), database.together():
        audit.record(database, None, "test", "first")
        users.insert_user(database, "Cleo", "hash", Role.ADMIN)
        users.insert_user(database, "cleo", "hash", Role.ADMIN)
    assert users.count_users(database) == 0
    with database.together():
        users.insert_user(database, "Cleo", "hash", Role.ADMIN)
        assert users.count_users(database) == 1
    assert [row.action for row in audit.list_audit(database, command_line_user())] == []


def test_a_lock_by_another_program_is_said_in_a_sentence_and_readers_go_on(tmp_path: Path) -> None:
    file = tmp_path / "workbench.db"
    db = open_database(url_of(file), busy_timeout_s=0.2)
    users.insert_user(db, "Cleo", "hash", Role.ADMIN)
    with exclusive_lock(file):
        with pytest.raises(StorageError, match="locked by another program. Nothing was changed"):
            users.insert_user(db, "Rex", "hash", Role.RESEARCHER)
        assert [user.name for user in users.list_users(db)] == ["Cleo"]
    users.insert_user(db, "Rex", "hash", Role.RESEARCHER)
    assert users.count_users(db) == 2


def test_a_locked_database_cannot_be_opened(tmp_path: Path) -> None:
    file = tmp_path / "workbench.db"
    with exclusive_lock(file), pytest.raises(StorageError, match="locked"):
        open_database(url_of(file), busy_timeout_s=0.1)


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "workbench.db"
    file.write_bytes(b"this is not a database, whatever its name says" * 100)
    with pytest.raises(StorageError, match="damaged. Restore it from a backup"):
        open_database(url_of(file))
    assert file.read_bytes().startswith(b"this is not")


def test_damaged_pages_are_found(tmp_path: Path) -> None:
    file = tmp_path / "workbench.db"
    open_database(url_of(file)).close()
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"):
        check_database(open_database(url_of(file)))


def test_a_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(StorageError, match="data folder cannot be made"):
        open_database(url_of(tmp_path / "data" / "workbench.db"))


def test_a_folder_in_place_of_the_database(tmp_path: Path) -> None:
    (tmp_path / "workbench.db").mkdir()
    with pytest.raises(StorageError, match="cannot be opened for writing"):
        open_database(url_of(tmp_path / "workbench.db"))


@pytest.mark.parametrize("url", ["nonsense", "fishbase://somewhere", "mysql://no-driver/here"])
def test_an_unusable_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(StorageError, match="DATABASE_URL cannot be used"):
        open_database(url)


FULL_DISK = """
import resource, sys
from core.db import open_database, users
from core.errors import StorageError
from core.labels import Role

db = open_database(sys.argv[1])
users.insert_user(db, "Cleo", "hash", Role.ADMIN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
try:
    users.insert_user(db, "Rex", "hash", Role.RESEARCHER)
except StorageError as error:
    sys.stdout.write(str(error))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
sys.stdout.write(str([user.name for user in users.list_users(db)]))
"""


def test_a_full_disk_is_said_in_a_sentence_and_loses_nothing(tmp_path: Path) -> None:
    url = url_of(tmp_path / "workbench.db")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, url], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert "the disk is full or does not answer. What was saved before is untouched" in done.stdout
    assert done.stdout.endswith("['Cleo']")
    assert [user.name for user in users.list_users(open_database(url))] == ["Cleo"]
