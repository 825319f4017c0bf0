"""Differentiable augmentation: changes what is seen, keeps what is learned from it."""

import pytest
import torch
from torch import Tensor

from core.training.gan.diff_augment import colour, cut_out, shift, vary

IMAGES = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("change", [vary, colour, shift, cut_out])
def test_the_shape_stays_and_gradients_pass(change) -> None:  # type: ignore[no-untyped-def]
    images = IMAGES.clone().requires_grad_()
    changed: Tensor = change(images)
    changed.sum().backward()
    assert changed.shape == IMAGES.shape
    assert not torch.equal(changed, IMAGES)
    assert images.grad is not None and (images.grad.abs().sum(dim=(1, 2, 3)) > 0).all()


def test_a_shift_moves_an_eighth_at_most_and_mirrors_the_rest() -> None:
    torch.manual_seed(0)
    ramp = torch.arange(16.0).expand(50, 3, 16, 16)
    moved = shift(ramp)[:, 0, 0]
    assert set((moved[:, 8] - 8).tolist()) == {-2.0, -1.0, 0.0, 1.0, 2.0}
    assert moved[moved[:, 8] == 6][0, :4].tolist() == [2.0, 1.0, 0.0, 1.0]


def test_a_cutout_is_grey_and_a_square_at_most() -> None:
    torch.manual_seed(0)
    cut = cut_out(torch.ones(50, 3, 32, 32))
    hidden = (cut == 0).float().mean(dim=(1, 2, 3))
    assert hidden.max() == pytest.approx((12 / 32) ** 2)
    assert hidden.min() < hidden.max()


def test_every_image_is_varied_on_its_own() -> None:
    same = IMAGES[:1].repeat(4, 1, 1, 1)
    assert len({round(float(image.sum()), 3) for image in vary(same)}) == 4


def test_the_same_seed_gives_the_same_variation() -> None:
    torch.manual_seed(3)
    first = vary(IMAGES)
    torch.manual_seed(3)
    assert torch.equal(vary(IMAGES), first)
