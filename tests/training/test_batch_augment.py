"""Varying a batch: the same seed gives the same images, nothing leaves [0, 1], and each change does what it says."""

import cv2
import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from core.phantoms.phantom import nuclear_phantom
from core.training.batch_augment import augment, blur, compress, noise, restain, turn, zoom
from core.training.config import Augmentation

NOTHING = Augmentation(turns=False, stain=0, light=0, zoom=0, blur=0, jpeg=0, noise=0)
EVERYTHING = Augmentation(blur=1, jpeg=1, noise=1)


@pytest.fixture(scope="module")
def tiles() -> Tensor:
    """(4, 64, 64, 3) uint8 RGB of simulated nuclei."""
    image = nuclear_phantom(1, percent_positive=50, size_px=128).image
    return torch.from_numpy(np.stack([image[y : y + 64, x : x + 64] for y in (0, 64) for x in (0, 64)]))


def batch_of(tiles: Tensor) -> Tensor:
    return tiles.permute(0, 3, 1, 2).float() / 255.0


def test_nothing_changes_where_everything_is_off(tiles: Tensor) -> None:
    assert torch.equal(augment(tiles, NOTHING, Generator()), batch_of(tiles))


def test_the_same_seed_gives_the_same_images(tiles: Tensor) -> None:
    first, second = (augment(tiles, EVERYTHING, Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)


def test_images_stay_within_their_range(tiles: Tensor) -> None:
    varied = augment(tiles, Augmentation(stain=1, light=0.5, blur=1, jpeg=1, noise=1), Generator().manual_seed(0))
    assert varied.shape == (4, 3, 64, 64)
    assert 0 <= float(varied.min()) and float(varied.max()) <= 1  # noqa: SIM300


def test_turning_shows_all_eight_ways() -> None:
    corner = torch.zeros(400, 3, 2, 2)
    corner[:, :, 0, 0], corner[:, :, 0, 1] = 1.0, 0.5
    seen = {tuple(image[0].flatten().tolist()) for image in turn(corner, Generator().manual_seed(0))}
    assert len(seen) == 8


def test_zooming_keeps_the_colours(tiles: Tensor) -> None:
    varied = zoom(batch_of(tiles), 0.2, Generator().manual_seed(0))
    assert torch.allclose(varied.mean((2, 3)), batch_of(tiles).mean((2, 3)), atol=0.05)
    assert not torch.equal(varied, batch_of(tiles))


def test_restaining_changes_every_image_differently(tiles: Tensor) -> None:
    same = batch_of(tiles[:1]).repeat(5, 1, 1, 1)
    means = restain(same, 0.3, 0.05, Generator().manual_seed(0)).mean((1, 2, 3))
    assert len(set(means.tolist())) == 5


def test_blurring_removes_detail_and_noise_adds_it(tiles: Tensor) -> None:
    def detail(batch: Tensor) -> float:
        return float((batch[..., 1:] - batch[..., :-1]).abs().mean())

    batch, random = batch_of(tiles), Generator().manual_seed(0)
    assert detail(blur(batch, random)) < detail(batch) < detail(noise(batch, random))


def test_compression_resembles_that_of_a_real_encoder(tiles: Tensor) -> None:
    batch = batch_of(tiles)
    ours = (compress(batch, Generator().manual_seed(0)) - batch).abs().mean()
    real = []
    for tile in tiles.numpy():
        _, data = cv2.imencode(".jpg", tile, [cv2.IMWRITE_JPEG_QUALITY, 65])
        real.append(np.abs(cv2.imdecode(data, cv2.IMREAD_COLOR).astype(float) - tile).mean() / 255)
    assert 0.3 < float(ours) / np.mean(real) < 3


def test_odd_sizes_survive_compression() -> None:
    assert compress(torch.rand(2, 3, 13, 21), Generator()).shape == (2, 3, 13, 21)
