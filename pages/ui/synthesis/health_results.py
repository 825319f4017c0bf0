"""A generator's health on the screen: the alarm, the figures beside those of real tiles, pictures, map, exports."""

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.synthesis import health_map, health_pictures, health_words

if TYPE_CHECKING:
    from core.inference.generator_health import GeneratorHealth
    from core.quality.health import Finding
    from core.types import RGBImage

ALARM = {"varied": st.success, "narrow": st.warning, "collapsed": st.error}
ICONS = {"varied": ":material/check:", "narrow": ":material/warning:", "collapsed": ":material/emergency_home:"}


def show(health: "GeneratorHealth", real: "dict[str, tuple[tuple[str, RGBImage], ...]]") -> None:
    """All parts, one below the other."""
    level = health.judged.level.value
    ALARM[level](health_words.alarm(health), icon=ICONS[level])
    _figures(health)
    _exports(health)
    health_pictures.show(health, real)
    health_map.show(health)
    _classes(health)
    with st.expander("How it was measured", icon=":material/info:"):
        st.markdown(health_words.method(health))


def _figures(health: "GeneratorHealth") -> None:
    st.caption(
        f"{health.title}, weights {health.weights_sha256[:12]}: {health.count:,} synthetic images. The line below each "
        "figure is the same of as many real training tiles, for scale."
    )
    with st.grid(4, min_column_width=210):
        for found in health.judged.findings:
            with st.container(border=True, gap="xxsmall", height="stretch"):
                _figure(found)


def _figure(found: "Finding") -> None:
    from core.inference.health_export import SHARES, TITLES, interval_text, value_text

    share = found.measure in SHARES
    st.metric(TITLES[found.measure], value_text(found.synthetic, share=share), help=health_words.HELP[found.measure])
    interval = interval_text(found.synthetic, share=share)
    st.caption(f"{interval or 'no interval'}, {found.images:,} images" if found.synthetic else "no classifier for it")
    real = f"{value_text(found.real, share=share)} {interval_text(found.real, share=share)}".strip()
    st.markdown(f"real: **{real}**" if found.real else "real: not known")
    st.caption(health_words.BETTER[found.measure])


def _exports(health: "GeneratorHealth") -> None:
    stem = f"health-{health.model}-{health.weights_sha256[:12]}"
    with st.container(horizontal=True, key="health_exports"):
        st.download_button(
            "CSV",
            partial(_csv, health),
            f"{stem}.csv",
            "text/csv",
            key="health_csv",
            on_click="ignore",
            icon=":material/table:",
            help="All figures with their intervals",
        )
        st.download_button(
            "JSON",
            partial(_json, health),
            f"{stem}.json",
            "application/json",
            key="health_json",
            on_click="ignore",
            icon=":material/data_object:",
            help="All figures, hashes and the map, for programs",
        )


def _csv(health: "GeneratorHealth") -> bytes:
    from core.inference.health_export import encode_csv

    return encode_csv(health)


def _json(health: "GeneratorHealth") -> bytes:
    from core.inference.health_export import encode_json

    return encode_json(health)


def _classes(health: "GeneratorHealth") -> None:
    from core.inference.health_export import interval_text, value_text

    st.subheader("Class by class", anchor=False)
    st.dataframe(
        [
            {
                "Class": each.label,
                "Images": each.count,
                "Held-out tiles": each.held_out,
                "Fréchet distance": f"{each.frechet:.3g}",
                "Variety of features": f"{each.feature_variety:.2f}",
                "Variety of pictures": f"{each.picture_variety:.2f}",
                "Class as asked for": (
                    f"{value_text(each.consistency, share=True)} {interval_text(each.consistency, share=True)}"
                ),
            }
            for each in health.judged.per_class
        ],
        hide_index=True,
        width="stretch",
    )
