"""Speed of the quality filter without the network step, beside plain Pillow and numpy, one image after the other.

python -m benchmarks.filter [--images 2000] [--side 128]
"""

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from core.quality.filter import FilterSettings, judge_images, tally
from core.types import RGBImage

LEAST_PER_S = 500.0
ROUNDS = 5
CLASSES = ("PR-", "PR+")


def main() -> None:
    """Print images per second of both, their ratio, and that both accept the same images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--side", type=int, default=128)
    asked = parser.parse_args()
    images, labels, probs = simulated(asked.images, asked.side)
    ours_s, accepted = best_of(lambda: ours(images, labels, probs))
    plain_s, expected = best_of(lambda: plain(images, labels, probs), rounds=2)
    print(f"{asked.images} images of {asked.side} px, {sum(accepted)} accepted, measures and verdicts with reasons")
    print(f"{'':28}{'images/s':>10}")
    print(f"{'plain Pillow and numpy':28}{asked.images / plain_s:>10.0f}")
    print(f"{'quality filter':28}{asked.images / ours_s:>10.0f}")
    print(f"{plain_s / ours_s:.1f} times as fast; asked: {LEAST_PER_S:.0f} images/s")
    print(f"same verdicts: {np.mean(np.equal(accepted, expected)):.2%}")


def simulated(count: int, side: int) -> tuple[RGBImage, list[str], np.ndarray]:
    """Noise of several strengths and brightnesses, so that every check rejects some."""
    rng = np.random.default_rng(0)
    level = rng.uniform(30, 255, (count, 1, 1, 1))
    strength = rng.uniform(0, 25, (count, 1, 1, 1))
    images = np.clip(level + strength * rng.standard_normal((count, side, side, 1)), 0, 255).astype(np.uint8)
    positive = rng.uniform(0, 1, count)
    labels = [CLASSES[k] for k in rng.integers(0, 2, count)]
    return np.repeat(images, 3, axis=3), labels, np.stack([1 - positive, positive], axis=1)


def ours(images: RGBImage, labels: Sequence[str], probs: np.ndarray) -> list[bool]:
    """The filter as the pages use it."""
    verdicts = judge_images(images, labels=labels, probs=probs, classes=CLASSES)
    tally(verdicts)
    return [verdict.accepted for verdict in verdicts]


def plain(images: RGBImage, labels: Sequence[str], probs: np.ndarray) -> list[bool]:
    """What one would write down first."""
    asked = FilterSettings()
    accepted = []
    for image, label, row in zip(images, labels, probs, strict=True):
        gray = np.asarray(Image.fromarray(image).convert("L"), dtype=np.float64)
        padded = np.pad(gray, 1, mode="reflect")
        edges = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:] - 4 * gray
        best = int(np.argmax(row))
        accepted.append(
            bool(
                edges.var() >= (asked.sharpness or 0)
                and (asked.darkest or 0) <= gray.mean() <= (asked.brightest or 255)
                and gray.std() >= (asked.contrast or 0)
                and row[best] >= (asked.confidence or 0)
                and CLASSES[best] == label
            )
        )
    return accepted


def best_of(work: Callable[[], list[bool]], *, rounds: int = ROUNDS) -> tuple[float, list[bool]]:
    """Return the shortest time in seconds, and the answer."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        answer = work()
        times.append(time.perf_counter() - start)
    return min(times), answer


if __name__ == "__main__":
    main()
