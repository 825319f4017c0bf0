"""Tumour nuclei of a simulated section and their exact stain."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from core.phantoms.tissue import FloatMap, LabelMap, Tissue
from core.quantify.scores import Allred, ReceptorStatus, allred, er_status, h_score, pgr_status

OD_OF_STRENGTH = ((0.0, 0.0), (0.26, 0.35), (0.46, 0.55), (0.7, 1.25))
"""Mean optical density of DAB over a nucleus: negative, weak, moderate, strong; away from the limits 0.2, 0.4, 0.6."""

MIN_NUCLEUS_UM2 = 12.0
"""Smaller pieces of nuclei, cut by the field or by a crowded cell, are not drawn and not counted."""


@dataclass(frozen=True)
class NuclearTruth:
    """What is really on a simulated section of a nuclear marker; tumour nuclei only, one row each.

    Attributes:
        centres: (N, 2) float32, (x, y) of the middle of each nucleus in pixels.
        strength: (N,) int, 0 negative, 1 weak, 2 moderate, 3 strong.
        dab_od: (N,) float32, mean optical density of DAB over the nucleus, before the camera.
        labels: (H, W) int32, 1 + row of the nucleus that a pixel belongs to; 0 outside.
    """

    centres: npt.NDArray[np.float32]
    strength: npt.NDArray[np.int64]
    dab_od: npt.NDArray[np.float32]
    labels: LabelMap

    @property
    def positive(self) -> npt.NDArray[np.bool_]:
        """Which nuclei are stained, (N,)."""
        return np.asarray(self.strength > 0, np.bool_)

    @property
    def percent_positive(self) -> float:
        """Share of stained nuclei, 0-100; 0 without nuclei."""
        return sum(self.percentages)

    @property
    def percentages(self) -> tuple[float, float, float]:
        """Percent of all nuclei that are weak, moderate and strong."""
        counts = np.bincount(self.strength, minlength=4)[1:4]
        weak, moderate, strong = (100.0 * float(count) / max(self.strength.size, 1) for count in counts)
        return weak, moderate, strong

    @property
    def h_score(self) -> float:
        """H-score, 0-300."""
        weak, moderate, strong = self.percentages
        return h_score(weak=weak, moderate=moderate, strong=strong)

    @property
    def allred(self) -> Allred:
        """Allred score; the intensity is the rounded mean of the stained nuclei."""
        stained = self.strength[self.strength > 0]
        return allred(self.percent_positive, int(np.floor(stained.mean() + 0.5)) if stained.size else 0)

    @property
    def er(self) -> ReceptorStatus:
        """Oestrogen receptor category."""
        return er_status(self.percent_positive)

    @property
    def pgr(self) -> ReceptorStatus:
        """Progesterone receptor category."""
        return pgr_status(self.percent_positive)


def without_slivers(tissue: Tissue) -> Tissue:
    """Take away nuclei of which too little is in the picture; their cells are no tumour cells then."""
    area = np.bincount(tissue.nucleus_of[tissue.nucleus_of >= 0], minlength=tissue.is_tumour.size) * tissue.mpp**2
    kept = tissue.is_tumour & (area >= MIN_NUCLEUS_UM2)
    there = kept[tissue.epithelium.labels]
    return replace(
        tissue,
        is_tumour=kept,
        nuclei=np.where(there, tissue.nuclei, np.float32(0)),
        nucleus_of=np.where(there, tissue.nucleus_of, np.int32(-1)),
    )


def draw_densities(rng: np.random.Generator, strength: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Draw the mean DAB optical density of every nucleus from its strength (N,), -1 for cells that do not exist."""
    low, high = np.array(OD_OF_STRENGTH).T
    cells = np.clip(strength, 0, 3)
    return np.asarray(low[cells] + (high - low)[cells] * rng.random(cells.size), np.float32)


def scaled_to_means(pattern: FloatMap, haze: FloatMap, tissue: Tissue, density: npt.NDArray[np.float32]) -> FloatMap:
    """Return haze plus `pattern` scaled cell by cell, so that the mean over each stained nucleus is its `density`.

    Args:
        pattern: (H, W) how the dye is spread over the nuclei, in any unit.
        haze: (H, W) optical density of the background.
        density: (N,) wanted mean over the nucleus of each cell; 0 adds nothing to the haze.
    """
    inside = tissue.nucleus_of >= 0
    cells = tissue.nucleus_of[inside]
    count = np.maximum(np.bincount(cells, minlength=density.size), 1)
    mean_pattern = np.bincount(cells, pattern[inside], minlength=density.size) / count
    mean_haze = np.bincount(cells, haze[inside], minlength=density.size) / count
    factor = np.where(density > 0, (density - mean_haze) / np.maximum(mean_pattern, 1e-3), 0.0)
    return np.asarray(haze + factor.astype(np.float32)[tissue.epithelium.labels] * pattern, np.float32)


def nuclear_truth(tissue: Tissue, strength: npt.NDArray[np.int64], dab: FloatMap) -> NuclearTruth:
    """Read the truth off the drawn dye.

    Args:
        strength: (N,) per cell of the epithelium, -1 for cells that do not exist.
        dab: (H, W) optical density.
    """
    exists = np.flatnonzero(strength >= 0)
    row = np.full(strength.size + 1, -1, np.int32)  # the last entry serves pixels outside all nuclei
    row[exists] = np.arange(exists.size)
    labels = row[tissue.nucleus_of] + np.int32(1)
    y, x = np.nonzero(labels)
    rows = labels[y, x] - 1
    count = np.maximum(np.bincount(rows, minlength=exists.size), 1)
    mean_x, mean_y, mean_dab = (
        np.bincount(rows, values, minlength=exists.size) / count for values in (x, y, dab[y, x])
    )
    return NuclearTruth(
        centres=np.stack([mean_x, mean_y], axis=1).astype(np.float32),
        strength=strength[exists],
        dab_od=mean_dab.astype(np.float32),
        labels=labels,
    )
