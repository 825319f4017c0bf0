"""What a reader test has shown: accuracy with intervals, the images most often mistaken, kappa."""

from collections.abc import Callable, Sequence

import streamlit as st

from core.reading.agreement import Accuracy, Kappa, Share, accuracy_of
from core.reading.results import Results
from core.reading.round import Question, Round
from core.reports.content import percent
from pages.ui import errors, grid
from pages.ui import training_words as words
from pages.ui.grid import Cell

MOST = 24
"""Mistaken images that are shown."""


def share(found: Share) -> str:
    """ "75 % (95 % interval 53 to 89 %)"."""
    return f"{percent(found.value)} (95 % interval {_interval(found)})"


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
            right = given.get(item.id) == item.truth
            badge, tone = (("right", "good") if right else ("mistaken", "bad")) if item.truth else ("", "")
            caption = item.truth or f"your answer {given.get(item.id, '')}"
            file = picture(item.id) if picture else item.picture
            cells.append(Cell(item.id, file, caption, item.source, badge, tone, alt=f"{caption}, {badge}"))
    grid.show(cells, key=f"{key}-own")


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
        _readers(results)
        _mistaken(results, key, picture)
    else:
        _readers(results)
        kappas(results.kappas, Question(results.test.kind))


def kappas(found: Sequence[Kappa], question: Question) -> None:
    """Show agreement as a table."""
    if not found:
        st.caption("Kappa needs two readers who have answered about the same images.")
        return
    rows = [
        {
            "Compared": f"{each.first} with {each.second}",
            "Images": each.images,
            "Equal answers": share(each.agree),
            "Kappa": f"{each.value:.2f}",
            "95 % interval": "too few images" if each.low is None else f"{each.low:.2f} to {each.high:.2f}",
        }
        for each in found
    ]
    st.dataframe(rows, hide_index=True, key="kappas")
    weights = "quadratic weights" if question is Question.HER2 else "no weights"
    st.caption(
        f"Cohen's kappa with {weights}, interval by bootstrap over images: 1 is full agreement, 0 is that of chance. "
        "It is 0 where one side always answers the same."
    )


def _figure(title: str, found: Share, what: str) -> None:
    with st.container(width=210, gap="xxsmall"):
        st.metric(title, percent(found.value) if found.count else "none")
        if found.count:
            st.caption(f"95 % interval {_interval(found)}: {found.hits} of {found.count} {what}")


def _interval(found: Share) -> str:
    """ "53 to 89 %"."""
    return f"{100 * found.low:.0f} to {100 * found.high:.0f} %"


def _verdict(found: Accuracy) -> str:
    """Compared with always giving the answer that is right more often: 50 % with as many of both."""
    synthetic, real = found.found.count, found.spared.count
    blind = max(synthetic, real) / max(synthetic + real, 1)
    if found.right.low > blind:
        return f"Better than the {percent(blind)} of one answer for all: the images can be told apart."
    if found.right.high < 1 - blind:
        return "Worse than guessing: the synthetic images look more real than the real ones."
    return f"Not told from guessing, which gets up to {percent(blind)} right. More images make the interval narrower."


def _readers(results: Results) -> None:
    rows = []
    for each in results.readers:
        row: dict[str, object] = {"Reader": each.reader, "Answered": f"{each.answered} of {results.test.items}"}
        if each.accuracy is not None:
            row["Accuracy"] = share(each.accuracy.right)
            row["Synthetic found"] = f"{each.accuracy.found.hits} of {each.accuracy.found.count}"
            row["Real recognised"] = f"{each.accuracy.spared.hits} of {each.accuracy.spared.count}"
        row["Median time"] = f"{each.seconds:.1f} s"
        rows.append(row)
    st.dataframe(rows, hide_index=True, key="readers")


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
