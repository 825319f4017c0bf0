"""Synthetic images a second, through the workbench and from the bare generator, and memory over many of them.

    python -m benchmarks.sampling [--images 10000] [--rounds 7]

Aims: 64 images in under a second on 2 cores, within 10 % of the bare generator at batch 64, no growth of memory.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch

from benchmarks.memory import resident_mb
from core.config import ROOT
from core.inference.engine import Engine
from core.inference.openvino_graph import OpenVinoGraph
from core.inference.sampling import dimensions
from core.inference.synthesis import iter_samples, noise_of, specs_of
from core.memory import return_memory_early
from core.models.medsyngan import Generator
from core.models.registry import get_card

NAME, LABEL, BATCH = "medsyngan_g", "PR+", 64


def bare_openvino(engine: Engine) -> Callable[[int], None]:
    """The generator alone, as published, in the engine's precision: 64 images a call, no pixels made of them."""
    card = get_card(NAME)
    noise_dim, _ = dimensions(card)
    graph = OpenVinoGraph(
        lambda: engine.model(NAME).module,
        [torch.zeros(1, noise_dim), torch.zeros(1, dtype=torch.int64)],
        [(noise_dim,), ()],
        batch_sizes=(BATCH, 1),
        precise=engine.backend == "openvino-f32",
        cache=None,
    )
    noise, labels = np.zeros((BATCH, noise_dim), np.float32), np.ones(BATCH, np.int64)
    noise[:] = noise_of(specs_of(LABEL, BATCH, 0))

    def run(count: int) -> None:
        for _ in range(count // BATCH):
            graph(noise, labels)

    return run


def bare_torch(engine: Engine) -> Callable[[int], None]:
    """The generator alone in eager float32."""
    network = engine.model(NAME).module
    assert isinstance(network, Generator)
    device = next(network.parameters()).device
    noise = torch.from_numpy(noise_of(specs_of(LABEL, BATCH, 0))).to(device)
    labels = torch.ones(BATCH, dtype=torch.int64, device=device)

    def run(count: int) -> None:
        with torch.inference_mode():
            for _ in range(count // BATCH):
                network(noise, labels).cpu()

    return run


def workbench(engine: Engine) -> Callable[[int], None]:
    """Seeds to pixels, as gallery, API and command line make them."""

    def run(count: int) -> None:
        for _, images in iter_samples(engine, NAME, specs_of(LABEL, count, 0)):
            assert images.dtype == np.uint8

    return run


def seconds(ways: dict[str, Callable[[int], None]], count: int, rounds: int) -> dict[str, list[float]]:
    """Time of every way in turn, so that all of them see the same machine."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for run in ways.values():
        run(BATCH)
    for _ in range(rounds):
        for name, run in ways.items():
            start = time.perf_counter()
            run(count)
            taken[name].append(time.perf_counter() - start)
    return taken


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    return_memory_early()  # as the server does when it starts
    engine = Engine(ROOT / "weights")
    bare = bare_openvino(engine) if engine.backend.startswith("openvino") else bare_torch(engine)
    ways = {"plain torch, float32": bare_torch(engine), f"bare generator, {engine.backend}": bare}
    ways[f"workbench, {engine.backend}"] = workbench(engine)
    count = 4 * BATCH
    taken = seconds(ways, count, arguments.rounds)
    best = {name: min(times) for name, times in taken.items()}
    plain, alone, ours = best.values()
    print(f"{'way':<34}{'64 images, s':>14}{'median':>9}{'images/s':>10}{'to plain':>10}")
    for name, times in taken.items():
        print(
            f"{name:<34}{best[name] * BATCH / count:>14.3f}{statistics.median(times) * BATCH / count:>9.3f}"
            f"{count / best[name]:>10.0f}{plain / best[name]:>10.2f}"
        )
    print(f"workbench to bare generator: {alone / ours:.2f} of its throughput (aim: at least 0.90)\n")
    show_memory(engine, arguments.images)


def show_memory(engine: Engine, count: int) -> None:
    """Resident memory while many images are made."""
    done = 0
    marks = [mark for mark in (1_000, 5_000, 10_000) if mark <= count] or [count]
    start = time.perf_counter()
    for some, _ in iter_samples(engine, NAME, specs_of(LABEL, count, 0)):
        done += len(some)
        if marks and done >= marks[0]:
            print(f"{marks.pop(0):>6,} images: {resident_mb():.0f} MB, {done / (time.perf_counter() - start):.0f}/s")


if __name__ == "__main__":
    main()
