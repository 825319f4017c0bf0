"""Choosing the images of a reader test at random: tiles of real images, whole images, synthetic ones."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from core import collections
from core.db import User
from core.errors import InvalidImageError, InvalidOptionError, TooLargeError
from core.inference.classification import prepare_tiles
from core.inference.engine import Engine
from core.models.card import ModelCard
from core.models.registry import get_card
from core.reading.sources import FromCollection, SyntheticSource
from core.slides.tiling import Box
from core.stains.white import WHITE_LEVEL
from core.training.data import DataSet, Item, Subset
from core.training.data.reading import read_image
from core.training.data.tile_cache import ONE_TILE_INPUTS, WHITE_TILES, build_cache
from core.types import Progress, RGBImage, no_progress

MADE_HERE = ("synthetic", "virtual")
"""How the names of images start that this workbench made."""


@dataclass(frozen=True)
class Picture:
    """One image of a test before it is made blind.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        label: its class; empty where unknown.
        source: what it is, in words: for the owner, and for readers who have finished.
    """

    image: RGBImage
    label: str
    source: str


def check_real(data: DataSet) -> None:
    """Refuse images that say by their names that they were made here.

    Raises:
        InvalidOptionError: they do.
    """
    made = [item.path.name for item in data.items if item.path.name.lower().startswith(MADE_HERE)]
    if made:
        raise InvalidOptionError(
            f"{len(made)} of the {len(data.items)} images are synthetic or virtual by their names ({made[0]}). Choose "
            "real images."
        )


def real_tiles(
    data: DataSet, card: ModelCard, count: int, *, labels: Sequence[str], seed: int, progress: Progress = no_progress
) -> list[Picture]:
    """Choose tiles of real images at random, as the generator's training sees them.

    They have its size and scale, and the background of its images (white 240), so that neither gives them away. Each
    image gives one tile before any gives a second.

    Args:
        card: of the generator.
        labels: classes to choose from; empty for all.
        seed: of the choice.
    Raises:
        InvalidOptionError: there are fewer tiles.
        InvalidDataError: too many images are unreadable, or none shows tissue.
    """
    items = _of_classes(data, labels)
    random = np.random.default_rng(seed)
    chosen = [items[place] for place in random.permutation(len(items))[:count]]
    helpers = _same_cases(items, chosen) if _cut_already(chosen[0], card) else []
    some = [replace(item, subset=Subset.TRAIN) for item in (*chosen, *helpers)]
    classes = tuple(label for label in data.classes if any(item.label == label for item in some))
    with tempfile.TemporaryDirectory(prefix="reading-") as folder:
        cache = build_cache(
            replace(data, items=tuple(some), classes=classes),
            Path(folder),
            input_px=card.input_px,
            tile_um=card.tile_um,
            white_level=WHITE_LEVEL,
            progress=progress,
        )
        rows = _in_turn(cache.items[cache.items < len(chosen)], random)[:count]
        if len(rows) < count:
            raise InvalidOptionError(
                f"The images give {len(rows)} real tiles with tissue, and {count} were asked for. Ask for fewer, or "
                "choose more images."
            )
        places = np.flatnonzero(cache.items < len(chosen))[rows]
        return [_picture(np.array(cache.tiles[row]), chosen[int(cache.items[row])], data) for row in places]


def whole_images(
    data: DataSet, count: int, *, seed: int, labels: Sequence[str] = (), progress: Progress = no_progress
) -> list[tuple[Picture, Path]]:
    """Choose whole images at random, with their files; unreadable ones are passed over.

    Raises:
        InvalidOptionError: there are fewer readable ones.
    """
    items = _of_classes(data, labels)
    found: list[tuple[Picture, Path]] = []
    for place in np.random.default_rng(seed).permutation(len(items)):
        progress("reading images", len(found), count)
        item = items[int(place)]
        try:
            found.append((_picture(read_image(item.path).image, item, data), item.path))
        except (InvalidImageError, TooLargeError):
            continue
        if len(found) == count:
            return found
    raise InvalidOptionError(f"There are {len(found)} readable images, and {count} were asked for. Ask for fewer.")


def synthetic_tiles(
    user: User,
    source: SyntheticSource,
    count: int,
    *,
    engine: Engine,
    labels: Sequence[str],
    seed: int,
    progress: Progress = no_progress,
) -> list[Picture]:
    """Choose kept synthetic images at random, or sample new ones, all classes alike.

    Raises:
        NotFoundError: the collection is somebody else's, or gone.
        InvalidOptionError: it has fewer images.
        ModelUnavailableError: the generator has no usable weights.
    """
    if isinstance(source, FromCollection):
        return _kept(user, source.collection_id, count, labels, seed, progress)
    from core.inference.synthesis import SampleSpec, sample_images

    wanted = [label for label in get_card(source.model).labels if not labels or label in labels]
    if not wanted:
        raise InvalidOptionError(f"The generator knows none of the classes {', '.join(labels)}. Choose other classes.")
    random = np.random.default_rng([seed, 1])
    seeds = random.choice(2**31, size=count, replace=False)
    specs = [SampleSpec(wanted[place % len(wanted)], int(seeds[place])) for place in range(count)]
    progress("sampling images", 0, 1)
    images = sample_images(engine, source.model, specs)
    return [
        Picture(image, spec.label, f"synthetic {spec.label}, seed {spec.seed}, {source.model}")
        for image, spec in zip(images, specs, strict=True)
    ]


def _kept(
    user: User, collection_id: str, count: int, labels: Sequence[str], seed: int, progress: Progress
) -> list[Picture]:
    collection = collections.get(user, collection_id)
    fitting = [each for each in collection.images if not labels or each.kept.label in labels]
    if len(fitting) < count:
        raise InvalidOptionError(
            f'The collection "{collection.name}" has {len(fitting)} such images, and {count} were asked for. Ask for '
            "fewer, or sample new ones."
        )
    found: list[Picture] = []
    for place in np.random.default_rng([seed, 1]).permutation(len(fitting))[:count]:
        progress("reading kept images", len(found), count)
        each = fitting[int(place)]
        image = collections.read_image(user, collection.id, each.file)
        found.append(Picture(image, each.kept.label, f"synthetic {each.kept.label}, seed {each.kept.seed}"))
    return found


def as_tile(image: RGBImage, px: int) -> RGBImage:
    """Bring an image to a square of `px` pixels, as tiles are."""
    height, width = image.shape[:2]
    return np.asarray(prepare_tiles(image, [Box(0, 0, width, height)], px)[0], np.uint8)


def _of_classes(data: DataSet, labels: Sequence[str]) -> list[Item]:
    items = [item for item in data.items if not labels or item.label in labels]
    if not items:
        raise InvalidOptionError(
            f"The real images have no class {', '.join(labels)}; they have {', '.join(data.classes)}. Choose other "
            "classes, or all."
        )
    return items


def _cut_already(item: Item, card: ModelCard) -> bool:
    return bool(max(read_image(item.path).image.shape[:2]) <= ONE_TILE_INPUTS * card.input_px)


def _same_cases(items: Sequence[Item], chosen: Sequence[Item]) -> list[Item]:
    """More tiles of the chosen ones' cases: the glass of a case is estimated from many of its tiles."""
    taken = {item.path for item in chosen}
    left = {item.case: WHITE_TILES for item in chosen}
    found = []
    for item in items:
        if left.get(item.case, 0) and item.path not in taken:
            left[item.case] -= 1
            found.append(item)
    return found


def _in_turn(owners: np.ndarray[tuple[int, ...], np.dtype[np.int64]], random: np.random.Generator) -> list[int]:
    """Places of tiles in a random order in which every image comes once before any comes again."""
    places: dict[int, list[int]] = {}
    for place in random.permutation(len(owners)).tolist():
        places.setdefault(int(owners[place]), []).append(place)
    most = max((len(each) for each in places.values()), default=0)
    return [each[turn] for turn in range(most) for each in places.values() if turn < len(each)]


def _picture(image: RGBImage, item: Item, data: DataSet) -> Picture:
    below = data.classes != ("",) and item.path.is_relative_to(data.root)
    name = item.path.relative_to(data.root).as_posix() if below else item.path.name
    return Picture(image, item.label, f"real, {name}")
