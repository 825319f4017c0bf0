"""A disk or database that refuses: nothing half-written, everything earlier untouched."""

import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import history
from core.config import ROOT, Settings
from core.db import Database, User, open_database
from core.errors import StorageError
from core.types import Result

Make = Callable[..., Result]


def keep(db: Database, user: User, result: Result) -> str:
    saved = history.save(db, user, result, b"upload")
    assert saved is not None
    return saved.entry_id


def folders(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.data_dir / "history").iterdir())


def test_a_locked_database_saves_nothing_and_loses_nothing(
    database: Database, anna: User, settings: Settings, make_result: Make
) -> None:
    first = keep(database, anna, make_result())
    file = settings.data_dir / "workbench.db"
    impatient = open_database(f"sqlite:///{file}", busy_timeout_s=0.1)
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StorageError, match="locked by another program"):
            history.save(impatient, anna, make_result(1), b"upload")
        assert history.load(impatient, anna, first).row.id == first
        other.execute("ROLLBACK")
    assert folders(settings) == [first]
    assert keep(impatient, anna, make_result(1)) != first


FULL_DISK = """
import pickle, resource, sys
from core import history
from core.db import get_database
from core.db.users import list_users
from core.errors import StorageError

result = pickle.loads(sys.stdin.buffer.read())
db = get_database()
user = list_users(db)[0]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
try:
    history.save(db, user, result, b"upload")
except StorageError as error:
    sys.stdout.write(str(error))
"""


@pytest.mark.parametrize(
    ("largest_file", "said"),
    [(1000, "could not be saved (File too large)"), (30_000, "the disk is full or does not answer")],
    ids=["pictures do not fit", "database does not fit"],
)
def test_a_full_disk_saves_nothing_and_loses_nothing(
    database: Database, anna: User, settings: Settings, make_result: Make, largest_file: int, said: str
) -> None:
    first = keep(database, anna, make_result())
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(largest_file)],
        input=pickle.dumps(make_result(1)),
        env=os.environ | {"DATA_DIR": str(settings.data_dir)},
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert said in done.stdout.decode()
    assert folders(settings) == [first]
    assert [row.id for row in history.list_entries(database, anna)] == [first]
    assert history.load(database, anna, first).result.analysis == make_result().analysis


def test_a_file_in_place_of_the_folder(database: Database, anna: User, settings: Settings, make_result: Make) -> None:
    (settings.data_dir / "history").write_text("in the way")
    with pytest.raises(StorageError, match="could not be saved"):
        keep(database, anna, make_result())
    assert history.list_entries(database, anna) == []


def test_missing_and_damaged_files_are_said_in_a_sentence(
    database: Database, anna: User, settings: Settings, make_result: Make
) -> None:
    entry_id = keep(database, anna, make_result())
    folder: Path = settings.data_dir / "history" / entry_id
    (folder / "analysis.json").write_text('{"marker": "her3"}')
    with pytest.raises(StorageError, match="analysis of this entry is damaged"):
        history.load(database, anna, entry_id)
    shutil.rmtree(folder)
    with pytest.raises(StorageError, match="cannot be read"):
        history.thumbnail(database, anna, entry_id)
    assert [row.id for row in history.list_entries(database, anna)] == [entry_id]


def test_the_same_result_saved_by_many_threads_is_kept_once(
    database: Database, anna: User, settings: Settings, make_result: Make
) -> None:
    with ThreadPoolExecutor(6) as pool:
        saved = list(pool.map(lambda _: history.save(database, anna, make_result(), b"upload"), range(6)))
    assert len({each.entry_id for each in saved if each}) == 1
    assert [each.duplicate for each in saved if each].count(False) == 1
    assert len(folders(settings)) == 1


def test_what_an_interrupted_save_left_is_cleaned_later(
    database: Database, anna: User, settings: Settings, make_result: Make
) -> None:
    entry_id = keep(database, anna, make_result())
    for name, age_s in ((".new-old", 4000), (".new-running", 10)):
        folder = settings.data_dir / "history" / name
        folder.mkdir()
        stamp = folder.stat().st_mtime - age_s
        os.utime(folder, (stamp, stamp))
    history.purge(database)
    assert folders(settings) == sorted([".new-running", entry_id])
