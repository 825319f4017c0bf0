"""How good virtual stains are, beside doing nothing and beside recolouring.

SSIM and PSNR per pixel; DAB on blocks of 4 px, since the pairs are neighbouring sections and not one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor, nn

from core.stains.separation import separate
from core.training.staining.pairs import TARGET_WHITE, Pair
from core.types import DensityMap, RGBImage

BLOCK_PX = 4
STAINED = 0.15
"""Optical density of DAB from which a block counts as stained."""

Method = Callable[[Pair], RGBImage]


@dataclass(frozen=True)
class Judgement:
    """How far a virtual stain is from the real one.

    Attributes:
        ssim: structural similarity, at most 1.
        psnr: in decibels.
        dab_correlation: of DAB densities of blocks; 0 where the virtual stain has no contrast.
        dice: overlap of the stained blocks; 0 where nothing is stained in either.
        dab_error: absolute difference of the mean DAB density.
    """

    ssim: float
    psnr: float
    dab_correlation: float
    dice: float
    dab_error: float


def judge(virtual: RGBImage, real: RGBImage) -> Judgement:
    """Compare a virtual stain with the real one, both on the common white background."""
    found, truth = dab_blocks(virtual), dab_blocks(real)
    stained, really = found > STAINED, truth > STAINED
    varied = found.std() > 0 and truth.std() > 0
    return Judgement(
        ssim=float(structural_similarity(virtual, real, channel_axis=2)),
        psnr=float(min(peak_signal_noise_ratio(real, virtual), 100.0)) if (virtual != real).any() else 100.0,
        dab_correlation=float(np.corrcoef(found.ravel(), truth.ravel())[0, 1]) if varied else 0.0,
        dice=float(2 * (stained & really).sum() / max(1, stained.sum() + really.sum())),
        dab_error=float(abs(found.mean() - truth.mean())),
    )


def mean_judgement(judgements: Sequence[Judgement]) -> dict[str, float]:
    """Return the mean of every figure over pairs."""
    return {each.name: float(np.mean([getattr(one, each.name) for one in judgements])) for each in fields(Judgement)}


def dab_blocks(image: RGBImage) -> DensityMap:
    """Return the mean DAB density of blocks, (H / 4, W / 4) float32."""
    dab = separate(image, np.full(3, TARGET_WHITE)).dab
    size = (image.shape[1] // BLOCK_PX, image.shape[0] // BLOCK_PX)
    return np.asarray(cv2.resize(dab, size, interpolation=cv2.INTER_AREA), np.float32)


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
