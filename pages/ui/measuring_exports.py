"""What can be done with a measurement: take back, keep, and take along as table, outlines or picture."""

from functools import partial
from pathlib import PurePosixPath

import streamlit as st

from core import history
from core.config import get_settings
from core.errors import AppError
from core.images import decode, encode_png
from core.quantify.export import nuclei_csv, nuclei_geojson
from core.quantify.outline_picture import render_outlines
from core.types import Adjustments, Nuclei
from pages.ui import guard
from pages.ui.workspace import Opened


def show(opened: Opened) -> None:
    """Two rows of buttons."""
    adjusting = opened.adjusting
    with st.container(horizontal=True, key="adjusting"):
        st.button(
            "Undo",
            icon=":material/undo:",
            key="adjust_undo",
            on_click=adjusting.undo,
            disabled=not adjusting.past,
            help="Takes back the last threshold, region or correction",
        )
        st.button(
            "Redo", icon=":material/redo:", key="adjust_redo", on_click=adjusting.redo, disabled=not adjusting.future
        )
        st.button(
            "Reset all",
            icon=":material/restart_alt:",
            key="adjust_reset",
            on_click=adjusting.reset,
            disabled=not adjusting.changed,
            help="Back to the measurement as it was made; Undo brings your changes back",
        )
        if opened.entry_id is not None:
            st.button(
                "Save changes",
                icon=":material/save:",
                key="adjust_save",
                type="primary" if adjusting.unsaved else "secondary",
                on_click=_save,
                args=(opened,),
                disabled=not adjusting.unsaved,
                help="Keeps them with this entry of the history, beside the figures as measured",
            )
    if opened.entry_id is None and adjusting.changed:
        st.caption("Your changes are kept until you leave: this result is not stored.")
    elif adjusting.unsaved:
        st.caption("Not saved yet.")
    nuclei = opened.result.nuclei
    if nuclei is None:
        return
    stem = PurePosixPath(opened.result.analysis.name).stem
    with st.container(horizontal=True, key="nuclei_exports"):
        _download("CSV", partial(_csv, opened, nuclei), f"{stem}-nuclei.csv", "text/csv", ":material/table_view:")
        _download(
            "GeoJSON",
            partial(_geojson, opened, nuclei),
            f"{stem}-nuclei.geojson",
            "application/geo+json",
            ":material/polyline:",
        )
        _download("Overlay", partial(_overlay, opened, nuclei), f"{stem}-nuclei.png", "image/png", ":material/image:")


HELP = {
    "CSV": "One row for every nucleus, with all its numbers",
    "GeoJSON": "Outlines with classes and measurements, for QuPath",
    "Overlay": "The image with the outlines, as PNG",
}


def _save(opened: Opened) -> None:
    adjusting = opened.adjusting
    try:
        kept = history.save_adjustments(guard.database(), guard.require_user(), opened.entry_id or "", adjusting.now)
    except AppError as error:
        adjusting.problem = str(error)
        return
    adjusting.keep(kept.adjustments if kept else Adjustments())
    st.toast("Your changes are saved.", icon=":material/check:")


def _download(label: str, make: partial[bytes], name: str, mime: str, icon: str) -> None:
    key = f"download_{label.lower()}"
    st.download_button(label, make, name, mime, key=key, on_click="ignore", icon=icon, help=HELP[label])


def _csv(opened: Opened, nuclei: Nuclei) -> bytes:
    return nuclei_csv(nuclei, opened.adjusting.now).encode()


def _geojson(opened: Opened, nuclei: Nuclei) -> bytes:
    return nuclei_geojson(nuclei, opened.adjusting.now)


def _overlay(opened: Opened, nuclei: Nuclei) -> bytes:
    """On the upload at its full size where it is at hand, else on the picture that is kept."""
    analysis, picture = opened.result.analysis, opened.result.pictures.ihc
    if opened.data:
        limits = {"max_bytes": len(opened.data), "max_pixels": get_settings().max_pixels}
        picture = decode(opened.data, analysis.name, **limits).image
    size = analysis.provenance.size
    return encode_png(render_outlines(picture, nuclei, size, opened.adjusting.now))
