"""The answer of the REST API: every documented field, pictures as PNG in base64.

With `raw` the answer carries what another workbench needs to rebuild the whole `Result`: the analysis, the nuclei (npz
in base64) and the planes as 8-bit gray PNG. Level 0 of a plane stands for "not computed here" (NaN), level L >= 1 for
(L - 1) / 254 of its `max`.
"""

import base64
import json
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from core.explain.overlay import blend
from core.explain.pseudocolor import DENSITY_MAX, render_density
from core.labels import Marker, StainSource
from core.quantify.adjusted import Adjusted
from core.quantify.nuclei_file import encode_nuclei
from core.reports.measured import quantification
from core.reports.pictures import HEATMAP_COLORMAP, HEATMAP_OPACITY, fast_png, shrink
from core.types import Analysis, DensityMap, Pictures, Result, RGBImage

API_PX = 1024
"""Long side of the pictures in an answer; the ZIP has them larger."""

RAW_LEVELS = 254
VIRTUAL_TEXT = {"Comment": "Virtual IHC computed from H&E: not real staining. Research use only."}

Json = dict[str, Any]
"""A JSON object as it goes over the wire."""


def to_json(
    result: Result,
    *,
    entry_id: str | None = None,
    adjusted: Adjusted | None = None,
    pictures: bool = True,
    raw: bool = False,
) -> Json:
    """Answer for one image, ready for `json.dumps`.

    Args:
        entry_id: of the history entry, or None where nothing was stored.
        adjusted: what a person changed about the measurement, and the figures that follow.
        pictures: False leaves `gradcam` empty and the picture fields null.
        raw: add `analysis`, `nuclei`, `heatmaps`, `dab`, `hematoxylin` for another workbench and leave the coloured
            overlays out; `synthetic_ihc` is then full size.
    """
    analysis = result.analysis
    answer: Json = {
        "id": entry_id,
        "name": analysis.name,
        "marker": analysis.marker.value,
        **_headline(analysis),
        "confidence": analysis.confidence,
        "probabilities": dict(analysis.probabilities),
        "prediction_set": list(analysis.prediction_set),
        "rule": analysis.rule,
        "stain": analysis.stain.stain.value,
        "stain_source": analysis.stain_source.value,
        "stain_probabilities": dict(analysis.stain.probabilities),
        "tiles": [{key: getattr(tile, name) for key, name in _TILE_FIELDS.items()} for tile in analysis.tiles],
        "quantification": quantification(result, adjusted),
        "quality": {**asdict(analysis.quality), "white_point": list(analysis.quality.white_point)},
        "warnings": [asdict(notice) for notice in analysis.notices],
        "provenance": _provenance(analysis),
        "gradcam": {},
        "pseudo_color": None,
        "synthetic_ihc": None,
    }
    if raw:
        answer |= _raw_pictures(result)
    elif pictures:
        answer |= _coloured_pictures(shrink(result.pictures, API_PX), analysis)
    return answer


def encode_json(answer: Json, *, indent: int | None = None) -> bytes:
    """Write an answer as UTF-8 JSON; what is not a number (no tissue to measure) becomes null, as JSON has no NaN."""
    try:
        return json.dumps(answer, ensure_ascii=False, allow_nan=False, indent=indent).encode()
    except ValueError:
        return json.dumps(_finite(answer), ensure_ascii=False, allow_nan=False, indent=indent).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_TILE_FIELDS = {
    "x": "x",
    "y": "y",
    "width": "width",
    "height": "height",
    "score": "label",
    "confidence": "confidence",
    "tissue_fraction": "tissue_fraction",
    "explained": "explained",
}


def _headline(analysis: Analysis) -> Json:
    """Return the outcome under the name its marker documents: `score` for HER2, `status` for PR."""
    return {"status" if analysis.marker is Marker.PR else "score": analysis.outcome}


def _provenance(analysis: Analysis) -> Json:
    made = analysis.provenance
    # The classifier is the last model used: a virtual stain comes before it.
    model, sha256 = next(reversed(made.models.items()), (None, None))
    return {"model": model, "weights_sha256": sha256, **asdict(made), "size": list(made.size)}


def _coloured_pictures(pictures: Pictures, analysis: Analysis) -> Json:
    """Render and encode all pictures at once: OpenCV releases the interpreter while it compresses."""
    virtual = analysis.stain_source is StainSource.VIRTUAL
    text = VIRTUAL_TEXT if virtual else None
    with ThreadPoolExecutor(max_workers=4) as pool:
        gradcam = {
            layer: pool.submit(_overlay_png, pictures.ihc, heatmap, text)
            for layer, heatmap in pictures.heatmaps.items()
        }
        pseudo = pool.submit(_density_png, pictures.dab, text) if pictures.dab is not None else None
        synthetic = pool.submit(_png, pictures.ihc, text) if virtual else None
        return {
            "gradcam": {layer: future.result() for layer, future in gradcam.items()},
            "pseudo_color": pseudo.result() if pseudo else None,
            "synthetic_ihc": synthetic.result() if synthetic else None,
        }


def _overlay_png(image: RGBImage, heatmap: npt.NDArray[np.float32], text: Mapping[str, str] | None) -> str:
    return _png(blend(image, heatmap, opacity=HEATMAP_OPACITY, colormap=HEATMAP_COLORMAP), text)


def _density_png(dab: DensityMap, text: Mapping[str, str] | None) -> str:
    return _png(render_density(dab), text)


def _png(image: npt.NDArray[np.uint8], text: Mapping[str, str] | None = None) -> str:
    return base64.b64encode(fast_png(image, text)).decode("ascii")


def _raw_pictures(result: Result) -> Json:
    pictures = result.pictures
    virtual = result.analysis.stain_source is StainSource.VIRTUAL
    return {
        "analysis": TypeAdapter(Analysis).dump_python(result.analysis, mode="json"),
        "nuclei": None if result.nuclei is None else base64.b64encode(encode_nuclei(result.nuclei)).decode("ascii"),
        "heatmaps": {layer: _plane(heatmap, 1.0) for layer, heatmap in pictures.heatmaps.items()},
        "dab": None if pictures.dab is None else _plane(pictures.dab, None),
        "hematoxylin": None if pictures.hematoxylin is None else _plane(pictures.hematoxylin, None),
        "synthetic_ihc": _png(pictures.ihc, VIRTUAL_TEXT) if virtual else None,
    }


def _plane(plane: npt.NDArray[np.float32], highest: float | None) -> Json:
    """Encode (H, W) float32 as 8-bit gray with the value that its brightest level stands for."""
    high = highest if highest is not None else max(float(np.nanmax(plane, initial=0.0)), DENSITY_MAX)
    levels = 1 + RAW_LEVELS * np.clip(np.nan_to_num(plane / high, nan=0.0), 0, 1)
    gray = np.where(np.isnan(plane), 0, np.rint(levels)).astype(np.uint8)
    return {"png": _png(gray), "max": high}


def decode_plane(gray: npt.NDArray[np.uint8], high: float) -> npt.NDArray[np.float32]:
    """Turn the gray levels of a raw plane back into (H, W) float32, NaN where nothing was computed."""
    values = (gray.astype(np.float32) - 1) * (high / RAW_LEVELS)
    return np.where(gray == 0, np.float32(np.nan), values).astype(np.float32)
