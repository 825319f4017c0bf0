"""Feature statistics of the bundled classifiers: `python -m core.training.bundled.fit_novelty --data ../shared/data`.

Run it again whenever their weights change. Tiles are those that an analysis of the training images would see, restained
copies of some, and simulated tissue. The threshold comes from cases that the statistics were fitted without.
"""

import argparse
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from core.inference.classification import prepare_tiles
from core.inference.engine import Engine
from core.models.card import ModelCard
from core.models.registry import get_card
from core.quality.appearance import appearance
from core.quality.novelty import Novelty, image_distance
from core.quality.novelty_file import save_novelty
from core.quality.novelty_fit import fit_novelty, with_threshold
from core.quantify.membrane_features import ASSUMED_MPP
from core.stains.separation import white_point
from core.stains.white import balance_white
from core.training.bundled.augment import degrade, restain, turn
from core.training.bundled.fields import crop_field, make_field
from core.training.bundled.her2_cases import list_cases, read_image
from core.training.bundled.nuclear_tiles import case_of, simulate_fields
from core.training.data.cutting import tissue_boxes
from core.types import RGBImage

log = logging.getLogger(__name__)

VARIED_TILES = 12
"""Restained copies of tiles per image and scale."""

MAX_TILES = 100
"""Tiles of one image that are looked at."""

SIMULATED_CASES = 5
"""Weight of all simulated tissue together, in cases."""

SHIDC_MPP = ASSUMED_MPP * 2 / 3


class Seen(NamedTuple):
    """N tiles as a network sees them: (N, F) pooled features, and (N, 10) looks."""

    features: npt.NDArray[np.float32]
    looks: npt.NDArray[np.float32]


Embed = Callable[[RGBImage], Seen]


@dataclass(frozen=True)
class Source:
    """One training image, and the scales under which it may be read."""

    case: str
    path: Path
    mpps: tuple[float, ...]


@dataclass(frozen=True)
class View:
    """One image at one scale, as a network sees it.

    Attributes:
        tiles, varied: its tissue tiles, and restained copies of some.
    """

    case: str
    tiles: Seen
    varied: Seen


def her2_sources(data: Path) -> list[Source]:
    """List the HER2 cores and patches."""
    return [Source(case.name, case.path, case.mpps) for case in list_cases(data)]


def nuclear_sources(data: Path) -> list[Source]:
    """List the annotated Ki-67 fields; those of SHIDC may be read as 40x, or at their true scale."""
    folder = data / "ki67_points"
    bcdata = [Source(case_of(path), path, (ASSUMED_MPP,)) for path in sorted(folder.glob("bcdata/*.png"))]
    shidc = [Source(case_of(path), path, (ASSUMED_MPP, SHIDC_MPP)) for path in sorted(folder.glob("shidc/*.jpg"))]
    return bcdata + shidc


def foreign_sources(data: Path) -> list[Source]:
    """List images that no classifier here is for: H&E, and what is neither H&E nor IHC."""
    paths = [
        path for folder in ("bci/HE", "mist/HE", "stains/HE", "stains/other") for path in (data / folder).iterdir()
    ]
    return [Source(path.stem, path, (ASSUMED_MPP,)) for path in sorted(paths) if path.suffix in (".png", ".jpg")]


def cut(source: Source, mpp: float, card: ModelCard) -> RGBImage:
    """Return the tissue tiles of an image as the network sees them in an analysis; at most `MAX_TILES`."""
    image = read_image(source.path)
    white = white_point(image)
    boxes, _ = tissue_boxes(image, white, mpp=mpp, tile_um=card.tile_um)
    order = np.random.default_rng(0).permutation(len(boxes))[:MAX_TILES]
    tiles = prepare_tiles(image, [boxes[index] for index in sorted(order)], card.input_px)
    if card.white_level is None or len(tiles) == 0:
        return tiles
    return balance_white(tiles, white, level=card.white_level)


def vary(rng: np.random.Generator, tiles: RGBImage, card: ModelCard) -> RGBImage:
    """Return restained copies of some tiles, varied as in training."""
    chosen = rng.permutation(len(tiles))[:VARIED_TILES]
    balanced = card.white_level is not None
    level = card.white_level or float(np.percentile(tiles, 99)) if len(tiles) else 240.0
    white = (level, level, level)
    copies = [degrade(rng, restain(rng, turn(rng, tiles[index]), white, new_white=not balanced)) for index in chosen]
    return np.stack(copies) if copies else tiles[:0]


def simulated(card: ModelCard) -> RGBImage:
    """Return tiles of simulated tissue, as in pretraining."""
    rng = np.random.default_rng(1)
    if card.name == "ihcnet":
        return np.stack([crop_field(rng, make_field(seed), card.input_px).image for seed in range(100)])
    return np.stack([tile for field in simulate_fields(20) for tile in _corners(rng, field.image, card.input_px)])


def look(sources: Sequence[Source], card: ModelCard, embed: Embed) -> Iterator[View]:
    """Yield what a network sees of images; those without tissue are left out."""
    rng = np.random.default_rng(0)
    for source in sources:
        for mpp in source.mpps:
            tiles = cut(source, mpp, card)
            if len(tiles):
                yield View(source.case, embed(tiles), embed(vary(rng, tiles, card)))


def fit(views: Sequence[View], simulation: Seen) -> Novelty:
    """Describe these views and simulated tissue."""
    parts = [(view.case, seen) for view in views for seen in (view.tiles, view.varied)]
    places = np.array_split(np.arange(len(simulation.features)), SIMULATED_CASES)
    parts += [(f"simulated {index}", Seen(*(part[own] for part in simulation))) for index, own in enumerate(places)]
    names = np.concatenate([np.full(len(seen.features), case, dtype="U64") for case, seen in parts])
    features, looks = (np.concatenate([seen[index] for _, seen in parts]) for index in range(2))
    return fit_novelty(features, looks, names)


def left_out(views: Sequence[View], simulation: Seen) -> dict[str, float]:
    """Return each case's distance from statistics without it: the larger one of its images and scales."""
    distances = {}
    for case in sorted({view.case for view in views}):
        without = fit([view for view in views if view.case != case], simulation)
        distances[case] = max(image_distance(without.distances(*v.tiles)) for v in views if v.case == case)
    return distances


def make(engine: Engine, name: str, data: Path) -> Novelty:
    """Fit the statistics of one bundled classifier, and log how often they warn.

    Raises:
        ModelUnavailableError: its weights are unusable.
        InvalidImageError: a training image is missing.
    """
    card = get_card(name)

    def embed(tiles: RGBImage) -> Seen:
        return Seen(engine.classify_with_features(name, tiles)[1], appearance(tiles))

    sources = her2_sources(data) if name == "ihcnet" else nuclear_sources(data)
    views = list(look(sources, card, embed))
    simulation = embed(simulated(card))
    held_out = left_out(views, simulation)
    novelty = with_threshold(fit(views, simulation), np.array(list(held_out.values())))
    if novelty is None:
        raise ValueError(f"{len(held_out)} cases are too few for feature statistics")
    alarms = sorted(case for case, distance in held_out.items() if novelty.is_foreign(distance))
    foreign = [novelty.is_foreign(image_distance(novelty.distances(*view.tiles)))
               for view in look(foreign_sources(data), card, embed)]  # fmt: skip
    noise = np.random.default_rng(0).integers(0, 256, (4, card.input_px, card.input_px, 3), dtype=np.uint8)
    log.info(
        "%s: threshold %.3f; left-out cases beyond it: %d of %d (%s); H&E and other images beyond it: %d of %d; "
        "noise at %.1f",
        name, novelty.threshold, len(alarms), len(held_out), ", ".join(alarms) or "none", sum(foreign), len(foreign),
        image_distance(novelty.distances(*embed(noise))),
    )  # fmt: skip
    return replace(novelty, sha256=engine.state(name).sha256 or "")


def main() -> None:
    """Fit the statistics of the bundled classifiers and write them beside their weights."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--weights", type=Path, default=Path("weights"))
    parser.add_argument("--models", nargs="+", default=["ihcnet", "simple_cnn"], choices=["ihcnet", "simple_cnn"])
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cv2.setNumThreads(1)
    engine = Engine(arguments.weights)
    for name in arguments.models:
        path = arguments.weights / f"{name}.novelty.npz"
        save_novelty(make(engine, name, arguments.data), path)
        log.info('%s written; the manifest must say novelty = "%s" in [models.%s]', path, path.name, name)


def _corners(rng: np.random.Generator, image: RGBImage, px: int, *, count: int = 6) -> Iterator[RGBImage]:
    for _ in range(count):
        y, x = (int(rng.integers(0, side - px + 1)) for side in image.shape[:2])
        yield image[y : y + px, x : x + px]


if __name__ == "__main__":
    main()
