"""The results of a study, as far as it is: read from the lines that its parts left, compared, said in words."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from core.training.config import StudyConfig
from core.training.judging.metrics import Interval
from core.training.run_folder import RunFolder
from core.training.study.plan import REAL, Arm, Work
from core.training.study.statistics import ROUNDS, Answer, Gain, compare

SURE = 0.05
"""p below which a difference counts."""

NOTES = (
    "Every case is tested once a seed, by classifiers whose training, generator and filter never saw it.",
    "The last weights count, nothing chooses among epochs.",
    "Pairs of one fold share their generator and their test cases, and are no independent witnesses: the p value over "
    "pairs is too small rather than too large. The one over cases does not suffer from that.",
)

SAME = (
    "All classifiers do the same number of batches: more images are not more training, but with synthetic images each "
    "real one is seen less often."
)
MORE = "Synthetic images add batches of their own: a gain may be one of longer training."

Line = Mapping[str, Any]


def read_lines(run: RunFolder) -> dict[str, dict[str, Any]]:
    """Return the lines of the parts that are done, by key; of a part that was done again, the last."""
    kinds = {work.value for work in Work}
    return {str(line["key"]): line for line in run.read_stats() if line.get("kind") in kinds and "key" in line}


def evaluate_study(config: StudyConfig, lines: Iterable[Line], *, rounds: int = ROUNDS) -> dict[str, Any]:
    """Return what `evaluation.json` holds: for every share of the real tiles a table of gains and an answer.

    Args:
        lines: of the parts that are done.
    """
    lines = list(lines)
    cells = [line for line in lines if line["kind"] == Work.CELL]
    filters = [line for line in lines if line["kind"] == Work.FILTER]
    classes = tuple(str(label) for label in cells[0]["classes"]) if cells else ()
    shares = sorted({line["share"] for line in cells}, reverse=True)
    tables = [_share(share, cells, classes, rounds) for share in shares]
    notes = [SAME if config.same_batches else MORE, *NOTES]
    if len(lines) < config.rounds:
        notes.insert(0, f"{len(lines)} of {config.rounds} parts are done; what is shown is of these.")
    return {
        "recipe": "study",
        "kind": "study",
        "classes": list(classes),
        "done": len(lines),
        "parts": config.rounds,
        "folds": config.folds,
        "seeds": config.seeds,
        "cases": len({case for line in cells for case in line["confusions"]}),
        "shares": [table for table in tables if table["arms"]],
        "filters": [_filtering(line, classes) for line in filters],
        "test_tiles": sum(map(_total, {str(line["fold"]): line for line in cells}.values())),
        "notes": notes,
    }


def answer_in_words(gains: Iterable[Gain]) -> str:
    """Say whether synthetic images helped, by what the intervals and the corrected test allow."""
    tested = [gain for gain in gains if gain.arm != REAL]
    if not tested:
        return "Nothing to compare yet."
    helped = [gain.arm.name for gain in tested if _clear(gain) and gain.balanced_gain.low > 0]
    harmed = [gain.arm.name for gain in tested if _clear(gain) and gain.balanced_gain.high < 0]
    if helped and harmed:
        return f"It depends: {_listed(helped)} helped, {_listed(harmed)} made it worse."
    if helped:
        return f"Yes: {_listed(helped)} helped."
    if harmed:
        return f"No: {_listed(harmed)} made it worse, and nothing helped."
    return "No gain could be shown: no difference is larger than what cases, seeds and chance explain."


def _total(line: Line) -> int:
    return int(sum(np.sum(counts) for counts in line["confusions"].values()))


def _clear(gain: Gain) -> bool:
    outside = gain.balanced_gain.low > 0 or gain.balanced_gain.high < 0
    return outside and max(gain.p_holm or 0.0, gain.p_cases_holm or 0.0) < SURE


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _share(share: float, cells: Iterable[Line], classes: tuple[str, ...], rounds: int) -> dict[str, Any]:
    answers = [_answer(line) for line in cells if line["share"] == share]
    gains = compare(answers, len(classes), rounds=rounds)
    return {"share": share, "answer": answer_in_words(gains), "arms": [_arm(gain, classes) for gain in gains]}


def _answer(line: Line) -> Answer:
    return Answer(
        Arm(float(line["ratio"]), bool(line["filtered"])),
        int(line["fold"]),
        int(line["seed"]),
        {case: np.array(counts, np.int64) for case, counts in line["confusions"].items()},
        real=int(line["real"]),
        synthetic=int(line["synthetic"]),
    )


def _arm(gain: Gain, classes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": gain.arm.name,
        "ratio": gain.arm.ratio,
        "filtered": gain.arm.filtered,
        "pairs": gain.pairs,
        "real": gain.real,
        "synthetic": gain.synthetic,
        "balanced": _interval(gain.balanced),
        "balanced_gain": _interval(gain.balanced_gain),
        "recalls": [{"label": label, **_interval(each)} for label, each in zip(classes, gain.recalls, strict=True)],
        "gains": [{"label": label, **_interval(each)} for label, each in zip(classes, gain.gains, strict=True)],
        "better": gain.better,
        "differing": gain.differing,
        "p": gain.p,
        "p_holm": gain.p_holm,
        "p_cases": gain.p_cases,
        "p_cases_holm": gain.p_cases_holm,
    }


def _interval(found: Interval) -> dict[str, float]:
    return {name: round(float(value), 5) for name, value in asdict(found).items()}


def _filtering(line: Line, classes: tuple[str, ...]) -> dict[str, Any]:
    drawn, accepted = line["drawn"], line["accepted"]
    return {
        "share": line["share"],
        "fold": line["fold"],
        "drawn": sum(drawn),
        "accepted": sum(accepted),
        "by_class": [
            {"label": label, "drawn": one, "accepted": other}
            for label, one, other in zip(classes, drawn, accepted, strict=True)
        ],
        "first": dict(line["first"]),
        "every": dict(line["every"]),
    }
