"""How long it takes to find the training tile nearest to an image, against plain ways of searching.

    python -m benchmarks.nearest

Features are those of the bundled index; the larger one holds them four times, each copy a little changed.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import NearestNeighbors

from core.config import ROOT
from core.inference.engine import Engine
from core.inference.synthesis import sample_images, specs_of
from core.inference.tile_features import tile_features
from core.inference.training_index import require_index
from core.quality.neighbours import TrainingIndex, nearest

TILES, BATCH, ROUNDS = 20_000, 64, 9
LIMIT_MS = 50.0

Rows = npt.NDArray[np.floating]


def enlarged(index: TrainingIndex, tiles: int) -> TrainingIndex:
    """Return an index of so many training tiles."""
    times = -(-tiles // len(index.features))
    rows = np.tile(index.features, (times, 1))[:tiles]
    moved = rows + np.random.default_rng(0).normal(0, 0.1, rows.shape).astype(np.float32)
    names, hashes = (index.names * times)[:tiles], (index.pixel_sha * times)[:tiles]
    return replace(index, features=moved, labels=np.tile(index.labels, times)[:tiles], names=names, pixel_sha=hashes)


def plain_loop(known: Rows, asked: Rows) -> list[int]:
    """Search as one would write it first: all 256 scaled features, an image at a time."""
    return [int(np.linalg.norm(known - row, axis=1).argmin()) for row in asked]


def milliseconds(work: Callable[[], object], images: int) -> float:
    """Return the median time for one of the images."""
    work()
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - began) / images)
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    engine = Engine(ROOT / "weights")
    index = require_index(engine, "medsyngan_g")
    images = sample_images(engine, "medsyngan_g", specs_of("PR+", BATCH, 0))
    features = tile_features(engine, images)
    describe = milliseconds(lambda: tile_features(engine, images), BATCH)
    print(f"features: {describe:.2f} ms an image ({1000 / describe:.0f} images/s in batches of {BATCH})\n")
    print(f"{'tiles':>8}{'images':>8}{'here':>10}{'plain loop':>12}{'scikit-learn':>14}{'ratio to the loop':>20}")
    slowest = 0.0
    for tiles in (len(index.features), TILES):
        known = enlarged(index, tiles) if tiles != len(index.features) else index
        whole = known.restore(known.features)
        brute = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(whole)
        for count in (1, BATCH):
            asked = features[:count]
            here = milliseconds(partial(nearest, known, asked), count)
            loop = milliseconds(partial(plain_loop, whole, asked * known.scale), count)
            other = milliseconds(partial(brute.kneighbors, asked * known.scale), count)
            slowest = max(slowest, here)
            print(f"{tiles:>8}{count:>8}{here:>7.2f} ms{loop:>9.2f} ms{other:>11.2f} ms{loop / here:>20.1f}")
    met = "met" if slowest < LIMIT_MS else "missed"
    print(f"\nslowest {slowest:.2f} ms an image; wanted: under {LIMIT_MS:.0f} ms ({met})")


if __name__ == "__main__":
    main()
