"""What a data set holds, before anything is trained on it: counts, sizes, damage, duplicates, what may leak."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go
import streamlit as st

from core import jobs
from core.db.records import User
from core.errors import InvalidDataError
from core.jobs.sources import check_items
from core.training.config import TrainConfig
from core.training.data import DataSet, Kind, open_data
from core.training.data.splitting import split
from core.types import Progress
from pages.ui import errors, training_work
from pages.ui import training_words as words
from pages.ui.training_charts import chart

if TYPE_CHECKING:
    from core.training.data.report import DataReport, SizeCount

LISTED = 30
SHADES = ("#0f7f98", "#7fb9c6", "#c9b458")
SIDES = {"training": "train", "validation": "val", "test": "test"}


def show(user: User, place: str, *, key: str) -> DataSet | None:
    """The report of a data set, made once; None while it is made, or where nothing can be trained on it."""
    allowed = False
    with errors.shown(stop=False):
        path = jobs.data_path(user, place)
        allowed = True
    if not allowed:
        return None

    def look(progress: Progress) -> "tuple[DataSet, DataReport]":
        from core.training.data.report import report  # with its image hashes: only once something is looked at

        data = open_data(path)
        check_items(user, data)
        return data, report(_split(data), progress)

    name = f"report-{place}"
    _only(name, key)
    found = training_work.once(name, "Looking at the images", look)
    if found is None:
        return None
    data, about = found
    _summary(about)
    _counts(about, key=key)
    for problem in about.problems:
        st.error(problem, icon=":material/error:")
    for warning in about.warnings:
        st.warning(warning, icon=":material/warning:")
    _unreadable(about)
    _duplicates(about, key=key)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-again"):
        if about.notes:
            with st.popover(f"{len(about.notes)} notes", icon=":material/notes:", key=f"{key}-notes"):
                st.markdown("\n".join(f"- {words.plain(note)}" for note in about.notes))
        st.button(
            "Look again",
            icon=":material/refresh:",
            type="tertiary",
            key=f"{key}-refresh",
            on_click=training_work.forget,
            args=(name,),
        )
    return None if about.problems else data


def _only(name: str, key: str) -> None:
    """Nobody waits any more for the report that was begun here before."""
    former = st.session_state.get(f"{key}-report", name)
    piece = training_work.find(former) if former != name else None
    if piece is not None and not piece.done.is_set():
        training_work.forget(former)
    st.session_state[f"{key}-report"] = name


def _split(data: DataSet) -> DataSet:
    """As a run with the usual settings splits it, so that the report can say what is on which side."""
    usual = TrainConfig()
    try:
        return split(data, val_share=usual.val_share, test_share=usual.test_share, seed=usual.seed)
    except InvalidDataError:
        return data  # the report says the same as a problem


def _summary(about: "DataReport") -> None:
    things = "pairs" if about.kind is Kind.PAIRS else "images"
    parts = [f"**{about.images:,} {things}**"]
    parts.append(f"{about.cases:,} cases" if about.cases_known else "cases unknown")
    if about.smallest and about.largest:
        small, large = _size(about.smallest), _size(about.largest)
        parts.append(small if small == large else f"{small} to {large}")
    if about.unreadable:
        parts.append(f"{len(about.unreadable)} unreadable")
    if about.exact + about.near:
        parts.append(f"{about.exact + about.near} duplicates")
    st.markdown(" · ".join(parts))


def _counts(about: "DataReport", *, key: str) -> None:
    """A table, and the same as bars: classes beside each other, sides of the split as shades."""
    rows = about.classes
    label = [row.label or "pairs" for row in rows]
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        columns = {"Class": label, "Images": [f"{row.images:,}" for row in rows]}
        if about.cases_known:
            columns["Cases"] = [f"{row.cases:,}" for row in rows]
        columns |= {side.capitalize(): [f"{getattr(row, name):,}" for row in rows] for side, name in SIDES.items()}
        st.table(columns, hide_index=True, border="horizontal")
        st.caption("As the usual settings split it; other shares or another seed change that.")
    with right:
        bars = [
            go.Bar(
                y=label,
                x=[getattr(row, name) for row in rows],
                name=side,
                orientation="h",
                marker={"color": shade, "line": {"width": 0}},
                hovertemplate="%{y}, " + side + ": %{x}<extra></extra>",
            )
            for (side, name), shade in zip(SIDES.items(), SHADES, strict=True)
        ]
        chart(
            bars,
            title="Images of each class",
            x="",
            y="",
            key=f"{key}-balance",
            alt="; ".join(f"{name}: {row.images} images" for name, row in zip(label, rows, strict=True)),
            barmode="stack",
            height=150 + 34 * len(rows),
            legend_traceorder="normal",
            yaxis={"autorange": "reversed", "type": "category"},
            hovermode="closest",
        )


def _unreadable(about: "DataReport") -> None:
    if not about.unreadable:
        return
    with st.expander(f"{len(about.unreadable)} files cannot be read", icon=":material/broken_image:"):
        st.caption("They are left out of the training.")
        st.markdown("\n".join(f"- {words.plain(each.reason)}" for each in about.unreadable[:LISTED]))
        if len(about.unreadable) > LISTED:
            st.caption(f"and {len(about.unreadable) - LISTED} more")


def _duplicates(about: "DataReport", *, key: str) -> None:
    if not about.duplicates:
        return
    title = f"{about.exact} equal and {about.near} nearly equal pictures, {about.across} across the split"
    box = st.expander(title, icon=":material/file_copy:", key=f"{key}-duplicates", on_change="rerun")
    if not box.open:
        return
    with box:
        st.dataframe(
            {
                "First": [each.first for each in about.duplicates],
                "Second": [each.second for each in about.duplicates],
                "Equal": ["byte for byte" if each.exact else "nearly" for each in about.duplicates],
                "Across the split": [each.across for each in about.duplicates],
                "Classes": [" / ".join(dict.fromkeys(each.labels)) for each in about.duplicates],
            },
            hide_index=True,
            key=f"{key}-duplicate_table",
        )


def _size(each: "SizeCount") -> str:
    return f"{each.width} × {each.height} px"
