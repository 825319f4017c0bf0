"""SimpleCNN on tiles of cases it never saw, from the answers that its training keeps.

    python -m core.training.bundled.simple_cnn --data ../shared/data --out weights/
    python -m benchmarks.pr_tiles [--answers data/training/simple_cnn-held-out.npz]

The bias of each fold is chosen on the other folds. Beside it: one stained nucleus or more by `core.quantify.nuclei`.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.quantify.nuclei import find_nuclei
from core.training.bundled.calibration import calibrate
from core.training.bundled.nuclear_tiles import TILE_PX, Field, grid_corners, read_fields
from core.training.judging.metrics import wilson

ROOT = Path(__file__).resolve().parent.parent


def report(title: str, called: npt.NDArray[np.bool_], labels: npt.NDArray[np.int64]) -> None:
    """Print sensitivity, specificity and their mean."""
    shares, words = [], []
    for name, hit, members in (("sens.", called, labels == 1), ("spec.", ~called, labels == 0)):
        hits, total = int(np.count_nonzero(hit & members)), int(np.count_nonzero(members))
        low, high = wilson(hits, total)
        shares.append(hits / total)
        words.append(f"{name} {hits}/{total} = {hits / total:.3f} [{low:.3f}, {high:.3f}]")
    print(f"{title:30} balanced {np.mean(shares):.3f}   {'   '.join(words)}")


def by_case(called: npt.NDArray[np.bool_], labels: npt.NDArray[np.int64], cases: npt.NDArray[np.str_]) -> None:
    """Print the 95 % interval of the balanced accuracy when whole cases are drawn again."""
    rng, names, values = np.random.default_rng(0), np.unique(cases), []
    for _ in range(2000):
        rows = np.concatenate([np.flatnonzero(cases == name) for name in rng.choice(names, len(names))])
        right, truth = (called == labels)[rows], labels[rows]
        if 0 < truth.sum() < len(truth):
            values.append((right[truth == 1].mean() + right[truth == 0].mean()) / 2)
    low, high = np.percentile(values, (2.5, 97.5))
    print(f"{'':30} balanced accuracy over {len(names)} cases drawn again: [{low:.3f}, {high:.3f}]")


def counted(fields: list[Field]) -> npt.NDArray[np.bool_]:
    """Return whether the classical counter finds a stained nucleus in each grid tile."""
    called = []
    for field in fields:
        nuclei = find_nuclei(field.image, np.full(3, 240.0), 0.25 * field.scale)
        stained, side = nuclei.centres[nuclei.positive], TILE_PX / field.scale
        called += [
            bool(((stained >= at) & (stained < np.add(at, side))).all(axis=1).any()) for at in grid_corners(field)
        ]
    return np.array(called)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=Path, default=ROOT / "data" / "training" / "simple_cnn-held-out.npz")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    arguments = parser.parse_args()
    if not arguments.answers.is_file():
        raise SystemExit(
            f"{arguments.answers} is not there. Train first (see the top of this file): it keeps the answers."
        )
    with np.load(arguments.answers, allow_pickle=False) as kept:
        logits, labels, folds, cases, sources = (kept[k] for k in ("logits", "labels", "folds", "cases", "sources"))
    called = np.zeros(len(labels), bool)
    for fold in np.unique(folds):
        fitted = calibrate(logits[folds != fold], labels[folds != fold])
        called[folds == fold] = fitted.probabilities(logits[folds == fold])[:, 1] >= 0.5
    report("network, no bias", logits[:, 1] > logits[:, 0], labels)
    report("network", called, labels)
    by_case(called, labels, cases)
    for source in np.unique(sources):
        report(f"network, {source}", called[sources == source], labels[sources == source])
    fields = [field for field in read_fields(arguments.data) if grid_corners(field)]
    truth = np.array([field.label(*at, TILE_PX / field.scale) for field in fields for at in grid_corners(field)])
    report("nuclei counted (tuned here)", counted(fields), truth)


if __name__ == "__main__":
    main()
