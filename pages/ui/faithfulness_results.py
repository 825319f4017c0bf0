"""The heat maps of one tile side by side, and what the checks found."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.explain.overlay import blend
from core.explain.pseudocolor import COLORMAPS, colorbar
from core.images import encode_png, resize_to
from core.reports.content import percent
from core.types import Heatmap, RGBImage
from pages.ui import faithfulness_chart, grid, results

if TYPE_CHECKING:  # the networks are imported by the thread that needs them
    from core.explain.faithfulness import Faithfulness
    from core.explain.findings import Agreement, MapCheck
    from core.tile_check import TileCheck

COLORMAP = COLORMAPS[0]
OPACITY = 0.6
SIDE_PX = 448
MEANING = """
- **Area under deletion**: the marked places are covered with empty glass, the strongest first. The answer should fall
  quickly: a small area, below that of every random order. Source: Petsiuk et al. 2018.
- **Area under insertion**: the marked places are laid on empty glass, the strongest first. The answer should rise
  quickly: a large area.
- **Heat on tissue**: share of the heat that lies on tissue rather than on glass.
- **Like itself with random weights**: rank correlation (either sign) with the map after all layers lost what they had
  learned. Near 0
  the map depends on the weights; near 1 it shows the picture's edges and colours only. Not tried for LIME and
  occlusion, which see nothing but answers. Source: Adebayo et al. 2018.
- **Agreement**: rank correlation over 14 x 14 places, and the share that the strongest fifths have in common (20 % by
  chance).
"""


def show(check: "TileCheck") -> None:
    """Pictures first, then what they are worth in words, then the figures."""
    faithfulness = check.faithfulness
    st.markdown(
        f"#### Tile {check.wish.tile + 1}: what speaks for {faithfulness.target}\n"
        f"The network alone gives this tile **{percent(faithfulness.score)}** for {faithfulness.target}. "
        f"{faithfulness.answers} answers, {faithfulness.seconds:.1f} s."
    )
    _show_maps(check)
    for notice in faithfulness.notices:
        results.show_notice(notice)
    if not any(notice.level == "warning" for notice in faithfulness.notices):
        st.success("All checks passed for this tile.", icon=":material/check_circle:")
    faithfulness_chart.show(faithfulness)
    _show_figures(faithfulness)
    _show_agreement(faithfulness.agreements)
    with st.expander("What these figures mean", icon=":material/help:"):
        st.markdown(MEANING)


def _show_maps(check: "TileCheck") -> None:
    pictures = {"Tile": resize_to(check.image, (SIDE_PX, SIDE_PX))}
    pictures |= {name: _overlay(check.image, heatmap) for name, heatmap in check.maps.items()}
    found = {each.name: each for each in check.faithfulness.maps}
    cells = [_cell(name, picture, found.get(name)) for name, picture in pictures.items()]
    touched = grid.show(cells, key="trust_maps", side_px=132)
    st.image(colorbar(COLORMAP, 0, 1, "support, of the strongest place"), width=360)
    if touched.opened in pictures:
        st.image(pictures[touched.opened], caption=touched.opened, width=SIDE_PX)


def _cell(name: str, picture: RGBImage, check: "MapCheck | None") -> grid.Cell:
    if check is None:
        words = "as the network sees it"
    elif check.on_tissue is None:
        words = "marks nothing"
    elif check.follows_answer is None:
        words = "cannot be told"
    else:
        words = "answer follows it" if check.follows_answer else "no better than chance"
    return grid.Cell(name, encode_png(picture), name, words, alt=f"{name}: {words}")


def _overlay(image: RGBImage, heatmap: Heatmap) -> RGBImage:
    size = (SIDE_PX, SIDE_PX)
    return blend(resize_to(image, size), resize_to(heatmap, size), opacity=OPACITY, colormap=COLORMAP)


def _show_figures(faithfulness: "Faithfulness") -> None:
    random = faithfulness.random
    low, high = min(random.areas), max(random.areas)
    inserted = np.mean(random.insertion_areas)
    rows = [f"Area under deletion (random {low:.2f}-{high:.2f})", f"Area under insertion (random {inserted:.2f})"]
    rows += [f"Heat on tissue (tissue {percent(faithfulness.tissue_share)})", "Like itself with random weights"]
    columns: dict[str, list[str]] = {"": rows}
    for each in faithfulness.maps:
        areas = [f"{each.curves.deletion_area:.2f}", f"{each.curves.insertion_area:.2f}"]
        tissue = "marks nothing" if each.on_tissue is None else percent(each.on_tissue)
        columns[each.name] = [*areas, tissue, "not tried" if each.similarity is None else f"{each.similarity:.2f}"]
    st.markdown("**What each map is worth**")
    st.table(columns, hide_index=True, border="horizontal")


def _show_agreement(agreements: Sequence["Agreement"]) -> None:
    if not agreements:
        return
    st.markdown("**How far the maps agree**")
    columns = {
        "": [f"{each.first} and {each.second}" for each in agreements],
        "Rank correlation": [_number(each.rank_correlation) for each in agreements],
        "Strongest fifth in common": ["none" if each.overlap is None else percent(each.overlap) for each in agreements],
    }
    st.table(columns, hide_index=True, border="horizontal")


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"
