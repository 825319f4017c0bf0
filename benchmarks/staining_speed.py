"""Virtual staining of a large H&E image, beside tile-by-tile eager float32 and beside the machine's bf16 ceiling.

    python -m benchmarks.staining_speed [--side 4096] [--tiles 24] [--rounds 3] [--whole] [--profile]

A field of `--side` pixels at the scale of the generator, put together of real H&E from shared/data where it is there,
else of simulated H&E: 256 px tiles, overlap 64 px, as the workbench cuts them. The baseline is the published generator
as it is, in float32, one tile after the other, with the same tiles and the same blending; `--tiles` of them are timed
and the whole is extrapolated. Ours is `stain_image`, on a strip of as many rows of tiles as hold about that many, and
extrapolated too, or on the whole with `--whole`. Both take turns, `--rounds` times; the best round of each counts.

The ceiling is the fastest large bf16 matrix product measured here, in torch and in OpenVINO, before and after; the
generator's convolutions are 99.1 GFLOP a tile, and its share is what these alone would take. Aim: 2.4 times the
baseline, 80 % of the ceiling. `--profile` prints what the time of a tile goes to.
"""

import argparse
import resource
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import openvino
import torch
from openvino import opset13 as ops

from benchmarks.seams import fields
from core.config import get_settings
from core.inference.engine import Engine
from core.inference.tile_blending import TILE_PX, starts
from core.inference.virtual_staining import stain_image
from core.models.registry import get_card
from core.models.transforms import Normalised
from core.models.weights import load_weights
from core.types import RGBImage

GFLOP = 99.1
SIZE = 4096


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--tiles", type=int, default=24, help="tiles timed a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whole", action="store_true", help="stain the whole field instead of a strip")
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    image = field(arguments.side)
    columns = len(starts(arguments.side))
    every = columns**2
    rows = max(1, round(arguments.tiles / columns))
    strip = image if arguments.whole else image[: TILE_PX + (rows - 1) * starts(arguments.side)[1]]
    timed = every if arguments.whole else rows * columns
    engine = Engine(get_settings().weights_dir)
    stain_image(engine, image[:512, :512])  # loads and compiles
    network = eager()
    ceilings = [ceiling()]
    slow, fast = [], []
    for _ in range(arguments.rounds):
        slow.append(seconds(lambda: one_by_one(network, image, arguments.tiles)) / arguments.tiles)
        fast.append(seconds(lambda: stain_image(engine, strip)) / timed)
        ceilings.append(ceiling())
    report(engine.backend, arguments.side, every, min(slow), min(fast), ceilings)
    print(
        f"tiles timed a round: {arguments.tiles} and {timed}; rounds: {arguments.rounds}; spread of ours: "
        f"{min(fast):.3f} to {max(fast):.3f} s a tile, of the baseline {min(slow):.3f} to {max(slow):.3f}"
    )
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")
    if arguments.profile:
        profile()


def report(backend: str, side: int, every: int, slow: float, fast: float, ceilings: list[dict[str, float]]) -> None:
    """Print times and shares."""
    best = max(max(each.values()) for each in ceilings)
    print(f"{side} x {side} px, {every} tiles, backend {backend}, {torch.get_num_threads()} threads")
    print(f"{'':34}{'s a tile':>10}{'s in all':>10}{'TFLOP/s':>10}{'of ceiling':>12}")
    for title, each in (("eager float32, tile by tile", slow), ("stain_image", fast)):
        speed = GFLOP / each / 1000
        print(f"{title:34}{each:10.3f}{each * every:10.1f}{speed:10.3f}{speed / best:12.0%}")
    for name in ceilings[0]:
        found = [each[name] for each in ceilings]
        print(f"{name:34}{'':20}{max(found):10.3f}{max(found) / best:12.0%}   ({min(found):.3f} to {max(found):.3f})")
    share = GFLOP / fast / 1000 / best
    print(f"ratio to the baseline: {slow / fast:.2f} (aim 2.4); share of the ceiling: {share:.0%} (aim 80 %)")


def field(side: int) -> RGBImage:
    """Real H&E, mirrored and repeated until it fills the field."""
    image = max(fields(), key=lambda each: each[1].shape[0] * each[1].shape[1])[1]
    padding = [(0, max(0, side - length)) for length in image.shape[:2]]
    return np.ascontiguousarray(np.pad(image, (*padding, (0, 0)), mode="reflect")[:side, :side])


def eager() -> Normalised:
    """The published generator in float32, spectral norm and all, with its normalisation."""
    card = get_card("pspstain")
    return Normalised(card, load_weights(card, get_settings().weights_dir / "pspstain.safetensors").module).eval()


@torch.inference_mode()
def one_by_one(network: Normalised, image: RGBImage, count: int) -> None:
    """Stain the first tiles one after the other."""
    places = [(top, left) for top in starts(image.shape[0]) for left in starts(image.shape[1])]
    for top, left in places[:count]:
        network(torch.from_numpy(image[None, top : top + TILE_PX, left : left + TILE_PX].copy())).numpy()


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ceiling(times: int = 6) -> dict[str, float]:
    """The fastest bf16 matrix product of two libraries, in TFLOP/s."""
    left, right = (torch.randn(SIZE, SIZE).bfloat16() for _ in range(2))
    weights = np.random.default_rng(0).standard_normal((SIZE, SIZE), np.float32)
    inputs = ops.parameter([SIZE, SIZE], np.float32)
    product = openvino.Model([ops.matmul(inputs, ops.constant(weights), False, False)], [inputs])
    request = openvino.Core().compile_model(product, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"}).create_infer_request()
    work = {
        "bf16 matrix product, torch": lambda: left @ right,
        "bf16 matrix product, OpenVINO": lambda: request.infer([weights]),
    }
    return {name: 2 * SIZE**3 / min(seconds(each) for _ in range(times)) / 1e12 for name, each in work.items()}


def profile(times: int = 5) -> None:
    """Print what a tile's time goes to, by kind of layer, from OpenVINO's counters; the best of some runs of each."""
    from core.inference.runners import for_inference

    card = get_card("pspstain")
    network = for_inference(card, load_weights(card, get_settings().weights_dir / "pspstain.safetensors").module)
    example = torch.zeros(1, TILE_PX, TILE_PX, 3, dtype=torch.uint8)
    with torch.no_grad():
        model = openvino.convert_model(network, example_input=example, input=[openvino.PartialShape(example.shape)])
    options = {"INFERENCE_PRECISION_HINT": "bf16", "PERF_COUNT": "YES", "NUM_STREAMS": "1"}
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    best: dict[str, float] = {}
    kinds: dict[str, str] = {}
    for _ in range(times):
        request.infer([example.numpy()])
        for each in request.profiling_info:
            spent = each.real_time.total_seconds() * 1e3
            best[each.node_name] = min(spent, best.get(each.node_name, spent))
            kinds[each.node_name] = f"{each.node_type} ({each.exec_type})"
    total: dict[str, float] = defaultdict(float)
    for name, spent in best.items():
        total[kinds[name]] += spent
    for kind, spent in sorted(total.items(), key=lambda pair: -pair[1]):
        if spent > 0.05:
            print(f"{kind:60}{spent:8.2f} ms")


if __name__ == "__main__":
    main()
