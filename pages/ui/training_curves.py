"""The curves of one run, or of several laid over each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from core.training.run_folder import RunFolder
from pages.ui import training_words as words
from pages.ui.training_charts import chart, colour, line

POINTS = 400
"""A longer curve is thinned out for the screen; the run's ZIP holds every point."""

NO_CURVES = ("epoch", "step", "seconds", "steps")
SHARES = ("accuracy", "agreement", "correlation", "ssim", "kappa", "dice", "recall", "d_real", "d_fake")
STATE = "run_curves"

Series = dict[str, tuple[list[float], list[float]]]
"""By name: epochs, which may be fractions, and values."""


@dataclass
class Curves:
    """The numbers of a run as far as they were read.

    Attributes:
        lines: how many lines of the file they come from.
        inode: of that file; a resumed run starts another.
        steps: one value about every second.
        epochs: one value an epoch.
    """

    lines: int = 0
    inode: int = 0
    steps: Series = field(default_factory=dict)
    epochs: Series = field(default_factory=dict)


def read(run_id: str, folder: RunFolder) -> Curves:
    """The curves of a run; only what was written since the last look is read."""
    known: dict[str, Curves] = st.session_state.setdefault(STATE, {})
    inode = folder.stats.stat().st_ino if folder.stats.is_file() else 0
    if run_id not in known or known[run_id].inode != inode:
        known[run_id] = Curves(inode=inode)
    curves, steps = known[run_id], folder.status().steps
    for row in folder.read_stats(skip=curves.lines):
        curves.lines += 1
        _add(curves, row, steps)
    return curves


def show(curves: Curves, *, key: str) -> None:
    """Losses and shares beside each other, everything else behind "More curves"."""
    if not curves.epochs and not curves.steps:
        st.caption("The first numbers come a few seconds after the start.")
        return
    losses, shares, others = _groups(curves.epochs)
    left, right = st.columns(2, gap="medium") if shares else (st.container(), st.container())
    with left:
        batches = [name for name in curves.steps if name == "loss" or (name.endswith("loss") and not losses)]
        traces = [_line(name, curves.steps, colour(name, 7 - place), faint=True) for place, name in enumerate(batches)]
        traces += [_line(name, curves.epochs, colour(name, place)) for place, name in enumerate(losses)]
        chart(traces, title="Loss", x="epoch", y="loss", key=f"{key}-loss")
    if shares:
        with right:
            traces = [_line(name, curves.epochs, colour(name, place)) for place, name in enumerate(shares)]
            chart(traces, title=_title(shares), x="epoch", y="share", key=f"{key}-share", yaxis_range=[-0.02, 1.02])
    if others:
        more = st.expander("More curves", key=f"{key}-more", on_change="rerun")
        if more.open:
            with more, st.grid(3, min_column_width=260):
                for place, name in enumerate(others):
                    trace = _line(name, curves.epochs, colour(name, place))
                    title = words.curve(name).capitalize()
                    chart([trace], title=title, x="epoch", y="", key=f"{key}-{name}", height=220, showlegend=False)


def show_together(runs: Mapping[str, Curves], *, key: str) -> None:
    """One chart for each curve that at least two of the runs have; each run keeps its colour."""
    names = [name for curves in runs.values() for name in curves.epochs]
    shared = [name for name in dict.fromkeys(names) if names.count(name) > 1 and name != "learning_rate"]
    if not shared:
        st.caption("These runs have no curve in common.")
        return
    with st.grid(2, min_column_width=320):
        for name in shared:
            traces = [
                line(title, *_thin(*curves.epochs[name]), colour(title, place))
                for place, (title, curves) in enumerate(runs.items())
                if name in curves.epochs
            ]
            chart(traces, title=words.curve(name).capitalize(), x="epoch", y="", key=f"{key}-{name}")


def _title(shares: Sequence[str]) -> str:
    if len(shares) == 1:
        return words.curve(shares[0]).capitalize()
    return "Discriminator" if "d_real" in shares else "Accuracy" if shares[0].endswith("accuracy") else "Agreement"


def _line(name: str, source: Series, shade: str, *, faint: bool = False) -> go.Scatter:
    return line(words.curve(name), *_thin(*source[name]), shade, marks=not faint, width=1 if faint else 2)


def _thin(x: list[float], y: list[float]) -> tuple[list[float], list[float]]:
    every = -(-len(x) // POINTS) or 1
    return x[::every], y[::every]


def _groups(epochs: Series) -> tuple[list[str], list[str], list[str]]:
    """Losses, shares, everything else; a generator's training figures come under two names and are shown once."""
    names = [name for name in epochs if not (name.startswith("train_") and name.removeprefix("train_") in epochs)]
    losses = [name for name in names if name.endswith("loss")]
    shares = [name for name in names if name.endswith(SHARES)]
    return losses, shares, [name for name in names if name not in (*losses, *shares)]


def _add(curves: Curves, row: Mapping[str, Any], steps: int) -> None:
    of_epoch = row.get("kind") == "epoch"
    at = float(row.get("epoch") or 0)
    if not of_epoch:
        at += float(row.get("step") or 0) / max(steps, 1) - 1
    for name, value in row.items():
        if name in NO_CURVES or isinstance(value, bool) or not isinstance(value, int | float):
            continue
        x, y = (curves.epochs if of_epoch else curves.steps).setdefault(name, ([], []))
        x.append(at)
        y.append(float(value))
