"""How good virtual stains are, beside doing nothing and beside recolouring."""

from collections.abc import Callable, Sequence
from dataclasses import fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.quality.stain_agreement import TARGET_WHITE, Judgement
from core.training.staining.pairs import Pair
from core.types import RGBImage

Method = Callable[[Pair], RGBImage]


def mean_judgement(judgements: Sequence[Judgement]) -> dict[str, float]:
    """Return the mean of every figure over pairs."""
    return {each.name: float(np.mean([getattr(one, each.name) for one in judgements])) for each in fields(Judgement)}


def as_batch(image: RGBImage) -> Tensor:
    """Return an image as the generator takes it, (1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1


def painter(generator: nn.Module) -> Method:
    """Return a generator as a method."""
    device = next(generator.parameters()).device

    @torch.inference_mode()
    def paint(pair: Pair) -> RGBImage:
        painted = generator(as_batch(pair.he).to(device))[0].float().cpu().permute(1, 2, 0).numpy()
        return np.asarray(np.clip((painted + 1) * 127.5 + 0.5, 0, 255), np.uint8)

    return paint


def identity(pair: Pair) -> RGBImage:
    """Return the H&E on the common background."""
    return np.asarray(np.clip(pair.he * (TARGET_WHITE / np.array(pair.white)) + 0.5, 0, 255), np.uint8)


def recolouring(training: Sequence[Pair]) -> Method:
    """Return the transfer of the training IHC's mean and deviation per channel to an H&E."""
    mean = np.mean([pair.ihc.mean(axis=(0, 1)) for pair in training], axis=0)
    deviation = np.mean([pair.ihc.std(axis=(0, 1)) for pair in training], axis=0)

    def recolour(pair: Pair) -> RGBImage:
        he: npt.NDArray[np.float64] = identity(pair).astype(np.float64)
        scaled = (he - he.mean(axis=(0, 1))) / (he.std(axis=(0, 1)) + 1e-6) * deviation + mean
        return np.asarray(np.clip(scaled + 0.5, 0, 255), np.uint8)

    return recolour


def strip(pair: Pair, method: Method) -> RGBImage:
    """Return H&E, virtual and real IHC side by side."""
    return np.hstack([pair.he, method(pair), pair.ihc])
