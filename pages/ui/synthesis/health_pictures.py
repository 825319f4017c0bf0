"""Synthetic images beside real ones of the same class."""

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import grid
from pages.ui.grid import Cell

if TYPE_CHECKING:
    from core.inference.generator_health import GeneratorHealth
    from core.types import RGBImage

SIDE_PX = 84
COUNT = 12
ABSENT = (
    "The training tiles of this generator are not on this machine, or not among your data sets, so they can't be "
    "shown. The figures do not need them."
)


def show(health: "GeneratorHealth", real: "dict[str, tuple[tuple[str, RGBImage], ...]]") -> None:
    """A row of a class: synthetic left, real right."""
    from core.images import encode_png

    st.subheader("Side by side", anchor=False)
    if not any(real.values()):
        st.info(ABSENT, icon=":material/hide_image:")
    for label, tiles in real.items():
        left, right = st.columns(2, gap="medium") if tiles else (st.container(), None)
        mine = [each for each in health.shown if each.spec.label == label][: COUNT if tiles else 2 * COUNT]
        cells = [
            Cell(
                f"s{each.spec.seed}",
                encode_png(each.image),
                str(each.spec.seed),
                badge="" if each.named in ("", label) else each.named,
                tone="warn",
                alt=f"Synthetic {label}, seed {each.spec.seed}",
            )
            for each in mine
        ]
        with left:
            st.markdown(f"**Synthetic {label}** (seed below)")
            grid.show(cells, key=f"health-synthetic-{label}", side_px=SIDE_PX)
        if right is not None:
            with right:
                st.markdown(f"**Real {label}** (training tiles)")
                grid.show(
                    [
                        Cell(name, encode_png(picture), _short(name), alt=f"Real {label}, {name}")
                        for name, picture in tiles
                    ],
                    key=f"health-real-{label}",
                    side_px=SIDE_PX,
                )


def _short(name: str) -> str:
    """The case of a tile, or the end of its name."""
    file = name.rsplit("/", 1)[-1]
    return file.partition("__")[0][-18:]
