"""Tell H&E, IHC (hematoxylin and DAB) and neither apart."""

import numpy as np

from core.images import is_blank
from core.labels import Stain
from core.stains.separation import optical_density, white_point
from core.types import RGBImage, StainCall


def recognise(image: RGBImage) -> StainCall:
    """Say which stain an image shows."""
    if is_blank(image):
        return StainCall(Stain.NEITHER, {"he": 0.0, "ihc": 0.0, "neither": 1.0}, unsure=False, overruled=False)
    density = optical_density(image[::4, ::4], white_point(image)).reshape(-1, 3)
    strong = density[density.sum(axis=1) > 0.1]
    pink = float(np.mean(strong[:, 1] > 1.25 * np.maximum(strong[:, 0], strong[:, 2]))) if len(strong) else 0.0
    he = min(max(pink * 3, 0.02), 0.98)
    stain = Stain.HE if he > 0.5 else Stain.IHC
    return StainCall(stain, {"he": he, "ihc": 1 - he, "neither": 0.0}, unsure=0.35 < he < 0.65, overruled=False)
