"""The index of training tiles that a finished run leaves beside its generator's weights."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.config import Settings
from core.models.sidecar import read_sidecar
from core.quality.neighbours import picture_of
from core.quality.neighbours_file import load_index
from core.training.data import Subset, open_data
from core.training.data.splitting import split
from core.training.data.tile_cache import build_cache
from core.training.gan.evaluation import Features
from core.training.gan.index import HEADLINE, write_beside
from core.training.run_folder import RunFolder


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Tiles of six cases in two classes."""
    rng = np.random.default_rng(0)
    for number in range(6):
        for label, level in (("PR-", 200), ("PR+", 120)):
            (tmp_path / "tiles" / label).mkdir(parents=True, exist_ok=True)
            for k in range(3):
                tile = np.clip(rng.normal(level, 20, (128, 128, 3)), 0, 255).astype(np.uint8)
                cv2.imwrite(str(tmp_path / "tiles" / label / f"case{number}__{k}.png"), tile)
    return tmp_path / "tiles"


def test_the_weights_of_a_run_bring_an_index(tmp_path: Path, images: Path, settings: Settings) -> None:
    data = split(open_data(images), 0.2, 0.2, 0)
    tiles = build_cache(data, settings.data_dir / "cache", input_px=128, tile_um=32.0, white_level=240.0)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.weights.write_bytes(b"weights")
    evaluation = {"figures": dict.fromkeys(HEADLINE, 0.5)}
    write_beside(run.weights, run, data, tiles, Features(tiles, torch.device("cpu")), evaluation)

    sidecar = read_sidecar(run.weights)
    assert sidecar is not None and sidecar.index is not None
    assert (sidecar.model, sidecar.labels) == ("medsyngan_g", ("PR-", "PR+"))
    index = load_index(run.weights.with_name(sidecar.index))
    assert index.weights_sha256 == sidecar.sha256 == hashlib.sha256(b"weights").hexdigest()
    assert len(index.names) == len(tiles.of(Subset.TRAIN))
    shown = picture_of(index, 0, [images])
    assert shown is not None and shown.shape == (128, 128, 3)
