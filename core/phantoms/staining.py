"""Stains on simulated tissue: amounts of each dye per pixel, and the picture a camera makes of them."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from core.phantoms.nuclear import scaled_to_means
from core.phantoms.tissue import FloatMap, Tissue, smooth_noise
from core.types import RGBImage

HEMATOXYLIN = (0.650, 0.704, 0.286)
EOSIN = (0.093, 0.954, 0.283)
DAB = (0.268, 0.570, 0.776)
"""Optical density per unit of dye in R, G, B. Sources: Ruifrok and Johnston 2001; eosin as in scikit-image's HED."""


@dataclass(frozen=True)
class Camera:
    """How densities become a picture.

    Attributes:
        white: (R, G, B) of empty background in [0, 255].
        vectors: density of hematoxylin, eosin and DAB in R, G, B; rows of length about 1.
        blur_um: deviation of the optical blur.
        noise: deviation of the sensor noise in grey levels.
        sharpen: strength of the scanner's unsharp mask.
    """

    white: tuple[float, float, float] = (238.0, 238.0, 240.0)
    vectors: tuple[tuple[float, float, float], ...] = (HEMATOXYLIN, EOSIN, DAB)
    blur_um: float = 0.3
    noise: float = 1.5
    sharpen: float = 0.0


def random_camera(rng: np.random.Generator) -> Camera:
    """Return a camera and dyes as they differ between laboratories: grey to bright white, tinted, soft or sharpened."""
    level = float(
        rng.choice([rng.uniform(170, 195), rng.uniform(195, 235), rng.uniform(228, 254)], p=[0.35, 0.2, 0.45])
    )
    white = np.clip(level + rng.normal(0, 4, 3), 160, 255)
    vectors = np.array([HEMATOXYLIN, EOSIN, DAB]) + rng.normal(0, 0.045, (3, 3))
    vectors = np.clip(vectors, 0.02, None)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Camera(
        (float(white[0]), float(white[1]), float(white[2])),
        tuple((float(row[0]), float(row[1]), float(row[2])) for row in vectors),
        blur_um=float(rng.uniform(0.15, 0.7)),
        noise=float(rng.uniform(0.5, 3.5)),
        sharpen=float(rng.choice([0.0, rng.uniform(0.3, 1.5)])),
    )


def photograph(
    rng: np.random.Generator, densities: tuple[FloatMap, FloatMap, FloatMap], camera: Camera, mpp: float
) -> RGBImage:
    """Mix hematoxylin, eosin and DAB by the Beer-Lambert law and photograph them.

    Args:
        densities: three (H, W) float32 maps of dye, in optical density.
        mpp: micrometres per pixel.
    Returns:
        (H, W, 3) uint8 RGB.
    """
    stack = np.stack(densities, axis=-1)
    light = np.power(np.float32(10.0), -(stack @ np.array(camera.vectors, np.float32)))
    sigma = camera.blur_um / mpp
    if sigma > 0.2:
        light = cv2.GaussianBlur(light, (0, 0), sigma)
    if camera.sharpen > 0:
        light = light + camera.sharpen * (light - cv2.GaussianBlur(light, (0, 0), max(0.6 / mpp, 1.0)))
    shading = 1.0 + 0.01 * smooth_noise(rng, light.shape[0], light.shape[0] / 2)
    levels = light * np.array(camera.white, np.float32) * shading[..., None]
    levels += rng.standard_normal(levels.shape, dtype=np.float32) * np.float32(camera.noise)
    return np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)


def counterstain(rng: np.random.Generator, tissue: Tissue, *, strength: float) -> FloatMap:
    """Return (H, W) hematoxylin: nuclei, a trace in cytoplasm and fibres, walls of fat cells."""
    wall = np.exp(-((tissue.fat_wall_um / 0.9) ** 2)) * tissue.fat
    nuclei = tissue.nuclei + 1.05 * tissue.stroma_nuclei
    cytoplasm = rng.uniform(0.03, 0.12) * tissue.tumour * tissue.texture
    fibres = rng.uniform(0.03, 0.13) * tissue.stroma_mask * tissue.fibres
    return np.asarray(strength * (0.75 * nuclei + cytoplasm + fibres + 0.15 * wall), np.float32)


def eosin(rng: np.random.Generator, tissue: Tissue) -> FloatMap:
    """Return (H, W) eosin: cytoplasm, strong fibres, walls of fat cells."""
    wall = np.exp(-((tissue.fat_wall_um / 1.2) ** 2)) * tissue.fat
    free = 1.0 - np.clip(tissue.nuclei + tissue.stroma_nuclei, 0.0, 1.0)
    cytoplasm = rng.uniform(0.14, 0.32) * tissue.tumour * tissue.texture
    border = 0.12 * np.exp(-((tissue.epithelium.edge_um / 0.6) ** 2)) * tissue.tumour
    fibres = rng.uniform(0.2, 0.42) * tissue.stroma_mask * tissue.fibres
    return np.asarray(free * (cytoplasm + border + fibres) + 0.3 * wall, np.float32)


@dataclass(frozen=True)
class MembraneStain:
    """DAB on the membranes of every tumour cell.

    Attributes:
        density: (N,) optical density at the middle of the membrane.
        completeness: (N,) stained share of the circumference in [0, 1].
        cytoplasm: (N,) optical density of the blush inside the cell.
        stroma: optical density of the background staining in stroma.
    """

    density: npt.NDArray[np.float32]
    completeness: npt.NDArray[np.float32]
    cytoplasm: npt.NDArray[np.float32]
    stroma: float


def membrane_dab(rng: np.random.Generator, tissue: Tissue, stain: MembraneStain) -> FloatMap:
    """Return (H, W) DAB on cell borders, each cell staining its own side of the border, plus the blush."""
    layer, size = tissue.epithelium, tissue.tumour.shape[0]
    labels = layer.labels
    y, x = np.indices(labels.shape, dtype=np.float32)
    turn = np.arctan2(y - layer.y_px[labels], x - layer.x_px[labels]) / (2 * np.pi)
    phase = rng.random(layer.angle.size).astype(np.float32)[labels]
    pieces = rng.integers(1, 4, layer.angle.size).astype(np.float32)[labels]
    gap = np.abs(((turn + phase) * pieces) % 1.0 - 0.5) * 2.0  # 0 .. 1 around each piece of membrane
    covered = 1.0 / (1.0 + np.exp((gap - stain.completeness[labels] * 1.08) * 18.0)) * (stain.completeness > 0)[labels]
    half_width = rng.uniform(0.45, 0.8) + 0.35 * rng.random() * np.clip(stain.density, 0, 1.5)[labels]
    profile = np.exp(-((layer.edge_um / half_width) ** 2))
    fine, coarse = smooth_noise(rng, size, 0.8 / tissue.mpp), smooth_noise(rng, size, 6.0 / tissue.mpp)
    grain = np.clip(1.0 + 0.22 * fine + 0.18 * coarse, 0.2, 2)
    membrane = stain.density[labels] * covered * profile
    blush = stain.cytoplasm[labels] * tissue.texture * (1.0 - 0.55 * np.clip(tissue.nuclei, 0, 1))
    background = stain.stroma * tissue.fibres * tissue.stroma_mask
    return np.asarray((membrane * grain + blush) * tissue.tumour + background, np.float32)


def nuclear_dab(
    rng: np.random.Generator, tissue: Tissue, density: npt.NDArray[np.float32], background: float
) -> FloatMap:
    """Return (H, W) DAB in the nuclei of tumour cells over a faint background.

    Args:
        density: (N,) mean over the nucleus of every cell, in optical density.
        background: optical density of the haze over stroma; half of it over tumour.
    """
    pattern = np.clip(tissue.nuclei * 1.35, 0, 1.1)
    haze = background * (0.5 * tissue.tumour + tissue.stroma_mask * tissue.fibres)
    grain = np.clip(1.0 + 0.12 * smooth_noise(rng, tissue.tumour.shape[0], 1.0 / tissue.mpp), 0.3, 2)
    return scaled_to_means(pattern * grain, np.asarray(haze, np.float32), tissue, density)
