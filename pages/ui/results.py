"""One result on the screen: the answer first, then the picture, then what can be done with it."""

from pathlib import Path

import streamlit as st

from core.db.records import User
from core.labels import NOT_SCORED
from core.reports.content import ReportContent, report_content
from core.types import Notice, Options
from pages.ui import again, bars, downloads, explanation, measuring, measuring_exports, own_score
from pages.ui.workspace import Opened, Workspace

LAYOUT = Path(__file__).with_name("frontend") / "result.css"
NOTICE_STYLE = {
    "info": (st.info, ":material/info:"),
    "warning": (st.warning, ":material/warning:"),
    "error": (st.error, ":material/error:"),
}
MEANING_COLOURS = {"positive": "orange", "equivocal": "yellow", "negative": "blue"}


def show(opened: Opened, space: Workspace, options: Options, user: User) -> None:
    """Show everything about one result.

    Args:
        options: as they are chosen now, for another run.
    """
    content = report_content(opened.result, opened.own)
    st.html(LAYOUT)
    with st.container(key="result"):
        with st.container(key="answer"):
            show_answer(content, opened)
        with st.container(key="picture"):
            measuring.show_picture(opened)
            explanation.show(opened, space)
        if measuring.available(opened):
            with st.container(key="measuring"):
                measuring.show(opened)
                measuring_exports.show(opened)
        with st.container(key="actions"):
            if opened.entry_id is not None:
                own_score.show(opened, user)
            downloads.show(opened)
            again.show(opened, space, options, user)
    show_computation(content, opened)


def show_answer(content: ReportContent, opened: Opened) -> None:
    """Score, confidence, what else it could be, the probabilities, the measurement, the remarks."""
    st.caption(_headline(content, opened))
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.metric(content.answer_label, content.answer, width="content")
        with st.container(gap=None):
            if content.meaning:
                st.badge(content.meaning, color=MEANING_COLOURS.get(content.meaning, "gray"))
            if content.analysis.confidence is not None:
                st.markdown(f"**{content.confidence}**")
            if content.alternatives:
                st.markdown(content.alternatives)
    if content.virtual:
        st.warning(content.banner, icon=":material/experiment:")
    if content.shares:
        bars.show(content, key="bars")
    _show_measured(content)
    for notice in content.notices:
        if not (content.virtual and notice.code == "virtual-stain"):
            show_notice(notice)
    if content.answer == NOT_SCORED:
        st.caption('To score it all the same, choose "Score even if it looks like neither" under More and run again.')


def show_notice(notice: Notice) -> None:
    """One remark beside the score."""
    box, icon = NOTICE_STYLE.get(notice.level, NOTICE_STYLE["info"])
    box(notice.message, icon=icon)


def _headline(content: ReportContent, opened: Opened) -> str:
    parts = [content.name, content.stain]
    if opened.seconds is not None:
        parts.append(f"{opened.seconds:.1f} s")
    if opened.known:
        parts.append("analysed before: the entry in your history was opened")
    return " · ".join(parts)


def _show_measured(content: ReportContent) -> None:
    measured = content.analysis.measurements
    if measured is None or measured.rule_label is None:
        return
    agrees = measured.rule_label == content.answer
    verdict = ":material/check: agrees" if agrees else ":material/difference: differs"
    st.markdown(f"Measured on the picture: **{measured.rule_label}** ({measured.rule_text.rstrip('.')}) · {verdict}")


def show_computation(content: ReportContent, opened: Opened) -> None:
    """How it was computed: the rule, what was measured, steps with seconds, hashes, thresholds."""
    analysis = opened.result.analysis
    details = st.expander("How it was computed", icon=":material/info:", key="computation", on_change="rerun")
    if not details.open:
        return
    with details:
        if content.rule:
            st.markdown(content.rule)
        left, right = st.columns(2)
        with left:
            _table("Measured", [(row.label, row.value) for row in content.measurements])
            _table("Steps", [(step, f"{seconds:.2f} s") for step, seconds in analysis.provenance.seconds.items()])
        with right:
            _table("Provenance", [(row.label, row.value) for row in content.provenance if row.label != "Seconds"])
        st.page_link("models.py", label="Model cards", icon=":material/neurology:")


def _table(title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        st.markdown(f"**{title}**")
        columns = {"label": [label for label, _ in rows], "value": [value for _, value in rows]}
        st.table(columns, hide_index=True, hide_header=True, border="horizontal")
