"""How much faster the workbench answers than a plain server of the same networks: one run, same images, same machine.

    python -m benchmarks.speed [--data ../shared/data] [--repeats 3]

Both answer with the same content: score, probabilities, five heat maps over the picture, pseudo-colour, and the virtual
IHC for H&E, as JSON with PNG pictures. Ours adds stain recognition, quality and measurements. On the core the plain
server is spared the tiles without tissue, so that both score the same tissue area; its tiles overlap, as published.
"""

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.plain_server import PlainServer
from core.analysis import analyze
from core.inference.engine import Engine
from core.labels import Scale
from core.reports.answer import encode_json, to_json
from core.types import Options

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Case:
    """One image of the benchmark and the ratio it has to reach."""

    title: str
    file: str
    from_he: bool
    target: float
    plain_repeats: int


CASES = (
    Case("IHC 1024 x 1024", "bci/IHC/00006_test_3+.png", False, 10, 3),
    Case("H&E 1024 x 1024", "bci/HE/00002_test_2+.png", True, 6, 3),
    Case("core 5468 x 5468", "her2_cores/3+/a1f1510c.jpg", False, 10, 1),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp())
    engine = Engine(arguments.weights)
    engine.warm_up()
    plain = PlainServer(engine.model("ihcnet").module, engine.model("pspstain").module)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {engine.backend}, {time.strftime('%F')}"
    )
    print("| image | plain server, s | workbench, s | ratio | aim | plain answer, MB | our answer, MB |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        data = (arguments.data / case.file).read_bytes()
        ours_s, ours = timed(lambda data=data, case=case: answer(engine, data, case), arguments.repeats)
        plain_s, theirs = timed(
            lambda data=data, case=case: plain.predict(data, from_he=case.from_he).encode(), case.plain_repeats
        )
        print(
            f"| {case.title} | {plain_s:.2f} | {ours_s:.2f} | {plain_s / ours_s:.1f} | {case.target:g} "
            f"| {len(theirs) / 1e6:.1f} | {len(ours) / 1e6:.1f} |",
            flush=True,
        )


def answer(engine: Engine, data: bytes, case: Case) -> bytes:
    """What `POST /api/predict-her2` does with one upload."""
    result = analyze(data, case.file, Options(scale=Scale.X40), engine=engine)
    return encode_json(to_json(result))


def timed(call: Callable[[], bytes], repeats: int) -> tuple[float, bytes]:
    """Median seconds of a call after one warm-up where it is repeated, and its last answer."""
    if repeats > 1:
        call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        reply = call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), reply


if __name__ == "__main__":
    torch.set_grad_enabled(True)
    main()
