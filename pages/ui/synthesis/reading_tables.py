"""The tables of a reader test: its readers, and how far they agree."""

from collections.abc import Sequence

import streamlit as st

from core.reading.agreement import Kappa, Share
from core.reading.results import Results
from core.reading.round import Question
from core.reports.content import percent


def readers(results: Results) -> None:
    """Show every reader in a row."""
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


def share(found: Share) -> str:
    """ "75 % (95 % interval 53 to 89 %)"."""
    return f"{percent(found.value)} (95 % interval {interval(found)})"


def interval(found: Share) -> str:
    """ "53 to 89 %"."""
    return f"{100 * found.low:.0f} to {100 * found.high:.0f} %"
