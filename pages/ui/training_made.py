"""The final figures of networks that make images: synthesis beside real tiles, virtual stains beside two baselines."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.reports.content import percent
from core.training.run_folder import RunFolder
from pages.ui import training_words as words

MEANINGS = {
    "frechet": "distance of the samples to real tiles in the classifier's features; smaller is better",
    "kernel": "the same with a polynomial kernel, for few images; smaller is better",
    "precision": "share of the samples that look like real tiles",
    "recall": "share of the real tiles that the samples cover",
    "class_consistency": "share of the samples that a classifier of real tiles gives the class asked for",
    "diversity": "spread of the samples, that of the real tiles being 1",
    "nearest_median": "typical distance of a sample to the nearest training tile",
    "memorised_share": "share of the samples nearer to a training tile than real tiles are to each other",
    "ssim": "structural similarity to the real stain; 1 is equal",
    "psnr": "peak signal to noise ratio to the real stain; larger is better",
    "dab_correlation": "of the optical density of DAB, blurred over a few cells",
    "dice": "overlap of the DAB masks; 1 is equal",
}


GAN_PICTURES = {
    "samples": "Samples with the best weights, one row a class",
    "held_out": "Real tiles that were held out, one row a class",
    "nearest": "Above: the samples nearest to a training tile. Below: that tile",
}


def headline(evaluation: Mapping[str, Any]) -> None:
    """The figures one asks for first."""
    figures = evaluation["figures"]
    first = ("frechet", "class_consistency", "recall", "memorised_share", "dab_correlation", "dice", "ssim", "psnr")
    with st.grid(4, min_column_width=165):
        for name in [each for each in first if figures.get(each) is not None][:4]:
            st.metric(words.figure(name), _value(name, figures[name]), border=True, help=MEANINGS.get(name))


def synthesis(evaluation: Mapping[str, Any], run: RunFolder) -> None:
    """Samples of each class, the figures beside real against real, and by class."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        for name, caption in GAN_PICTURES.items():
            path = run.path / str(evaluation.get(name) or "")
            if evaluation.get(name) and path.is_file():
                st.image(path, alt=caption)
                st.caption(caption)
    with right:
        st.markdown("**Synthetic beside real**")
        st.caption("Right: what real held-out tiles reach against each other. Synthetic images cannot do better.")
        _beside(evaluation["figures"], {"real against real": evaluation.get("real") or {}})
        rows = [each for each in evaluation.get("per_class", ()) if isinstance(each, Mapping)]
        if rows:
            st.markdown("**By class**")
            names = [name for name in rows[0] if name != "label" and not name.endswith(("_low", "_high"))]
            columns = {"Class": [row["label"] for row in rows]}
            columns |= {words.figure(name): [_with_interval(name, row) for row in rows] for name in names}
            st.table(columns, hide_index=True, border="horizontal")


def virtual_stain(evaluation: Mapping[str, Any], run: RunFolder) -> None:
    """The figures beside both baselines, then strips: H&E, virtual IHC, real IHC."""
    st.caption(
        f"Measured on {evaluation.get('pairs', 0)} unseen pairs, beside two baselines: the H&E as it is, and the H&E "
        "with its mean colour moved to that of the IHC."
    )
    baselines = {"H&E as it is": evaluation.get("identity") or {}, "mean colour": evaluation.get("mean_colour") or {}}
    _beside(evaluation["figures"], baselines)
    strips = [each for each in evaluation.get("pictures", ()) if (run.path / each["picture"]).is_file()]
    for each in strips:
        st.image(run.path / each["picture"], alt=f"H&E, virtual IHC and real IHC of {each['case']}")
        st.caption(words.plain(f"{each['case']}: H&E, virtual IHC, real IHC"))


def _beside(figures: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> None:
    names = [name for name, value in figures.items() if _is_number(value) and not name.endswith(("_low", "_high"))]
    columns: dict[str, Sequence[str]] = {"": [words.figure(name) for name in names]}
    for title, values in {"this run": figures, **others}.items():
        columns[title] = [_with_interval(name, values) for name in names]
    st.table(columns, hide_index=True, border="horizontal")
    known = [f"{words.figure(name)}: {MEANINGS[name]}" for name in names if name in MEANINGS]
    if known:
        with st.expander("What the figures mean", icon=":material/help:"):
            st.markdown("\n".join(f"- {each}" for each in known))


def _with_interval(name: str, values: Mapping[str, Any]) -> str:
    text, low, high = _value(name, values.get(name)), values.get(f"{name}_low"), values.get(f"{name}_high")
    return f"{text} ({_value(name, low)} to {_value(name, high)})" if _is_number(low) and _is_number(high) else text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _value(name: str, value: object) -> str:
    if not isinstance(value, int | float):
        return "–"
    return percent(value) if name.endswith(("share", "consistency")) else words.number(value)
