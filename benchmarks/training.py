"""How fast a run trains: `python -m benchmarks.training --data FOLDER`, a folder of PR tiles (class folders).

One table, one process at a time: the workbench's loop against a plain one (PIL decodes every image every time, float32,
default memory layout, no cache) with the same network, optimizer, batch and flips; and a run as the launcher starts it
against the same steps without run folder, status, log and checkpoint.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from core.devices import cores
from core.memory import keep_memory
from core.training.config import read_config
from core.training.data import open_data
from core.training.loop import build_fabric
from core.training.recipes import build_task
from core.training.run_folder import RunFolder
from core.types import no_progress

import torch  # isort: skip  # after core, which sets how its threads wait
from torch import nn  # isort: skip
from torch.nn import functional as F  # isort: skip
from torchvision import transforms  # isort: skip

FLIPS = {"turns": True, "stain": 0, "light": 0, "zoom": 0, "blur": 0, "jpeg": 0, "noise": 0}
BATCH = 32


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="class folders of tiles")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    keep_memory()  # for all of them: it belongs to the process, and trainings have one of their own
    print(f"{cores()} cores, torch {torch.__version__}, batch {BATCH}; images per second of training\n")
    print(f"{'network':12} {'workbench':>10} {'plain':>10} {'ratio':>6} {'with all augmentation':>22}")
    for recipe, steps in (("simple-cnn", 30), ("ihcnet", 3)):
        paths = [(item.path, item.label) for item in open_data(arguments.data).items]
        ours, everything = [_steps_of(recipe, arguments.data, more) for more in (FLIPS, {})]
        plain = _plain_steps(recipe, paths)
        # In turn, so that whatever else the machine does hits all alike; the best round counts.
        rates = np.max([[_rate(each, steps) for each in (ours, plain, everything)] for _ in range(arguments.rounds)], 0)
        print(f"{recipe:12} {rates[0]:10.1f} {rates[1]:10.1f} {rates[0] / rates[1]:6.2f} {rates[2]:22.1f}")
    _print_overhead(arguments.data)


Step = Callable[[], None]


def _steps_of(recipe: str, data: Path, augmentation: dict[str, Any]) -> Step:
    config = read_config({"recipe": recipe, "batch_size": BATCH, "augmentation": augmentation, "start": "random"})
    task = build_task(config, data, build_fabric(config), no_progress)

    def endless() -> Iterator[Any]:
        epoch = 0
        while True:
            epoch += 1
            yield from task.batches(epoch)

    batches = endless()

    def step() -> None:
        float(task.step(next(batches), 0.0)["loss"])

    return step


def _plain_steps(recipe: str, paths: list[tuple[Path, str]]) -> Step:
    from core.training.classifiers import build_classifier, card_of

    config = read_config({"recipe": recipe, "start": "random"})
    card, classes = card_of(config), sorted({label for _, label in paths})
    network = build_classifier(config, len(classes), Path())
    kind = torch.optim.Adam if recipe == "simple-cnn" else torch.optim.AdamW
    optimizer = kind(network.parameters(), lr=1e-3)
    read = transforms.Compose(
        [
            transforms.Resize((card.input_px, card.input_px)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomVerticalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(card.mean, card.std),
        ]
    )
    rng = np.random.default_rng(0)

    def step() -> None:
        chosen = [paths[int(index)] for index in rng.integers(0, len(paths), BATCH)]
        batch = torch.stack([read(Image.open(path).convert("RGB")) for path, _ in chosen])
        loss = F.cross_entropy(network(batch), torch.tensor([classes.index(label) for _, label in chosen]))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        loss.item()

    network.train()
    return step


def _rate(step: Step, steps: int) -> float:
    step()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    return steps * BATCH / (time.perf_counter() - began)


def _print_overhead(data: Path) -> None:
    """Compare epochs of a started run with the same epochs in a bare loop."""
    values = {"recipe": "simple-cnn", "epochs": 5, "batch_size": BATCH, "steps_per_epoch": 120, "tied": True}
    config = read_config(values)
    task = build_task(config, data, build_fabric(config), no_progress)
    bare = []
    for epoch in range(1, config.epochs + 1):
        began = time.perf_counter()
        for batch in task.batches(epoch):
            task.step(batch, float(epoch))
        task.end_epoch(epoch)
        bare.append(time.perf_counter() - began)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        run.write_json("config.json", config.model_dump(mode="json"))
        run.write_json("data.json", {"data": str(data.resolve())})
        subprocess.run([sys.executable, "-m", "core.training", folder], check=True, stderr=subprocess.DEVNULL)
        ends = [line["seconds"] for line in run.read_stats() if line["kind"] == "epoch"]
        inside = list(np.diff(ends))
        size = run.checkpoint.stat().st_size / 1e6
    print(f"\nseconds of an epoch of {config.steps_per_epoch} batches (SimpleCNN): bare loop {np.median(bare):.2f}, ")
    print(f"as a run {np.median(inside):.2f} (with a checkpoint of {size:.0f} MB each): ", end="")
    print(f"{100 * (np.median(inside) / np.median(bare) - 1):+.1f} %")


if __name__ == "__main__":
    main()
