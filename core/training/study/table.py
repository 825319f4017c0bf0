"""The table of a study as text: for a README, or for a spreadsheet."""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

Evaluation = Mapping[str, Any]


def title_of(arm: Mapping[str, Any]) -> str:
    """Return what an arm is called: "real alone", "+1 as generated", "+1 filtered"."""
    if not arm["ratio"]:
        return "real alone"
    return f"+{arm['ratio']:g} {'filtered' if arm['filtered'] else 'as generated'}"


def points(value: float) -> str:
    """Return a difference of two shares in percentage points: "+1.2"."""
    text = f"{100 * value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def gain_text(found: Mapping[str, float]) -> str:
    """Return a gain with its interval, in percentage points: "+1.2 [-0.4, +2.9]"."""
    return f"{points(found['value'])} [{points(found['low'])}, {points(found['high'])}]"


def p_text(value: float | None) -> str:
    """Return a p value; empty where nothing was tested."""
    return "" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def as_markdown(evaluation: Evaluation) -> str:
    """Return one table for each share of the real tiles, each below its answer."""
    parts = []
    for table in evaluation["shares"]:
        rows = [list(row.values()) for row in rows_of(evaluation, table)]
        heads = list(next(rows_of(evaluation, table)))
        lines = [heads, ["---"] * len(heads), *rows]
        text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        parts.append(f"{table['share']:.0%} of the real training tiles. {table['answer']}\n\n{text}")
    return "\n\n".join(parts)


def as_csv(evaluation: Evaluation) -> bytes:
    """Return all figures as CSV, one line for each kind of training set."""
    file = io.StringIO()
    writer: csv.DictWriter[str] | None = None
    for table in evaluation["shares"]:
        for arm in table["arms"]:
            row = {"share of real tiles": table["share"], "trained on": title_of(arm)}
            row |= {name: arm[name] for name in ("pairs", "real", "synthetic", "better", "differing")}
            figures = {"balanced accuracy": arm["balanced"], "gain": arm["balanced_gain"]}
            figures |= {f"recall {each['label']}": each for each in arm["recalls"]}
            figures |= {f"gain {each['label']}": each for each in arm["gains"]}
            for name, found in figures.items():
                row |= {name: found["value"], f"{name} low": found["low"], f"{name} high": found["high"]}
            row |= {name: arm[name] for name in ("p", "p_holm", "p_cases", "p_cases_holm")}
            if writer is None:
                writer = csv.DictWriter(file, list(row))
                writer.writeheader()
            writer.writerow(row)
    return file.getvalue().encode()


def rows_of(evaluation: Evaluation, table: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the lines of one table as they are read; gains in percentage points with their 95 % interval."""
    for arm in table["arms"]:
        tested = bool(arm["ratio"])
        row = {
            "trained on": title_of(arm),
            "synthetic": f"{arm['synthetic']:.0f}",
            "balanced accuracy": f"{arm['balanced']['value']:.3f}",
            "gain (points)": gain_text(arm["balanced_gain"]) if tested else "",
        }
        for label, recall, gain in zip(evaluation["classes"], arm["recalls"], arm["gains"], strict=True):
            row[f"recall {label}"] = f"{recall['value']:.3f}"
            row[f"gain {label}"] = gain_text(gain) if tested else ""
        row["better in"] = f"{arm['better']} of {arm['pairs']}" if tested else ""
        row["p, pairs"] = p_text(arm["p_holm"])
        row["p, cases"] = p_text(arm["p_cases_holm"])
        yield row
