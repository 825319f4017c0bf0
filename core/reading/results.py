"""What a test has shown: each reader, all readers, the images most often mistaken, kappa; and all of it as CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from core.db import Database, User, reading
from core.db.reading import ReaderAnswer, ReaderItem, ReaderTest
from core.errors import ConflictError
from core.reading.agreement import Accuracy, Kappa, Mistaken, accuracy_of, kappas, most_mistaken
from core.reading.round import Answer, Question
from core.reading.taking import get_test, own_round, own_test
from core.spreadsheet import to_csv

MODEL, DATASET = "model", "classes of the data set"

_COLUMNS = (
    "test",
    "question",
    "reader",
    "number",
    "image",
    "answer",
    "truth",
    "right",
    "confidence",
    "seconds",
    "answered",
    "class",
    "source",
    "model_answer",
    "model_confidence",
)


@dataclass(frozen=True)
class ReaderResult:
    """One reader.

    Attributes:
        answered: images answered about.
        accuracy: None where the question has no truth.
        seconds: median time of an answer.
    """

    reader: str
    answered: int
    accuracy: Accuracy | None
    seconds: float


@dataclass(frozen=True)
class Results:
    """Everything a test has shown so far.

    Attributes:
        readers: by name.
        together: all answers of all readers as one; None where the question has no truth. Its intervals take answers
            about one image for independent, and are narrower than those over readers would be.
        mistaken: images that were mistaken, the most often mistaken first.
        kappas: between readers, against the model and against the data set's classes.
        items: what the images are, by identifier.
    """

    test: ReaderTest
    readers: tuple[ReaderResult, ...]
    together: Accuracy | None
    mistaken: tuple[Mistaken, ...]
    kappas: tuple[Kappa, ...]
    items: Mapping[str, ReaderItem]


def all_results(db: Database, user: User, test_id: str) -> Results:
    """Return the results of all readers, for the owner.

    Raises:
        NotFoundError: there is no such test, or somebody else made it.
    """
    test = own_test(db, user, test_id)
    return _results(db, test, reading.list_answers(db, test.id), reading.readers_of(db, test.id))


def own_results(db: Database, user: User, test_id: str) -> Results:
    """Return a reader's own results, once every image has its answer.

    Raises:
        NotFoundError: there is no such test, or it is not offered to this user.
        ConflictError: the reader has not finished.
    """
    test = get_test(db, user, test_id)
    answers = reading.list_answers(db, test.id, user.id)
    if not own_round(db, user, test.id).finished:
        raise ConflictError("The result is shown when every image has its answer. Go on reading.")
    return _results(db, test, answers, [user])


def results_csv(db: Database, results: Results, readers: Sequence[User]) -> str:
    """One row an answer, in the order it was given, for the readers of these results."""
    test = results.test
    rows = []
    for reader in readers:
        for number, each in enumerate(reading.list_answers(db, test.id, reader.id), start=1):
            rows.append(_row(test, reader.name, number, each, results.items[each.item_id]))
    return to_csv(_COLUMNS, rows)


def all_csv(db: Database, user: User, test_id: str) -> str:
    """All answers of all readers, for the owner; raises as `all_results`."""
    results = all_results(db, user, test_id)
    return results_csv(db, results, reading.readers_of(db, results.test.id))


def own_csv(db: Database, user: User, test_id: str) -> str:
    """A reader's own answers; raises as `own_results`."""
    return results_csv(db, own_results(db, user, test_id), [user])


def _results(db: Database, test: ReaderTest, answers: Sequence[ReaderAnswer], people: Sequence[User]) -> Results:
    question = Question(test.kind)
    items = {item.id: item for item in reading.list_items(db, test.id)}
    truth = {item.id: item.truth for item in items.values()} if question is Question.ORIGIN else {}
    by_reader = {
        person.name: [Answer(a.item_id, a.answer, a.confidence, a.seconds) for a in answers if a.user_id == person.id]
        for person in people
    }
    everything = [answer for given in by_reader.values() for answer in given]
    return Results(
        test=test,
        readers=tuple(
            ReaderResult(
                name,
                len(given),
                accuracy_of(given, truth) if truth else None,
                median(each.seconds for each in given) if given else 0.0,
            )
            for name, given in by_reader.items()
        ),
        together=accuracy_of(everything, truth) if truth and everything else None,
        mistaken=tuple(most_mistaken(everything, truth)),
        kappas=() if truth else tuple(_kappas(question, by_reader, items)),
        items=items,
    )


def _kappas(question: Question, by_reader: Mapping[str, list[Answer]], items: Mapping[str, ReaderItem]) -> list[Kappa]:
    readers = {name: {each.item_id: each.value for each in given} for name, given in by_reader.items()}
    model = {item.id: item.model_answer for item in items.values() if item.model_answer}
    classes = {item.id: item.truth for item in items.values() if item.truth}
    return kappas(question, readers, {name: known for name, known in ((MODEL, model), (DATASET, classes)) if known})


def _row(test: ReaderTest, reader: str, number: int, answer: ReaderAnswer, item: ReaderItem) -> list[object]:
    return [
        test.name,
        test.kind,
        reader,
        number,
        item.id,
        answer.answer,
        item.truth,
        "" if not item.truth else "yes" if answer.answer == item.truth else "no",
        answer.confidence,
        answer.seconds,
        answer.at.isoformat(timespec="seconds"),
        item.label,
        item.source,
        item.model_answer,
        item.model_confidence,
    ]
