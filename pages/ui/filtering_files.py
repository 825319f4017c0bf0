"""Filtered images as ZIP and CSV, made when they are asked for."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.quality.filter import FilterSettings
from core.quality.filter_export import Filtered, filtered_csv, filtered_zip
from pages.ui.filtering_images import JudgedImage


def show(judged: Sequence[JudgedImage], settings: FilterSettings, key: str) -> None:
    """Two buttons beside each other."""
    with st.container(horizontal=True, key=f"{key}-filter-files"):
        st.download_button(
            "ZIP",
            partial(_zip, judged, settings),
            "filtered.zip",
            "application/zip",
            key=f"{key}-zip",
            on_click="ignore",
            icon=":material/folder_zip:",
            help="Folders accepted and rejected, the table, and the thresholds",
        )
        st.download_button(
            "CSV",
            partial(_csv, judged),
            "filter.csv",
            "text/csv",
            key=f"{key}-csv",
            on_click="ignore",
            icon=":material/table_view:",
            help="Every measure and reason, one row an image",
        )


def _zip(judged: Sequence[JudgedImage], settings: FilterSettings) -> bytes:
    return filtered_zip(_leaving(judged), settings)


def _csv(judged: Sequence[JudgedImage]) -> str:
    return filtered_csv(_leaving(judged))


def _leaving(judged: Sequence[JudgedImage]) -> list[Filtered]:
    return [Filtered(each.name, each.verdict, each.png) for each in judged]
