"""Simulated sections with exact ground truth: HER2, nuclear marker, H&E, deterministic by seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from core.labels import Her2Score
from core.phantoms import staining
from core.phantoms.nuclear import NuclearTruth, draw_densities, nuclear_truth, without_slivers
from core.phantoms.staining import Camera, MembraneStain
from core.phantoms.tissue import FloatMap, Tissue, TissueConfig, build_tissue, smooth_noise
from core.quantify.guideline import her2_score
from core.types import Mask, RGBImage

TruthT = TypeVar("TruthT", "Her2Truth", "NuclearTruth", None)


@dataclass(frozen=True)
class Her2Truth:
    """What is really on a simulated HER2 section.

    Attributes:
        score: by the guideline, from the cells in the picture; None without tumour cells.
        fractions: shares of tumour cells: none, faint incomplete, weak to moderate complete, intense complete.
        tumour_cells: number of tumour cells in the picture.
    """

    score: Her2Score | None
    fractions: tuple[float, float, float, float]
    tumour_cells: int


@dataclass(frozen=True)
class Phantom(Generic[TruthT]):
    """A simulated section.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        truth: exact; never estimated from the picture.
        tumour: (H, W) bool, tumour cells.
        cell_classes: (H, W) uint8, 0 outside tumour, else 1 + class of the cell (HER2: none, faint, moderate, intense;
            nuclear marker: negative, weak, moderate, strong).
        hematoxylin, dab: (H, W) float32, dye in optical density before the camera.
        mpp: micrometres per pixel.
        white: (R, G, B) of empty background.
    """

    image: RGBImage
    truth: TruthT
    tumour: Mask
    cell_classes: npt.NDArray[np.uint8]
    hematoxylin: FloatMap
    dab: FloatMap
    mpp: float
    white: tuple[float, float, float]


def random_tissue(seed: int, *, tumour: float | None = None) -> TissueConfig:
    """Draw a composition: solid sheets, nests, cords or glands, in stroma or fat."""
    rng = np.random.default_rng([seed, 5])
    pattern = rng.choice(["sheet", "nests", "cords", "glands"])
    share = tumour if tumour is not None else {"sheet": 1.0, "nests": 0.6, "cords": 0.45, "glands": 0.65}[str(pattern)]
    return TissueConfig(
        cell_um=float(rng.uniform(9.5, 16.0)),
        elongation=float(rng.uniform(1.0, 1.4) if pattern != "glands" else rng.uniform(1.3, 2.4)),
        tumour=float(np.clip(share * rng.uniform(0.75, 1.15), 0, 1)),
        fat=float(rng.choice([0.0, rng.uniform(0.05, 0.4)], p=[0.8, 0.2])),
        lumen=float(rng.uniform(0.1, 0.3) if pattern == "glands" else rng.choice([0.0, rng.uniform(0, 0.15)])),
        empty=float(rng.choice([0.0, rng.uniform(0.05, 0.4)], p=[0.75, 0.25])),
        nest_um=float({"cords": rng.uniform(25, 45)}.get(str(pattern), rng.uniform(50, 140))),
        stroma_um=float(rng.uniform(9, 18)),
        lymphocytes=float(rng.choice([0.05, rng.uniform(0.1, 0.8)], p=[0.7, 0.3])),
        nucleus=float(rng.uniform(0.45, 0.68)),
    )


def draw_fractions(rng: np.random.Generator, score: Her2Score) -> tuple[float, float, float, float]:
    """Draw shares of cells (none, faint, moderate, intense) that carry `score` clearly rather than at its limit."""
    if score is Her2Score.THREE:
        intense = float(rng.uniform(0.3, 1.0))
        moderate = (1 - intense) * float(rng.uniform(0.3, 1.0))
        faint = (1 - intense - moderate) * float(rng.uniform(0, 1))
    elif score is Her2Score.TWO:
        intense = float(rng.choice([0.0, rng.uniform(0.0, 0.07)]))
        moderate = float(rng.uniform(0.25, 0.9)) * (1 - intense)
        faint = (1 - intense - moderate) * float(rng.uniform(0.2, 1.0))
    elif score is Her2Score.ONE:
        intense, moderate = 0.0, float(rng.choice([0.0, rng.uniform(0, 0.06)]))
        faint = float(rng.uniform(0.2, 0.9))
    else:
        intense, moderate, faint = 0.0, 0.0, float(rng.choice([0.0, rng.uniform(0, 0.06)], p=[0.7, 0.3]))
    return (1 - intense - moderate - faint, faint, moderate, intense)


def _assign(rng: np.random.Generator, tissue: Tissue, shares: Sequence[float]) -> npt.NDArray[np.int64]:
    """Give every tumour cell one of the classes in exact shares, neighbours alike; -1 for cells that do not exist."""
    layer, size = tissue.epithelium, tissue.tumour.shape[0]
    field = smooth_noise(rng, size, 60.0 / tissue.mpp)
    rows = np.clip(layer.y_px, 0, size - 1).astype(int)
    columns = np.clip(layer.x_px, 0, size - 1).astype(int)
    rank = field[rows, columns] + rng.normal(0, 0.5, rows.size)
    classes = np.full(rows.size, -1, np.int64)
    cells = np.flatnonzero(tissue.is_tumour)
    limits = np.round(np.cumsum(shares) * cells.size).astype(int)
    classes[cells[np.argsort(rank[cells])]] = np.searchsorted(limits, np.arange(cells.size), side="right").clip(
        0, len(shares) - 1
    )
    return classes


def _class_map(tissue: Tissue, classes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    return np.asarray((classes + 1)[tissue.epithelium.labels], np.uint8)


DENSITY_OF_CLASS = ((0.0, 0.0), (0.08, 0.2), (0.25, 0.6), (0.85, 1.9))
"""Optical density of the membrane: none, faint, weak to moderate, intense."""

COMPLETENESS_OF_CLASS = ((0.0, 0.0), (0.15, 0.65), (0.9, 1.0), (0.97, 1.0))


def _membranes(
    rng: np.random.Generator, classes: npt.NDArray[np.int64], *, blush: float, background: float
) -> MembraneStain:
    cells = np.clip(classes, 0, 3)
    low, high = np.array(DENSITY_OF_CLASS).T
    least, most = np.array(COMPLETENESS_OF_CLASS).T
    level = np.clip(rng.uniform(0.0, 1.0) + rng.normal(0, 0.2, cells.size), 0, 1)  # one laboratory, similar cells
    density = low[cells] + (high - low)[cells] * level
    completeness = least[cells] + (most - least)[cells] * rng.random(cells.size)
    spill = rng.uniform(0.03, 0.3)  # part of the membrane's dye that is seen over the cell
    cytoplasm = blush * rng.uniform(0.7, 1.3, cells.size) + spill * density
    return MembraneStain(
        density.astype(np.float32),
        completeness.astype(np.float32),
        (cytoplasm * (classes >= 0)).astype(np.float32),
        background,
    )


def her2_phantom(
    seed: int,
    *,
    size_px: int = 1024,
    mpp: float = 0.25,
    score: Her2Score | None = None,
    fractions: tuple[float, float, float, float] | None = None,
    tissue: TissueConfig | None = None,
    camera: Camera | None = None,
    blush: float | None = None,
    varied: bool = False,
) -> Phantom[Her2Truth]:
    """Simulate a section stained for HER2.

    Args:
        seed: the same seed, size and composition give the same cells, also in `he_phantom`.
        score: category to show; drawn from the seed where neither it nor `fractions` is given.
        fractions: shares of tumour cells: none, faint incomplete, weak to moderate complete, intense complete.
        tissue: composition; default: mostly tumour, or drawn from the seed where `varied`.
        camera: white point, dyes, blur, noise; default: one clean scanner, or drawn from the seed where `varied`.
        blush: optical density of cytoplasmic DAB that carries no score; default 0.02, or drawn where `varied`.
        varied: draw what is not given as it differs between laboratories (for training).
    """
    rng = np.random.default_rng([seed, 2])
    score = score or list(Her2Score)[int(rng.integers(4))]
    drawn = draw_fractions(rng, score)
    tissue = tissue or (random_tissue(seed) if varied else TissueConfig())
    camera = camera or (staining.random_camera(rng) if varied else Camera())
    drawn_blush = float(rng.choice([0.01, rng.uniform(0, 0.1), rng.uniform(0.1, 0.4)], p=[0.4, 0.4, 0.2]))
    background = float(rng.choice([0.0, rng.uniform(0, 0.12)])) if varied else 0.01
    if blush is None:
        blush = drawn_blush if varied else 0.02
    section = build_tissue(seed, size_px=size_px, mpp=mpp, config=tissue)
    classes = _assign(rng, section, fractions or drawn)
    dab = staining.membrane_dab(rng, section, _membranes(rng, classes, blush=blush, background=background))
    strength = float(rng.uniform(0.15, 1.0)) if varied else 0.7
    hematoxylin = staining.counterstain(rng, section, strength=strength)
    image = staining.photograph(rng, (hematoxylin, np.zeros_like(dab), dab), camera, mpp)
    return Phantom(
        image, _her2_truth(classes), section.tumour, _class_map(section, classes), hematoxylin, dab, mpp, camera.white
    )


def _her2_truth(classes: npt.NDArray[np.int64]) -> Her2Truth:
    cells = classes[classes >= 0]
    if cells.size == 0:
        return Her2Truth(None, (1.0, 0.0, 0.0, 0.0), 0)
    none, faint, moderate, intense = (float(share) for share in np.bincount(cells, minlength=4) / cells.size)
    score = her2_score(intense_complete=intense, moderate_complete=moderate, faint_incomplete=faint)
    return Her2Truth(score, (none, faint, moderate, intense), int(cells.size))


def nuclear_phantom(
    seed: int,
    *,
    percent_positive: float,
    size_px: int = 1024,
    mpp: float = 0.25,
    tissue: TissueConfig | None = None,
    camera: Camera | None = None,
    varied: bool = False,
) -> Phantom[NuclearTruth]:
    """Simulate a section stained for a nuclear marker (PR, ER, Ki-67).

    The mean optical density of DAB over every nucleus lies well inside its class of strength, so the truth is exact.

    Args:
        percent_positive: wanted share of positive tumour nuclei, 0-100; the truth holds the share that was reached.
    """
    rng = np.random.default_rng([seed, 3])
    tissue = tissue or (random_tissue(seed) if varied else TissueConfig())
    camera = camera or (staining.random_camera(rng) if varied else Camera())
    section = without_slivers(build_tissue(seed, size_px=size_px, mpp=mpp, config=tissue))
    share = percent_positive / 100.0
    mix = rng.dirichlet([1.5, 2.0, 2.5])
    strength = _assign(rng, section, [1 - share, *(share * mix)])
    density = draw_densities(rng, strength)
    background = float(rng.uniform(0, 0.12)) if varied else 0.01
    dab = staining.nuclear_dab(rng, section, density, background)
    hematoxylin = staining.counterstain(rng, section, strength=float(rng.uniform(0.4, 1.1)) if varied else 0.75)
    image = staining.photograph(rng, (hematoxylin, np.zeros_like(dab), dab), camera, mpp)
    truth = nuclear_truth(section, strength, dab)
    return Phantom(image, truth, section.tumour, _class_map(section, strength), hematoxylin, dab, mpp, camera.white)


def he_phantom(
    seed: int,
    *,
    size_px: int = 1024,
    mpp: float = 0.25,
    tissue: TissueConfig | None = None,
    camera: Camera | None = None,
    varied: bool = False,
) -> Phantom[None]:
    """Simulate a section stained with hematoxylin and eosin; the cells are those of `her2_phantom` with this seed."""
    rng = np.random.default_rng([seed, 4])
    if varied:
        tissue = tissue or random_tissue(seed)
        camera = camera or staining.random_camera(rng)
    camera = camera or replace(Camera(), white=(243.0, 240.0, 243.0))
    section = build_tissue(seed, size_px=size_px, mpp=mpp, config=tissue)
    hematoxylin = staining.counterstain(rng, section, strength=float(rng.uniform(0.7, 1.2)) if varied else 1.0)
    dye = staining.eosin(rng, section)
    image = staining.photograph(rng, (hematoxylin, dye, np.zeros_like(dye)), camera, mpp)
    everywhere = section.tumour.astype(np.uint8)
    return Phantom(image, None, section.tumour, everywhere, hematoxylin, np.zeros_like(dye), mpp, camera.white)
