"""One pair looked at closely: the slider, the seams, the trust map on request, the figures beside the real IHC."""

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.db.engine import Database
from pages.ui import background, viewer
from pages.ui.staining import picture, results, work

if TYPE_CHECKING:
    from core.staining import Agreement
    from core.staining_round import Stained

KIND, PACKET = "stain-trust", "stain_packet"
SEAM_LIMIT = 1.2


def show(each: "Stained", owner: str, db: Database) -> None:
    """Show picture and figures of a pair."""
    each = _with_trust(each, owner)
    left, right = st.columns([3, 2], gap="large")
    with left:
        viewer.show(_packet(each), key="stain_viewer")
    with right, st.container(key="stain_facts"):
        st.caption(" · ".join(_headline(each)))
        for note in each.facts.notes:
            st.caption(f":material/info: {note}")
        _seams(each)
        _trust(each, owner, db)
        if each.facts.agreement is not None:
            _agreement(each.facts.agreement)
        _file(each)


def _headline(each: "Stained") -> list[str]:
    width, height = each.facts.size
    label = [f"class {each.label}"] if each.label else []
    return [each.facts.name, f"{width} x {height} px", f"recognised as {each.facts.stain}", *label]


def _packet(each: "Stained") -> bytes:
    """Encoded once for the pair on the screen."""
    identity = (each.id, each.trust is not None)
    known = st.session_state.get(PACKET)
    if known is None or known[0] != identity:
        st.session_state[PACKET] = known = (identity, picture.pack(each))
    packet: bytes = known[1]
    return packet


def _seams(each: "Stained") -> None:
    seams = each.facts.seams
    if seams is None:
        st.markdown("**Seam index**: the field is a single tile, so there are no seams.")
        return
    verdict = "no seam is to be seen" if seams <= SEAM_LIMIT else "tile borders may show: mistrust straight steps"
    st.metric(
        "Seam index",
        f"{seams:.2f}",
        help="Steps of brightness along the borders of tiles, beside those inside tiles. 1 is tissue without seams; up "
        "to 1.2 is what tissue itself reaches.",
    )
    st.caption(f"{verdict[:1].upper()}{verdict[1:]}.")


def _trust(each: "Stained", owner: str, db: Database) -> None:
    from core.inference.trust import DOUBTFUL, MEANING

    if each.trust is not None:
        st.markdown(
            f"**Trust map**: mean disagreement {each.trust.mean:.2f}; {each.trust.doubtful:.1%} of the field "
            f"disagrees by {DOUBTFUL} or more (0 none, 1 most)."
        )
        st.caption(MEANING)
        return
    task = background.find(owner, KIND)
    if task is not None and not task.done.is_set():
        background.waits(task)
        return
    pressed = st.button(
        "Where can it be trusted?",
        icon=":material/map:",
        key="stain_trust",
        help="Stains the field three more times, mirrored and shifted; takes about three times as long as the stain.",
    )
    if pressed:
        background.start(owner, KIND, each.facts.name, partial(work.doubt, each, db))
        st.rerun()


def _with_trust(each: "Stained", owner: str) -> "Stained":
    """Take a finished trust map, whichever pair it belongs to."""
    from core.staining_round import Stained

    task = background.find(owner, KIND)
    if task is None or not task.done.is_set():
        return each
    made = background.result_of(task, Stained)
    background.discard(owner, KIND)
    if made is None:
        return each
    results.update(made)
    return made if made.id == each.id else each


def _agreement(agreement: "Agreement") -> None:
    st.markdown("**Beside the real IHC of the field**")
    rows = {
        "SSIM (1 is equal)": [f"{one.ssim:.3f}" for one in (agreement.virtual, agreement.he)],
        "PSNR, dB": [f"{one.psnr:.1f}" for one in (agreement.virtual, agreement.he)],
        "DAB density, correlation": [f"{one.dab_correlation:.3f}" for one in (agreement.virtual, agreement.he)],
        "DAB mask, Dice": [f"{one.dice:.3f}" for one in (agreement.virtual, agreement.he)],
        "Error of the mean DAB density": [f"{one.dab_error:.3f}" for one in (agreement.virtual, agreement.he)],
    }
    st.table(
        {
            "": list(rows),
            "Virtual IHC": [row[0] for row in rows.values()],
            "H&E as it is": [row[1] for row in rows.values()],
        },
        hide_index=True,
        border="horizontal",
    )
    st.caption(
        "Both on a white of 240, at the scale of the generator. DAB on blocks of 4 px, since such pairs are "
        "neighbouring sections and not one. A block counts as stained from a density of 0.15."
    )


def _file(each: "Stained") -> None:
    from core.staining_round import file_of

    st.download_button(
        "PNG",
        partial(file_of, each),
        each.file,
        "image/png",
        key="stain_png",
        on_click="ignore",
        icon=":material/download:",
        help="The virtual IHC in the size of the H&E, marked as virtual in its name and its metadata",
    )
