"""Step 5: a small network learns while one watches, in a process of its own that leaves nothing behind."""

from functools import partial

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.jobs.lesson import CONFIG, Learnt, Lesson, teach
from core.training.data.demonstration import LESSON_CASES
from pages.ui import background
from pages.ui.training_charts import PALETTE, chart, heat_map, line
from pages.ui.workspace import workspace

KIND, CURVES, LEARNT = "tour-learning", "tour_curves", "tour_learnt"
REDRAW_S = 1.0


def show(db: Database, user: User) -> None:  # noqa: ARG001, every step is called alike
    """The button that starts it, the curve while it learns, and what it makes of cases it never saw."""
    owner = workspace(user).owner
    task = background.find(owner, KIND)
    learnt = st.session_state.get(LEARNT)
    if task is not None and not task.done.is_set():
        background.waits(task)
        st.fragment(_curves, run_every=REDRAW_S)()
        return
    if task is not None:
        learnt = background.result_of(task, Learnt)
        if learnt is not None:
            st.session_state[LEARNT] = learnt
            background.discard(owner, KIND)
    again = "Train again" if isinstance(learnt, Learnt) else "Start the training"
    if isinstance(learnt, Learnt):
        _result(learnt)
    st.button(again, icon=":material/play_arrow:", type="primary", key="tour-train", on_click=_start, args=(owner,))
    st.caption(
        f"{LESSON_CASES} sections are simulated first, then {CONFIG.epochs} passes are trained. Images, run and "
        "weights are deleted at the end."
    )


def _start(owner: str) -> None:
    lesson = Lesson()
    st.session_state[CURVES] = lesson
    st.session_state.pop(LEARNT, None)
    background.start(owner, KIND, "SimpleCNN on simulated PR tiles", partial(teach, lesson))


def _curves() -> None:
    lesson = st.session_state.get(CURVES)
    epochs = list(lesson.epochs) if isinstance(lesson, Lesson) else []
    if not epochs:
        st.caption("The curve begins after the first pass over the tiles.")
        return
    numbers = [float(each.number) for each in epochs]
    chart(
        [
            line("tiles it learns from", numbers, [each.training for each in epochs], PALETTE[0]),
            line("tiles of other cases", numbers, [each.others for each in epochs], PALETTE[1]),
        ],
        title="Share of tiles read right",
        x="epoch",
        y="share",
        key="tour-curves",
        yaxis={"range": [0, 1.02], "tickformat": ".0%"},
        xaxis={"range": [0.5, CONFIG.epochs + 0.5]},
        alt=f"After {len(epochs)} passes {epochs[-1].others:.0%} of the tiles of other cases are read right",
    )


def _result(learnt: Learnt) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _curves()
    with right:
        heat_map(learnt.confusion, learnt.classes, title="Tiles of cases it never saw", key="tour-confusion")
    st.markdown(
        f"**{learnt.accuracy:.0%}** of {learnt.tiles} tiles of unseen simulated cases were read right (95 % interval "
        f"{learnt.low:.0%} to {learnt.high:.0%}), after {learnt.seconds:.0f} s. It says nothing about real tissue."
    )
