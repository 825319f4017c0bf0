"""The final figures of a classifier: what it got right on what was held out, how sure it may be, where it fails."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core.reports.content import percent
from core.training.run_folder import RunFolder
from pages.ui import training_words as words
from pages.ui.training_charts import GREY, PALETTE, UNIT_SQUARE, chart, colour, diagonal, heat_map, line, ranges

SUBSETS = {
    "test": "test tiles, which had no part in the training",
    "val": "validation tiles, which chose the best epoch: a little too favourable. There was no test subset",
    "train": "tiles it was trained on: nothing was held out, so they say nothing about other images",
}


def headline(evaluation: Mapping[str, Any]) -> None:
    """The figures one asks for first, with their intervals, and what they were measured on."""
    with st.grid(4, min_column_width=165):
        for name in ("accuracy", "balanced_accuracy", "kappa"):
            if evaluation.get(name):
                _metric(name, evaluation[name])
        cases = evaluation.get("cases")
        if cases and cases.get("count"):
            st.metric("Cases right", f"{cases['exact']} of {cases['count']}", border=True, height="stretch")
    st.caption(_measured_on(evaluation))


def show(evaluation: Mapping[str, Any], *, key: str) -> None:
    """Confusion, recall of each class, ROC and precision-recall, calibration."""
    classes = list(evaluation["classes"])
    left, right = st.columns(2, gap="medium")
    with left:
        heat_map(evaluation["confusion"], classes, title="Confusion matrix", key=f"{key}-confusion")
    with right:
        _recall(evaluation["per_class"], key=key)
    left, right = st.columns(2, gap="medium")
    with left:
        _roc(evaluation.get("roc", ()), evaluation["per_class"], key=key)
    with right:
        _precision_recall(evaluation.get("precision_recall", ()), key=key)
    left, right = st.columns(2, gap="medium")
    with left:
        _calibration(evaluation.get("calibration"), key=key)
    with right:
        _conformal(evaluation.get("conformal"), classes)
        for note in evaluation.get("notes", ()):
            st.caption(words.plain(note))
        _gap(evaluation.get("gap"))
        _cases(evaluation.get("cases"))


def errors(evaluation: Mapping[str, Any], run: RunFolder) -> None:
    """The surest mistakes as pictures, beside what they were judged by."""
    found = [each for each in evaluation.get("errors", ()) if (run.path / each["picture"]).is_file()]
    if not found:
        st.caption("No mistakes on what was held out.")
        return
    st.caption("The mistakes it was surest of. Right: Grad-CAM, the regions that speak for the wrong class.")
    with st.grid(4, min_column_width=240):
        for each in found:
            with st.container(border=True, height="stretch", gap="xsmall"):
                pictures = [run.path / each["picture"]]
                if each.get("heatmap") and (run.path / each["heatmap"]).is_file():
                    pictures.append(run.path / each["heatmap"])
                with st.grid(2, min_column_width=80, gap="xxsmall"):
                    for path in pictures:
                        st.image(path, width="stretch", alt=f"{each['file']}, {path.stem}")
                st.markdown(f"**{each['truth']}** read as **{each['predicted']}**, {percent(each['confidence'])} sure")
                st.caption(words.plain(f"{each['file']}" + (f" · case {each['case']}" if each.get("case") else "")))


def _metric(name: str, found: Mapping[str, Any]) -> None:
    low, high = found.get("low"), found.get("high")
    title, text, between = words.figure(name), percent(found["value"]), words.interval(low, high)
    if name == "kappa":
        title = "Kappa" if found.get("weights") == "none" else title
        text, between = f"{found['value']:.2f}", "" if low is None or high is None else f"{low:.2f} to {high:.2f}"
    with st.container(border=True, gap=None, height="stretch"):
        st.metric(title, text)
        if between:
            st.caption(f"95 % interval {between}")


def _measured_on(evaluation: Mapping[str, Any]) -> str:
    count = evaluation.get("accuracy", {}).get("count") or sum(map(sum, evaluation["confusion"]))
    text = f"Measured on {count} {SUBSETS.get(evaluation.get('subset', 'test'), 'held-out tiles')}."
    if evaluation.get("cases_known") is False:
        text += " The cases are unknown: the split was by file, one patient may be on both sides, and the figures "
        text += "may be too good."
    return text


def _recall(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    labels = [f"{row['label']} (n={row['count']})" for row in rows]
    trace = ranges(
        labels,
        [row["recall"] for row in rows],
        [row["low"] for row in rows],
        [row["high"] for row in rows],
        [colour(row["label"], place) for place, row in enumerate(rows)],
    )
    chart(
        [trace],
        title="Recall of each class, with 95 % Wilson interval",
        x="recall",
        y="",
        key=f"{key}-recall",
        showlegend=False,
        xaxis_range=[-0.02, 1.02],
        yaxis_autorange="reversed",
        height=140 + 50 * len(rows),
        hovermode="closest",
        alt="; ".join(f"{row['label']}: {percent(row['recall'])}" for row in rows if row["recall"] is not None),
    )


def _roc(rows: Sequence[Mapping[str, Any]], per_class: Sequence[Mapping[str, Any]], *, key: str) -> None:
    areas = {row["label"]: row.get("auc") for row in per_class}
    traces = [diagonal("chance")]
    for place, row in enumerate(rows):
        area = areas.get(row["label"])
        name = row["label"] + (f", area {area:.3f}" if area is not None else "")
        traces.append(line(name, row["fpr"], row["tpr"], colour(row["label"], place), marks=False))
    chart(
        traces,
        title="ROC, one class against the rest",
        x="false positives",
        y="recall",
        key=f"{key}-roc",
        **UNIT_SQUARE,
    )


def _precision_recall(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    traces = [
        line(row["label"], row["recall"], row["precision"], colour(row["label"], place), marks=False)
        for place, row in enumerate(rows)
    ]
    chart(traces, title="Precision and recall", x="recall", y="precision", key=f"{key}-precision", **UNIT_SQUARE)


def _calibration(found: Mapping[str, Any] | None, *, key: str) -> None:
    if not found:
        st.caption("The confidences were not calibrated: too few validation images.")
        return
    traces = [diagonal("perfect")]
    for name, shade in (("before", GREY), ("after", PALETTE[0])):
        bins = [each for each in found[name]["bins"] if each["count"]]
        title = f"{name} calibration, error {percent(found[name]['ece'])}"
        traces.append(line(title, [each["confidence"] for each in bins], [each["accuracy"] for each in bins], shade))
    chart(traces, title="Calibration", x="confidence", y="share that is right", key=f"{key}-calibration", **UNIT_SQUARE)


def _conformal(found: Mapping[str, Any] | None, classes: Sequence[str]) -> None:
    if not found:
        return
    st.markdown("**Prediction sets**")
    st.caption(f"Made to hold the true class for {percent(found['coverage'])} of each class. Held on these images:")
    held = found.get("held") or {}
    st.table(
        {label: percent(held[label]) if held.get(label) is not None else "no image" for label in classes},
        border="horizontal",
        width="content",
    )
    if found.get("mean_size"):
        st.caption(f"A set names {found['mean_size']:.2f} classes on average.")


def _gap(found: Mapping[str, Any] | None) -> None:
    if not found:
        return
    train, val = found.get("train_accuracy"), found.get("val_accuracy")
    if train is None or val is None:
        return
    st.markdown("**Training against validation**")
    text = f"Accuracy {percent(train)} on the training images, {percent(val)} on the validation images."
    if train - val > 0.1:
        text += " The network has learnt training images by heart: more cases, more augmentation or fewer epochs help."
    st.markdown(text)


def _cases(found: Mapping[str, Any] | None) -> None:
    if found and found.get("count"):
        st.markdown("**Whole cases**")
        text = f"{found['exact']} of {found['count']} cases get their own class from the majority of their tiles"
        if found.get("within_one") is not None:
            text += f", {found['within_one']} at most the neighbouring one"
        st.markdown(text + ".")
