"""How well H&E, IHC and neither are told apart on cases, and on whole laboratories, that were not trained on.

    python -m benchmarks.stain_recognition ../shared/data

Every case (patient, slide or photograph) is in exactly one of the folds. The second table leaves out all images of one
source at a time: a new laboratory; for photographs, a forest that has seen synthetic images alone.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.labels import Stain
from core.stains.recognition import UNSURE_BELOW
from core.stains.train_recognition import collect, grow
from core.stains.training_set import Examples

FOLDS = 10


def held_out(examples: Examples, groups: npt.NDArray[np.str_], folds: int) -> npt.NDArray[np.float64]:
    """Return (N, 3) probabilities of every example from a forest that saw nothing of its group."""
    names = np.unique(groups)
    fold_of = dict(zip(names, np.random.default_rng(0).permutation(len(names)) % folds, strict=True))
    fold = np.array([fold_of[group] for group in groups])
    probabilities = np.zeros((len(groups), len(Stain)))
    for index in range(folds):
        test = fold == index
        if not test.any():
            continue
        forest = grow(examples.chosen(~test))
        probabilities[test] = [forest.probabilities(row) for row in examples.features[test]]
    return probabilities


def table(title: str, examples: Examples, probabilities: npt.NDArray[np.float64]) -> None:
    """Print right, unsure and wrong answers per source, for pictures as they are and for all variants."""
    right = probabilities.argmax(axis=1) == examples.labels
    sure = probabilities.max(axis=1) >= UNSURE_BELOW
    print(f"\n{title}")
    print(f"{'source':<24}{'shows':<9}{'images':>7}{'right':>8}{'unsure':>8}{'sure+wrong':>12}{'variants right':>16}")
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, (source, label) in enumerate(zip(examples.sources, examples.labels, strict=True)):
        rows[str(source), list(Stain)[label].title].append(index)
    rows["all", "real"] = [i for (source, _), chosen in rows.items() if source != "synthetic" for i in chosen]
    for (source, shows), chosen in rows.items():
        index = np.array(chosen)
        originals = index[examples.original[index]]
        if not len(originals):
            continue
        wrong = ~right[originals] & sure[originals]
        print(
            f"{source:<24}{shows.split()[0]:<9}{len(originals):>7}{right[originals].mean():>8.1%}"
            f"{(~sure[originals]).mean():>8.1%}{wrong.sum():>12}{right[index].mean():>16.1%}"
        )
    for i in np.flatnonzero(~right & examples.original):
        print(f"  missed: {examples.names[i]}  {probabilities[i].round(2)}")


def main() -> None:
    """Measure both kinds of generalisation and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    examples = collect(parser.parse_args().folder)
    table(f"{FOLDS} folds by case", examples, held_out(examples, examples.cases, FOLDS))
    folds = len(np.unique(examples.sources))
    table("One source left out at a time", examples, held_out(examples, examples.sources, folds))


if __name__ == "__main__":
    main()
