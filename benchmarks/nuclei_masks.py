"""Outlines of nuclei against segmented fields: Dice of the pixels of stained and of unstained nuclei.

    python -m benchmarks.nuclei_masks [--data ../shared/data] [--folds FOLDER]

With --folds each field is answered by a network that never saw it (weights of
`python -m core.training.bundled.nuclei_points`); without, by the shipped weights, which were trained on these fields.
The segmentation draws a boundary of about four pixels around every nucleus; it belongs to neither kind and is left out.
The second figure of each pair counts it as background, which no outline through its middle can fully reach.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from core.config import get_settings
from core.inference.engine import Engine, get_engine
from core.quantify.nuclei import find_nuclei
from core.quantify.seeds import Detect
from core.training.bundled.nuclei_fields import MPP_OF_SOURCE, folds_by_case, read_mask_classes, read_nuclei_fields
from core.training.bundled.nuclei_points import FOLDS
from core.types import Mask, Nuclei, RGBImage

ROOT = Path(__file__).resolve().parent.parent


def painted(nuclei: Nuclei, shape: tuple[int, ...], *, positive: bool) -> Mask:
    """Return the pixels inside the outlines of one kind, (H, W) bool."""
    canvas = np.zeros(shape[:2], np.uint8)
    for outline in nuclei.outlines[nuclei.positive == positive]:
        cv2.fillPoly(canvas, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return canvas.astype(bool)


def dice(found: Mask, truth: Mask) -> float:
    """Return twice the overlap over the sum of both areas."""
    return float(2 * (found & truth).sum() / max(1, found.sum() + truth.sum()))


def figures(nuclei: Nuclei, positive: Mask, negative: Mask, boundary: Mask) -> tuple[float, float, float, float]:
    """Return Dice of stained and unstained nuclei without the boundary, then both with it as background."""
    stained, unstained = (painted(nuclei, positive.shape, positive=kind) for kind in (True, False))
    return (
        dice(stained & ~boundary, positive),
        dice(unstained & ~boundary, negative),
        dice(stained, positive),
        dice(unstained, negative),
    )


def detectors(data: Path, folder: Path | None) -> Callable[[str], Detect]:
    """Return which detector answers a field of `ki67_masks`, by its name."""
    if folder is None:
        return lambda _: get_engine().detect_nuclei
    real = read_nuclei_fields(data)
    fold_of = folds_by_case(real, FOLDS)
    engines = {
        fold: Engine(get_settings().weights_dir, overrides={"nuclei": folder / f"fold-{fold}.safetensors"})
        for fold in {fold_of[field.case] for field in real if field.source == "masks"}
    }
    return lambda name: engines[fold_of[f"masks-{name}"]].detect_nuclei


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--folds", type=Path, help="folder of a cross-validation, for held-out rows")
    arguments = parser.parse_args()
    detector = detectors(arguments.data, arguments.folds)
    learned = f"learned, {'held out' if arguments.folds else 'shipped (trained on these)'}"
    rows: dict[str, list[tuple[float, float, float, float]]] = {learned: [], "classical": []}
    print(f"{'':30}{'field':10}{'stained':>9}{'unstained':>11}   with boundary as background")
    for path in sorted((arguments.data / "ki67_masks").glob("*/seg.png")):
        name, image = path.parent.name, _read(path.with_name("ihc.png"))
        positive, negative = read_mask_classes(path)
        seen = _read(path).max(axis=2) > 127
        for method, detect in ((learned, detector(name)), ("classical", None)):
            nuclei = find_nuclei(image, None, MPP_OF_SOURCE["masks"], detect=detect)
            row = figures(nuclei, positive, negative, seen & ~positive & ~negative)
            rows[method].append(row)
            print(_line(method, name, row))
    for method, values in rows.items():
        print(_line(method, "mean", tuple(np.mean(values, axis=0))))


def _line(method: str, name: str, row: tuple[float, ...]) -> str:
    return f"{method:30}{name:10}{row[0]:9.3f}{row[1]:11.3f}{row[2]:12.3f}{row[3]:10.3f}"


def _read(path: Path) -> RGBImage:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)


if __name__ == "__main__":
    main()
