"""Geometry of simulated tissue: where tumour cells, stroma, fat and empty spaces lie. No stain yet.

One seed gives one tissue, whatever is stained on it afterwards: that is how an H&E picture and an IHC picture of the
same section are made.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from core.types import Mask

FloatMap = npt.NDArray[np.float32]
LabelMap = npt.NDArray[np.int32]


@dataclass(frozen=True)
class TissueConfig:
    """What the section consists of. Lengths in micrometres, shares in [0, 1].

    Attributes:
        cell_um: distance of neighbouring tumour cells.
        elongation: length of a tumour cell over its width (about 2 for columnar epithelium).
        tumour, fat, lumen, empty: shares of the field; lumen is the share of the tumour that is hollow.
        nest_um: typical size of a tumour nest.
        stroma_um: distance of neighbouring stroma cells.
        lymphocytes: share of stroma cells that are small, round and dark.
        nucleus: radius of a tumour nucleus over the radius of its cell.
    """

    cell_um: float = 13.0
    elongation: float = 1.2
    tumour: float = 0.6
    fat: float = 0.0
    lumen: float = 0.05
    empty: float = 0.0
    nest_um: float = 70.0
    stroma_um: float = 12.0
    lymphocytes: float = 0.15
    nucleus: float = 0.55


@dataclass(frozen=True)
class CellLayer:
    """Cells that share the plane between them without gaps.

    Attributes:
        labels: (H, W) int32, index of the cell a pixel belongs to, in [0, N).
        edge_um: (H, W) float32, distance to the nearest border between two cells.
        x_px, y_px: (N,) centre of every cell in pixels; NaN for cells outside the field.
        area_um2: (N,) area inside the field.
        angle: (N,) direction of the long axis in radians.
    """

    labels: LabelMap
    edge_um: FloatMap
    x_px: FloatMap
    y_px: FloatMap
    area_um2: FloatMap
    angle: FloatMap


@dataclass(frozen=True)
class Tissue:
    """A simulated section.

    Attributes:
        epithelium: the layer of tumour cells; only those in `is_tumour` exist.
        stroma: the layer of stroma cells, seen where there is neither tumour, fat nor emptiness.
        is_tumour: (N,) bool per cell of `epithelium`.
        tumour, stroma_mask, fat, void: (H, W) bool, a partition of the field.
        nuclei: (H, W) float32 in [0, 1], chromatin of the tumour cells; `stroma_nuclei` of all others.
        nucleus_of: (H, W) int32, index of the tumour cell whose nucleus a pixel belongs to; -1 outside all nuclei.
        fibres: (H, W) float32 around 1, density of the stroma fibres.
        texture: (H, W) float32 around 1, granularity of the cytoplasm.
    """

    config: TissueConfig
    mpp: float
    epithelium: CellLayer
    stroma: CellLayer
    is_tumour: npt.NDArray[np.bool_]
    tumour: Mask
    stroma_mask: Mask
    fat: Mask
    void: Mask
    nuclei: FloatMap
    nucleus_of: LabelMap
    stroma_nuclei: FloatMap
    fibres: FloatMap
    texture: FloatMap
    fat_wall_um: FloatMap = field(repr=False)


def smooth_noise(rng: np.random.Generator, size_px: int, grain_px: float) -> FloatMap:
    """Return (size, size) float32 noise of mean 0 and deviation 1 whose blobs are about `grain_px` wide."""
    cells = max(2, int(np.ceil(size_px / max(grain_px, 1.0))) + 3)
    grid = rng.standard_normal((cells, cells)).astype(np.float32)
    side = max(size_px, int(np.ceil(cells * max(grain_px, 1.0))))
    offset = int(rng.integers(0, max(1, side - size_px + 1)))
    noise = cv2.resize(grid, (side, side), interpolation=cv2.INTER_CUBIC)[offset : offset + size_px, :size_px]
    return np.asarray((noise - noise.mean()) / (noise.std() + 1e-6), np.float32)


def _coordinates(size_px: int) -> tuple[FloatMap, FloatMap]:
    y, x = np.indices((size_px, size_px), dtype=np.float32)
    return x, y


def _cells(
    rng: np.random.Generator,
    size_px: int,
    mpp: float,
    *,
    spacing_um: float,
    stretch: float,
    direction: float,
    warp: float,
) -> CellLayer:
    """Divide the field into cells: Voronoi regions of a jittered lattice, stretched, turned and warped."""
    spacing = spacing_um / mpp
    x, y = _coordinates(size_px)
    for strength, grain in ((0.9 * warp, 5.0), (0.22 * warp, 0.8)):
        x = x + strength * spacing * smooth_noise(rng, size_px, grain * spacing)
        y = y + strength * spacing * smooth_noise(rng, size_px, grain * spacing)
    cos, sin, root = float(np.cos(direction)), float(np.sin(direction)), float(np.sqrt(stretch))
    u, v = (cos * x + sin * y) / root, (-sin * x + cos * y) * root
    u, v = u - u.min() + np.float32(spacing), v - v.min() + np.float32(spacing)
    width, height = int(u.max() + 2 * spacing), int(v.max() + 2 * spacing)

    columns, rows = int(width / spacing) + 1, int(height / (0.87 * spacing)) + 1
    grid_y, grid_x = np.indices((rows, columns)).astype(np.float32)
    seeds_x = (grid_x + 0.5 * (grid_y % 2) + rng.normal(0, 0.2, grid_x.shape)) * spacing
    seeds_y = (grid_y + rng.normal(0, 0.2, grid_x.shape)) * 0.87 * spacing
    canvas = np.full((height, width), 255, np.uint8)
    canvas[np.clip(seeds_y, 0, height - 1).astype(int), np.clip(seeds_x, 0, width - 1).astype(int)] = 0
    _, regions = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    warped = cv2.remap(regions.astype(np.float32), u, v, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    _, labels = np.unique(warped.astype(np.int32), return_inverse=True)
    return _describe(rng, labels.reshape(size_px, size_px).astype(np.int32), mpp, direction, stretch)


def _describe(rng: np.random.Generator, labels: LabelMap, mpp: float, direction: float, stretch: float) -> CellLayer:
    border = np.zeros(labels.shape, bool)
    border[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    border[1:] |= labels[1:] != labels[:-1]
    edge = cv2.distanceTransform((~border).astype(np.uint8), cv2.DIST_L2, 5) * np.float32(mpp)
    flat, (y, x) = labels.ravel(), np.indices(labels.shape)
    count = np.bincount(flat).astype(np.float32)
    spread = 0.25 if stretch > 1.5 else 1.5
    return CellLayer(
        labels,
        edge.astype(np.float32),
        (np.bincount(flat, x.ravel()) / count).astype(np.float32),
        (np.bincount(flat, y.ravel()) / count).astype(np.float32),
        count * np.float32(mpp * mpp),
        (direction + rng.normal(0, spread, count.size)).astype(np.float32),
    )


def ellipses(layer: CellLayer, mpp: float, major_um: FloatMap, minor_um: FloatMap) -> FloatMap:
    """Return (H, W) float32: 0 at the centre of a cell's ellipse, 1 on its rim, growing outwards."""
    labels = layer.labels
    x, y = _coordinates(labels.shape[0])
    dx, dy = (x - layer.x_px[labels]) * mpp, (y - layer.y_px[labels]) * mpp
    cos, sin = np.cos(layer.angle)[labels], np.sin(layer.angle)[labels]
    along, across = (cos * dx + sin * dy) / major_um[labels], (-sin * dx + cos * dy) / minor_um[labels]
    return np.asarray(np.sqrt(along * along + across * across), np.float32)


def chromatin(rng: np.random.Generator, rim: FloatMap, labels: LabelMap, mpp: float, *, vesicular: float) -> FloatMap:
    """Turn distances of `ellipses` into chromatin in [0, 1]: dark rim, clumps, and a nucleolus where vesicular."""
    count = int(labels.max()) + 1
    darkness = rng.uniform(0.55, 1.0, count).astype(np.float32)[labels]
    inside = 1.0 / (1.0 + np.exp(np.clip((rim - 1.0) * 14.0, -30, 30)))
    clumps = 1.0 + 0.28 * smooth_noise(rng, rim.shape[0], 1.1 / mpp)
    ring = 1.0 - vesicular * np.clip(1.0 - rim * rim, 0.0, 1.0)
    nucleolus = 0.8 * vesicular * np.exp(-((rim / 0.2) ** 2))
    return np.asarray(np.clip(inside * darkness * (clumps * ring + nucleolus), 0.0, 1.3), np.float32)


def _partition(
    rng: np.random.Generator, config: TissueConfig, layer: CellLayer, mpp: float
) -> tuple[npt.NDArray[np.bool_], Mask, Mask, Mask, FloatMap]:
    """Decide what every pixel is; whole cells are tumour, so nests end at cell borders."""
    size = layer.labels.shape[0]
    coarse, fine = (smooth_noise(rng, size, share * config.nest_um / mpp) for share in (1.0, 0.3))
    nest = np.asarray(coarse + 0.25 * fine, np.float32)
    hollow = np.asarray(smooth_noise(rng, size, 0.5 * config.nest_um / mpp) + 0.6 * nest, np.float32)
    adipose = smooth_noise(rng, size, 150.0 / mpp)
    outside = smooth_noise(rng, size, 220.0 / mpp)

    def upper(values: FloatMap, share: float) -> Mask:
        if share <= 0.0:
            return np.zeros(values.shape, bool)
        return np.asarray(values >= np.quantile(values[::4, ::4], 1.0 - min(share, 1.0)), bool)

    rows = np.clip(layer.y_px, 0, size - 1).astype(int)
    columns = np.clip(layer.x_px, 0, size - 1).astype(int)
    void, fat = upper(outside, config.empty), upper(adipose, config.fat)
    lumen = upper(hollow, config.lumen * config.tumour)
    gone = void | fat | lumen
    is_tumour = (upper(nest, config.tumour) & ~gone)[rows, columns]
    tumour = is_tumour[layer.labels]
    fat &= ~tumour & ~void
    void = (void | lumen) & ~tumour
    wall = _cells(rng, size, mpp, spacing_um=float(rng.uniform(45, 80)), stretch=1.2, direction=0.3, warp=0.15).edge_um
    return is_tumour, tumour, fat, void, wall


def _fibres(rng: np.random.Generator, size: int, mpp: float, direction: float) -> FloatMap:
    """Return wavy stripes along `direction`, (size, size) float32 around 1."""
    x, y = _coordinates(size)
    cos, sin = float(np.cos(direction)), float(np.sin(direction))
    bend = (6.0 / mpp) * smooth_noise(rng, size, 45.0 / mpp)
    along = cos * x + sin * y
    across = -sin * x + cos * y + bend
    grid = rng.standard_normal((256, 256)).astype(np.float32)
    u, v = (along * mpp / 25.0) % 255, (across * mpp / 2.2) % 255
    stripes = cv2.remap(grid, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(np.clip(1.0 + 0.35 * stripes, 0.1, 2.2), np.float32)


def build_tissue(seed: int, *, size_px: int, mpp: float, config: TissueConfig | None = None) -> Tissue:
    """Simulate the geometry of one square section.

    Args:
        size_px: side of the field in pixels.
        mpp: micrometres per pixel; cells keep their physical size.
        config: composition; None for the default, mostly tumour.
    """
    config = config or TissueConfig()
    rng = np.random.default_rng([seed, 1])
    direction, fibre_direction = rng.uniform(0, np.pi, 2)
    layer = _cells(
        rng, size_px, mpp, spacing_um=config.cell_um, stretch=config.elongation, direction=direction, warp=0.55
    )
    is_tumour, tumour, fat, void, wall = _partition(rng, config, layer, mpp)
    stroma = _cells(rng, size_px, mpp, spacing_um=config.stroma_um, stretch=2.2, direction=fibre_direction, warp=0.4)
    radius = config.nucleus * np.sqrt(np.minimum(layer.area_um2, 2.0 * config.cell_um**2) / np.pi)
    radius = np.clip(radius * rng.normal(1.0, 0.1, radius.size), 1.5, 7.5).astype(np.float32)
    stretch = np.sqrt(1.0 + 0.35 * (config.elongation - 1.0)) * rng.uniform(1.0, 1.15, radius.size).astype(np.float32)
    rim = ellipses(layer, mpp, radius * stretch, radius / stretch)
    nuclei = chromatin(rng, rim, layer.labels, mpp, vesicular=float(rng.uniform(0.2, 0.7)))

    round_cells = rng.random(stroma.angle.size) < config.lymphocytes
    major = np.where(round_cells, 3.0, rng.uniform(4.0, 7.5, round_cells.size)).astype(np.float32)
    minor = np.where(round_cells, 2.8, rng.uniform(1.1, 2.0, round_cells.size)).astype(np.float32)
    seen = (rng.random(round_cells.size) < 0.75) | round_cells
    stroma_rim = ellipses(stroma, mpp, major, minor)
    stroma_nuclei = chromatin(rng, stroma_rim, stroma.labels, mpp, vesicular=0.1) * seen[stroma.labels]
    stroma_mask = ~(tumour | fat | void)
    return Tissue(
        config=config,
        mpp=mpp,
        epithelium=layer,
        stroma=stroma,
        is_tumour=is_tumour,
        tumour=tumour,
        stroma_mask=stroma_mask,
        fat=fat,
        void=void,
        nuclei=nuclei * tumour,
        nucleus_of=np.where(tumour & (rim <= 1.0), layer.labels, np.int32(-1)),
        stroma_nuclei=np.asarray(stroma_nuclei * stroma_mask, np.float32),
        fibres=_fibres(rng, size_px, mpp, float(fibre_direction)),
        texture=np.clip(1.0 + 0.2 * smooth_noise(rng, size_px, 0.9 / mpp), 0.2, 2.0).astype(np.float32),
        fat_wall_um=wall,
    )
