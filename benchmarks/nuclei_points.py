"""Finding nuclei against annotated points: precision, recall and F1 of each kind, and the error of the index.

    python -m benchmarks.nuclei_points [--data ../shared/data] [--folds FOLDER]

"shipped" rows run the workbench as it is. Its weights were trained on these very fields, and the settings of the
classical method were chosen on them: these rows say that the installation works, not how accurate it is.

"held out" rows are the measure of accuracy: each case (a field of bcdata, a patient of shidc) is answered by a network
that never saw it, at limits chosen without its fold, and by the classical method with settings chosen without it.
The networks come from `python -m core.training.bundled.nuclei_points --data DATA --folder FOLDER`.

A found and an annotated nucleus match one to one within 10 px (bcdata) or 15 px (shidc). The pixel size is taken as
0.25 um for bcdata and 0.167 um for shidc, or estimated from the nuclei. "both" rows judge the index over all fields.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.inference.engine import get_engine
from core.labels import OperatingPoint
from core.quantify.nuclei import find_nuclei
from core.quantify.nuclei_classical import NucleiParameters
from core.stains.separation import white_point
from core.training.bundled.nuclear_tiles import case_of
from core.training.bundled.nuclei_fields import MPP_OF_SOURCE, folds_by_case, read_nuclei_fields
from core.training.bundled.nuclei_judging import (
    MATCH_PX,
    MIN_ANNOTATED,
    LimitTable,
    Tally,
    bootstrap,
    held_out_fields,
    summary,
    tally,
)
from core.training.bundled.nuclei_points import FOLDS
from core.types import Nuclei, RGBImage

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("bcdata", "shidc")
CANDIDATES = 40


@dataclass(frozen=True)
class Field:
    """One annotated field."""

    source: str
    name: str
    case: str
    image: RGBImage
    stained: npt.NDArray[np.float64]
    unstained: npt.NDArray[np.float64]

    @property
    def mpp(self) -> float:
        """Micrometres per pixel."""
        return MPP_OF_SOURCE[self.source]


def read_fields(data: Path) -> list[Field]:
    """Read all fields of `ki67_points`."""
    fields = []
    for source in SOURCES:
        for path in sorted((data / "ki67_points" / source).glob("*.json")):
            picture = path.with_suffix(".png" if source == "bcdata" else ".jpg")
            image = np.asarray(cv2.imread(str(picture), cv2.IMREAD_COLOR_RGB), np.uint8)
            points = np.array([(p["x"], p["y"], p["label_id"]) for p in json.loads(path.read_text())]).reshape(-1, 3)
            stained, unstained = (points[points[:, 2] == label][:, :2].astype(float) for label in (1, 2))
            fields.append(Field(source, path.stem, case_of(path), image, stained, unstained))
    return fields


def shipped(fields: Sequence[Field], find: Callable[[Field], Nuclei]) -> Tally:
    """Tally the nuclei that one method finds, (fields, 6)."""
    rows = []
    for field in fields:
        nuclei = find(field)
        rows.append(tally(nuclei.centres, nuclei.positive, field.stained, field.unstained, MATCH_PX[field.source]))
    return np.stack(rows)


def held_out_learned(fields: Sequence[Field], data: Path, folder: Path) -> dict[OperatingPoint, Tally]:
    """Tally every field with the network and the limits of its fold, (fields, 6) for each operating point."""
    real = read_nuclei_fields(data)
    judged = held_out_fields([field for field in real if field.source in SOURCES], folder)
    table, fold_of = (
        LimitTable(judged),
        folds_by_case(real, FOLDS),
    )
    folds = np.array([fold_of[field.case] for field in judged])
    order = {(field.source, field.name): row for row, field in enumerate(judged)}
    answer = {}
    for point in OperatingPoint:
        rows = np.zeros((len(judged), 6), np.int64)
        for fold in np.unique(folds):
            rows[folds == fold] = table.at(table.choose(point, folds != fold))[folds == fold]
        answer[point] = rows[[order[field.source, field.name] for field in fields]]
    return answer


def candidates() -> list[NucleiParameters]:
    """Return classical settings drawn from wide ranges by a fixed seed; the shipped ones are not among them."""
    rng = np.random.default_rng(7)
    return [
        NucleiParameters(
            positive_sigma=rng.uniform(5, 8),
            negative_sigma=rng.uniform(4, 7.5),
            positive_response=rng.uniform(0.05, 0.25),
            negative_response=rng.uniform(0.03, 0.1),
            positive_density=rng.uniform(0.2, 0.55),
            negative_density=rng.uniform(0.1, 0.35),
            positive_distance=int(rng.integers(2, 8)),
            negative_distance=int(rng.integers(3, 8)),
            exclusion=rng.uniform(7, 14),
            positive_contrast=rng.uniform(0.12, 0.4),
        )
        for _ in range(CANDIDATES)
    ]


def held_out_classical(fields: Sequence[Field]) -> dict[OperatingPoint, Tally]:
    """Tally every field with the classical settings that are best on the other cases, (fields, 6)."""
    whites = {id(field): white_point(field.image) for field in fields}

    def found(settings: NucleiParameters) -> Tally:
        return shipped(fields, lambda f: find_nuclei(f.image, whites[id(f)], f.mpp, parameters=settings))

    table = np.stack([found(settings) for settings in candidates()])  # (candidates, fields, 6)
    cases = np.array([field.case for field in fields])
    return {
        point: np.stack(
            [
                table[
                    int(np.argmax([_quality(one[cases != case], fields, cases != case, point) for one in table])), row
                ]
                for row, case in enumerate(cases)
            ]
        )
        for point in OperatingPoint
    }


def _at_known_size(find: Callable[..., Nuclei], field: Field) -> Nuclei:
    return find(field.image, None, field.mpp)


def _quality(tallies: Tally, fields: Sequence[Field], chosen: npt.NDArray[np.bool_], point: OperatingPoint) -> float:
    sources = np.array([field.source for field in fields])[chosen]
    parts = [summary(tallies[sources == source]) for source in SOURCES]
    return float(np.mean([part.mean_f1 if point is OperatingPoint.BEST_F1 else -part.mae for part in parts]))


def show(title: str, fields: Sequence[Field], tallies: Tally) -> None:
    """Print the rows of one method."""
    sources = np.array([field.source for field in fields])
    cases = np.array([field.case for field in fields])
    for source in SOURCES:
        part, one = tallies[sources == source], summary(tallies[sources == source])
        low, high = bootstrap(part, cases[sources == source], lambda rows: summary(rows).mean_f1)
        kinds = "".join(f"{k.precision:7.3f}{k.recall:7.3f}{k.f1:7.3f}" for k in (one.stained, one.unstained))
        interval = f" ({low:.3f}-{high:.3f})"
        errors = f"{one.mae:7.1f}{one.rmse:7.1f}{one.bias:+7.1f}"
        print(f"{title:40}{source:7}{len(part):4}{kinds}{one.mean_f1:8.3f}{interval}{errors}")
    both = summary(tallies)
    low, high = bootstrap(tallies, cases, lambda rows: summary(rows).mae)
    errors = f"{both.mae:7.1f}{both.rmse:7.1f}{both.bias:+7.1f} ({low:.1f}-{high:.1f})"
    print(f"{title:40}{'both':7}{len(fields):4}{'':64}{errors}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--folds", type=Path, help="folder of a cross-validation, for held-out rows")
    parser.add_argument("--no-classical", action="store_true", help="leave out the rows that take minutes")
    arguments = parser.parse_args()
    fields = read_fields(arguments.data)
    header = "".join(f"{kind:>21}" for kind in ("stained: prec rec F1", "unstained"))
    print(
        f"{'':40}{'set':7}{'n':>4}{header}{'mean F1 (95 %)':>22}{'MAE':>7}{'RMSE':>7}{'bias':>7}  of the index, points"
    )
    detect = get_engine().detect_nuclei
    for point in OperatingPoint:
        find = partial(find_nuclei, detect=detect, operating_point=point)
        show(f"learned, shipped, {point}", fields, shipped(fields, partial(_at_known_size, find)))
    if arguments.folds:
        for point, rows in held_out_learned(fields, arguments.data, arguments.folds).items():
            show(f"learned, held out, {point}", fields, rows)
    show("classical, shipped", fields, shipped(fields, lambda f: find_nuclei(f.image, None, f.mpp)))
    show("classical, shipped, size estimated", fields, shipped(fields, lambda f: find_nuclei(f.image)))
    if not arguments.no_classical:
        for point, rows in held_out_classical(fields).items():
            show(f"classical, held out, {point}", fields, rows)
    for source in SOURCES:
        truth = [f for f in fields if f.source == source and len(f.stained) + len(f.unstained) >= MIN_ANNOTATED]
        index = np.array([100 * len(f.stained) / (len(f.stained) + len(f.unstained)) for f in truth])
        print(f"{'constant index':40}{source:7}{len(truth):4}{'':64}{np.abs(index - np.median(index)).mean():7.1f}")


if __name__ == "__main__":
    main()
