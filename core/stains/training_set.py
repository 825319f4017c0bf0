"""Training and test material of the stain recognition: real images by case, and what is neither stain."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.images import decode, is_blank, resize_to_fit
from core.labels import Stain
from core.quality.measures import tissue_mask
from core.stains.augmentation import random_crop, vary_photograph, vary_stain
from core.stains.counterexamples import SYNTHETIC, add_pen, photographs, recoloured
from core.stains.features import colour_features
from core.types import RGBImage

STAIN_OF = {"H&E": Stain.HE, "IHC": Stain.IHC, "other": Stain.NEITHER}

SHARED_SLIDES = ("fixtures__tissue", "lesions___Izd2-29-041")
"""Parts of file names whose images come from one slide or block although the manifest counts them as cases."""

MIN_TISSUE = 0.02
"""A crop with less tissue shows no stain that could be named; it is left out."""

KEPT_SIDE_PX = 2800
"""Cores are kept at half size: enough for crops of every share."""


@dataclass(frozen=True)
class Picture:
    """One image with what it shows.

    Attributes:
        name: of the file or the generator.
        source: data set or laboratory; all its images may be held out together.
        case: patient or slide; never split between training and test.
    """

    image: RGBImage
    stain: Stain
    name: str
    source: str
    case: str


@dataclass(frozen=True)
class Examples:
    """Features of many variants of many pictures.

    Attributes:
        features: (N, N_FEATURES) float32.
        labels: (N,) index into `list(Stain)`.
        sources, cases, names: (N,) str.
        original: (N,) bool, the picture as it is, not a variant.
    """

    features: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    sources: npt.NDArray[np.str_]
    cases: npt.NDArray[np.str_]
    names: npt.NDArray[np.str_]
    original: npt.NDArray[np.bool_]

    def chosen(self, rows: npt.NDArray[np.bool_]) -> "Examples":
        """Return the examples of some rows only."""
        return Examples(**{field: getattr(self, field)[rows] for field in self.__dataclass_fields__})


def real_pictures(folder: Path) -> Iterator[Picture]:
    """Yield the images that `manifest.csv` in `folder` lists, whatever they show."""
    with (folder / "manifest.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = folder / row["path"]
            if row["stain"] not in STAIN_OF or path.suffix == ".dcm" or path.stem == "seg" or not path.is_file():
                continue
            image = decode(path.read_bytes(), path.name, max_bytes=10**9, max_pixels=10**9).image
            yield Picture(
                image=resize_to_fit(image, KEPT_SIDE_PX),
                stain=STAIN_OF[row["stain"]],
                name=row["path"],
                source=_source(row["path"]),
                case=next((slide for slide in SHARED_SLIDES if slide in path.name), row["case_id"]),
            )


def other_pictures(seed: int, count: int) -> Iterator[Picture]:
    """Yield photographs and `count` synthetic images of each kind; every generator counts as one source."""
    for name, image in photographs():
        yield Picture(image, Stain.NEITHER, name, "photographs", name)
    for kind, generate in enumerate(SYNTHETIC):
        for index in range(count):
            image = generate(np.random.default_rng([seed, kind, index]))
            name = f"{generate.__name__}-{index}"
            yield Picture(image, Stain.NEITHER, name, "synthetic", name)


def examples_of(picture: Picture, *, variants: int, seed: int) -> Examples:
    """Measure one picture and `variants` random variants of it (crops, other staining, other camera)."""
    features = [colour_features(picture.image)]
    labels = [list(Stain).index(picture.stain)]
    for index in range(variants):
        random = np.random.default_rng([seed, index])
        variant = _variant(picture, random)
        if variant is None:
            continue
        features.append(colour_features(variant[0]))
        labels.append(list(Stain).index(variant[1]))
    count = len(features)
    return Examples(
        features=np.stack(features),
        labels=np.array(labels),
        sources=np.full(count, picture.source),
        cases=np.full(count, picture.case),
        names=np.full(count, picture.name),
        original=np.arange(count) == 0,
    )


def join(parts: list[Examples]) -> Examples:
    """Put the examples of many pictures one after another."""
    return Examples(
        **{field: np.concatenate([getattr(part, field) for part in parts]) for field in Examples.__dataclass_fields__}
    )


def _variant(picture: Picture, random: np.random.Generator) -> tuple[RGBImage, Stain] | None:
    """One random variant, or None where the crop shows no tissue to speak of."""
    crop = random_crop(picture.image, random)
    if picture.stain is Stain.NEITHER:
        return vary_photograph(crop, random), Stain.NEITHER
    small = resize_to_fit(crop, 384)
    if is_blank(small) or tissue_mask(small).mean() < MIN_TISSUE:
        return None
    chance = random.random()
    if chance < 0.15:
        return crop, picture.stain
    varied = vary_stain(crop, picture.stain, random)
    if chance < 0.22:
        return add_pen(varied, random), Stain.NEITHER
    if chance < 0.27:
        return recoloured(varied, picture.stain, random), Stain.NEITHER
    return varied, picture.stain


def _source(path: str) -> str:
    parts = path.split("/")
    if parts[0] == "ki67_points":
        return parts[1]
    if parts[0] == "stains":
        return parts[-1].split("__")[0]
    return parts[0]
