"""Runs beside each other: curves laid over each other, a table of their final figures and of what differs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import jobs
from core.db.records import User
from core.jobs import Run
from core.reports.content import percent
from core.training.run_folder import RunFolder
from pages.ui import errors, training_curves, training_places
from pages.ui import training_words as words
from pages.ui.training_help import label


def show(user: User, run_ids: Sequence[str]) -> None:
    """Figures first, then the curves, then the settings that differ."""
    st.button("All runs", icon=":material/arrow_back:", key="all_runs", on_click=training_places.open_runs, args=([],))
    runs: dict[str, Run] = {}
    for run_id in run_ids:
        with errors.shown(stop=False):
            run = jobs.get_run(user, run_id)
            name = run.name if run.name not in runs else f"{run.name} ({run.id[:15]})"
            runs[name] = run
    if not runs:
        return
    st.subheader(f"{len(runs)} runs beside each other")
    _table("Final figures", {name: _figures(run) for name, run in runs.items()}, key="compare_figures")
    training_curves.show_together(
        {name: training_curves.read(run.id, run.folder) for name, run in runs.items()}, key="compare"
    )
    _table("Settings that differ", _differences(runs), key="compare_settings")


def _table(title: str, columns: Mapping[str, Mapping[str, str]], *, key: str) -> None:
    names = list(dict.fromkeys(name for figures in columns.values() for name in figures))
    if not names:
        return
    st.markdown(f"**{title}**")
    rows = {"": names} | {run: [figures.get(name, "–") for name in names] for run, figures in columns.items()}
    st.dataframe(rows, hide_index=True, key=key, column_config={"": st.column_config.Column(pinned=True)})


def _figures(run: Run) -> dict[str, str]:
    status = run.status
    found = {
        "Recipe": words.RECIPES[run.recipe].title,
        "State": status.state.value,
        f"{status.unit.capitalize()}s": str(status.epoch),
        "Time": words.duration(status.seconds),
    }
    if status.metric:
        found[f"Best {status.metric}"] = words.number(status.best)
    evaluation = _read(run.folder, "evaluation.json")
    for name in ("accuracy", "balanced_accuracy", "kappa"):
        figure = evaluation.get(name)
        if isinstance(figure, Mapping) and figure.get("value") is not None:
            value = figure["value"]
            found[words.figure(name)] = words.number(value) if name == "kappa" else percent(value)
    calibration = evaluation.get("calibration")
    if isinstance(calibration, Mapping):
        found["Calibration error"] = percent(calibration["after"]["ece"])
    for name, value in (evaluation.get("figures") or {}).items():
        if isinstance(value, int | float) and not name.endswith(("_low", "_high")):
            found.setdefault(words.figure(name), words.number(value))
    return found


def _differences(runs: Mapping[str, Run]) -> dict[str, dict[str, str]]:
    settings = {name: _read(run.folder, "config.json") | {"data": run.data} for name, run in runs.items()}
    names = dict.fromkeys(name for values in settings.values() for name in values)
    different = [name for name in names if len({json.dumps(values.get(name)) for values in settings.values()}) > 1]
    return {
        run: {label(name): "–" if values.get(name) is None else str(values[name]) for name in different}
        for run, values in settings.items()
    }


def _read(folder: RunFolder, name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder.path / name).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return found
