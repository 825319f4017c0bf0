"""Queries about blind reader tests. Who may see what is decided in `core.reading`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import Session

from core.db.engine import Database
from core.db.records import User
from core.db.search import storable
from core.db.tables import ReaderAnswerTable, ReaderItemTable, ReaderTestTable, UserTable
from core.db.users import to_user
from core.errors import NotFoundError


@dataclass(frozen=True)
class ReaderTest:
    """One blind reader test.

    Attributes:
        kind: what is asked about every image.
        seed: of the order in which each reader sees the images.
        created: UTC.
        offered: other users of the workbench may read it.
        note: what the images are, for the owner and for readers who have finished.
        items: number of images.
    """

    id: str
    owner_id: int
    owner: str
    name: str
    kind: str
    seed: int
    created: datetime
    offered: bool
    note: str
    items: int


@dataclass(frozen=True)
class ReaderItem:
    """One image of a test.

    Attributes:
        truth: the right answer; empty where nobody knows it.
        label: class of the image, empty where unknown.
        source: where it came from, in words.
        model_answer: what the workbench's classifier says; empty where it was not asked.
        model_confidence: in [0, 1].
    """

    id: str
    truth: str
    label: str = ""
    source: str = ""
    model_answer: str = ""
    model_confidence: float | None = None


@dataclass(frozen=True)
class ReaderAnswer:
    """What one reader said about one image.

    Attributes:
        confidence: 1 (a guess) to 3 (sure); None where it was not said.
        seconds: from the showing of the image to the answer.
        at: UTC.
    """

    item_id: str
    user_id: int
    answer: str
    confidence: int | None
    seconds: float
    at: datetime


def insert_test(db: Database, test: ReaderTest, items: Sequence[ReaderItem], *, publish: Callable[[], None]) -> None:
    """Store a test with its images.

    Args:
        publish: puts the files in place; called last within the transaction. What it raises undoes the rows.
    """
    with db.write() as session:
        session.add(
            ReaderTestTable(
                id=test.id,
                owner_id=test.owner_id,
                name=storable(test.name),
                kind=test.kind,
                seed=test.seed,
                created=test.created,
                offered=test.offered,
                note=storable(test.note),
            )
        )
        session.flush()
        session.add_all(_to_table(test.id, item) for item in items)
        session.flush()
        publish()


def list_tests(db: Database, user_id: int) -> list[ReaderTest]:
    """Return a user's own tests, those that are offered, and those the user has answered in; newest first."""
    answered = select(ReaderAnswerTable.test_id).where(ReaderAnswerTable.user_id == user_id)
    mine = or_(ReaderTestTable.owner_id == user_id, ReaderTestTable.offered.is_(True), ReaderTestTable.id.in_(answered))
    with db.read() as session:
        return _tests(session, mine)


def get_test(db: Database, test_id: str) -> ReaderTest:
    """Return one test.

    Raises:
        NotFoundError: there is none.
    """
    with db.read() as session:
        found = _tests(session, ReaderTestTable.id == storable(test_id))
    if not found:
        raise NotFoundError("There is no such reader test. It may have been deleted.")
    return found[0]


def list_items(db: Database, test_id: str) -> list[ReaderItem]:
    """Return the images of a test by their identifiers, which are random."""
    statement = select(ReaderItemTable).where(ReaderItemTable.test_id == test_id).order_by(ReaderItemTable.id)
    with db.read() as session:
        return [
            ReaderItem(row.id, row.truth, row.label, row.source, row.model_answer, row.model_confidence)
            for row in session.scalars(statement)
        ]


def list_item_ids(db: Database, test_id: str) -> list[str]:
    """Return the identifiers of a test's images, and nothing else of them."""
    statement = select(ReaderItemTable.id).where(ReaderItemTable.test_id == test_id).order_by(ReaderItemTable.id)
    with db.read() as session:
        return list(session.scalars(statement))


def list_answers(db: Database, test_id: str, user_id: int | None = None) -> list[ReaderAnswer]:
    """Return the answers in a test in the order they were given; of one reader, or of all."""
    statement = select(ReaderAnswerTable).where(ReaderAnswerTable.test_id == test_id).order_by(ReaderAnswerTable.id)
    if user_id is not None:
        statement = statement.where(ReaderAnswerTable.user_id == user_id)
    with db.read() as session:
        return [
            ReaderAnswer(row.item_id, row.user_id, row.answer, row.confidence, row.seconds, row.at)
            for row in session.scalars(statement)
        ]


def count_answers(db: Database, user_id: int) -> dict[str, int]:
    """Return how many images a user has answered, by test."""
    statement = (
        select(ReaderAnswerTable.test_id, func.count())
        .where(ReaderAnswerTable.user_id == user_id)
        .group_by(ReaderAnswerTable.test_id)
    )
    with db.read() as session:
        return {row[0]: row[1] for row in session.execute(statement)}


def readers_of(db: Database, test_id: str) -> list[User]:
    """Return everybody who has answered in a test, by name."""
    who = select(ReaderAnswerTable.user_id).where(ReaderAnswerTable.test_id == test_id)
    statement = select(UserTable).where(UserTable.id.in_(who)).order_by(UserTable.name_key)
    with db.read() as session:
        return [to_user(row) for row in session.scalars(statement)]


def insert_answer(db: Database, test_id: str, answer: ReaderAnswer) -> bool:
    """Store an answer; False where this reader has answered about this image already, which stays as it was.

    Raises:
        NotFoundError: the test was deleted, or has no such image.
    """
    with db.write() as session:
        item = session.get(ReaderItemTable, answer.item_id)
        if item is None or item.test_id != test_id:
            raise NotFoundError("There is no such image in this test. It may have been deleted; go back to the list.")
        same = ReaderAnswerTable.item_id == answer.item_id, ReaderAnswerTable.user_id == answer.user_id
        if session.scalar(select(ReaderAnswerTable.id).where(*same)) is not None:
            return False
        session.add(
            ReaderAnswerTable(
                test_id=test_id,
                item_id=answer.item_id,
                user_id=answer.user_id,
                answer=answer.answer,
                confidence=answer.confidence,
                seconds=answer.seconds,
                at=answer.at,
            )
        )
        return True


def remove_last_answer(db: Database, test_id: str, user_id: int) -> None:
    """Take back the last answer of a reader; nothing happens where there is none."""
    last = (
        select(func.max(ReaderAnswerTable.id))
        .where(ReaderAnswerTable.test_id == test_id, ReaderAnswerTable.user_id == user_id)
        .scalar_subquery()
    )
    with db.write() as session:
        session.execute(delete(ReaderAnswerTable).where(ReaderAnswerTable.id == last))


def set_offered(db: Database, test_id: str, offered: bool) -> None:
    """Let other users read a test, or no longer."""
    with db.write() as session:
        session.execute(update(ReaderTestTable).where(ReaderTestTable.id == test_id).values(offered=offered))


def remove_test(db: Database, test_id: str) -> None:
    """Remove a test with its images' rows and all answers for good."""
    with db.write() as session:
        for table in (ReaderAnswerTable, ReaderItemTable):
            session.execute(delete(table).where(table.test_id == test_id))
        session.execute(delete(ReaderTestTable).where(ReaderTestTable.id == test_id))


def _tests(session: Session, condition: ColumnElement[bool]) -> list[ReaderTest]:
    count = (
        select(func.count(ReaderItemTable.id)).where(ReaderItemTable.test_id == ReaderTestTable.id).scalar_subquery()
    )
    statement = (
        select(ReaderTestTable, UserTable.name, count)
        .join(UserTable, UserTable.id == ReaderTestTable.owner_id)
        .where(condition)
        .order_by(ReaderTestTable.created.desc(), ReaderTestTable.id)
    )
    return [
        ReaderTest(row.id, row.owner_id, owner, row.name, row.kind, row.seed, row.created, row.offered, row.note, items)
        for row, owner, items in session.execute(statement)
    ]


def _to_table(test_id: str, item: ReaderItem) -> ReaderItemTable:
    return ReaderItemTable(
        id=item.id,
        test_id=test_id,
        truth=item.truth,
        label=storable(item.label),
        source=storable(item.source),
        model_answer=item.model_answer,
        model_confidence=item.model_confidence,
    )
