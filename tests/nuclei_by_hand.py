"""Nuclei put together by hand: a grid of circles of known stain, no detector."""

import numpy as np

from core.labels import NucleiMethod
from core.types import Membranes, Nuclei

SIZE = (200, 160)
"""(width, height) of the picture they lie in."""


def hand_made_nuclei(*, count: int = 100, size: tuple[int, int] = SIZE, membranes: bool = False) -> Nuclei:
    """Build nuclei of which 60 % are unstained, 20 % weak, 10 % moderate and 10 % strong, in rows from the top left."""
    columns = int(np.ceil(np.sqrt(count * size[0] / size[1])))
    rows = -(-count // columns)
    place = np.arange(count)
    step = np.array([size[0] / columns, size[1] / rows])
    centres = (np.stack([place % columns, place // columns], axis=1) + 0.5) * step
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    circle = 0.35 * step.min() * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    dab = np.array([0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.3, 0.3, 0.5, 0.8], np.float32)[place % 10]
    return Nuclei(
        centres=centres.astype(np.float32),
        outlines=(centres[:, None] + circle).astype(np.float32),
        area_um2=np.full(count, 40, np.float32),
        dab_od=dab,
        hematoxylin_od=np.full(count, 0.3, np.float32),
        positive=dab > 0.2,
        confidence=np.full(count, 0.9, np.float32),
        mpp=0.25,
        mpp_estimated=False,
        method=NucleiMethod.CLASSICAL,
        membranes=_membranes(dab) if membranes else None,
    )


def _membranes(dab: np.ndarray) -> Membranes:
    stained = dab > 0.2
    return Membranes(
        od=np.where(stained, dab, 0).astype(np.float32),
        completeness=np.where(stained, 0.9, 0).astype(np.float32),
        width_um=np.where(stained, 1.2, np.nan).astype(np.float32),
    )
