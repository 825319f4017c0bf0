"""The index of training tiles beside the bundled generator, and how much its compression costs.

    python -m core.training.bundled.nuclear_tiles --data ../shared/data --out TILES --overlap
    python -m core.training.bundled.generator_index --data TILES --test-share 0.2 --out weights/medsyngan_g.index.npz

The split is that of the training: the same data, shares and seed give the same one.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
import torch

from core.config import ROOT, get_settings
from core.errors import NotFoundError
from core.models.manifest import read_manifest
from core.models.registry import get_card
from core.models.weights import check_weights
from core.quality.neighbours import TrainingIndex, nearest_rows
from core.quality.neighbours_file import save_index
from core.training.data import Subset, open_data
from core.training.data.splitting import split
from core.training.data.tile_cache import TileCache, build_cache
from core.training.gan.evaluation import Features
from core.training.gan.index import build_index
from core.training.gan.tiles import WHITE

log = logging.getLogger(__name__)


def compare(index: TrainingIndex, features: Features, tiles: TileCache) -> None:
    """Say how often the kept features name the same nearest tile as all 256, for tiles that neither index holds."""
    rows = tiles.of(Subset.VAL)
    asked = features.plain(tiles.tiles[rows])
    whole = features.plain(tiles.tiles[tiles.of(Subset.TRAIN)]) * features.scale
    exact, far = nearest_rows(asked * features.scale, whole)
    along, off = index.project(asked)
    found, near = nearest_rows(along, index.features)
    error = np.abs(np.sqrt(near**2 + off) / np.maximum(far, 1e-9) - 1)
    log.info(
        "%d unseen tiles: the same nearest tile for %.1f %%, distance off by %.2f %% (median), %.2f %% (95 %%)",
        len(rows),
        100 * np.mean(exact == found),
        100 * np.median(error),
        100 * np.percentile(error, 95),
    )


def main() -> None:
    """Write the index of a generator's training tiles."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of tiles, one folder per class")
    parser.add_argument("--model", default="medsyngan_g", choices=("medsyngan_g", "medsyngan_her2_g"))
    parser.add_argument("--out", type=Path, required=True, help="the .npz beside the weights")
    parser.add_argument("--val-share", type=float, default=0.15)
    parser.add_argument("--test-share", type=float, default=0.15)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    card, entry = get_card(arguments.model), read_manifest(ROOT / "weights").get(arguments.model)
    if entry is None:
        raise NotFoundError(f"No weights of {arguments.model} are bundled, so there is nothing to make an index for.")
    data = split(open_data(arguments.data), arguments.val_share, arguments.test_share, arguments.seed)
    folder = get_settings().data_dir / "cache" / "tiles"
    tiles = build_cache(data, folder, input_px=card.input_px, tile_um=card.tile_um, white_level=WHITE)
    features = Features(tiles, torch.device("cpu"))
    sha256 = check_weights(card, entry.paths, sha256=entry.sha256)
    index = build_index(data, tiles, features, weights_sha256=sha256)
    if index is None:
        raise NotFoundError("No tile is held out, or no classifier is bundled: nothing tells what is near.")
    save_index(index, arguments.out)
    size = arguments.out.stat().st_size / 1e6
    log.info("%d training tiles, %d held out, %.2f MB", len(index.names), len(index.held_out), size)
    log.info("limit %.4f, median of real tiles %.4f", index.limit, index.real_median)
    compare(index, features, tiles)


if __name__ == "__main__":
    main()
