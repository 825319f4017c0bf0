"""The pictures of a result, encoded small for the viewer in the browser.

Photographs travel as JPEG. Densities and heat maps travel as one byte a pixel and are coloured in the browser, so that
layer, opacity, colours and the value under the pointer need no answer from the server.
"""

import base64
import json

import numpy as np
import numpy.typing as npt

from core.explain.overlay import CLASS_COLOURS
from core.explain.pseudocolor import COLORMAPS, DENSITY_MAX, colour_table
from core.images import encode_jpeg, encode_png, resize_to_fit
from core.labels import CLASSES, PRIMARY_CAM_LAYER, StainSource
from core.types import Analysis, DensityMap, Heatmap, Pictures, Result
from pages.ui import outlines

HEATMAP_PX = 360
DENSITY_PX = 1000
VIRTUAL_BANNER = "Virtual IHC made from H&E: not real staining"

# Absorption of DAB and hematoxylin per unit of density in R, G, B (Ruifrok and Johnston 2001), to draw one stain alone.
STAIN_OD = {"dab": (0.268, 0.570, 0.776), "hematoxylin": (0.650, 0.704, 0.286)}


Map = tuple[dict[str, object], bytes]
"""Scale and label of a value map, and one byte a pixel as an image file."""


def pack(result: Result, identity: str) -> bytes:
    """Lay pictures and their description out as the viewer reads them.

    Returns:
        four bytes of length (little endian), a JSON header, then the blobs; the header names each blob by
        [offset, length].
    """
    blobs = _Blobs()
    header = describe(result, identity)
    if result.nuclei is not None and len(result.nuclei):
        header["nuclei"] = outlines.describe(result.nuclei, result.analysis.provenance.size, blobs.add)
    return _laid_out(header, encode_images(result.pictures), encode_maps(result.pictures, result.analysis), blobs)


def lay_out(header: dict[str, object], images: dict[str, bytes], maps: dict[str, Map]) -> bytes:
    """Lay out pictures that belong to no scored result; as `pack`.

    Args:
        header: as `describe` returns it.
        images: JPEG by name.
        maps: as `density_map` and `share_map` return them, by name.
    """
    return _laid_out(header, images, maps, _Blobs())


class _Blobs:
    """Bytes one behind the other, each found by [offset, length]."""

    def __init__(self) -> None:
        self.data = bytearray()

    def add(self, data: bytes) -> list[int]:
        self.data.extend(data)
        return [len(self.data) - len(data), len(data)]


def _laid_out(header: dict[str, object], images: dict[str, bytes], maps: dict[str, Map], blobs: _Blobs) -> bytes:
    header["images"] = {name: {"mime": "image/jpeg", "at": blobs.add(data)} for name, data in images.items()}
    header["maps"] = {name: {**spec, "at": blobs.add(data)} for name, (spec, data) in maps.items()}
    text = json.dumps(header).encode()
    return len(text).to_bytes(4, "little") + text + bytes(blobs.data)


def encode_images(pictures: Pictures) -> dict[str, bytes]:
    """The upload, and the scored IHC where it is another picture."""
    images = {"image": encode_jpeg(pictures.image, 85)}
    if pictures.ihc is not pictures.image and not np.array_equal(pictures.ihc, pictures.image):
        images["ihc"] = encode_jpeg(pictures.ihc, 85)
    return images


def encode_maps(pictures: Pictures, analysis: Analysis) -> dict[str, Map]:
    """Value maps by name: their scale and label, and one byte a pixel as an image file."""
    maps: dict[str, Map] = {}
    if pictures.dab is not None:
        maps["dab"] = density_map(pictures.dab, "DAB optical density")
    if pictures.hematoxylin is not None:
        maps["hematoxylin"] = density_map(pictures.hematoxylin, "Hematoxylin optical density")
    explained = sum(tile.explained for tile in analysis.tiles)
    where = f", {explained} of {len(analysis.tiles)} tiles" if explained < len(analysis.tiles) else ""
    for layer, heatmap in pictures.heatmaps.items():
        label = f"{analysis.cam_method} for {analysis.target or analysis.outcome}, {layer}{where}"
        maps[f"cam:{layer}"] = share_map(heatmap, label)
    return maps


def density_map(density: DensityMap, label: str) -> Map:
    """An optical density as the viewer colours it."""
    spec = {"mime": "image/jpeg", "vmin": 0.0, "vmax": DENSITY_MAX, "open": True, "gaps": False, "fades": False}
    return {**spec, "label": label}, _density_bytes(density)


def share_map(heatmap: Heatmap, label: str) -> Map:
    """A map of values in [0, 1] as the viewer colours it; NaN where there is no value."""
    spec = {"mime": "image/png", "vmin": 0.0, "vmax": 1.0, "open": False, "gaps": True, "fades": True}
    return {**spec, "label": label}, _heatmap_bytes(heatmap)


def tables() -> dict[str, str]:
    """The colours of all value maps, by name."""
    return {**{name: _lut(name) for name in COLORMAPS}, **{name: _stain_lut(name) for name in STAIN_OD}}


def describe(result: Result, identity: str) -> dict[str, object]:
    """The header without its pictures: layers on offer, tiles, colours, and where to start."""
    analysis, pictures = result.analysis, result.pictures
    height, width = pictures.image.shape[:2]
    upload_width, upload_height = analysis.provenance.size
    layers = _layers(result)
    mpp = analysis.provenance.mpp
    cams = list(pictures.heatmaps)
    return {
        "id": identity,
        "name": analysis.name,
        "width": width,
        "height": height,
        "upload_width": upload_width,
        "upload_height": upload_height,
        "width_um": upload_width * mpp if mpp else None,
        "banner": VIRTUAL_BANNER if analysis.stain_source is StainSource.VIRTUAL else "",
        "layers": layers,
        "cams": cams,
        "colormaps": list(COLORMAPS),
        "luts": tables(),
        "colours": {label: _hex(CLASS_COLOURS[label]) for label in CLASSES[analysis.marker]},
        "tiles": [
            (
                tile.x / upload_width,
                tile.y / upload_height,
                tile.width / upload_width,
                tile.height / upload_height,
                tile.label,
                round(tile.confidence, 3),
            )
            for tile in analysis.tiles
        ],
        "start": {
            "layer": _first_layer(result, layers),
            "cam": PRIMARY_CAM_LAYER if PRIMARY_CAM_LAYER in cams else (cams[-1] if cams else ""),
            "colormap": COLORMAPS[0],
        },
    }


def _layers(result: Result) -> list[dict[str, object]]:
    pictures = result.pictures
    base = "ihc" if _is_virtual(result) else "image"
    layers: list[dict[str, object]] = [{"id": "image", "title": "Image", "kind": "image", "base": "image"}]
    if pictures.heatmaps:
        layers.append({"id": "cam", "title": "Grad-CAM", "kind": "map", "base": base, "opacity": 65})
    if pictures.dab is not None:
        shared = {"kind": "map", "base": base, "map": "dab"}
        layers.append({"id": "pseudo", "title": "Pseudo-colour", "opacity": 85, **shared})
        layers.append({"id": "dab", "title": "DAB", "opacity": 100, "lut": "dab", **shared})
    if pictures.hematoxylin is not None:
        shared = {"kind": "map", "base": base, "map": "hematoxylin"}
        layers.append({"id": "hematoxylin", "title": "Hematoxylin", "opacity": 100, "lut": "hematoxylin", **shared})
    if len(result.analysis.tiles) > 1:
        layers.append({"id": "tiles", "title": "Tiles", "kind": "tiles", "base": base, "opacity": 45})
    if _is_virtual(result):
        layers.append({"id": "compare", "title": "H&E | virtual IHC", "kind": "compare", "base": "image"})
    return layers


def _first_layer(result: Result, layers: list[dict[str, object]]) -> object:
    """Outlines of nuclei are best seen on the image itself."""
    if _is_virtual(result):
        return "compare"
    return layers[0 if result.nuclei else min(1, len(layers) - 1)]["id"]


def _is_virtual(result: Result) -> bool:
    return result.analysis.stain_source is StainSource.VIRTUAL and result.pictures.ihc is not result.pictures.image


def _density_bytes(density: DensityMap) -> bytes:
    small = resize_to_fit(density, DENSITY_PX)
    return encode_jpeg(np.clip(small * (255 / DENSITY_MAX), 0, 255).astype(np.uint8), 82)


def _heatmap_bytes(heatmap: Heatmap) -> bytes:
    """0 where no tile was explained, 1..255 for 0..1."""
    step = max(1, round(max(heatmap.shape) / HEATMAP_PX))
    small = heatmap[::step, ::step]
    return encode_png(np.where(np.isnan(small), 0, 1 + 254 * np.nan_to_num(small)).astype(np.uint8))


def _lut(colormap: str) -> str:
    return _base64(colour_table(colormap))


def _stain_lut(stain: str) -> str:
    ramp = np.linspace(0, DENSITY_MAX, 256)[:, None]
    return _base64((255 * 10 ** (-ramp * np.array(STAIN_OD[stain]))).astype(np.uint8))


def _base64(colours: npt.NDArray[np.uint8]) -> str:
    return base64.b64encode(np.ascontiguousarray(colours).tobytes()).decode()


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
