"""One reader's way through blind images."""

import pytest

from core.errors import ConflictError, InvalidOptionError
from core.reading.round import Answer, Item, Question, Round, shuffled


def round_of(question: Question = Question.ORIGIN) -> Round:
    """Three images."""
    return Round(question, (Item("a", truth="real"), Item("b", truth="synthetic"), Item("c", truth="real")))


def test_images_come_one_after_the_other_and_each_answer_counts_once() -> None:
    answered = round_of().answer("a", "real", confidence=3, seconds=2.5)
    again = answered.answer("a", "synthetic")
    assert again == answered
    assert answered.next == Item("b", truth="synthetic") and not answered.finished
    done = answered.answer("b", "real").answer("c", "real")
    assert done.finished and done.next is None
    assert done.answers[0] == Answer("a", "real", 3, 2.5)


def test_the_last_answer_can_be_taken_back_until_the_end() -> None:
    two = round_of().answer("a", "real").answer("b", "real")
    assert two.take_back().next == Item("b", truth="synthetic")
    with pytest.raises(ConflictError, match="was shown"):
        two.answer("c", "real").take_back()


@pytest.mark.parametrize(
    ("item", "value", "confidence"), [("a", "fake", None), ("z", "real", None), ("a", "real", 4), ("a", "", None)]
)
def test_what_cannot_be_answered_is_refused_in_words(item: str, value: str, confidence: int | None) -> None:
    with pytest.raises(InvalidOptionError):
        round_of().answer(item, value, confidence=confidence)


def test_scores_are_answered_in_their_own_words() -> None:
    assert Question.HER2.answers == ("0", "1+", "2+", "3+")
    assert round_of(Question.PR).answer("a", "PR+").answers[0].value == "PR+"


def test_the_order_is_random_fixed_and_another_for_every_reader() -> None:
    ids = [f"{number:03d}" for number in range(50)]
    first = shuffled(ids, seed=7, reader="1")
    assert first == shuffled(list(reversed(ids)), seed=7, reader="1")
    assert sorted(first) == ids != first
    assert len({tuple(first), tuple(shuffled(ids, seed=7, reader="2")), tuple(shuffled(ids, seed=8, reader="1"))}) == 3
