"""Synthetic images beside real ones of cases that the generator never saw, and real training tiles beside the same.

    python -m core.training.bundled.nuclear_tiles --data ../shared/data --out TILES --overlap
    python -m benchmarks.medsyngan --data TILES [--model medsyngan_g] [--weights FILE]

Distances are in the feature space of the bundled SimpleCNN; the judge of the classes is trained here, on the real
training tiles. The split is that of the training: the same data, shares and seed give the same one.
"""

import argparse
from pathlib import Path
from typing import Any

import torch

from core.config import ROOT, get_settings
from core.models.manifest import read_manifest
from core.models.medsyngan import Generator
from core.models.registry import get_card
from core.models.weights import load_weights
from core.training.data import open_data
from core.training.data.splitting import split
from core.training.data.tile_cache import TileCache, build_cache
from core.training.gan.evaluation import Features, evaluate
from core.training.gan.tiles import WHITE

ROWS = (
    ("frechet", "Fréchet distance"),
    ("kernel", "kernel distance"),
    ("precision", "precision"),
    ("recall", "recall"),
    ("class_consistency", "class as asked for"),
    ("memorised_share", "nearer than real (5 %)"),
)


def read_tiles(arguments: argparse.Namespace) -> TileCache:
    """Read and split the tiles as the training does."""
    data = split(open_data(arguments.data), arguments.val_share, arguments.test_share, arguments.seed)
    card = get_card(arguments.model)
    folder = get_settings().data_dir / "cache" / "tiles"
    return build_cache(data, folder, input_px=card.input_px, tile_um=card.tile_um, white_level=WHITE)


def load_generator(arguments: argparse.Namespace) -> Generator:
    """Load the bundled generator, or the weights that were named."""
    entry = read_manifest(ROOT / "weights").get(arguments.model)
    if arguments.weights is None and entry is None:
        raise SystemExit(f"No weights of {arguments.model} are bundled; name some with --weights.")
    paths = entry.paths if arguments.weights is None and entry is not None else arguments.weights
    generator = load_weights(get_card(arguments.model), paths).module
    assert isinstance(generator, Generator)
    return generator


def show(found: dict[str, Any]) -> None:
    """Print the table."""
    counts = found["counts"]
    print(f"{counts['samples']} samples, {counts['training']} training tiles")
    print(f"{counts['held_out']} real tiles held out ({found['subset']})")
    print(f"features: {found['feature_space']}")
    print(f"{'':26}{'synthetic':>28}{'real training tiles':>28}")
    for name, title in ROWS:
        print(f"{title:26}{_cell(found['figures'], name):>28}{_cell(found['real'], name):>28}")
    print(f"{'diversity':26}{found['figures']['diversity']:>28.2f}")
    for each in found["per_class"]:
        print(
            f"{each['label']:>4}: Fréchet {each['frechet']:.2f}, kernel {each['kernel']:.3f}, "
            f"class as asked for {_cell(each, 'class_consistency')}"
        )


def _cell(figures: dict[str, Any], name: str) -> str:
    return f"{figures[name]:.3f} [{figures[f'{name}_low']:.3f}, {figures[f'{name}_high']:.3f}]"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of tiles, one folder per class")
    parser.add_argument("--model", default="medsyngan_g", choices=("medsyngan_g", "medsyngan_her2_g"))
    parser.add_argument("--weights", type=Path, default=None, help="other weights than the bundled ones")
    parser.add_argument("--val-share", type=float, default=0.15)
    parser.add_argument("--test-share", type=float, default=0.15)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    tiles = read_tiles(arguments)
    features = Features(tiles, torch.device("cpu"))
    show(evaluate(load_generator(arguments), tiles, features, seed=arguments.seed))


if __name__ == "__main__":
    main()
