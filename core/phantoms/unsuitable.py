"""Simulated pictures that no score should be read from: pigment, overstaining, fluorescence, gray, no nuclei."""

from dataclasses import replace

import cv2
import numpy as np

from core.phantoms import staining
from core.phantoms.phantom import nuclear_phantom
from core.phantoms.staining import EOSIN, HEMATOXYLIN, Camera
from core.phantoms.tissue import FloatMap, Tissue, TissueConfig, build_tissue, smooth_noise
from core.types import RGBImage

MELANIN = (0.350, 0.507, 0.788)
"""Optical density per unit in R, G, B: absorbance falls as the third power of the wavelength (610, 540, 465 nm).

Source: Jacques 2013, Phys Med Biol 58:R37 (power law of melanin, exponent about 3 to 3.5).
"""


def pigment_phantom(seed: int, *, size_px: int = 1024, mpp: float = 0.25) -> RGBImage:
    """Draw granules of melanin in the cytoplasm of some cells, blue nuclei, and no DAB at all."""
    rng = np.random.default_rng([seed, 6])
    section = build_tissue(seed, size_px=size_px, mpp=mpp)
    laden = (rng.random(section.is_tumour.size) < 0.5)[section.epithelium.labels] & section.tumour
    grains = np.clip(smooth_noise(rng, size_px, 0.9 / mpp) - 0.3, 0, None)
    melanin = np.asarray(1.1 * grains * laden * (1 - np.clip(section.nuclei, 0, 1)), np.float32)
    return _photographed(rng, section, melanin, replace(Camera(), vectors=(HEMATOXYLIN, EOSIN, MELANIN)))


def saturated_phantom(seed: int, *, size_px: int = 1024, mpp: float = 0.25) -> RGBImage:
    """Draw a section overstained with DAB: dark brown everywhere, nuclei hardly darker than the rest."""
    rng = np.random.default_rng([seed, 7])
    section = build_tissue(seed, size_px=size_px, mpp=mpp)
    tissue = section.tumour * section.texture + section.stroma_mask * section.fibres
    dab = np.asarray(1.3 * tissue + 0.3 * (section.nuclei + section.stroma_nuclei), np.float32)
    return _photographed(rng, section, dab, Camera())


def fluorescence_phantom(seed: int, *, size_px: int = 1024, mpp: float = 0.25) -> RGBImage:
    """Draw blue nuclei and green cells that glow on black."""
    rng = np.random.default_rng([seed, 8])
    section = build_tissue(seed, size_px=size_px, mpp=mpp)
    blue = 190 * (section.nuclei + section.stroma_nuclei)
    green = 120 * section.tumour * section.texture * (0.3 + np.exp(-((section.epithelium.edge_um / 0.8) ** 2)))
    glow = cv2.GaussianBlur(np.stack([0.1 * green, green, blue], axis=2).astype(np.float32), (0, 0), 0.3 / mpp)
    noisy = glow + 5 + rng.standard_normal(glow.shape, dtype=np.float32) * 2
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def gray_phantom(seed: int, *, size_px: int = 1024, mpp: float = 0.25) -> RGBImage:
    """Draw a nuclear stain as a camera without colour sees it."""
    image = nuclear_phantom(seed, percent_positive=40.0, size_px=size_px, mpp=mpp).image
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def acellular_phantom(seed: int, *, size_px: int = 1024, mpp: float = 0.25) -> RGBImage:
    """Draw fibres, fat and glass without a single nucleus."""
    rng = np.random.default_rng([seed, 9])
    config = TissueConfig(tumour=0.0, lumen=0.0, fat=0.2, empty=0.2)
    section = build_tissue(seed, size_px=size_px, mpp=mpp, config=config)
    bare = replace(section, stroma_nuclei=np.zeros_like(section.stroma_nuclei))
    return _photographed(rng, bare, np.zeros_like(bare.nuclei), Camera())


def _photographed(rng: np.random.Generator, section: Tissue, brown: FloatMap, camera: Camera) -> RGBImage:
    hematoxylin = staining.counterstain(rng, section, strength=0.75)
    return staining.photograph(rng, (hematoxylin, np.zeros_like(brown), brown), camera, section.mpp)
