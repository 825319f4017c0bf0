"""What is to be stained: H&E images or a ZIP, real IHC to compare with, the scale, or the sample."""

import streamlit as st

from core.labels import Scale
from pages.ui.inputs import FORMATS, SCALE_WORDS
from pages.ui.staining.work import Asked

SAMPLE = "he"
SCALES = (Scale.FILE, Scale.X40, Scale.X20, Scale.X10)


def show(limit_mb: int) -> Asked | None:
    """The drop zones and the choices; what was asked for once a button was pressed, else None."""
    left, right = st.columns([3, 2], gap="medium")
    files = left.file_uploader(
        f"Drop H&E here: one image, many, or a ZIP, up to {limit_mb} MB each",
        type=[*FORMATS, "zip"],
        accept_multiple_files=True,
        max_upload_size=limit_mb,
        key="stain_uploads",
        help="In a ZIP, folders named after classes (0, 1+, 2+, 3+, PR-, PR+) or names such as 00012_train_2+.png give "
        "the class; the folders HE and IHC hold both stains of the same fields.",
    )
    reals = right.file_uploader(
        "Real IHC of the same fields, to compare with (optional)",
        type=[*FORMATS, "zip"],
        accept_multiple_files=True,
        max_upload_size=limit_mb,
        key="stain_reals",
        help="The same file names as the H&E; a single one belongs to a single H&E whatever its name.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        scale = st.segmented_control(
            "Scale",
            SCALES,
            default=Scale.FILE,
            required=True,
            format_func=lambda each: SCALE_WORDS.get(each, each.value),
            key="stain_scale",
            persist_state="session",
            help="Physical pixel size: choose the objective if the file does not say it. Unknown counts as 40x.",
        )
        count = len(files)
        pressed = st.button(
            "Stain" if count < 2 else f"Stain {count} files",
            type="primary",
            icon=":material/science:",
            key="stain_start",
            disabled=not files,
            help=None if files else "Drop an H&E image first, or try the sample.",
        )
        sample = st.button(
            "Try the sample", icon=":material/image:", key="stain_sample", help="Simulated H&E, drawn by the workbench"
        )
    if sample:
        return Asked(sample=SAMPLE, scale=Scale(scale))
    if pressed:
        uploads, truths = (tuple((file.name, file.getvalue()) for file in some) for some in (files, reals))
        return Asked(uploads, truths, scale=Scale(scale))
    return None
