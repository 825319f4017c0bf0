"""Waiting for jobs: the step that runs, how far it is, the time left and Cancel; never a dead wait."""

import time
from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.jobs import Job

POLL_S = 0.04
CANCEL_AFTER_S = 4.0
TIME_LEFT_AFTER_S = 5.0


def wait_for_any(jobs: Sequence[Job], slot: DeltaGenerator, *, finished: int, loading: Callable[[], bool]) -> None:
    """Show the jobs until one of them is done. Another click ends this run of the page, never a job.

    Args:
        finished: files of this round that are done already.
        loading: whether the networks are still being loaded, which happens once after a start.
    """
    with slot.container():
        bar = st.progress(_share(jobs, finished), text=_words(jobs, finished, loading()))
        cancel = st.empty()
    offered = False
    while not any(job.done.is_set() for job in jobs):
        time.sleep(POLL_S)
        bar.progress(_share(jobs, finished), text=_words(jobs, finished, loading()))
        if not offered and max(job.seconds for job in jobs) > CANCEL_AFTER_S:
            cancel.button("Cancel", icon=":material/close:", key="cancel", on_click=_cancel, args=(tuple(jobs),))
            offered = True


def _cancel(jobs: Sequence[Job]) -> None:
    for job in jobs:
        job.stop.set()


def _share(jobs: Sequence[Job], finished: int) -> float:
    return min(1.0, (finished + sum(job.share for job in jobs)) / (finished + len(jobs)))


def _words(jobs: Sequence[Job], finished: int, loading: bool) -> str:
    """ "Scoring: 12 of 64 tiles", or "3 of 10 files · scan.tif: scoring", with the time left where that is known."""
    job = max(jobs, key=lambda each: each.share)
    if job.stop.is_set():
        return f"Cancelling after this step: {job.step}"
    words = job.step[:1].upper() + job.step[1:]
    if finished + len(jobs) > 1:
        words = f"{finished} of {finished + len(jobs)} files · {job.name}: {job.step}"
    elif loading:
        words += " · the networks are being loaded, once after a start"
    elif job.seconds > TIME_LEFT_AFTER_S and job.share > 0.05:
        words += f" · about {job.seconds * (1 - job.share) / job.share:.0f} s left"
    return words
