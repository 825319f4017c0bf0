"""One synthetic image closely: its class, what the classifier sees, its quality, the training image nearest to it."""

from typing import TYPE_CHECKING

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from pages.ui import errors
from pages.ui.synthesis import generators, real_images
from pages.ui.synthesis.sampled import Chosen

if TYPE_CHECKING:
    from core.quality.filter_measures import Measures
    from core.synthetic_images import Inspected
    from core.types import RGBImage

SIDE_PX = 208
STATE = "synthesis_detail"
HINT = "Click an image to see what the classifier makes of it, and the training image nearest to it."


def show(db: Database, user: User, chosen: Chosen | None) -> None:
    """The image that was clicked; before that, a hint."""
    if chosen is None:
        st.caption(HINT)
        return
    with st.container(border=True, key="sample_detail"), errors.shown(stop=False):
        draw(_inspected(db, user, chosen), weights_sha256=chosen.weights.sha256)


def _inspected(db: Database, user: User, chosen: Chosen) -> "Inspected":
    """Looked at once, until another image is clicked."""
    known = st.session_state.get(STATE)
    if known is None or known[0] != chosen.id:
        from core.synthetic_images import inspect

        with st.spinner("Looking closely..."):
            found = inspect(
                generators.engine_of(db, chosen.weights),
                chosen.weights.model,
                chosen.spec,
                folders=real_images.folders(user),
            )
        st.session_state[STATE] = known = (chosen.id, found)
    result: Inspected = known[1]
    return result


def draw(found: "Inspected", *, weights_sha256: str) -> None:
    """What is known of one image; the tour shows it too."""
    spec = found.spec
    st.markdown(f"**Synthetic {spec.label}**, seed {spec.seed}")
    pictures = [(found.image, "Synthetic"), (found.real, "Nearest training image")]
    if found.overlay is not None:
        pictures.insert(1 if found.real is None else 2, (found.overlay, f"Grad-CAM of {found.explained}"))
    with st.container(horizontal=True, gap="small", key="sample_pictures"):
        for picture, words in pictures:
            if picture is not None:
                st.image(_enlarged(picture), caption=words, width=SIDE_PX, alt=words)
    _opinion(found.measures)
    _near(found)
    _quality(found.measures)
    st.caption(f"Truncation {spec.truncation:g}, weights {weights_sha256[:12]}")


def _enlarged(picture: "RGBImage") -> "RGBImage":
    """Twice as large, smoothly: the browser's own enlargement shows the pixels as blocks on some screens."""
    from core.images import resize_to

    height, width = picture.shape[:2]
    return resize_to(picture, (2 * width, 2 * height)) if max(height, width) < 256 else picture


def _opinion(measures: "Measures") -> None:
    """Whether the classifier names the class that was asked for."""
    opinion = measures.opinion
    if opinion is None or not opinion.label:
        st.markdown("The classifier found nothing to read.")
        return
    agrees = opinion.label == measures.label
    words = "as asked for" if agrees else f"not {measures.label}, as asked for"
    st.markdown(f"Classifier: **{opinion.label}**, {opinion.confidence:.0%} ({words})")


def _near(found: "Inspected") -> None:
    """How near it is to a training image, and what that means."""
    if found.near is None:
        st.caption(found.unknown)
        return
    near = found.near
    if near.memorised:
        st.badge("Nearly a copy of a training image", icon=":material/content_copy:", color="red")
    else:
        st.badge("No copy", icon=":material/check:", color="green")
    st.markdown(
        f"Nearest training image: distance {near.distance:.2f}, {near.ratio:.2f} times the usual distance of real "
        "images that the generator never saw."
    )
    if found.real is None:
        st.caption(f"{near.name}. Its data set is not on this machine, or not yours, so it can't be shown.")


def _quality(measures: "Measures") -> None:
    st.markdown(
        f"Sharpness {measures.sharpness:.0f}, brightness {measures.brightness:.0f}, contrast {measures.contrast:.0f}"
    )
