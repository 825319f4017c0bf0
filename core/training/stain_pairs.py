"""Registered pairs of H&E and IHC of one field, and varied crops of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import NotFoundError
from core.phantoms.phantom import he_phantom, her2_phantom
from core.stains.separation import H_DAB, White, separate, separate_he, white_point
from core.training.augment import restain, turn
from core.types import RGBImage

TARGET_WHITE = 240.0
"""Background of every virtual stain, so that its densities compare whatever the scanner of the pair was."""

SIDES_PX = (256, 320, 400, 512)
"""Sides to which a field of 1024 px is reduced; the first is the scale the generator is used at."""

HELD_OUT_BCI = range(1, 20, 4)
"""Every fourth BCI pair, from 00001 on, is never trained on."""

HELD_OUT_MIST = ("31M2101871",)
"""Nor is this MIST case."""


@dataclass(frozen=True)
class Pair:
    """One field in both stains, at one scale.

    Attributes:
        case: patient, the unit of the split.
        he: (H, W, 3) uint8 RGB as photographed.
        ihc: (H, W, 3) uint8 RGB on the common white background.
        target: (H, W, 3) uint8 RGB, what the generator should paint: DAB of `ihc`, hematoxylin of `he`. The sections
            are neighbours; this puts the nuclei where the H&E has them.
        white: (R, G, B) of the glass in `he`.
    """

    case: str
    he: RGBImage
    ihc: RGBImage
    target: RGBImage
    white: tuple[float, float, float]


def read_pairs(data: Path, *, sides: Sequence[int] = SIDES_PX) -> list[list[Pair]]:
    """Read every real pair, once per side length.

    Raises:
        NotFoundError: the folder holds none.
    """
    paths = sorted((data / "bci" / "HE").glob("*.png")) + sorted((data / "mist" / "HE").glob("*.jpg"))
    if not paths:
        raise NotFoundError(f"No pairs below {data}; the folders bci/HE, bci/IHC, mist/HE and mist/IHC were expected.")
    return [pyramid(_case(path), _read(path), _read(path.parents[1] / "IHC" / path.name), sides) for path in paths]


def simulate_pairs(count: int, *, first_seed: int = 7000, sides: Sequence[int] = SIDES_PX) -> list[list[Pair]]:
    """Simulate pairs with equal cells: tumour is moderately HER2-positive, so that one H&E has one answer."""
    return [
        pyramid(
            f"phantom-{seed}",
            he_phantom(seed, varied=True).image,
            her2_phantom(seed, fractions=(0.1, 0.3, 0.5, 0.1), varied=True).image,
            sides,
        )
        for seed in range(first_seed, first_seed + count)
    ]


def is_held_out(case: str) -> bool:
    """Whether a case is kept for the evaluation."""
    if case.startswith("bci-"):
        return int(case.removeprefix("bci-")) in HELD_OUT_BCI
    return case in HELD_OUT_MIST


def pyramid(case: str, he: RGBImage, ihc: RGBImage, sides: Sequence[int]) -> list[Pair]:
    """Reduce one pair to every side length."""
    white_he, white_ihc = white_point(he), white_point(ihc)
    tint = (float(white_he[0]), float(white_he[1]), float(white_he[2]))
    clean = np.clip(ihc * (TARGET_WHITE / white_ihc) + 0.5, 0, 255).astype(np.uint8)
    levels = []
    for side in sides:
        small_he, small_ihc = (_reduce(image, side) for image in (he, clean))
        levels.append(Pair(case, small_he, small_ihc, _composite(small_he, white_he, small_ihc), tint))
    return levels


def crop(rng: np.random.Generator, pair: Pair, px: int) -> tuple[RGBImage, RGBImage]:
    """Cut the same random square from H&E and target, turned alike; the H&E alone is restained."""
    height, width = pair.he.shape[:2]
    y, x = int(rng.integers(height - px + 1)), int(rng.integers(width - px + 1))
    window = np.s_[y : y + px, x : x + px]
    seed = int(rng.integers(2**31))
    he, target = (turn(np.random.default_rng(seed), picture[window]) for picture in (pair.he, pair.target))
    return restain(rng, he, pair.white, mix=0.04, strength=0.2), target


def _composite(he: RGBImage, white: White, ihc: RGBImage) -> RGBImage:
    """Mix the DAB of the IHC and the hematoxylin of the H&E, paled until its detail is as strong as in the IHC."""
    real = separate(ihc, np.full(3, TARGET_WHITE))
    nuclei = separate_he(he, white).hematoxylin
    ratio = float(np.std(_fine(real.hematoxylin)) / max(float(np.std(_fine(nuclei))), 1e-4))
    vectors = np.array(H_DAB) / np.linalg.norm(H_DAB, axis=1, keepdims=True)
    density = np.stack([nuclei * np.clip(ratio, 0.3, 1.5), real.dab], axis=-1) @ vectors
    return np.asarray(np.clip(TARGET_WHITE * 10.0**-density + 0.5, 0, 255), np.uint8)


def _fine(density: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(density - cv2.GaussianBlur(density, (0, 0), 2.0), np.float32)


def _case(path: Path) -> str:
    return f"bci-{path.stem[:5]}" if path.suffix == ".png" else path.stem.split("_")[0]


def _read(path: Path) -> RGBImage:
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise NotFoundError(f"{path} is missing or not an image; every H&E needs an IHC of the same name.")
    return np.asarray(pixels, np.uint8)


def _reduce(image: RGBImage, side: int) -> RGBImage:
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
