"""Seconds to find and measure all nuclei, beside a plain baseline of scikit-image, in one run.

    python -m benchmarks.nuclei_speed [--data ../shared/data] [--rounds 3]

The field is 1024 px wide at 40x, the core 5468 px. The learned detector is warmed up with one field first. The baseline
separates the stains with `rgb2hed`, thresholds their sum by Otsu, splits nuclei by a watershed of the distance
transform and measures them with `regionprops`, at the same half resolution.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt
from skimage.color import rgb2hed
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.measure import label, regionprops_table
from skimage.segmentation import watershed

from core.images import resize_to
from core.inference.engine import get_engine
from core.quantify.nuclei import find_nuclei
from core.stains.separation import white_point
from core.types import RGBImage

ROOT = Path(__file__).resolve().parent.parent
MPP = 0.25
FIELD, CORE = "mist/IHC/31M2101871_17_22.jpg", "her2_cores/3+/a1f1510c.jpg"


def baseline(image: RGBImage) -> int:
    """Count nuclei as a plain script would."""
    small = resize_to(image, (image.shape[1] // 2, image.shape[0] // 2))
    hed = rgb2hed(small).astype(np.float32)
    density = cv2.GaussianBlur(np.clip(hed[..., 0], 0, None) + np.clip(hed[..., 2], 0, None), (0, 0), 1.5)
    mask = density > threshold_otsu(density)
    distance = distance_transform_edt(mask)
    peaks = peak_local_max(distance, min_distance=5, labels=label(mask))
    markers = np.zeros(mask.shape, np.int32)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-distance, markers, mask=mask)
    table = regionprops_table(labels, hed[..., 2], properties=("label", "centroid", "area", "intensity_mean"))
    return len(table["label"])


def timed(find: Callable[[RGBImage], int], image: RGBImage, rounds: int) -> tuple[float, int]:
    """Return the best of some rounds in seconds, and how many nuclei there were."""
    seconds, count = [], 0
    for _ in range(rounds):
        started = time.perf_counter()
        count = find(image)
        seconds.append(time.perf_counter() - started)
    return min(seconds), count


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    detect = get_engine().detect_nuclei
    methods: dict[str, Callable[[RGBImage], int]] = {
        "classical": lambda image: len(find_nuclei(image, white_point(image), MPP)),
        "learned": lambda image: len(find_nuclei(image, white_point(image), MPP, detect=detect)),
        "baseline (scikit-image)": baseline,
    }
    print(f"{'':26}{'image':12}{'nuclei':>9}{'seconds':>10}")
    for path in (FIELD, CORE):
        image = np.asarray(cv2.imread(str(arguments.data / path), cv2.IMREAD_COLOR_RGB), np.uint8)
        if path == FIELD:
            methods["learned"](image)
        for name, find in methods.items():
            seconds, count = timed(find, image, arguments.rounds if path == FIELD else 1)
            print(f"{name:26}{f'{image.shape[1]} px':12}{count:9}{seconds:10.2f}", flush=True)


if __name__ == "__main__":
    main()
