"""The settings of a run as form fields, made from the recipe's configuration: five at once, the rest under "More"."""

import math
import types
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import streamlit as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core import jobs
from core.errors import InvalidOptionError
from core.training.config import CONFIGS, Recipe, TrainConfig, read_config
from pages.ui import guard
from pages.ui.training_help import explained, label

FIRST = ("epochs", "batch_size", "learning_rate", "seed")
"""Beside the name."""

STARTS = ["random", "bundled", "imagenet"]
STAIN_STARTS = ["solved", "bundled", "random"]


def show(recipe: Recipe, proposed: str) -> tuple[str, TrainConfig | None]:
    """The name of the run and its configuration; None, with the reason on the page, where values do not fit."""
    kind = CONFIGS[recipe]
    with st.container(horizontal=True, vertical_alignment="bottom", key="settings_first"):
        name = st.text_input(
            "Name", placeholder=proposed, key="run_name", max_chars=100, persist_state="session", width=330
        )
        values = {each: _field(kind, each, f"set-{recipe.value}", width=150) for each in FIRST}
    with st.expander("More", icon=":material/tune:", key=f"more-{recipe.value}"):
        own = [each for each in kind.model_fields if each not in TrainConfig.model_fields]
        common = [each for each in TrainConfig.model_fields if each not in (*FIRST, *kind.unused)]
        nested = [each for each in own if _is_model(kind.model_fields[each])]
        titles = {"This recipe": [each for each in own if each not in (*nested, "recipe")], "The training": common}
        for title, names in titles.items():
            st.markdown(f"**{title}**")
            with st.grid(4, min_column_width=190, vertical_alignment="bottom"):
                values |= {each: _field(kind, each, f"set-{recipe.value}") for each in names}
        for each in nested:
            st.markdown(f"**{label(each)}**")
            values[each] = _nested(kind.model_fields[each].annotation, f"set-{recipe.value}-{each}")
    try:
        return (name or "").strip() or proposed, read_config({"recipe": recipe.value, **values})
    except InvalidOptionError as error:
        st.error(str(error), icon=":material/error:")
        return name or proposed, None


def _nested(kind: Any, key: str) -> dict[str, Any]:
    with st.grid(4, min_column_width=190, vertical_alignment="bottom"):
        return {each: _field(kind, each, key) for each in kind.model_fields}


def _field(kind: type[BaseModel], name: str, key: str, *, width: Any = "stretch") -> Any:
    """The form field that suits the type of a configuration's field; its help is the configuration's own text."""
    field = kind.model_fields[name]
    plain, optional = _plain(field.annotation)
    common: dict[str, Any] = {
        "key": f"{key}-{name}",
        "help": explained(kind, name),
        "persist_state": "session",
        "width": width,
    }
    if plain is bool:
        return st.toggle(label(name), field.default, **common | {"width": "content"})
    if plain in (int, float):
        return _number(label(name), field, plain, optional, common)
    if name == "start":
        starts = STAIN_STARTS if "solved" in explained(kind, name) else STARTS
        return st.selectbox(label(name), starts, starts.index(field.default), accept_new_options=True, **common)
    if name == "synthetic":
        return _stored_set(label(name), common)
    choices = _choices(plain)
    if choices:
        return st.selectbox(label(name), choices, choices.index(field.default), format_func=str, **common)
    if get_origin(plain) is tuple:
        return st.text_input(label(name), ", ".join(f"{each:g}" for each in field.default), **common)
    text = st.text_input(label(name), field.default or "", placeholder="not set" if optional else "", **common)
    return text or (None if optional else "")


def _stored_set(title: str, common: Mapping[str, Any]) -> str | None:
    """A stored data set, such as an exported collection, or a path that is typed in; None where neither."""
    user = guard.current_user()
    stored = {str(each.folder): each.name for each in jobs.list_datasets(user)} if user is not None else {}
    chosen: str | None = st.selectbox(
        title,
        list(stored),
        index=None,
        format_func=lambda path: stored.get(path, path),
        placeholder="none, or enter a path",
        accept_new_options=True,
        **common,
    )
    return chosen


def _number(title: str, field: FieldInfo, plain: type, optional: bool, common: Mapping[str, Any]) -> Any:
    low, high = _bound(field, "ge", "gt"), _bound(field, "le", "lt")
    value = st.number_input(
        title,
        min_value=None if low is None else plain(low),
        max_value=None if high is None else plain(high),
        value=None if field.default is None else plain(field.default),
        step=1 if plain is int else _step(field.default),
        format="%d" if plain is int else "%g",
        placeholder="not set" if optional else "as usual",
        **common,
    )
    return field.default if value is None and not optional else value


def _bound(field: FieldInfo, *names: str) -> float | None:
    found = [getattr(each, name) for each in field.metadata for name in names if hasattr(each, name)]
    return found[0] if found else None


def _step(default: float | None) -> float:
    return 10.0 ** (math.floor(math.log10(abs(default))) - 1) if default else 0.01


def _plain(annotation: Any) -> tuple[Any, bool]:
    """The type without "or None", and whether None is allowed."""
    if get_origin(annotation) in (Union, types.UnionType):
        some = [each for each in get_args(annotation) if each is not types.NoneType]
        return some[0], len(some) < len(get_args(annotation))
    return annotation, False


def _choices(plain: Any) -> list[Any]:
    if get_origin(plain) is Literal:
        return list(get_args(plain))
    if isinstance(plain, type) and issubclass(plain, StrEnum) and plain is not Path:
        return list(plain)
    return []


def _is_model(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
