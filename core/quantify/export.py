"""Nuclei for other programs: one row each as CSV, and GeoJSON that QuPath opens.

Counts agree with the scores. A nucleus that does not count (outside the regions, excluded, or no tumour nucleus by eye)
has its row in the CSV, marked so, and is absent from the GeoJSON.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from core.quantify.adjusted import class_names, classes_anywhere, classes_of
from core.quantify.grading import LEFT_OUT, UNCHANGED
from core.quantify.outline_picture import CLASS_COLOURS, LEFT_OUT_COLOUR
from core.quantify.regions import selected
from core.spreadsheet import to_csv
from core.types import Adjustments, Nuclei, Region

COLUMNS = (
    "id",
    "x_px",
    "y_px",
    "x_um",
    "y_um",
    "area_um2",
    "dab_od",
    "hematoxylin_od",
    "class",
    "original_class",
    "corrected",
    "in_region",
    "counted",
    "confidence",
)
MEMBRANE_COLUMNS = ("membrane_od", "membrane_completeness", "membrane_width_um")

_QUPATH_UNSTAINED = "Negative"
"""QuPath computes percentages and H-scores from classes of the names "Negative", "1+", "2+" and "3+"."""

_REGION_CLASSES = {False: "Region*", True: "Ignore*"}
"""Classes with a star are no result in QuPath."""

Json = dict[str, Any]


def nuclei_csv(nuclei: Nuclei, adjustments: Adjustments = UNCHANGED) -> str:
    """Write one row a nucleus, with a byte order mark; encode it as UTF-8.

    `id` counts from 0. `class` is the class now, wherever the nucleus lies; `original_class` the one before anybody's
    adjustment. Rows with `counted` = yes are those that the scores rest on.
    """
    names = class_names(nuclei)
    now, original = classes_anywhere(nuclei, adjustments), classes_of(nuclei)
    inside = selected(nuclei, adjustments.regions)
    counted = classes_of(nuclei, adjustments) > LEFT_OUT
    membranes = nuclei.membranes

    def rows() -> Iterator[list[object]]:
        for row, (x, y) in enumerate(nuclei.centres.tolist()):
            cells: list[object] = [row, f"{x:.2f}", f"{y:.2f}", f"{x * nuclei.mpp:.3f}", f"{y * nuclei.mpp:.3f}"]
            cells += [f"{nuclei.area_um2[row]:.2f}", f"{nuclei.dab_od[row]:.4f}", f"{nuclei.hematoxylin_od[row]:.4f}"]
            cells += [names[int(now[row])], names[int(original[row])], _yes(row in adjustments.corrections)]
            cells += [_yes(inside[row]), _yes(counted[row]), f"{nuclei.confidence[row]:.3f}"]
            if membranes is not None:
                width = float(membranes.width_um[row])
                cells += [f"{membranes.od[row]:.4f}", f"{membranes.completeness[row]:.4f}"]
                cells.append(None if math.isnan(width) else f"{width:.2f}")
            yield cells

    return to_csv(COLUMNS if membranes is None else (*COLUMNS, *MEMBRANE_COLUMNS), rows())


def nuclei_geojson(nuclei: Nuclei, adjustments: Adjustments = UNCHANGED) -> bytes:
    """Write the nuclei that count as detections with class and measurements, and the regions as annotations.

    A FeatureCollection in pixels of the upload, counted from its top left corner, as QuPath reads it (version 0.4 and
    later; "File > Import objects from file", or dropped on the image).
    """
    classes = classes_of(nuclei, adjustments)
    features = [_annotation(region) for region in adjustments.regions]
    # Outlines are counted from the middle of the first pixel, QuPath counts from its corner.
    corners = np.round(nuclei.outlines.astype(np.float64) + 0.5, 2)
    names = class_names(nuclei)
    for row in np.flatnonzero(classes > LEFT_OUT).tolist():
        value = int(classes[row])
        name = _QUPATH_UNSTAINED if nuclei.membranes is None and value == 0 else names[value]
        properties: Json = {
            "objectType": "detection",
            "name": str(row),
            "classification": {"name": name, "color": list(CLASS_COLOURS[value])},
            "measurements": _measurements(nuclei, row, corrected=row in adjustments.corrections),
        }
        features.append(_feature(corners[row].tolist(), properties))
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _annotation(region: Region) -> Json:
    properties: Json = {
        "objectType": "annotation",
        "name": "Excluded" if region.exclude else "Region",
        "classification": {"name": _REGION_CLASSES[region.exclude], "color": list(LEFT_OUT_COLOUR)},
        "isLocked": True,
    }
    return _feature([[x, y] for x, y in region.points], properties)


def _feature(corners: list[list[float]], properties: Json) -> Json:
    ring = [*corners, corners[0]]
    return {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}, "properties": properties}


def _measurements(nuclei: Nuclei, row: int, *, corrected: bool) -> dict[str, float]:
    """Return the figures of one nucleus under the names QuPath gives to its own; what was not measured is absent."""
    found = {
        "Nucleus: Area µm^2": nuclei.area_um2[row],
        "Nucleus: DAB OD mean": nuclei.dab_od[row],
        "Nucleus: Hematoxylin OD mean": nuclei.hematoxylin_od[row],
        "Detection probability": nuclei.confidence[row],
        "Class corrected by hand": float(corrected),
    }
    if nuclei.membranes is not None:
        found["Membrane: DAB OD mean"] = nuclei.membranes.od[row]
        found["Membrane: Completeness"] = nuclei.membranes.completeness[row]
        found["Membrane: Width µm"] = nuclei.membranes.width_um[row]
    rounded = {name: round(float(value), 4) for name, value in found.items()}
    return {name: value for name, value in rounded.items() if math.isfinite(value)}


def _yes(value: object) -> str:
    return "yes" if value else "no"
