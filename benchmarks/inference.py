"""How much faster the engine is than plain torch: batch 1, eager, float32, one forward and backward per CAM layer.

    python benchmarks/inference.py

Bundled weights where there are any, random ones elsewhere: the time does not depend on them.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from core.config import ROOT
from core.explain.cam import explain
from core.inference.engine import Engine
from core.labels import CAM_LAYERS, CamMethod
from core.models.registry import CARDS
from core.models.transforms import Normalised
from core.models.weights import save_safetensors

import torch  # isort: skip  # after core, which sets how its threads wait

from pytorch_grad_cam import GradCAM  # isort: skip
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # isort: skip

REPEATS = 3
NAMES = ("ihcnet", "simple_cnn", "pspstain")


def seconds(run: Callable[[], object]) -> float:
    """Best of several runs after one to warm up."""
    run()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def plain_network(name: str, images: np.ndarray) -> Callable[[], object]:
    """One image after the other, eager, float32."""
    card = CARDS[name]
    network = Normalised(card, card.build().eval())

    def run() -> None:
        with torch.no_grad():
            for image in images:
                network(torch.from_numpy(image[None]))

    return run


def plain_cam(tiles: np.ndarray) -> Callable[[], object]:
    """One forward and one backward per tile and layer, as pytorch-grad-cam is usually called."""
    card = CARDS["ihcnet"]
    network = card.build().eval()
    normalise = Normalised(card, network).normalise

    def run() -> None:
        for tile in tiles:
            for layer in CAM_LAYERS:
                with GradCAM(network, [network.get_submodule(f"backbone.{layer}")]) as cam:
                    cam(normalise(torch.from_numpy(tile[None])), [ClassifierOutputTarget(3)])

    return run


def weights_folder(folder: Path) -> Path:
    """Random weights for every network."""
    for name in NAMES:
        save_safetensors(CARDS[name].build().state_dict(), folder / f"{name}.safetensors")
    tables = "\n".join(f'[models.{name}]\nfile = "{name}.safetensors"' for name in NAMES)
    (folder / "manifest.toml").write_text(tables, encoding="utf-8")
    return folder


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        folder = weights_folder(Path(temporary))
        bundled = Engine(ROOT / "weights").available()
        overrides = {name: bundled[name].path for name in NAMES if bundled[name].error is None and bundled[name].path}
        engine = Engine(folder, overrides=overrides, cache_dir=folder / "cache")
        start = time.perf_counter()
        engine.warm_up(NAMES)
        print(f"backend {engine.backend}; first start: {time.perf_counter() - start:.1f} s to convert and compile")
        again = Engine(folder, overrides=overrides, cache_dir=folder / "cache")
        start = time.perf_counter()
        again.warm_up(NAMES)
        print(f"later start: {time.perf_counter() - start:.1f} s\n")
        del again
        print(f"{'work':<34}{'plain s':>9}{'engine s':>10}{'ratio':>7}{'images/s':>10}")
        for name, count in (("ihcnet", 1), ("ihcnet", 4), ("ihcnet", 32), ("simple_cnn", 32), ("pspstain", 1)):
            side = CARDS[name].input_px
            images = rng.integers(0, 256, (count, side, side, 3), dtype=np.uint8)
            ours = engine.classify if name != "pspstain" else lambda _name, images: engine.stain(images)
            work = f"{name}, {count} x {side} px"
            report(work, plain_network(name, images), partial(ours, name, images), count)
        for count in (1, 4):
            tiles = rng.integers(0, 256, (count, 224, 224, 3), dtype=np.uint8)
            loaded = engine.model("ihcnet")
            report(
                f"Grad-CAM, 5 layers, {count} tile(s)",
                plain_cam(tiles),
                partial(explain, loaded, tiles, target=3, layers=CAM_LAYERS, method=CamMethod.GRAD_CAM),
                count,
            )


def report(work: str, plain: Callable[[], object], ours: Callable[[], object], count: int) -> None:
    """Print one row."""
    before, after = seconds(plain), seconds(ours)
    print(f"{work:<34}{before:>9.3f}{after:>10.3f}{before / after:>7.1f}{count / after:>10.1f}", flush=True)


if __name__ == "__main__":
    main()
