"""Stain amounts of one IHC image, without any network."""

from dataclasses import replace

import cv2
import numpy as np

from core.quantify.nuclei import find_nuclei
from core.quantify.scores import allred, h_score
from core.stains.separation import White
from core.types import DensityMap, Mask, Measurements, RGBImage

DAB_THRESHOLD = 0.2
"""Optical density of DAB from which a pixel counts as stained (weak brown)."""

INTENSITY_STEPS = (0.2, 0.4, 0.6)
"""Mean DAB optical density of a nucleus from which it is weak, moderate and strong (the defaults of QuPath)."""


def measure(dab: DensityMap, tissue: Mask) -> Measurements:
    """Summarise the DAB density over the tissue of an image.

    Args:
        dab: (H, W) optical density.
        tissue: (h, w) of the same field, at any resolution.
    """
    if tissue.shape != dab.shape:
        size = (dab.shape[1], dab.shape[0])
        tissue = cv2.resize(tissue.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(np.bool_)
    values = dab[tissue]
    if values.size == 0:
        return Measurements(0, DAB_THRESHOLD, 0.0, 0.0, 0.0, 0.0)
    return Measurements(
        tissue_px=int(values.size),
        dab_threshold=DAB_THRESHOLD,
        dab_area_percent=float(100 * np.mean(values > DAB_THRESHOLD)),
        dab_od_mean=float(values.mean()),
        dab_od_p90=float(np.percentile(values, 90)),
        membrane_energy=0.0,
    )


def add_nuclei(measured: Measurements, image: RGBImage, white: White, mpp: float | None) -> Measurements:
    """Add the nuclear figures of the full image: percent positive, Allred and H-score.

    Args:
        image: (H, W, 3) uint8 RGB of an IHC with nuclear DAB.
        white: (3,) white point.
        mpp: micrometres per pixel; None lets the size of the nuclei decide.
    """
    nuclei = find_nuclei(image, white, mpp)
    if not len(nuclei):
        return replace(measured, nuclei_counted=0)
    grade = np.where(nuclei.positive, np.clip(np.digitize(nuclei.dab_od, INTENSITY_STEPS), 1, 3), 0)
    weak, moderate, strong = (100 * float(np.mean(grade == k)) for k in (1, 2, 3))
    percent = 100 * float(np.mean(nuclei.positive))
    intensity = int(np.floor(grade[grade > 0].mean() + 0.5)) if percent else 0
    return replace(
        measured,
        positive_nuclei_percent=percent,
        nuclei_counted=len(nuclei),
        allred=allred(percent, intensity).total,
        h_score=h_score(weak=weak, moderate=moderate, strong=strong),
    )
