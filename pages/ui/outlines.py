"""The nuclei of a result as the viewer in the browser reads them: outlines and numbers, two bytes each.

They travel once, beside the pictures. What a person changes afterwards travels as a short message (`live`), so that
nothing of the pictures is sent or decoded again.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.quantify.adjusted import class_names, classes_of
from core.quantify.grading import GRADES
from core.quantify.outline_picture import CLASS_COLOURS
from core.types import Adjustments, HotSpot, Nuclei

HIGHEST = 65535
"""Stands for the far edge of the picture; in a column of numbers, for "not measured"."""

Numbers = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Column:
    """One number of every nucleus on the screen: what it is, its unit, its digits."""

    title: str
    unit: str
    digits: int
    values: Numbers


def describe(nuclei: Nuclei, size: tuple[int, int], add: Callable[[bytes], list[int]]) -> dict[str, object]:
    """Describe nuclei for the header of a packet.

    Args:
        size: (width, height) of the upload.
        add: lays a blob into the packet and returns [offset, length].
    """
    # Coordinates are counted from the middle of the first pixel, shares from the corner of the picture.
    shares = (np.concatenate([nuclei.centres[:, None], nuclei.outlines], axis=1) + 0.5) / np.array(size, np.float32)
    places = np.round(np.clip(shares, 0, 1) * HIGHEST).astype("<u2")
    columns = _columns(nuclei)
    return {
        "count": len(nuclei),
        "points": nuclei.outlines.shape[1],
        "places": add(places.tobytes()),
        "measured": add(classes_of(nuclei).astype(np.uint8).tobytes()),
        "classes": [class_names(nuclei)[each] for each in GRADES],
        "colours": ["#{:02x}{:02x}{:02x}".format(*CLASS_COLOURS[each]) for each in GRADES],
        "thing": "Cell" if nuclei.membranes is not None else "Nucleus",
        "columns": [_column(column, add) for column in columns],
    }


def _columns(nuclei: Nuclei) -> list[Column]:
    columns = [
        Column("mean DAB", "OD", 2, nuclei.dab_od),
        Column("hematoxylin", "OD", 2, nuclei.hematoxylin_od),
        Column("area", "µm²", 0, nuclei.area_um2),
    ]
    if nuclei.membranes is not None:
        columns += [
            Column("membrane DAB", "OD", 2, nuclei.membranes.od),
            Column("completeness", "%", 0, 100 * nuclei.membranes.completeness),
            Column("membrane width", "µm", 1, nuclei.membranes.width_um),
        ]
    return [*columns, Column("detection confidence", "%", 0, 100 * nuclei.confidence)]


def _column(column: Column, add: Callable[[bytes], list[int]]) -> dict[str, object]:
    known = column.values[np.isfinite(column.values)]
    highest = max(float(known.max()) if len(known) else 0.0, 1e-6)
    steps = np.where(np.isfinite(column.values), np.clip(column.values, 0, None) / highest * (HIGHEST - 1), HIGHEST)
    return {
        "title": column.title,
        "unit": column.unit,
        "digits": column.digits,
        "scale": highest / (HIGHEST - 1),
        "at": add(np.round(steps).astype("<u2").tobytes()),
    }


@dataclass(frozen=True)
class Live:
    """What the viewer is told after every change.

    Attributes:
        classes: (N,) int8, -1 for nuclei that are left out.
        taken: viewer -> number of its last event that is part of this.
        hot_spot: a circle to draw; None for none.
    """

    identity: str
    classes: npt.NDArray[np.int8]
    adjustments: Adjustments
    taken: Mapping[str, int]
    undo: bool
    redo: bool
    problem: str = ""
    hot_spot: HotSpot | None = None

    def message(self) -> dict[str, object]:
        """As JSON; classes as one byte each, 255 for left out, in base 64."""
        spot = self.hot_spot
        return {
            "id": self.identity,
            "classes": base64.b64encode(self.classes.astype(np.uint8).tobytes()).decode(),
            "regions": [
                {"points": [(round(x, 1), round(y, 1)) for x, y in region.points], "exclude": region.exclude}
                for region in self.adjustments.regions
            ],
            "corrected": sorted(self.adjustments.corrections),
            "taken": dict(self.taken),
            "undo": self.undo,
            "redo": self.redo,
            "problem": self.problem,
            "hot": None if spot is None else [spot.x, spot.y, spot.radius],
        }
