"""Further guards of the quality filter, off at first."""

import streamlit as st

from core.quality import filter as quality

NO_INDEX = "Distances to real images are not known here."


def show(key: str, *, second: bool, neighbours: bool) -> tuple[bool, float | None, bool]:
    """Second model, largest distance to real images, no copies; each off where it cannot be checked."""
    with st.popover("More", icon=":material/tune:", key=f"{key}-more-guards"):
        st.caption("Further guards, off at first.")
        agree = st.toggle(
            "A second model agrees",
            key=f"{key}-second",
            persist_state="session",
            disabled=not second,
            help="So that the filter is not the model that is then trained again. "
            + ("" if second else "No second model is at hand here."),
        )
        far = st.toggle(
            "Like real images",
            key=f"{key}-far",
            persist_state="session",
            disabled=not neighbours,
            help="Distance to the nearest real image. " + ("" if neighbours else NO_INDEX),
        )
        farthest = st.number_input(
            "At most so many times as far as real images from each other",
            0.5,
            20.0,
            quality.FARTHEST,
            0.1,
            key=f"{key}-farthest",
            persist_state="session",
            disabled=not far,
        )
        copies = st.toggle(
            "No copies of real images",
            key=f"{key}-copies",
            persist_state="session",
            disabled=not neighbours,
            help="Images nearer to a training image than real ones are to each other. "
            + ("" if neighbours else NO_INDEX),
        )
    return second and agree, float(farthest) if far and neighbours else None, neighbours and copies
