"""Small simulated data sets, so that somebody without images can try a training; they say nothing about real tissue."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from core.errors import NotFoundError
from core.images import encode_png
from core.labels import Her2Score, PrStatus
from core.phantoms.phantom import he_phantom, her2_phantom, nuclear_phantom, random_tissue
from core.training.data.class_folders import LabelledTile
from core.types import Progress, RGBImage, no_progress

TILE_PX = 128
PR_CASES, PR_TILES = 8, 10
HER2_CASES = 6
PAIRS = 16
SECTION_PX = 512
LESSON_CASES = 12
"""Sections of the lesson, half of them PR+: few, because somebody waits."""


@dataclass(frozen=True)
class Demonstration:
    """One simulated data set that can be made.

    Attributes:
        key: stable short name.
        title: as it is listed among the data sets.
        content: what it holds, in words.
        sections: how many sections are simulated for it.
    """

    key: str
    title: str
    content: str
    sections: int


DEMONSTRATIONS = (
    Demonstration(
        "pr",
        "Simulated PR tiles",
        f"tiles of a nuclear stain, PR- and PR+, at most {PR_TILES} of each of {2 * PR_CASES} cases",
        2 * PR_CASES,
    ),
    Demonstration(
        "her2",
        "Simulated HER2 tiles",
        f"tiles of a membrane stain, 0 to 3+, 4 of each of {4 * HER2_CASES} cases",
        4 * HER2_CASES,
    ),
    Demonstration("pairs", "Simulated H&E and IHC pairs", f"{PAIRS} registered pairs of H&E and HER2 IHC", PAIRS),
)


def demonstration_zip(key: str, progress: Progress = no_progress) -> bytes:
    """Simulate a data set and pack it as an upload would be: class folders with case folders, or `HE/` and `IHC/`.

    Raises:
        NotFoundError: there is no demonstration of that key.
    """
    known = {each.key: each for each in DEMONSTRATIONS}
    if key not in known:
        raise NotFoundError(f"There is no demonstration '{key}'. Choose one of: {', '.join(known)}.")
    sections = {"pr": _pr_sections, "her2": _her2_sections, "pairs": _pairs}[key]()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
        for done, section in enumerate(sections):
            progress("simulating sections", done, known[key].sections)
            for path, image in section.items():
                archive.writestr(path, encode_png(image))
    return packed.getvalue()


def lesson_tiles(progress: Progress = no_progress) -> Iterator[LabelledTile]:
    """Simulate few PR sections, for a training that is watched: (class, case, (128, 128, 3) uint8 RGB).

    Raises:
        CancelledError: raised by `progress`.
    """
    for seed in range(LESSON_CASES):
        progress("simulating sections", seed, LESSON_CASES)
        for label, case, _, tile in _pr_tiles(seed):
            yield label, case, tile


def _pr_sections() -> Iterator[dict[str, RGBImage]]:
    for seed in range(2 * PR_CASES):
        yield {f"{label}/{case}/{place}.png": tile for label, case, place, tile in _pr_tiles(seed)[:PR_TILES]}


def _pr_tiles(seed: int) -> list[tuple[str, str, str, RGBImage]]:
    """Class, case, place and tile of one section: odd ones have positive nuclei, of these the tiles that show one."""
    positive = seed % 2 == 1
    share = float(np.random.default_rng(seed).uniform(35, 90)) if positive else 0.0
    phantom = nuclear_phantom(7000 + seed, percent_positive=share, size_px=SECTION_PX, varied=True)
    label = PrStatus.POSITIVE if positive else PrStatus.NEGATIVE
    shown = phantom.truth.centres[phantom.truth.positive == positive]
    corners = {(int(x) // TILE_PX * TILE_PX, int(y) // TILE_PX * TILE_PX) for x, y in shown}
    inside = sorted(at for at in corners if min(at) >= 0 and max(at) <= SECTION_PX - TILE_PX)
    return [
        (label.value, f"simulated-{seed:02d}", f"{x:03d}-{y:03d}", phantom.image[y : y + TILE_PX, x : x + TILE_PX])
        for x, y in inside
    ]


def _her2_sections() -> Iterator[dict[str, RGBImage]]:
    """Four tiles of 128 micrometres of every section."""
    for seed in range(4 * HER2_CASES):
        score = list(Her2Score)[seed % 4]
        image = her2_phantom(7100 + seed, score=score, size_px=512, mpp=0.5, varied=True).image
        yield {
            f"{score.value}/simulated-{seed:02d}/{x}-{y}.png": image[y : y + 256, x : x + 256]
            for y in (0, 256)
            for x in (0, 256)
        }


def _pairs() -> Iterator[dict[str, RGBImage]]:
    """The same cells once in H&E and once in HER2 IHC, at 1 micrometre per pixel."""
    for seed in range(7200, 7200 + PAIRS):
        tissue = random_tissue(seed)
        he = he_phantom(seed, size_px=256, mpp=1.0, tissue=tissue, varied=True)
        ihc = her2_phantom(seed, size_px=256, mpp=1.0, tissue=tissue, varied=True)
        yield {f"HE/simulated-{seed}.png": he.image, f"IHC/simulated-{seed}.png": ihc.image}
