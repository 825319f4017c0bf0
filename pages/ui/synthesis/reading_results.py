"""What a reader test has shown: accuracy with intervals, the images most often mistaken, kappa."""

from collections.abc import Callable

import streamlit as st

from core.reading.agreement import Accuracy, Share, accuracy_of
from core.reading.results import Results
from core.reading.round import Question, Round
from core.reports.content import percent
from pages.ui import errors, grid
from pages.ui import training_words as words
from pages.ui.grid import Cell
from pages.ui.synthesis import reading_tables
from pages.ui.synthesis.reading_tables import interval

MOST = 24
"""Mistaken images that are shown."""


def accuracy(found: Accuracy, *, key: str) -> None:
    """Three figures beside each other."""
    with st.container(horizontal=True, key=f"{key}-accuracy"):
        _figure("Accuracy", found.right, "answers were right")
        _figure("Synthetic found", found.found, "synthetic images were called synthetic")
        _figure("Real recognised", found.spared, "real images were called real")
        if found.d_prime is not None:
            with st.container(width=210, gap="xxsmall"):
                st.metric("d'", f"{found.d_prime:.2f}", help="Separation in standard deviations; 0 is guessing")
                st.caption("0 is guessing, 1 is hard, 3 is easy")


def own_result(round_: Round, *, key: str, picture: Callable[[str], bytes] | None = None) -> None:
    """Show what one finished round amounts to, and every image with what it is.

    Args:
        picture: gives an image by its identifier; the round's own pictures by default.
    """
    truth = {item.id: item.truth for item in round_.items}
    if round_.question is Question.ORIGIN:
        found = accuracy_of(round_.answers, truth)
        accuracy(found, key=key)
        st.markdown(_verdict(found))
    given = {answer.item_id: answer.value for answer in round_.answers}
    cells = []
    with errors.shown():
        for item in round_.items:
            badge, tone = _mark(round_.question, given.get(item.id, ""), item.truth)
            caption = item.truth if round_.question is Question.ORIGIN else f"your answer {given.get(item.id, '')}"
            file = picture(item.id) if picture else item.picture
            cells.append(Cell(item.id, file, caption, item.source, badge, tone, alt=f"{caption}, {badge}"))
    grid.show(cells, key=f"{key}-own")


def _mark(question: Question, answer: str, truth: str) -> tuple[str, str]:
    """The word on an image and its tone; a class of the data set is another opinion, not the truth."""
    if question is Question.ORIGIN:
        return ("right", "good") if answer == truth else ("mistaken", "bad")
    if not truth:
        return "", ""
    return (f"data set {truth}", "good" if answer == truth else "warn")


def everybody(results: Results, *, key: str, picture: Callable[[str], bytes]) -> None:
    """Show the results of all readers, for the owner."""
    st.caption(words.plain(results.test.note))
    if not any(each.answered for each in results.readers):
        st.markdown("Nobody has read this test yet. Read it yourself, or offer it to the other users.")
        return
    if results.together is not None:
        accuracy(results.together, key=key)
        st.markdown(_verdict(results.together))
        if len(results.readers) > 1:
            st.caption("All answers of all readers together; answers about one image are taken as independent.")
        reading_tables.readers(results)
        _mistaken(results, key, picture)
    else:
        reading_tables.readers(results)
        reading_tables.kappas(results.kappas, Question(results.test.kind))


def _figure(title: str, found: Share, what: str) -> None:
    with st.container(width=210, gap="xxsmall"):
        st.metric(title, percent(found.value) if found.count else "none")
        if found.count:
            st.caption(f"95 % interval {interval(found)}: {found.hits} of {found.count} {what}")


def _verdict(found: Accuracy) -> str:
    """Compared with always giving the answer that is right more often: 50 % with as many of both."""
    synthetic, real = found.found.count, found.spared.count
    blind = max(synthetic, real) / max(synthetic + real, 1)
    if found.right.low > blind:
        return f"Better than the {percent(blind)} of one answer for all: the images can be told apart."
    if found.right.high < 1 - blind:
        return "Worse than guessing: the synthetic images look more real than the real ones."
    return f"Not told from guessing, which gets up to {percent(blind)} right. More images make the interval narrower."


def _mistaken(results: Results, key: str, picture: Callable[[str], bytes]) -> None:
    if not results.mistaken:
        st.caption("No image was mistaken.")
        return
    st.markdown("**Most often mistaken**")
    cells = []
    with errors.shown():
        for each in results.mistaken[:MOST]:
            item = results.items[each.item_id]
            caption = f"{item.truth}, mistaken {each.wrong} of {each.answers}"
            cells.append(Cell(item.id, picture(item.id), caption, item.source, alt=caption))
    grid.show(cells, key=f"{key}-mistaken")
