"""What the user asks for: files or a sample, marker, stain, scale, and what else there is to choose."""

from dataclasses import dataclass
from urllib.parse import urlsplit

import streamlit as st

from core.db.records import User
from core.labels import Marker, NucleiMethod, OperatingPoint, Scale, StainChoice
from core.phantoms.samples import SAMPLES
from core.types import Options

FORMATS = ["png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "gif", "svs"]
STAIN_WORDS = {StainChoice.AUTO: "auto", StainChoice.HE: "H&E", StainChoice.IHC: "IHC"}
SCALE_WORDS = {Scale.FILE: "from file", Scale.UNKNOWN: "unknown"}
METHOD_WORDS = {NucleiMethod.LEARNED: "network", NucleiMethod.CLASSICAL: "classical"}
POINT_WORDS = {OperatingPoint.BEST_F1: "each nucleus", OperatingPoint.LEAST_BIAS: "their share"}
CLICKS = "sample_clicks"
TITLES = {sample.key: sample.title.removesuffix(" (simulated)").split(",")[0] for sample in SAMPLES}
"""Short enough for a button; the line above them says which are simulated."""


@dataclass(frozen=True)
class Upload:
    """One file to analyse; the same file given twice has two ids.

    Attributes:
        sample: key of a built-in sample, which is drawn when it is analysed; empty for a file.
    """

    id: str
    name: str
    data: bytes
    sample: str = ""


def uploads(user: User, limit_mb: int) -> list[Upload]:
    """The drop zone and the samples beside it; guests have the samples only. A sample takes the place of the files."""
    files = []
    if user.is_guest:
        _welcome_guest()
        sample = _samples("Or try a sample")
    else:
        left, right = st.columns([3, 2], gap="medium")
        files = left.file_uploader(
            f"Drop images here: H&E or IHC, PNG JPEG TIFF WebP, up to {limit_mb} MB",
            type=FORMATS,
            accept_multiple_files=True,
            max_upload_size=limit_mb,
            key="uploads",
            on_change=_forget_sample,
        )
        with right.container():
            sample = _samples("Or try a sample")
    if sample is not None and CLICKS in st.session_state:
        return [Upload(f"sample-{st.session_state[CLICKS]}", TITLES[sample], b"", sample)]
    return [Upload(file.file_id, file.name, file.getvalue()) for file in files]


def _welcome_guest() -> None:
    """The tour is what a guest is offered first."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", key="welcome"):
        if st.button("Take the tour", icon=":material/slideshow:", type="primary", key="take_tour"):
            st.switch_page("demonstration.py")
        st.caption("Five steps in five minutes, with samples only. You are a guest: nothing is stored.")


def _samples(label: str) -> str | None:
    return st.pills(
        label,
        list(TITLES),
        format_func=TITLES.__getitem__,
        key="sample",
        on_change=_set_marker,
        help="Simulated tissue with exactly known content, and one photograph of real tissue",
    )


def _forget_sample() -> None:
    st.session_state["sample"] = None


def _set_marker() -> None:
    chosen = st.session_state["sample"]
    st.session_state[CLICKS] = st.session_state.get(CLICKS, 0) + 1  # the same sample once more is a new upload
    st.session_state["marker"] = next((each.marker for each in SAMPLES if each.key == chosen), Marker.HER2)


def options() -> Options:
    """Marker, stain and scale in one row, the rest behind "More"."""
    st.session_state.setdefault("marker", Marker.HER2)  # a sample may have set it
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="options"):
        marker = st.segmented_control(
            "Marker",
            list(Marker),
            required=True,
            format_func=lambda each: each.title,
            key="marker",
            persist_state="session",
        )
        stain = st.segmented_control(
            "Stain",
            list(StainChoice),
            default=StainChoice.AUTO,
            required=True,
            format_func=STAIN_WORDS.__getitem__,
            key="stain",
            persist_state="session",
        )
        scale = st.segmented_control(
            "Scale",
            list(Scale),
            default=Scale.FILE,
            required=True,
            format_func=lambda each: SCALE_WORDS.get(each, each.value),
            key="scale",
            persist_state="session",
            help="Physical pixel size: choose the objective if the file does not say it.",
        )
        with st.popover("More", icon=":material/tune:", key="more"):
            insist = st.toggle("Score even if it looks like neither H&E nor IHC", key="insist", persist_state="session")
            explain = st.toggle("Explain the score (Grad-CAM)", value=True, key="explain", persist_state="session")
            nuclei, operating_point = _nuclei_options()
    return Options(
        marker=marker,
        stain=stain,
        scale=scale,
        explain=explain,
        insist=insist,
        nuclei=nuclei,
        operating_point=operating_point,
    )


def _nuclei_options() -> tuple[NucleiMethod, OperatingPoint]:
    method = st.segmented_control(
        "Nuclei",
        list(METHOD_WORDS),
        default=NucleiMethod.LEARNED,
        required=True,
        format_func=METHOD_WORDS.__getitem__,
        key="nuclei_method",
        persist_state="session",
        help="How nuclei are found: by the bundled network, or by image processing alone, without weights.",
    )
    point = st.segmented_control(
        "The network favours",
        list(OperatingPoint),
        default=OperatingPoint.BEST_F1,
        required=True,
        format_func=POINT_WORDS.__getitem__,
        key="operating_point",
        persist_state="session",
        disabled=method is not NucleiMethod.LEARNED,
        help="Each nucleus found right, or the share of stained nuclei right on the whole.",
    )
    return NucleiMethod(method), OperatingPoint(point)


def invitation(user: User) -> str:
    """The one next step while there is nothing to show."""
    how = "Take the tour, or try a sample" if user.is_guest else "Drop an image above, or try a sample"
    return f"Nothing analysed yet. {how}: the answer takes a second or two."


def say_where(remote_url: str) -> None:
    """One line where the networks run on another workbench: images are sent there."""
    if remote_url:
        st.caption(f":material/cloud_upload: Images are sent to {urlsplit(remote_url).netloc}, where the networks run.")
