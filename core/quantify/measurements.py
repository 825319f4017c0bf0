"""Stain amounts of one IHC image, without any network."""

import cv2
import numpy as np

from core.types import DensityMap, Mask, Measurements

DAB_THRESHOLD = 0.2
"""Optical density of DAB from which a pixel counts as stained (weak brown)."""


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
