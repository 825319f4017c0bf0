"""Reading a test: an order of one's own, every answer stored at once, and nothing that tells what an image is."""

from dataclasses import dataclass

from core.auth import require
from core.db import Database, User, reading
from core.db.clock import utc_now
from core.db.reading import ReaderAnswer, ReaderItem, ReaderTest
from core.errors import ConflictError, NotFoundError
from core.reading import files
from core.reading.round import Answer, Item, Question, Round, check_answer, shuffled

MISSING = "There is no such reader test, or it is not offered to you any more."


@dataclass(frozen=True)
class Listed:
    """A test as it is listed for one user.

    Attributes:
        mine: the user made it.
        answered: images this user has answered about.
    """

    test: ReaderTest
    mine: bool
    answered: int

    @property
    def finished(self) -> bool:
        """Whether this user has answered about every image."""
        return self.answered >= self.test.items


def list_tests(db: Database, user: User) -> list[Listed]:
    """Return the tests a user made, may read, or has read; newest first.

    Raises:
        PermissionDeniedError: the user is a guest.
    """
    require(user)
    answered = reading.count_answers(db, user.id)
    return [
        Listed(test, test.owner_id == user.id, answered.get(test.id, 0))
        for test in reading.list_tests(db, user.id)
        if test.owner_id == user.id or test.offered or answered.get(test.id, 0) >= test.items
    ]


def get_test(db: Database, user: User, test_id: str) -> ReaderTest:
    """Return a test that the user made, may read, or has finished.

    Raises:
        NotFoundError: there is none, or it is not offered to this user.
    """
    require(user)
    test = reading.get_test(db, test_id)
    if test.owner_id == user.id or test.offered:
        return test
    if len(reading.list_answers(db, test.id, user.id)) < test.items:
        raise NotFoundError(MISSING)
    return test


def own_round(db: Database, user: User, test_id: str) -> Round:
    """Return where a reader is in a test, without pictures; truths only once every image has its answer.

    The order is this reader's own, and stays the same however often the page is left.

    Raises:
        NotFoundError: as `get_test`.
    """
    test = get_test(db, user, test_id)
    order = shuffled(reading.list_item_ids(db, test.id), seed=test.seed, reader=str(user.id))
    answers = tuple(
        Answer(each.item_id, each.answer, each.confidence, each.seconds)
        for each in reading.list_answers(db, test.id, user.id)
    )
    blind = Round(Question(test.kind), tuple(Item(item_id) for item_id in order), answers)
    if not blind.finished:
        return blind
    known = {item.id: item for item in reading.list_items(db, test.id)}
    shown = tuple(Item(each, truth=known[each].truth, source=_said_of(known[each])) for each in order)
    return Round(blind.question, shown, answers)


def _said_of(item: ReaderItem) -> str:
    """Where an image came from, and what the model says about it."""
    return f"{item.source}; model {item.model_answer}" if item.model_answer else item.source


def picture(db: Database, user: User, test_id: str, item_id: str) -> bytes:
    """Return one image of a test as JPEG.

    Raises:
        NotFoundError: as `get_test`, or the test has no such image.
        StorageError: it cannot be read.
    """
    test = get_test(db, user, test_id)
    if item_id not in reading.list_item_ids(db, test.id):
        raise NotFoundError("There is no such image in this test.")
    return files.read(test.id, item_id)


def record(db: Database, user: User, test_id: str, answer: Answer) -> None:
    """Store an answer; the first answer about an image counts.

    Raises:
        NotFoundError: as `get_test`, or the test has no such image.
        InvalidOptionError: this cannot be answered.
        StorageError: the database refused it; the answer is not lost as long as the page is open.
    """
    test = get_test(db, user, test_id)
    checked = check_answer(Question(test.kind), answer)
    stored = ReaderAnswer(
        checked.item_id, user.id, checked.value, checked.confidence, round(checked.seconds, 2), utc_now()
    )
    reading.insert_answer(db, test.id, stored)


def take_back(db: Database, user: User, test_id: str) -> None:
    """Take back the reader's last answer.

    Raises:
        NotFoundError: as `get_test`.
        ConflictError: the reader has finished, and what the images are was shown.
    """
    test = get_test(db, user, test_id)
    if len(reading.list_answers(db, test.id, user.id)) >= test.items:
        raise ConflictError("Every image has its answer, and what they are was shown. Answers stay as they are.")
    reading.remove_last_answer(db, test.id, user.id)


def offer(db: Database, user: User, test_id: str, offered: bool) -> None:
    """Offer a test to the other users of this workbench, or no longer.

    Raises:
        NotFoundError: there is none, or the user did not make it.
    """
    reading.set_offered(db, own_test(db, user, test_id).id, offered)


def delete(db: Database, user: User, test_id: str) -> None:
    """Remove a test with its images and all answers for good.

    Raises:
        NotFoundError: there is none, or the user did not make it.
        StorageError: the database refused it.
    """
    test = own_test(db, user, test_id)
    reading.remove_test(db, test.id)
    files.discard(files.folder_of(test.id))


def own_test(db: Database, user: User, test_id: str) -> ReaderTest:
    """Return a test that the user made.

    Raises:
        NotFoundError: there is none, or somebody else made it.
    """
    require(user)
    test = reading.get_test(db, test_id)
    if test.owner_id != user.id:
        raise NotFoundError("There is no such reader test of yours. It may have been deleted.")
    return test
