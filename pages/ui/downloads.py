"""A result as PDF, JSON and ZIP, made when they are asked for."""

from functools import partial
from pathlib import PurePosixPath

import streamlit as st

from core.quantify.adjusted import Adjusted, adjusted_scores
from core.reports.answer import encode_json, to_json
from core.reports.bundle import to_zip
from core.reports.content import report_content
from core.reports.pdf import to_pdf
from pages.ui.workspace import Opened


def show(opened: Opened) -> None:
    """Three buttons beside each other."""
    stem = PurePosixPath(opened.result.analysis.name).stem
    with st.container(horizontal=True, key="downloads"):
        st.download_button(
            "PDF",
            partial(_pdf, opened),
            f"{stem}-report.pdf",
            "application/pdf",
            key="download_pdf",
            on_click="ignore",
            icon=":material/picture_as_pdf:",
            help="Report of one or two pages",
        )
        st.download_button(
            "JSON",
            partial(_json, opened),
            f"{stem}-report.json",
            "application/json",
            key="download_json",
            on_click="ignore",
            icon=":material/data_object:",
            help="All figures, for programs; the pictures are in the ZIP",
        )
        st.download_button(
            "ZIP",
            partial(_zip, opened),
            f"{stem}-pictures.zip",
            "application/zip",
            key="download_zip",
            on_click="ignore",
            icon=":material/folder_zip:",
            help="Full-size pictures, PDF, JSON and a table of the tiles",
        )


def _pdf(opened: Opened) -> bytes:
    return to_pdf(report_content(opened.result, opened.own, adjusted(opened)), opened.result.pictures)


def _json(opened: Opened) -> bytes:
    answer = to_json(opened.result, entry_id=opened.entry_id, pictures=False, adjusted=adjusted(opened))
    return encode_json(answer)


def _zip(opened: Opened) -> bytes:
    return to_zip(opened.result, opened.data, own=opened.own, adjusted=adjusted(opened))


def adjusted(opened: Opened) -> Adjusted | None:
    """The figures with the changes on the screen, saved or not; None where nothing was changed."""
    if opened.result.nuclei is None or not opened.adjusting.changed:
        return None
    return adjusted_scores(opened.result.nuclei, opened.adjusting.now)
