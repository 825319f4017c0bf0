"""Scores of simulated sections against their exact truth.

    python -m benchmarks.phantoms [--methods classical learned] [--size 1024] [--her2]

Nuclear marker: from 0 % to 100 % of the tumour nuclei stained, at 40x and 20x, seen by four cameras that differ in
white point (grey 176 to 255, tinted), in the colours of both stains, in blur and in noise. "tumour" counts the nuclei
whose centre lies in the simulated tumour, as a drawn region would; "field" counts all, with stroma and lymphocytes, and
cannot agree where the truth is about tumour nuclei only. Categories are judged where the truth lies at least one point
of percent (and 0.15 of an Allred intensity) from the next cut-off. HER2: one field per score, camera and magnification.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from core.inference.engine import get_engine
from core.labels import Her2Score, NucleiMethod
from core.phantoms.nuclear import NuclearTruth
from core.phantoms.phantom import Phantom, her2_phantom, nuclear_phantom
from core.phantoms.staining import DAB, EOSIN, HEMATOXYLIN, Camera
from core.quantify.membrane import measured_cells, membrane_scores
from core.quantify.nuclei import chosen_nuclei, find_nuclei
from core.quantify.scores import nuclear_scores
from core.quantify.seeds import Detect
from core.stains.separation import white_point
from core.types import NuclearScores, Nuclei

PERCENTS = (0, 3, 6, 20, 50, 80, 100)
MPPS = (0.25, 0.5)
CAMERAS = {
    "clean": Camera(),
    "grey, purple": Camera((178.0, 176.0, 177.0), ((0.56, 0.79, 0.25), EOSIN, (0.30, 0.60, 0.74)), blur_um=0.4),
    "bright, blue": Camera((255.0, 255.0, 255.0), ((0.72, 0.62, 0.31), EOSIN, (0.24, 0.55, 0.80)), noise=3.0),
    "tinted, soft": Camera((234.0, 230.0, 200.0), (HEMATOXYLIN, EOSIN, DAB), blur_um=0.6, sharpen=0.4),
}
HER2_SHARES = {
    Her2Score.ZERO: (1.0, 0.0, 0.0, 0.0),
    Her2Score.ONE: (0.5, 0.5, 0.0, 0.0),
    Her2Score.TWO: (0.2, 0.3, 0.5, 0.0),
    Her2Score.THREE: (0.05, 0.1, 0.25, 0.6),
}
ALLRED_BOUNDS, RECEPTOR_BOUNDS = (1.0, 11.0, 34.0, 67.0), (1.0, 10.0)


@dataclass(frozen=True)
class Row:
    """Measured minus true on one field: percent positive, H-score; and which categories are wrong."""

    percent: float
    h_score: float
    wrong: tuple[str, ...]


def counted(nuclei: Nuclei, phantom: Phantom[NuclearTruth]) -> Nuclei:
    """Return the nuclei whose centre lies in the tumour."""
    x, y = np.clip(np.round(nuclei.centres), 0, phantom.image.shape[0] - 1).astype(np.intp).T
    return chosen_nuclei(nuclei, phantom.tumour[y, x])


def compared(scores: NuclearScores, truth: NuclearTruth) -> Row:
    """Compare the scores of one field with its truth."""
    percent, stained = truth.percent_positive, truth.strength[truth.strength > 0]
    intensity = float(stained.mean()) if stained.size else 0.0
    wrong = []
    if _away(percent, ALLRED_BOUNDS) and scores.allred_proportion != truth.allred.proportion:
        wrong.append("Allred proportion")
    if abs(intensity % 1 - 0.5) > 0.15 and percent > 0 and scores.allred_intensity != truth.allred.intensity:
        wrong.append("Allred intensity")
    if _away(percent, RECEPTOR_BOUNDS):
        wrong += ["ER"] * (scores.er != truth.er) + ["PgR"] * (scores.pgr != truth.pgr)
    return Row(scores.percent_positive.value - percent, scores.h_score.value - truth.h_score, tuple(wrong))


def fields(size_px: int) -> Iterator[tuple[str, float, int, Phantom[NuclearTruth]]]:
    """Yield (camera, micrometres per pixel, percent, phantom)."""
    for seed, (name, camera) in enumerate(CAMERAS.items()):
        for mpp in MPPS:
            side = round(size_px * 0.25 / mpp * 1.5) if mpp > 0.25 else size_px
            for percent in PERCENTS:
                yield (
                    name,
                    mpp,
                    percent,
                    nuclear_phantom(900 + 7 * seed, percent_positive=percent, size_px=side, mpp=mpp, camera=camera),
                )


def show(title: str, rows: Sequence[Row]) -> None:
    """Print one line: mean and worst errors, and wrong categories."""
    percent, h_score = (np.abs([getattr(row, name) for row in rows]) for name in ("percent", "h_score"))
    wrong = [name for row in rows for name in row.wrong]
    words = ", ".join(f"{name} {wrong.count(name)}" for name in sorted(set(wrong))) or "none"
    errors = f"{percent.mean():9.2f}{percent.max():8.2f}{h_score.mean():10.2f}{h_score.max():8.2f}"
    print(f"{title:34}{len(rows):7}{errors}   {words}")


def her2(detect: Detect | None) -> tuple[int, list[str]]:
    """Return how many HER2 fields were read, and what was wrong."""
    wrong, total = [], 0
    for seed, (name, camera) in enumerate(CAMERAS.items()):
        for mpp in MPPS:
            for score, shares in HER2_SHARES.items():
                phantom = her2_phantom(700 + seed, size_px=1024, mpp=mpp, score=score, fractions=shares, camera=camera)
                white, total = white_point(phantom.image), total + 1
                found = find_nuclei(phantom.image, white, mpp, detect=detect)
                reading = membrane_scores(measured_cells(phantom.image, found, white)).reading
                read = reading.score if reading else None
                if read != phantom.truth.score:
                    wrong.append(f"{phantom.truth.score} read as {read} ({name}, {mpp} um/px)")
    return total, wrong


def _away(percent: float, bounds: Sequence[float]) -> bool:
    return all(abs(percent - bound) >= 1.0 for bound in bounds)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--methods", nargs="+", default=[method.value for method in (NucleiMethod.CLASSICAL, NucleiMethod.LEARNED)]
    )
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--her2", action="store_true")
    arguments = parser.parse_args()
    detectors: dict[str, Detect | None] = {
        name: get_engine().detect_nuclei if name == NucleiMethod.LEARNED else None for name in arguments.methods
    }
    rows: dict[tuple[str, str, str], list[Row]] = {}
    for camera, mpp, percent, phantom in fields(arguments.size):
        for name, detect in detectors.items():
            nuclei = find_nuclei(phantom.image, None, mpp, detect=detect)
            for part, some in (("tumour", counted(nuclei, phantom)), ("field", nuclei)):
                row = compared(nuclear_scores(some), phantom.truth)
                for group in (f"{40 if mpp == 0.25 else 20}x", camera, f"{percent} %", "all"):
                    rows.setdefault((name, part, group), []).append(row)
    print(f"{'':34}{'fields':>7}{'% mean':>9}{'worst':>8}{'H mean':>10}{'worst':>8}   wrong categories")
    for (name, part, group), some_rows in sorted(rows.items(), key=lambda item: item[0][:2]):
        show(f"{name}, {part}, {group}", some_rows)
    for name, detect in detectors.items() if arguments.her2 else ():
        total, wrong = her2(detect)
        print(f"HER2, {name}: {total - len(wrong)} of {total} fields read as their truth")
        print("".join(f"    {words}\n" for words in wrong), end="")


if __name__ == "__main__":
    main()
