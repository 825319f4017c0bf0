"""What the trainer printed, and what it was told."""

import json
import os
from typing import Any

import streamlit as st

from core.jobs import Run
from core.training.config import CONFIGS
from core.training.run_folder import RunFolder
from pages.ui.training_help import label

TAIL_BYTES = 8_000
TAIL_LINES = 60


def show(run: Run, *, expanded: bool = False) -> None:
    """The end of the log."""
    box = st.expander("Log", expanded, icon=":material/terminal:", key=f"log-{run.id}", on_change="rerun")
    if box.open:
        with box:
            text = tail(run.folder)
            with st.container(height=280, autoscroll=True, border=False):  # the newest line is the last one
                st.code(text or "Nothing was written yet.", language=None, wrap_lines=True)


def settings(run: Run, *, expanded: bool = False) -> None:
    """The settings that differ from the recipe's defaults first, then the others."""
    box = st.expander("Settings", expanded, icon=":material/tune:", key=f"settings-{run.id}", on_change="rerun")
    if not box.open:
        return
    values = _values(run.folder)
    default = CONFIGS[run.recipe]().model_dump(mode="json")
    changed = {name: value for name, value in values.items() if value != default.get(name)}
    same = {name: value for name, value in values.items() if name not in changed and name != "recipe"}
    with box:
        for title, chosen in (("Changed", changed), ("As the recipe has it", same)):
            if chosen:
                st.markdown(f"**{title}**")
                rows = {label(name): _text(value) for name, value in chosen.items()}
                st.table(rows, border="horizontal", width="content")


def tail(folder: RunFolder) -> str:
    """The last lines of the log."""
    try:
        with folder.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-TAIL_LINES:])


def _values(folder: RunFolder) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(folder.config.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return found


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{label(name).lower()} {_text(each)}" for name, each in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(each) for each in value)
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
