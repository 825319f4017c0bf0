"""HER2 read from the membranes of single cells: `python benchmarks/her2_cells.py`.

All real cores and patches, at their true scale, and simulated sections whose cells are known. Labels are those of
cases and slides, not of the fields shown; `*` marks fields whose label cannot be seen in them.

What was set where: ridges, completeness and densities on other simulated sections under these cameras, with one of four
settings of the ridges chosen with the tables of this script in view, and with completeness and densities looked at on
the cores a1f1510c, 0123a214 and da5928b4 and the patches 00006 and 00013. The limits for fat and for too few grouped
cells lie between the real fields with and without tumour that are judged here: for those the table shows that a limit
exists, not that it holds elsewhere.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.config import ROOT
from core.inference.engine import get_engine
from core.labels import Her2Score
from core.phantoms.phantom import her2_phantom
from core.phantoms.staining import Camera, random_camera
from core.quantify.guideline import SHARE_LIMIT
from core.quantify.membrane import measured_cells, membrane_scores
from core.quantify.nuclei import find_nuclei
from core.quantify.seeds import Detect
from core.stains.separation import white_point
from core.training.bundled.her2_cases import Case, list_cases, read_image
from core.types import MembraneScores, RGBImage

SCORES = tuple(Her2Score)
FIRST_SEED = 5000
FIELD_UM = 256.0
CLEAR = 0.05
"""A composition is clear of a cut-off where no share that decides is nearer to it than this."""


@dataclass(frozen=True)
class Timed:
    """Scores of one image and how long they took."""

    scores: MembraneScores
    finding_s: float
    measuring_s: float


def score(image: RGBImage, mpp: float, detect: Detect | None) -> Timed:
    """Find the cells, measure their membranes, read the guideline."""
    white = white_point(image)
    start = time.perf_counter()
    nuclei = find_nuclei(image, white, mpp, detect=detect)
    found = time.perf_counter()
    scores = membrane_scores(measured_cells(image, nuclei, white))
    return Timed(scores, found - start, time.perf_counter() - found)


def shares(scores: MembraneScores) -> list[float]:
    """Percent of none, faint incomplete, weak to moderate complete, intense complete."""
    parts = (scores.none, scores.faint_incomplete, scores.moderate_complete, scores.intense_complete)
    return [part.value for part in parts]


def reading_of(scores: MembraneScores) -> str:
    """The category in a word."""
    if scores.insufficient:
        return "insufficient"
    return scores.reading.score.value if scores.reading and scores.reading.score else "not defined"


def real_table(cases: Sequence[Case], detect: Detect | None) -> None:
    """Print one row an image, and how often the reading agrees."""
    header = (
        "case",
        "label",
        "cells",
        "none",
        "faint",
        "moderate",
        "intense",
        "reading",
        "within 1",
        "find s",
        "cells s",
    )
    print("{:10}{:>6}{:>7}{:>8}{:>8}{:>10}{:>9}  {:13}{:>8}{:>8}{:>9}  why".format(*header))
    exact, within, judged = 0, 0, 0
    for case in cases:
        timed = score(read_image(case.path), case.mpps[-1], detect)
        reading, label = reading_of(timed.scores), SCORES[case.label].value
        near = ""
        if reading in [one.value for one in SCORES]:
            apart = abs(SCORES.index(Her2Score(reading)) - case.label)
            near = "yes" if apart <= 1 else "no"
            if case.fits:
                exact, within, judged = exact + (apart == 0), within + (apart <= 1), judged + 1
        none, faint, moderate, intense = shares(timed.scores)
        print(
            f"{case.name + ('' if case.fits else '*'):10}{label:>6}{timed.scores.cells:>7}{none:>8.1f}{faint:>8.1f}"
            f"{moderate:>10.1f}{intense:>9.1f}  {reading:13}{near:>8}{timed.finding_s:>8.1f}{timed.measuring_s:>9.1f}"
            f"  {timed.scores.insufficient[:70]}",
            flush=True,
        )
    print(f"fields whose label fits and that were read: {judged}; exact {exact}, within one grade {within}")


def is_clear(fractions: tuple[float, float, float, float]) -> bool:
    """Whether no share that decides is near its cut-off."""
    _, faint, moderate, intense = fractions
    if intense > SHARE_LIMIT:
        return intense > SHARE_LIMIT + CLEAR
    if intense > 0:
        return False
    if moderate > SHARE_LIMIT:
        return moderate > SHARE_LIMIT + CLEAR
    return moderate == 0 and abs(faint - SHARE_LIMIT) > CLEAR


def cameras() -> list[Camera]:
    """A clean scanner and two laboratories: other white, dyes, blur, noise and sharpening."""
    return [Camera(), *(random_camera(np.random.default_rng([FIRST_SEED, number])) for number in range(2))]


COMPOSITIONS = (
    (1.0, 0.0, 0.0, 0.0),
    (0.97, 0.03, 0.0, 0.0),
    (0.75, 0.25, 0.0, 0.0),
    (0.4, 0.6, 0.0, 0.0),
    (0.0, 1.0, 0.0, 0.0),
    (0.6, 0.2, 0.2, 0.0),
    (0.3, 0.2, 0.5, 0.0),
    (0.0, 0.0, 1.0, 0.0),
    (0.6, 0.1, 0.1, 0.2),
    (0.3, 0.1, 0.1, 0.5),
    (0.0, 0.0, 0.0, 1.0),
)
"""Shares of none, faint, moderate and intense cells, from 0 to 100 %."""


def phantom_table(detect: Detect | None) -> None:
    """Print how far the measured shares are from the exact ones, and the categories."""
    print("\nsimulated sections: truth and measured percent of none, faint, moderate, intense")
    errors, right, clear = [], 0, 0
    for number, fractions in enumerate(COMPOSITIONS):
        for place, camera in enumerate(cameras()):
            for mpp in (0.25, 0.5):
                phantom = her2_phantom(
                    FIRST_SEED + number, size_px=round(FIELD_UM / mpp), mpp=mpp, fractions=fractions, camera=camera
                )
                scores = score(phantom.image, mpp, detect).scores
                truth = phantom.truth.fractions
                errors.append(np.array(shares(scores)) - 100 * np.array(truth))
                expected = phantom.truth.score.value if phantom.truth.score else "insufficient"
                reading = reading_of(scores)
                judged = is_clear(truth)
                clear, right = clear + judged, right + (judged and reading == expected)
                mark = "" if reading == expected else " WRONG" if judged else " (near a cut-off)"
                print(
                    f"camera {place} {mpp:.2f} um/px  {np.round(100 * np.array(truth), 1)!s:28}"
                    f"{np.round(shares(scores), 1)!s:28} {expected:>3} {reading}{mark}",
                    flush=True,
                )
    print(f"mean absolute error in points: {np.abs(errors).mean(axis=0).round(1)}")
    print(f"right category away from cut-offs: {right} of {clear}")


def blush_table(detect: Detect | None) -> None:
    """Print what brown cytoplasm without any membrane is read as."""
    print("\nbrown cytoplasm, no membrane: stained cells in percent, reading")
    right, total = 0, 0
    for blush in (0.2, 0.3, 0.4):
        for place, camera in enumerate(cameras()):
            for mpp in (0.25, 0.5):
                phantom = her2_phantom(
                    FIRST_SEED + 100 + place,
                    size_px=round(FIELD_UM / mpp),
                    mpp=mpp,
                    fractions=(1.0, 0.0, 0.0, 0.0),
                    blush=blush,
                    camera=camera,
                )
                scores = score(phantom.image, mpp, detect).scores
                right, total = right + (reading_of(scores) == "0"), total + 1
                stained = 100 - scores.none.value
                print(
                    f"density {blush:.1f} camera {place} {mpp:.2f} um/px  {stained:5.1f}  {reading_of(scores)}",
                    flush=True,
                )
    print(f"read as 0: {right} of {total}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--method", choices=("classical", "learned"), default="classical")
    parser.add_argument("--only", choices=("real", "simulated"))
    arguments = parser.parse_args()
    detect = get_engine().detect_nuclei if arguments.method == "learned" else None
    if arguments.only != "simulated":
        real_table(list_cases(arguments.data), detect)
    if arguments.only != "real":
        phantom_table(detect)
        blush_table(detect)


if __name__ == "__main__":
    main()
