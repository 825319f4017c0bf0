"""A generator's health as it leaves: figures as rows, CSV, JSON, and the section of a model card."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from core.inference.generator_health import GeneratorHealth
from core.quality.generative import Figure
from core.quality.health import Finding, Measure

TITLES = {
    Measure.FRECHET: "Fréchet distance",
    Measure.KERNEL: "Kernel distance",
    Measure.PRECISION: "Precision (fidelity)",
    Measure.RECALL: "Recall (diversity)",
    Measure.CONSISTENCY: "Class as asked for",
    Measure.MEMORISED: "Memorised",
    Measure.FEATURE_VARIETY: "Variety of features",
    Measure.PICTURE_VARIETY: "Variety of pictures",
}
SHARES = (Measure.PRECISION, Measure.RECALL, Measure.CONSISTENCY, Measure.MEMORISED)

CASES = "drawing images and held-out cases again"
INTERVALS = {measure: "Wilson" if measure in SHARES else CASES for measure in Measure}
INTERVALS[Measure.PICTURE_VARIETY] = "drawing images again"
"""How each interval was made."""

_NOTE = (
    "Synthetic images and as many real training tiles of the same classes, each held against real tiles of cases that "
    "the generator never saw. Not comparable with figures of another feature space or another number of images."
)


def value_text(figure: Figure | None, *, share: bool = False) -> str:
    """ "24.2", or "34 %" for a share; a dash where it is not known."""
    if figure is None:
        return "–"
    return _percent(figure.value) if share else f"{figure.value:.3g}"


def interval_text(figure: Figure | None, *, share: bool = False) -> str:
    """ "[12.8, 47.7]", or "[30, 38]" for a share; empty where there is none."""
    if figure is None or figure.low == figure.high:
        return ""
    if share:
        return f"[{_percent(figure.low).removesuffix(' %')}, {_percent(figure.high).removesuffix(' %')}]"
    return f"[{figure.low:.3g}, {figure.high:.3g}]"


def rows_of(health: GeneratorHealth) -> list[dict[str, str | float | int | None]]:
    """Return one row a figure: of all images, then of each class."""
    rows = [_row(TITLES[found.measure], found) for found in health.judged.findings]
    for each in health.judged.per_class:
        for name, value in (
            ("Fréchet distance", each.frechet),
            ("Variety of features", each.feature_variety),
            ("Variety of pictures", each.picture_variety),
        ):
            rows.append(_row_of(f"{name}, {each.label}", Figure(value, value, value), None, each.count, each.held_out))
        rows.append(_row_of(f"Class as asked for, {each.label}", each.consistency, None, each.count, 0))
    return rows


def encode_csv(health: GeneratorHealth) -> bytes:
    """Return the figures as CSV, with what they were made from in every row."""
    made = {
        "model": health.model,
        "weights_sha256": health.weights_sha256,
        "seed": health.seed,
        "truncation": health.truncation,
        "created": health.created,
    }
    rows = [row | made for row in rows_of(health)]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return ("\ufeff" + text.getvalue()).encode()


def encode_json(health: GeneratorHealth) -> bytes:
    """Return everything but the pictures, and the map, as JSON."""
    judged, points = health.judged, health.judged.map
    left_out = ("judged", "shown")
    answer = {
        "kind": "synthetic images: health of a generator",
        "note": _NOTE,
        **{name: value for name, value in vars(health).items() if name not in left_out},
        "level": judged.level.value,
        "figures": {
            found.measure.value: asdict(found) | {"interval": INTERVALS[found.measure]} for found in judged.findings
        },
        "per_class": [asdict(each) for each in judged.per_class],
        "map": {
            "shares_of_variance": points.shares,
            **{name: getattr(points, name).round(4).tolist() for name in ("synthetic", "training", "held_out")},
            **{
                f"{name}_labels": getattr(points, f"{name}_labels").tolist()
                for name in ("synthetic", "training", "held_out")
            },
        },
    }
    return json.dumps(answer, ensure_ascii=False, indent=1).encode()


def card_section(health: GeneratorHealth, machine: str) -> str:
    """Return the figures as the section of a model card.

    Args:
        machine: what computed them, in words.
    """
    lines = [
        f"{health.count} samples (seeds from {health.seed}, truncation {health.truncation:g}), and as many training "
        f"tiles of the same classes, against {health.held_out:,} tiles of {health.held_out_cases} held-out cases; "
        f"{health.created[:10]}, {machine}.",
        "",
        "| | synthetic | real training tiles |",
        "|---|---|---|",
        *(_card_line(found) for found in health.judged.findings),
        "",
        "By class: " + "; ".join(_class_text(health)) + ".",
    ]
    return "\n".join(lines)


def _card_line(found: Finding) -> str:
    share = found.measure in SHARES
    cells = (
        f"{value_text(figure, share=share)} {interval_text(figure, share=share)}".strip()
        for figure in (found.synthetic, found.real)
    )
    return f"| {TITLES[found.measure]} | " + " | ".join(cells) + " |"


def _class_text(health: GeneratorHealth) -> Sequence[str]:
    return [
        f"{each.label} Fréchet {each.frechet:.3g}, class as asked for {value_text(each.consistency, share=True)}, "
        f"variety of features {each.feature_variety:.2f} and of pictures {each.picture_variety:.2f} ({each.count})"
        for each in health.judged.per_class
    ]


def _row(title: str, found: Finding) -> dict[str, str | float | int | None]:
    row = _row_of(title, found.synthetic, found.real, found.images, found.real_images)
    return row | {"interval": INTERVALS[found.measure]}


def _row_of(
    title: str, synthetic: Figure | None, real: Figure | None, images: int, real_images: int
) -> dict[str, str | float | int | None]:
    row: dict[str, str | float | int | None] = {"figure": title}
    for name, figure in (("synthetic", synthetic), ("real", real)):
        bounds = figure is not None and figure.low != figure.high
        row[name] = round(figure.value, 5) if figure is not None else None
        row[f"{name}_low"] = round(figure.low, 5) if figure is not None and bounds else None
        row[f"{name}_high"] = round(figure.high, 5) if figure is not None and bounds else None
    return row | {"images": images, "real_images": real_images, "interval": ""}


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.0f} %" if percent >= 10 or percent == 0 else f"{percent:.2g} %"
