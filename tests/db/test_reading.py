"""An existing database gets the reader tests' tables; answers are given once."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from core import auth
from core.db import Database, open_database, reading
from core.db.reading import ReaderAnswer, ReaderItem, ReaderTest
from core.db.tables import Base
from core.errors import NotFoundError

PASSWORD = "a long enough password"
NOW = datetime(2026, 11, 27, tzinfo=UTC)
NEW = {"reader_tests", "reader_items", "reader_answers"}


def test_a_database_of_an_earlier_version_gets_the_tables_and_keeps_its_people(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'workbench.db'}"
    engine = create_engine(url)
    with engine.begin() as connection:
        Base.metadata.create_all(
            connection, tables=[table for table in Base.metadata.sorted_tables if table.name not in NEW]
        )
        connection.execute(text("INSERT INTO migrations VALUES ('first_tables', '2026-11-01 00:00:00')"))
        connection.execute(
            text("INSERT INTO users VALUES (1, 'ada', 'ada', 'admin', 'hash', 0, '2026-11-01 00:00:00')")
        )
    engine.dispose()
    db = open_database(url)
    assert [user.name for user in auth.list_users(db, auth.command_line_user())] == ["ada"]
    assert reading.list_tests(db, 1) == []
    db.close()
    assert set(inspect(create_engine(url)).get_table_names()) >= NEW


def add_test(database: Database) -> ReaderTest:
    """A test of two images."""
    ada = auth.create_first_admin(database, "ada", PASSWORD, local=True)
    test = ReaderTest("t1", ada.id, "ada", "Tiles", "real-or-synthetic", 2**32 - 1, NOW, False, "", 2)
    reading.insert_test(
        database, test, [ReaderItem("a", "real"), ReaderItem("b", "synthetic", "PR+")], publish=lambda: None
    )
    return test


def test_a_test_comes_back_as_it_was_stored(database: Database) -> None:
    test = add_test(database)
    assert reading.list_tests(database, test.owner_id) == [test] == [reading.get_test(database, "t1")]
    assert reading.list_items(database, "t1")[1] == ReaderItem("b", "synthetic", "PR+")
    assert reading.list_tests(database, 99) == []
    reading.set_offered(database, "t1", True)
    assert reading.list_tests(database, 99)[0].offered


def test_the_first_answer_counts_and_the_last_can_be_taken_back(database: Database) -> None:
    test = add_test(database)
    first = ReaderAnswer("a", test.owner_id, "real", None, 1.5, NOW)
    assert reading.insert_answer(database, "t1", first)
    assert not reading.insert_answer(database, "t1", ReaderAnswer("a", test.owner_id, "synthetic", 3, 2.0, NOW))
    assert reading.list_answers(database, "t1") == [first]
    reading.remove_last_answer(database, "t1", test.owner_id)
    assert reading.list_answers(database, "t1", test.owner_id) == []
    with pytest.raises(NotFoundError, match="no such image"):
        reading.insert_answer(database, "t1", ReaderAnswer("z", test.owner_id, "real", None, 1.0, NOW))


def test_a_removed_test_takes_its_answers_along(database: Database) -> None:
    test = add_test(database)
    reading.insert_answer(database, "t1", ReaderAnswer("a", test.owner_id, "real", 1, 1.0, NOW))
    reading.remove_test(database, "t1")
    assert reading.list_answers(database, "t1") == [] and reading.count_answers(database, test.owner_id) == {}
    with pytest.raises(NotFoundError, match="no such reader test"):
        reading.get_test(database, "t1")


def test_rows_are_undone_where_the_files_cannot_be_put_in_place(database: Database) -> None:
    def refuse() -> None:
        raise NotFoundError("no")

    test = add_test(database)
    with pytest.raises(NotFoundError):
        reading.insert_test(
            database, ReaderTest("t2", test.owner_id, "", "", "pr", 0, NOW, False, "", 0), [], publish=refuse
        )
    assert len(reading.list_tests(database, test.owner_id)) == 1
