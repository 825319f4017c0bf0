"""The pairs that the bundled generator is made of: real ones, of which some are held out, and simulated ones.

    python -m core.training.staining.sets --data ../shared/data --out data/pairs

writes the real ones as a data set: the folders train and test, each with HE and IHC.
"""

import argparse
import shutil
from pathlib import Path

import cv2
import numpy as np

from core.errors import NotFoundError
from core.phantoms.phantom import he_phantom, her2_phantom
from core.stains.separation import white_point
from core.training.data import DataSet, Item, Kind, Subset
from core.training.data.class_folders import CASE_END
from core.training.staining.pairs import FIELD_PX, STORED, Fields

HELD_OUT_BCI = range(1, 20, 4)
"""Every fourth BCI pair, from 00001 on, is never trained on."""

HELD_OUT_MIST = ("31M2101871",)
"""Nor is this MIST case."""


def shared_pairs(data: Path) -> DataSet:
    """List the real pairs; those of held-out cases are for the test.

    Raises:
        NotFoundError: the folder holds none.
    """
    paths = sorted((data / "bci" / "HE").glob("*.png")) + sorted((data / "mist" / "HE").glob("*.jpg"))
    if not paths:
        raise NotFoundError(f"No pairs below {data}; the folders bci/HE, bci/IHC, mist/HE and mist/IHC were expected.")
    return DataSet(data, Kind.PAIRS, tuple(map(_item, paths)), (), cases_known=True)


def is_held_out(case: str) -> bool:
    """Whether a case is kept for the evaluation."""
    if case.startswith("bci-"):
        return int(case.removeprefix("bci-")) in HELD_OUT_BCI
    return case in HELD_OUT_MIST


def simulate(count: int, *, gain: float = 1.0, first_seed: int = 7000) -> Fields:
    """Simulate fields with equal cells: tumour is moderately HER2-positive, so that one H&E has one answer."""
    side = STORED * FIELD_PX
    images = np.empty((2, count, side, side, 3), np.uint8)
    whites = np.empty((2, count, 3), np.float32)
    for row, seed in enumerate(range(first_seed, first_seed + count)):
        he = he_phantom(seed, varied=True).image
        ihc = her2_phantom(seed, fractions=(0.1, 0.3, 0.5, 0.1), varied=True).image
        for stain, image in enumerate((he, ihc)):
            images[stain, row] = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
            whites[stain, row] = white_point(image)
    cases = [f"phantom-{first_seed + row}" for row in range(count)]
    return Fields(cases, images[0], images[1], whites[0], whites[1], rows=np.arange(count), gain=gain)


def main() -> None:
    """Copy the real pairs into the folders train and test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds bci and mist")
    parser.add_argument("--out", type=Path, required=True, help="folder for train and test")
    arguments = parser.parse_args()
    for item in shared_pairs(arguments.data).items:
        for stain in ("HE", "IHC"):
            folder = arguments.out / str(item.subset) / stain
            folder.mkdir(parents=True, exist_ok=True)
            source = item.path.parents[1] / stain / item.path.name
            shutil.copyfile(source, folder / f"{item.case}{CASE_END}{item.path.name}")


def _item(he: Path) -> Item:
    case = f"bci-{he.stem[:5]}" if he.suffix == ".png" else he.stem.split("_")[0]
    subset = Subset.TEST if is_held_out(case) else Subset.TRAIN
    return Item(he, "", case, subset, he.parents[1] / "IHC" / he.name)


if __name__ == "__main__":
    main()
