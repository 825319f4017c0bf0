"""Rendering the pictures of a result for reports and programs: overlays, maps, colour bars."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from core.explain.overlay import CLASS_COLOURS, RGB, blend, draw_tiles
from core.explain.pseudocolor import DENSITY_MAX, colorbar, render_density
from core.labels import CLASSES, StainSource
from core.png_text import fast_png as fast_png
from core.quantify.adjusted import class_names
from core.quantify.grading import UNCHANGED
from core.quantify.outline_picture import CLASS_COLOURS as OUTLINE_COLOURS
from core.quantify.outline_picture import render_outlines
from core.types import Adjustments, Analysis, DensityMap, Heatmap, Nuclei, Pictures, RGBImage

HEATMAP_COLORMAP = "inferno"
HEATMAP_OPACITY = 0.5
_SHORT_PATTERNS = {0: "none", 1: "faint", 2: "moderate", 3: "intense"}


@dataclass(frozen=True)
class ColorScale:
    """What the colours of a picture stand for, from `low` to `high`."""

    colormap: str
    low: float
    high: float
    label: str


@dataclass(frozen=True)
class Figure:
    """One rendered picture.

    Attributes:
        key: stable short name, usable in file names ("gradcam-denseblock3").
        image: (H, W, 3) uint8 RGB.
        virtual: computed from a virtual stain; must be marked wherever it is shown.
        legend: classes and their colours, where colours stand for classes.
    """

    key: str
    title: str
    image: RGBImage
    scale: ColorScale | None = None
    virtual: bool = False
    legend: tuple[tuple[str, RGB], ...] = ()


def figures(
    pictures: Pictures,
    analysis: Analysis,
    *,
    layers: tuple[str, ...],
    colormap: str,
    nuclei: Nuclei | None = None,
    adjustments: Adjustments = UNCHANGED,
) -> Iterator[Figure]:
    """Render the pictures of one result one after the other, at the size of `pictures`.

    Args:
        layers: which heat maps to render; names that were not explained are left out.
        colormap: for the DAB density map, one of `core.explain.pseudocolor.COLORMAPS`.
        nuclei: to be outlined; None where none were sought.
        adjustments: what a person changed about them.
    """
    virtual = analysis.stain_source is StainSource.VIRTUAL
    yield Figure("image", f"Uploaded image ({analysis.stain.stain.title})", pictures.image)
    if virtual:
        yield Figure("virtual-ihc", "Virtual IHC: not real staining", pictures.ihc, virtual=True)
    for layer in layers:
        if layer in pictures.heatmaps:
            yield _heatmap_figure(pictures, analysis, layer, virtual=virtual)
    if pictures.dab is not None:
        scale = ColorScale(colormap, 0.0, DENSITY_MAX, "DAB optical density")
        image = render_density(pictures.dab, colormap, DENSITY_MAX)
        yield Figure("pseudo-color", "DAB density, pseudo-colour", image, scale, virtual)
    if nuclei is not None:
        yield _nuclei_figure(pictures, analysis, nuclei, adjustments)
    if len(analysis.tiles) > 1:
        legend = tuple((label, CLASS_COLOURS[label]) for label in CLASSES[analysis.marker])
        picture = _tile_map(pictures.ihc, analysis)
        yield Figure("tiles", "Tiles and their classes", picture, virtual=virtual, legend=legend)


def _nuclei_figure(pictures: Pictures, analysis: Analysis, nuclei: Nuclei, adjustments: Adjustments) -> Figure:
    picture = render_outlines(pictures.ihc, nuclei, analysis.provenance.size, adjustments)
    names = _SHORT_PATTERNS if nuclei.membranes is not None else class_names(nuclei)
    title = "Cells by membrane" if nuclei.membranes is not None else "Nuclei by class"
    legend = tuple((names[value], colour) for value, colour in OUTLINE_COLOURS.items())
    return Figure("nuclei", title if adjustments == UNCHANGED else f"{title}, adjusted", picture, legend=legend)


def _heatmap_figure(pictures: Pictures, analysis: Analysis, layer: str, *, virtual: bool) -> Figure:
    heatmap = pictures.heatmaps[layer]
    image = blend(pictures.ihc, heatmap, opacity=HEATMAP_OPACITY, colormap=HEATMAP_COLORMAP)
    target = analysis.target or analysis.outcome
    scale = ColorScale(HEATMAP_COLORMAP, 0.0, 1.0, f"support for {target}, 1 = strongest")
    return Figure(f"gradcam-{layer}", f"{_method(analysis)} for {target}, {layer}", image, scale, virtual)


def _method(analysis: Analysis) -> str:
    return analysis.cam_method.value.replace("GradCAM", "Grad-CAM")


def _tile_map(image: RGBImage, analysis: Analysis) -> RGBImage:
    scale = image.shape[1] / analysis.provenance.size[0]
    return draw_tiles(image, analysis.tiles, analysis.marker, scale=scale)


def shrink(pictures: Pictures, long_side_px: int) -> Pictures:
    """Reduce all pictures to at most `long_side_px`; smaller ones stay as they are."""
    height, width = pictures.image.shape[:2]
    ratio = long_side_px / max(height, width)
    if ratio >= 1:
        return pictures
    size = (max(round(width * ratio), 1), max(round(height * ratio), 1))

    def smaller(plane: DensityMap | None) -> DensityMap | None:
        return None if plane is None else resize_plane(plane, size)

    image = _resize_image(pictures.image, size)
    return Pictures(
        image=image,
        ihc=image if pictures.ihc is pictures.image else _resize_image(pictures.ihc, size),
        dab=smaller(pictures.dab),
        hematoxylin=smaller(pictures.hematoxylin),
        heatmaps={layer: resize_plane(heatmap, size) for layer, heatmap in pictures.heatmaps.items()},
    )


def resize_plane(plane: Heatmap, size: tuple[int, int]) -> Heatmap:
    """Resize (H, W) float32 to `size` (width, height) by area; NaN stays NaN and does not spread."""
    unknown = np.isnan(plane)
    resized = cv2.resize(np.where(unknown, 0, plane).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    if unknown.any():
        gone = cv2.resize(unknown.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        resized[gone > 0] = np.nan
    return np.asarray(resized, dtype=np.float32)


def _resize_image(image: RGBImage, size: tuple[int, int]) -> RGBImage:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def with_colorbar(figure: Figure) -> RGBImage:
    """Put the colour bar of a figure below it, on white; (H + bar, W, 3) uint8 RGB."""
    if figure.scale is None:
        return figure.image
    scale = figure.scale
    bar = colorbar(scale.colormap, scale.low, scale.high, scale.label)
    width = max(figure.image.shape[1], bar.shape[1])
    return np.concatenate([_padded(figure.image, width), _padded(bar, width)])


def _padded(image: RGBImage, width: int) -> RGBImage:
    missing = width - image.shape[1]
    left = missing // 2
    return np.pad(image, ((0, 0), (left, missing - left), (0, 0)), constant_values=255)


def density_gray(plane: DensityMap, high: float = DENSITY_MAX) -> RGBImage:
    """Show optical density as gray, (H, W, 3) uint8: white is none, black is `high` and more."""
    levels = (255 * (1 - np.clip(plane / high, 0, 1))).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)
