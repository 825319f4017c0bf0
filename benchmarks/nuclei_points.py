"""Counting nuclei against annotated points: F1 of stained and unstained nuclei, and the error of the index.

    python -m benchmarks.nuclei_points [--data ../shared/data]

"tuned" rows use the shipped settings, which were chosen on these very fields. "held out" rows choose the settings anew
from a fixed list of candidates without the case they are judged on (a case is a field of bcdata, a patient of shidc).
The pixel size is taken as 0.25 um for bcdata and 0.167 um for shidc, or guessed by the counter from the nuclei.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from core.quantify.nuclei import NucleiCount, NucleiParameters, count_nuclei
from core.stains.separation import white_point
from core.types import RGBImage

ROOT = Path(__file__).resolve().parent.parent
MPP = {"bcdata": 0.25, "shidc": 0.25 * 2 / 3}
MATCH_PX = {"bcdata": 10, "shidc": 15}
MIN_ANNOTATED = 5
CANDIDATES = 80


@dataclass(frozen=True)
class Field:
    """One annotated field."""

    source: str
    case: str
    image: RGBImage
    stained: npt.NDArray[np.float64]
    unstained: npt.NDArray[np.float64]


def read_fields(data: Path) -> list[Field]:
    """Read all fields of `ki67_points`."""
    fields = []
    for source in MPP:
        for path in sorted((data / "ki67_points" / source).glob("*.json")):
            picture = path.with_suffix(".png" if source == "bcdata" else ".jpg")
            image = np.asarray(cv2.imread(str(picture), cv2.IMREAD_COLOR_RGB), np.uint8)
            points = np.array([(p["x"], p["y"], p["label_id"]) for p in json.loads(path.read_text())]).reshape(-1, 3)
            case = path.stem if source == "bcdata" else path.stem.rsplit("_", 1)[0]
            stained, unstained = (points[points[:, 2] == label][:, :2].astype(float) for label in (1, 2))
            fields.append(Field(source, f"{source}-{case}", image, stained, unstained))
    return fields


def matches(found: npt.NDArray[np.floating], truth: npt.NDArray[np.floating], radius: float) -> int:
    """Count pairs of found and annotated points no farther apart than `radius`, one to one."""
    if not len(found) or not len(truth):
        return 0
    distance = np.linalg.norm(found[:, None] - truth[None], axis=2)
    rows, columns = linear_sum_assignment(np.where(distance <= radius, distance, 1e6))
    return int(np.count_nonzero(distance[rows, columns] <= radius))


def tally(field: Field, count: NucleiCount) -> npt.NDArray[np.int64]:
    """Return (hits, found, annotated) of stained and of unstained nuclei, (6,)."""
    is_stained, radius = count.intensities > 0, MATCH_PX[field.source]
    row: list[int] = []
    for found, truth in ((count.centres[is_stained], field.stained), (count.centres[~is_stained], field.unstained)):
        row += [matches(found, truth, radius), len(found), len(truth)]
    return np.array(row)


def summary(tallies: npt.NDArray[np.int64]) -> tuple[float, float, float, float]:
    """Return F1 stained, F1 unstained, their mean, and the mean absolute error of the index in points."""
    total = tallies.sum(axis=0)
    stained, unstained = (2 * total[k] / max(1, total[k + 1] + total[k + 2]) for k in (0, 3))
    judged = tallies[(tallies[:, 2] + tallies[:, 5]) >= MIN_ANNOTATED]
    found, truth = (100 * judged[:, k] / np.maximum(1, judged[:, k] + judged[:, k + 3]) for k in (1, 2))
    return stained, unstained, (stained + unstained) / 2, float(np.abs(found - truth).mean())


def candidates() -> list[NucleiParameters]:
    """Return settings drawn from wide ranges by a fixed seed; the shipped ones are not among them."""
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
        )
        for _ in range(CANDIDATES)
    ]


def held_out(fields: Sequence[Field]) -> npt.NDArray[np.int64]:
    """Tally every field with the settings that are best on the other cases: (fields, 6)."""
    whites = [white_point(field.image) for field in fields]
    scale = [MPP[field.source] for field in fields]
    table = np.stack(
        [
            [
                tally(f, count_nuclei(f.image, w, mpp, parameters=c))
                for f, w, mpp in zip(fields, whites, scale, strict=True)
            ]
            for c in candidates()
        ]
    )  # (candidates, fields, 6)
    rows = []
    for number, field in enumerate(fields):
        others = np.array([other.case != field.case for other in fields])
        quality = [np.mean([summary(one[others & _from(fields, source)])[2] for source in MPP]) for one in table]
        rows.append(table[int(np.argmax(quality)), number])
    return np.stack(rows)


def _from(fields: Sequence[Field], source: str) -> npt.NDArray[np.bool_]:
    return np.array([field.source == source for field in fields])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    fields = read_fields(parser.parse_args().data)
    rows = {
        "tuned, pixel size known": np.stack([tally(f, count_nuclei(f.image, None, MPP[f.source])) for f in fields]),
        "tuned, pixel size guessed": np.stack([tally(f, count_nuclei(f.image)) for f in fields]),
        "held out, pixel size known": held_out(fields),
    }
    print(f"{'':28}{'set':8}{'fields':>7}{'F1 stained':>12}{'F1 unstained':>14}{'mean F1':>9}{'index MAE':>11}")
    for title, tallies in rows.items():
        for source in MPP:
            part = tallies[_from(fields, source)]
            stained, unstained, mean, error = summary(part)
            print(f"{title:28}{source:8}{len(part):7}{stained:12.3f}{unstained:14.3f}{mean:9.3f}{error:11.1f}")
    for source in MPP:
        truth = [f for f in fields if f.source == source and len(f.stained) + len(f.unstained) >= MIN_ANNOTATED]
        index = np.array([100 * len(f.stained) / (len(f.stained) + len(f.unstained)) for f in truth])
        print(f"{'constant index':28}{source:8}{len(truth):7}{'':35}{np.abs(index - np.median(index)).mean():11.1f}")


if __name__ == "__main__":
    main()
