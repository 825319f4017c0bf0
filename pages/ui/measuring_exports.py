"""Nuclei as table, outlines or picture, made when they are asked for, with the changes there are by then."""

from functools import partial
from pathlib import PurePosixPath

import streamlit as st

from core.config import get_settings
from core.images import decode, encode_png
from core.quantify.export import nuclei_csv, nuclei_geojson
from core.quantify.outline_picture import render_outlines
from core.types import Nuclei
from pages.ui.workspace import Opened


def show(opened: Opened) -> None:
    """Three buttons. They stand outside what runs anew on a change: a click must not meet a button being replaced."""
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
