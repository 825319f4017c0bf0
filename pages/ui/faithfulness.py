"""Other explanations of one tile, on request, and how far each heat map can be trusted."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.db.engine import Database
from core.db.settings import get_app_settings
from core.labels import CAM_LAYERS, PRIMARY_CAM_LAYER, CamMethod, Marker, Perturbation
from core.types import Analysis, Progress
from pages.ui import background, faithfulness_results, faithfulness_tiles, guard
from pages.ui.workspace import Opened, Workspace

if TYPE_CHECKING:  # the networks are imported by the thread that needs them
    from core.tile_check import TileCheck

KIND = "tile_check"
STATE = "tile_checked"
TITLE = "Other explanations and how far to trust them"
SAMPLES = (100, 300, 1000)
LAYERS = {Marker.HER2: CAM_LAYERS, Marker.PR: ("conv1", "conv2")}


@dataclass(frozen=True)
class Checked:
    """What came of one request, and the result it belongs to."""

    identity: str
    check: "TileCheck"


@dataclass(frozen=True)
class Asked:
    """What the person chose."""

    tile: int
    target: str
    layer: str
    methods: tuple[str, ...]
    samples: int


def show(opened: Opened, space: Workspace) -> None:
    """A closed part under the picture; nothing is computed before it is asked for."""
    if not opened.result.analysis.tiles:
        return
    part = st.expander(TITLE, icon=":material/fact_check:", key="trust", on_change="rerun")
    if part.open:
        with part:
            _show(opened, space)


@st.fragment
def _show(opened: Opened, space: Workspace) -> None:
    db = guard.database()
    if get_app_settings(db).remote_url:
        st.caption("Not available while another workbench computes: it sends the score, not the network.")
        return
    if not opened.data:
        st.caption("This needs the original image, which is not kept in the history. Upload it again.")
        return
    st.caption(
        "LIME and occlusion cover parts of one tile with empty glass and watch the answer. Then each heat map is "
        "checked: does the answer follow the marked places, do the methods agree, does the map depend on the weights?"
    )
    identity = _identity(opened.result.analysis)
    task = background.find(space.owner, KIND)
    runs = task is not None and not task.done.is_set()
    asked = _choices(opened, identity, disabled=runs)
    if task is not None and background.waits(task):
        return
    st.button(
        "Explain and check",
        icon=":material/fact_check:",
        type="primary",
        key="check_tile",
        disabled=not asked.methods,
        help=None if asked.methods else "Choose at least one method.",
        on_click=partial(_start, opened, space, asked, identity, db),
    )
    if task is not None:
        found = background.result_of(task, Checked)
        background.discard(space.owner, KIND)
        if found is not None:
            st.session_state[STATE] = found
    known = st.session_state.get(STATE)
    if isinstance(known, Checked) and known.identity == identity:
        faithfulness_results.show(known.check)


def _choices(opened: Opened, identity: str, *, disabled: bool) -> Asked:
    analysis = opened.result.analysis
    target = faithfulness_tiles.target_of(analysis)
    layers = LAYERS[analysis.marker]
    methods = st.pills(
        "Explain with",
        [*Perturbation, *CamMethod],
        selection_mode="multi",
        default=[*Perturbation, analysis.cam_method],
        format_func=str,
        key=f"trust_methods-{identity}",
        disabled=disabled,
    )
    first = layers.index(PRIMARY_CAM_LAYER) if PRIMARY_CAM_LAYER in layers else len(layers) - 1
    keys = f"trust_layer-{identity}", f"trust_samples-{identity}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = st.selectbox("Layer of the CAM maps", layers, first, key=keys[0], width=170, disabled=disabled)
        samples = st.selectbox("LIME samples", SAMPLES, 1, key=keys[1], width=130, disabled=disabled)
    tile = faithfulness_tiles.choose(opened, target, key=f"trust_tiles-{identity}")
    return Asked(tile, target, layer, tuple(str(method) for method in methods), samples)


def _start(opened: Opened, space: Workspace, asked: Asked, identity: str, db: Database) -> None:
    result, data = opened.result, opened.data or b""

    def work(progress: Progress) -> Checked:
        from core.serving import serving_engine
        from core.tile_check import TileWish, check_tile

        wish = TileWish(
            asked.tile,
            asked.target,
            asked.layer,
            cams=tuple(each for each in CamMethod if each.value in asked.methods),
            perturbations=tuple(each for each in Perturbation if each.value in asked.methods),
            samples=asked.samples,
        )
        return Checked(identity, check_tile(data, result, wish, engine=serving_engine(db), progress=progress))

    background.start(space.owner, KIND, f"Tile {asked.tile + 1}", work)


def _identity(analysis: Analysis) -> str:
    return f"{analysis.provenance.created}-{analysis.name}"
