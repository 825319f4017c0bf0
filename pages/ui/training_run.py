"""One run on the screen: state and progress, what can be done with it, its curves, samples, figures and log."""

import json
from typing import Any

import streamlit as st

from core import jobs
from core.db.engine import Database
from core.db.records import User
from core.errors import AppError
from core.jobs import Run
from core.training.config import Recipe
from core.training.run_folder import State
from pages.ui import (
    errors,
    training_actions,
    training_curves,
    training_data,
    training_evaluation,
    training_export,
    training_list,
    training_log,
    training_made,
    training_places,
    training_samples,
    training_study,
    training_weights,
)
from pages.ui import training_words as words

STATUS_S, CURVES_S, SAMPLES_S = 1.0, 2.0, 4.0
"""How often the parts of a run that is alive are drawn anew."""


def show(db: Database, user: User, run_id: str) -> None:
    """Show one run; while it is alive its parts are drawn anew by themselves."""
    st.button("All runs", icon=":material/arrow_back:", key="all_runs", on_click=training_places.open_runs, args=([],))
    with errors.shown():
        run = jobs.get_run(user, run_id)
    if run.status.state.ended:
        _head(run, user)
        _ended(db, user, run)
        return
    st.fragment(_live_head, run_every=STATUS_S)(user, run.id, run.status.state)
    if run.status.state is not State.QUEUED and run.recipe is Recipe.STUDY:
        st.fragment(training_study.live, run_every=SAMPLES_S)(run)
        st.fragment(training_log.show, run_every=CURVES_S)(run)
    elif run.status.state is not State.QUEUED:
        st.fragment(_live_curves, run_every=CURVES_S)(run)
        st.fragment(training_samples.show, run_every=SAMPLES_S)(run.folder, key=f"samples-{run.id}")
        st.fragment(training_log.show, run_every=CURVES_S)(run)
    training_log.settings(run)


def _live_head(user: User, run_id: str, state: State) -> None:
    """The state of a run that is alive; the whole page is drawn anew where it changes."""
    with errors.shown():
        run = jobs.get_run(user, run_id)
    if run.status.state is not state:
        st.rerun()
    _head(run, user)


def _live_curves(run: Run) -> None:
    training_curves.show(training_curves.read(run.id, run.folder), key=f"curves-{run.id}")


def _head(run: Run, user: User) -> None:
    status = run.status
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="run_head"):
        st.subheader(words.plain(run.name), anchor=False, width="content")
        training_list.badge(run)
    st.caption(f"{training_list.details(run, user)} · {words.plain(training_data.title_of(user, run.data))}")
    if status.state is State.QUEUED:
        st.markdown(training_list.place(run))
    elif not status.state.ended:
        text = "Stopping: the batch that runs is the last one" if run.stopping else words.progress(status)
        st.progress(words.share_done(status), text=text)
        kept = "The best weights so far are kept after each epoch."
        st.caption(words.best(status) or (kept if status.unit == "epoch" else f"Each {status.unit} is kept when done."))
    else:
        _last_words(run)
    training_actions.show(run, user)


def _last_words(run: Run) -> None:
    status = run.status
    parts = [words.plain(status.message)]
    parts += [words.plain(f"{words.best(status)}.")] if status.best is not None else []
    if status.state is State.FINISHED and status.seconds:
        parts.append(f"{words.duration(status.seconds)} of training.")
    elif status.epoch:
        parts.append(f"{words.progress(status)}.")
    text = " ".join(parts)
    if status.state is State.FAILED:
        st.error(text, icon=":material/error:")
    elif status.state is State.INTERRUPTED:
        st.warning(text, icon=":material/power_off:")
    else:
        st.markdown(text)


def _ended(db: Database, user: User, run: Run) -> None:
    evaluation = _evaluation(run)
    if evaluation is not None:
        shown = {"classifier": training_evaluation, "study": training_study}.get(evaluation["kind"], training_made)
        shown.headline(evaluation)
    if run.folder.weights.is_file():
        training_weights.show(db, user, run)
    training_export.show(run)
    titles = [*(_views(evaluation)), "Curves", "Samples", "Settings and log"]
    if run.recipe is Recipe.STUDY:
        titles.remove("Curves")
    if not training_samples.epochs(run.folder):
        titles.remove("Samples")
    for tab, title in zip(st.tabs(titles, key=f"run_tab-{run.id}", on_change="rerun"), titles, strict=True):
        if tab.open:
            with tab:
                _view(title, run, evaluation)


def _views(evaluation: dict[str, Any] | None) -> list[str]:
    if evaluation is None:
        return []
    return ["Evaluation", "Mistakes"] if evaluation.get("kind") == "classifier" else ["Evaluation"]


def _view(title: str, run: Run, evaluation: dict[str, Any] | None) -> None:
    if title == "Evaluation" and evaluation is not None:
        if evaluation["kind"] == "study":
            training_study.show(evaluation, key=f"study-{run.id}")
        elif evaluation["kind"] == "classifier":
            training_evaluation.show(evaluation, key=f"evaluation-{run.id}")
        elif evaluation["kind"] == "gan":
            training_made.synthesis(evaluation, run.folder)
        else:
            training_made.virtual_stain(evaluation, run.folder)
    elif title == "Mistakes" and evaluation is not None:
        training_evaluation.errors(evaluation, run.folder)
    elif title == "Curves":
        _live_curves(run)
    elif title == "Samples":
        training_samples.show(run.folder, key=f"samples-{run.id}")
    else:
        training_log.show(run, expanded=True)
        training_log.settings(run, expanded=True)


def _evaluation(run: Run) -> dict[str, Any] | None:
    """The final figures; None before there are any. Those of a run that was resumed are of its former end."""
    if not run.folder.evaluation.is_file() or run.status.state is not State.FINISHED:
        return _unfinished_study(run)
    try:
        found: dict[str, Any] = json.loads(run.folder.evaluation.read_text(encoding="utf-8"))
        return found if found.get("kind") else None
    except (OSError, json.JSONDecodeError):
        errors.show(
            AppError("The figures of this run cannot be read. Resume it with one more epoch to make them anew.")
        )
        return None


def _unfinished_study(run: Run) -> dict[str, Any] | None:
    """What a study that was stopped or failed has found so far; None for other runs."""
    if run.recipe is not Recipe.STUDY:
        return None
    with errors.shown(stop=False):
        return training_study.so_far(run)
    return None
