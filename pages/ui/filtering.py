"""The quality filter as a panel: five checks with their thresholds, what they leave, and why the others fail.

settings = filtering.settings_panel("stain")
judged = filtering.judged_anew(judged, settings)     # by the measures that are kept: no network runs again
filtering.results_panel(judged, "stain", settings)
"""

from collections.abc import Sequence

import streamlit as st

from core.quality import filter as quality
from core.quality.filter import FilterSettings
from pages.ui import filtering_guards, filtering_results
from pages.ui.filtering_images import JudgedImage, judged_anew

__all__ = ["JudgedImage", "judged_anew", "results_panel", "settings_panel"]

OFF = "0 switches this check off."


def settings_panel(key: str, *, second: bool = False, neighbours: bool = False) -> FilterSettings:
    """Five checks with their thresholds, and the guards that are off at first under "More".

    Args:
        second, neighbours: a second model's answers, and distances to real images, are at hand or can be.
    """
    with st.container(key=f"{key}-filter"), st.grid(5, min_column_width=170, vertical_alignment="bottom"):
        sharpness = _number("Sharpness from", quality.SHARPNESS, key, "sharpness", "Variance of the Laplacian of gray.")
        darkest, brightest = st.slider(
            "Brightness",
            0,
            255,
            (round(quality.DARKEST), round(quality.BRIGHTEST)),
            key=f"{key}-brightness",
            persist_state="session",
            help="Mean gray level. 0 to 255 switches this check off.",
        )
        contrast = _number("Contrast from", quality.CONTRAST, key, "contrast", "Standard deviation of gray.", step=0.5)
        confidence = _number(
            "Confidence from",
            quality.CONFIDENCE,
            key,
            "confidence",
            "Probability of the class that the classifier names; published: 0.55.",
            step=0.05,
            most=1.0,
        )
        same_class = st.toggle(
            "Class as made",
            True,
            key=f"{key}-same_class",
            persist_state="session",
            help="The classifier has to name the class that the image was made as.",
        )
    guards = filtering_guards.show(key, second=second, neighbours=neighbours)
    return FilterSettings(
        sharpness=sharpness or None,
        darkest=float(darkest) or None,
        brightest=None if brightest == 255 else float(max(brightest, darkest + 1)),
        contrast=contrast or None,
        confidence=confidence or None,
        same_class=same_class,
        second_model=guards[0],
        farthest=guards[1],
        no_copies=guards[2],
    )


def results_panel(
    judged: Sequence[JudgedImage], key: str, settings: FilterSettings | None = None, *, offer_files: bool = True
) -> None:
    """How many are accepted, table and bars of the reasons, both galleries, and the files.

    Args:
        settings: what they were judged by, for the export; the defaults where None.
        offer_files: offer ZIP and CSV.
    """
    filtering_results.show(judged, key, settings or FilterSettings(), offer_files=offer_files)


def _number(
    title: str, default: float, key: str, name: str, what: str, *, step: float = 1.0, most: float | None = None
) -> float:
    return float(
        st.number_input(
            title,
            0.0,
            most,
            default,
            step,
            format="%g",
            key=f"{key}-{name}",
            persist_state="session",
            help=f"{what} {OFF}",
        )
    )
