"""How much faster the workbench answers than a plain server of the same networks: one run, same images, same machine.

    python -m benchmarks.speed [--data ../shared/data] [--repeats 5]

Both answer with score, probabilities, five heat maps over the picture, pseudo-colour, and the virtual IHC for H&E, as
JSON with PNG pictures; ours adds stain recognition, quality and the measurement of every nucleus and membrane of real
IHC, and is timed without the latter too, as the plain server has none. The plain server runs twice: "as
published", where one tile answers for the image and is the only one explained, and with "the same tiles" that the
workbench scores and explains. On the core it is spared the tiles without tissue, so that both score the same tissue.
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
from core.inference.engine import Engine, get_engine
from core.labels import NucleiMethod, Scale
from core.reports.answer import encode_json, to_json
from core.slides.tiling import Box
from core.types import Options, Result

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
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    os.environ.setdefault("DATA_DIR", tempfile.mkdtemp())
    engine = get_engine()
    engine.warm_up()
    plain = PlainServer(engine.model("ihcnet").module, engine.model("pspstain").module)
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {engine.backend}, {time.strftime('%F')}"
    )
    print("| image | workbench, s | no cells, s | plain as published, s | ratio | ratio, no cells | ", end="")
    print("the same tiles, s | ratio, no cells | aim |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in CASES:
        data = (arguments.data / case.file).read_bytes()
        ours_s = timed(lambda data=data, case=case: encode_json(to_json(answer(engine, data, case))), arguments.repeats)
        bare_s = timed(
            lambda data=data, case=case: encode_json(to_json(answer(engine, data, case, NucleiMethod.NONE))),
            arguments.repeats,
        )
        plain_s = timed(lambda data=data, case=case: plain.predict(data, from_he=case.from_he), case.plain_repeats)
        tiles = [Box(t.x, t.y, t.width, t.height) for t in answer(engine, data, case).analysis.tiles if t.explained]
        same_s = None
        if len(tiles) <= 4:  # on the core the published way is slow enough
            same_s = timed(
                lambda data=data, case=case, tiles=tiles: plain.predict(data, from_he=case.from_he, explained=tiles),
                case.plain_repeats,
            )
        same = f"{same_s:.2f} | {same_s / bare_s:.1f}" if same_s else "- | -"
        ratios = f"{plain_s / ours_s:.1f} | {plain_s / bare_s:.1f}"
        print(
            f"| {case.title} | {ours_s:.2f} | {bare_s:.2f} | {plain_s:.2f} | {ratios} | {same} | {case.target:g} |",
            flush=True,
        )


def answer(engine: Engine, data: bytes, case: Case, nuclei: NucleiMethod = NucleiMethod.LEARNED) -> Result:
    """What `POST /api/predict-her2` computes for one upload."""
    return analyze(data, case.file, Options(scale=Scale.X40, nuclei=nuclei), engine=engine)


def timed(call: Callable[[], object], repeats: int) -> float:
    """Median seconds of a call, after one warm-up where it is repeated."""
    if repeats > 1:
        call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    torch.set_grad_enabled(True)
    main()
