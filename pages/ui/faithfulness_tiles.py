"""Which tile of a result is explained: those that support the class most, as small pictures."""

from collections.abc import Sequence

import streamlit as st

from core.images import encode_jpeg, resize_to
from core.labels import CLASSES
from core.reports.content import percent
from core.types import Analysis, RGBImage, TileResult
from pages.ui import grid
from pages.ui.workspace import Opened

OFFERED_TILES = 8
THUMBNAIL_PX = 128


def choose(opened: Opened, target: str, *, key: str) -> int:
    """Offer the tiles that support a class most; return the index of the chosen one, at first the best."""
    order = _best_tiles(opened.result.analysis, target)
    if len(order) == 1:
        return order[0]
    st.markdown(f"Tile: those that support **{target}** most; click another one")
    clicked = st.session_state.get(f"{key}-opened")
    selected = None if clicked in {str(index) for index in order} else str(order[0])
    touched = grid.show([_cell(opened, index, target) for index in order], key=key, side_px=72, selected=selected)
    return order[0] if touched.opened is None else int(touched.opened)


def target_of(analysis: Analysis) -> str:
    """The class that the heat maps explain; where nothing was answered, the one with the surest tile."""
    classes = CLASSES[analysis.marker]
    wanted = analysis.target or analysis.outcome
    return wanted if wanted in classes else max(analysis.tiles, key=lambda tile: tile.confidence).label


def _best_tiles(analysis: Analysis, target: str) -> Sequence[int]:
    support = [_support(analysis, tile, target) for tile in analysis.tiles]
    return sorted(range(len(support)), key=lambda index: -support[index])[:OFFERED_TILES]


def _support(analysis: Analysis, tile: TileResult, target: str) -> float:
    return tile.probabilities[CLASSES[analysis.marker].index(target)]


def _cell(opened: Opened, index: int, target: str) -> grid.Cell:
    analysis = opened.result.analysis
    tile = analysis.tiles[index]
    share = _support(analysis, tile, target)
    caption, detail = f"Tile {index + 1}", f"{target}: {percent(share)}"
    return grid.Cell(str(index), encode_jpeg(_picture(opened, tile)), caption, detail, alt=f"{caption}, {detail}")


def _picture(opened: Opened, tile: TileResult) -> RGBImage:
    """The tile, cut out of the picture on the screen."""
    shown = opened.result.pictures.ihc
    scale = shown.shape[1] / opened.result.analysis.provenance.size[0]
    left, top, right, bottom = (
        round(value * scale) for value in (tile.x, tile.y, tile.x + tile.width, tile.y + tile.height)
    )
    return resize_to(shown[top : max(bottom, top + 1), left : max(right, left + 1)], (THUMBNAIL_PX, THUMBNAIL_PX))
