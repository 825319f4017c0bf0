"""Virtual IHC of pairs the generator never saw, beside doing nothing and beside recolouring.

    python -m benchmarks.virtual_stain [--data ../shared/data] [--weights FILE] [--pictures OUT.png]

Fields of 1024 px reduced to 256 px, IHC brought to one white background. SSIM and PSNR per pixel; DAB correlation and
Dice on blocks of 4 px, since the pairs are neighbouring sections and not one. "identity" is the H&E itself on the same
background, "recoloured" the H&E with mean and deviation of the training IHC.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from core.models.registry import get_card
from core.models.weights import load_weights
from core.stains.separation import separate
from core.training.stain_pairs import SIDES_PX, TARGET_WHITE, Pair, is_held_out, read_pairs
from core.types import RGBImage

ROOT = Path(__file__).resolve().parent.parent
BLOCK_PX = 4
STAINED = 0.15
"""Optical density of DAB from which a block counts as stained."""

Method = Callable[[Pair], RGBImage]


def generator(path: Path) -> Method:
    """Return the bundled generator as a function of a pair's H&E."""
    module = load_weights(get_card("pspstain"), path).module

    def stain(pair: Pair) -> RGBImage:
        pixels = torch.from_numpy(pair.he.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1
        with torch.inference_mode():
            out = module(pixels)[0].permute(1, 2, 0).numpy()
        return np.asarray(np.clip((out + 1) * 127.5 + 0.5, 0, 255), np.uint8)

    return stain


def identity(pair: Pair) -> RGBImage:
    """Return the H&E on the common background."""
    return np.asarray(np.clip(pair.he * (TARGET_WHITE / np.array(pair.white)) + 0.5, 0, 255), np.uint8)


def recolouring(training: list[Pair]) -> Method:
    """Return the transfer of mean and deviation per channel of the training IHC to an H&E."""
    mean = np.mean([pair.ihc.mean(axis=(0, 1)) for pair in training], axis=0)
    deviation = np.mean([pair.ihc.std(axis=(0, 1)) for pair in training], axis=0)

    def recolour(pair: Pair) -> RGBImage:
        he = identity(pair).astype(np.float64)
        scaled = (he - he.mean(axis=(0, 1))) / (he.std(axis=(0, 1)) + 1e-6) * deviation + mean
        return np.asarray(np.clip(scaled + 0.5, 0, 255), np.uint8)

    return recolour


def dab_blocks(image: RGBImage) -> npt.NDArray[np.float32]:
    """Return the mean DAB density of blocks."""
    dab = separate(image, np.full(3, TARGET_WHITE)).dab
    size = (image.shape[1] // BLOCK_PX, image.shape[0] // BLOCK_PX)
    return np.asarray(cv2.resize(dab, size, interpolation=cv2.INTER_AREA), np.float32)


def judge(virtual: RGBImage, real: RGBImage) -> tuple[float, float, float, float, float]:
    """Return SSIM, PSNR, DAB correlation, DAB Dice and the error of the mean DAB density."""
    found, truth = dab_blocks(virtual), dab_blocks(real)
    stained, really = found > STAINED, truth > STAINED
    dice = 2 * (stained & really).sum() / max(1, stained.sum() + really.sum())
    correlation = float(np.corrcoef(found.ravel(), truth.ravel())[0, 1]) if found.std() > 0 else 0.0
    return (
        float(structural_similarity(virtual, real, channel_axis=2)),
        float(peak_signal_noise_ratio(real, virtual)),
        correlation,
        float(dice),
        float(abs(found.mean() - truth.mean())),
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--weights", type=Path, default=ROOT / "weights" / "pspstain.safetensors")
    parser.add_argument("--pictures", type=Path, help="write H&E, virtual and real IHC of the unseen pairs there")
    arguments = parser.parse_args()
    pairs = [levels[0] for levels in read_pairs(arguments.data, sides=SIDES_PX[:1])]
    unseen = [pair for pair in pairs if is_held_out(pair.case)]
    seen = [pair for pair in pairs if not is_held_out(pair.case)]
    virtual = generator(arguments.weights)
    methods: dict[str, Method] = {"generator": virtual, "identity": identity, "recoloured": recolouring(seen)}
    print(f"{'':12}{'pairs':>14}{'SSIM':>8}{'PSNR':>8}{'DAB corr.':>11}{'DAB Dice':>10}{'DAB mean err.':>15}")
    for title, group in (("unseen", unseen), ("trained on", seen)):
        for name, method in methods.items():
            rows = np.array([judge(method(pair), pair.ihc) for pair in group])
            values = rows.mean(axis=0)
            spread = rows.std(axis=0)
            print(
                f"{name:12}{title + ' ' + str(len(group)):>14}{values[0]:8.3f}{values[1]:8.2f}{values[2]:11.3f}"
                f"{values[3]:10.3f}{values[4]:15.4f}   (SSIM +-{spread[0]:.3f}, DAB corr. +-{spread[2]:.3f})"
            )
    if arguments.pictures:
        rows_of = [np.hstack([pair.he, virtual(pair), pair.ihc]) for pair in (*unseen, *seen[:6])]
        cv2.imwrite(str(arguments.pictures), cv2.cvtColor(np.vstack(rows_of), cv2.COLOR_RGB2BGR))


if __name__ == "__main__":
    main()
