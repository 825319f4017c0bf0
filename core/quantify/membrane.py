"""Membrane stain per cell: how much of each cell's outline is stained, how strongly, and what follows for HER2."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from core.images import resize_to
from core.labels import NucleiMethod
from core.quantify.bootstrap import fields_of, interval, sums_by_field
from core.quantify.grading import LEFT_OUT, check_corrections, check_thresholds
from core.quantify.guideline import SHARE_LIMIT, Her2Shares, her2
from core.quantify.membrane_cells import membrane_cells
from core.quantify.membrane_features import HOLLOW_MPP, hollow_mask
from core.quantify.membrane_rays import Rays, cast_rays
from core.quantify.regions import selected
from core.stains.separation import White, optical_density
from core.types import (
    Adjustments,
    GuidelineReading,
    Interval,
    Membranes,
    MembraneScores,
    Nuclei,
    RGBImage,
    Thresholds,
)

MEMBRANE_THRESHOLDS = Thresholds(weak=0.05, moderate=0.17, strong=0.5)
"""DAB optical density of a membrane from which it is stained, more than faint, and intense.

Blur and pixels lower the crest of a thin membrane by a third. On simulated sections the membranes of faint cells (drawn
with 0.08-0.2) measure 0.05-0.10 in the median, weak to moderate ones (0.25-0.6) 0.22-0.36, intense ones (0.85 and more)
0.70-1.05.
"""

SOME_SHARE = 0.25
"""Stained share of the outline from which a cell shows staining at all.

Chance ridges in brown cytoplasm reach a quarter of the outline in 4 % of the cells of simulated sections.
"""

COMPLETE_SHARE = 0.55
"""Stained share from which a membrane counts as complete.

The search misses a quarter of the rays even on membranes that are closed; columnar cells are never stained towards the
lumen. Chosen on simulated sections and looked at on the cores that are also judged.
"""

LEVEL_SHARE = 0.4
"""Share of the outline that must reach the density of moderate or intense for the cell to count as such: two intense
neighbours, of about six, stain a third of it."""

NO_PATTERN, FAINT, MODERATE, INTENSE = range(4)

MIN_CELLS = 20
"""With fewer cells no share is given."""

LEAST_SHARES = {INTENSE: 0.01, MODERATE: 0.01, FAINT: 0.02}
"""Shares below these are within the errors of measurement and do not count for the guideline (unstained cores: up to
0.012 faint, nothing complete)."""

SURROUNDINGS_UM = 200.0
GROUPED_WITHIN_UM, NEIGHBOURHOOD = 25.0, 16


@dataclass(frozen=True)
class TumourLimits:
    """What tells tumour from other tissue, for one method of finding nuclei.

    Attributes:
        neighbours: a cell is grouped, as tumour cells are, with this many others within 25 um.
        area_um2: and a median nuclear area among its nearest 16 of at least this.
        grouped: grouped cells in solid tissue below which there is no tumour to score.
        empty: share of fat, lumen or glass around half of the cells from which a field is fat,
        enough: unless it has this many grouped cells.
    """

    neighbours: int
    area_um2: float
    grouped: int
    empty: float
    enough: float


LIMITS = {
    NucleiMethod.LEARNED: TumourLimits(neighbours=5, area_um2=0.0, grouped=30, empty=0.2, enough=100),
    NucleiMethod.CLASSICAL: TumourLimits(neighbours=3, area_um2=12.0, grouped=30, empty=0.3, enough=math.inf),
}
"""Set on the shared HER2 fields. Learned: fields without tumour had 0-23 grouped cells (one with a single gland 63, in
fat), fields with tumour 185 and more. Classical, which finds stroma as well: 0-27 against 34 and more, and fat fields
are 0.33 empty against 0.26: narrow gaps. One pale core whose nuclei neither method sees falls below."""

SOLID_SHARE = 0.7
"""Solid share of the surroundings from which a grouped cell counts."""

STAINED_CELLS = 20
"""Cells with complete membranes that settle that there is tumour, whatever surrounds it."""


def measured_cells(image: RGBImage, nuclei: Nuclei, white: White) -> Nuclei:
    """Return the cells of a membrane stain with their membranes: nuclei as found, put right by what the stain hides.

    Args:
        image: (H, W, 3) uint8 RGB, the one that the nuclei were found on.
        white: (3,) RGB of the glass.
    """
    cells = membrane_cells(image, nuclei, white)
    return replace(cells, membranes=measure_membranes(image, cells, white))


def measure_membranes(image: RGBImage, nuclei: Nuclei, white: White) -> Membranes:
    """Measure DAB on the outline of the cell around every nucleus; arguments as in `measured_cells`."""
    rays = cast_rays(image, nuclei, white)
    ray_od = rays.od.astype(np.float16)
    completeness, od = _summary(ray_od, MEMBRANE_THRESHOLDS.weak or 0.0)
    return Membranes(od, completeness, _width(rays), ray_od, 1 - _hollow_around(image, nuclei, white))


def membrane_patterns(nuclei: Nuclei, adjustments: Adjustments) -> npt.NDArray[np.int8]:
    """Give every cell its pattern by the thresholds, the regions and the corrections.

    Returns:
        (N,) int8: -1 left out, 0 none, 1 faint incomplete, 2 weak to moderate complete, 3 intense complete.
    Raises:
        InvalidOptionError: thresholds that do not rise, or a correction of no cell or to no pattern.
    """
    patterns = measured_patterns(nuclei, adjustments.thresholds)
    check_corrections(adjustments.corrections, len(nuclei))
    for row, pattern in adjustments.corrections.items():
        patterns[row] = pattern
    if adjustments.regions:
        patterns[~selected(nuclei, adjustments.regions)] = LEFT_OUT
    return patterns


def measured_patterns(nuclei: Nuclei, thresholds: Thresholds) -> npt.NDArray[np.int8]:
    """Give every cell its pattern by its membrane alone, (N,) int8 in 0-3; cells without measured membranes show none.

    Thresholds that leave out `weak` are those of nuclei: the membranes' own apply.
    """
    membranes = nuclei.membranes
    if membranes is None:
        return np.zeros(len(nuclei), np.int8)
    weak, moderate, strong = _densities(thresholds)
    if membranes.ray_od is None:
        stained = np.where(membranes.od >= weak, membranes.completeness, 0.0)
        reached = [stained * (membranes.od >= density) for density in (moderate, strong)]
    else:
        stained, *reached = ((membranes.ray_od >= density).mean(axis=1) for density in (weak, moderate, strong))
    patterns = np.where(stained >= SOME_SHARE, FAINT, NO_PATTERN).astype(np.int8)
    for pattern, share in zip((MODERATE, INTENSE), reached, strict=True):
        patterns[(stained >= COMPLETE_SHARE) & (share >= LEVEL_SHARE)] = pattern
    return patterns


def membrane_scores(nuclei: Nuclei, adjustments: Adjustments | None = None) -> MembraneScores:
    """Read HER2 from the cells that count: shares of every pattern with their intervals, and the guideline.

    Raises:
        InvalidOptionError: as `membrane_patterns`.
    """
    adjustments = adjustments or Adjustments()
    patterns = membrane_patterns(nuclei, adjustments)
    counted = patterns != LEFT_OUT
    chosen, cells = patterns[counted], int(np.count_nonzero(counted))
    fields = fields_of(nuclei.centres[counted], nuclei.mpp)
    all_of = sums_by_field(np.ones(cells), fields)
    shares = [
        interval(100.0 * sums_by_field(chosen == pattern, fields), all_of, 100.0 * _share(chosen, pattern))
        for pattern in (NO_PATTERN, FAINT, MODERATE, INTENSE)
    ]
    insufficient = lacks_tumour(nuclei, patterns, drawn=any(not region.exclude for region in adjustments.regions))
    reading = None if insufficient else read_shares(chosen)
    return MembraneScores(
        cells=cells,
        left_out=len(patterns) - cells,
        none=shares[NO_PATTERN],
        faint_incomplete=shares[FAINT],
        moderate_complete=shares[MODERATE],
        intense_complete=shares[INTENSE],
        reading=reading,
        fields=len(all_of),
        insufficient=insufficient,
        second_read=() if reading is None else _second_read(shares),
        corrected=_corrected(nuclei, adjustments),
    )


def read_shares(patterns: npt.NDArray[np.int8]) -> GuidelineReading:
    """Apply the guideline to the (N,) patterns of the cells that count; shares within the error count as none."""
    found = {pattern: _share(patterns, pattern) for pattern in LEAST_SHARES}
    counted = [share if share >= LEAST_SHARES[pattern] else 0.0 for pattern, share in found.items()]
    reading = her2(Her2Shares(*counted))
    if sum(found.values()) > sum(counted):
        note = (
            "Patterns within the error of measurement (less than 1 % of the cells, faint less than 2 %) do not count."
        )
        return replace(reading, rule=f"{reading.rule} {note}")
    return reading


def lacks_tumour(nuclei: Nuclei, patterns: npt.NDArray[np.int8], *, drawn: bool) -> str:
    """Say why there is not enough tumour tissue to score; "" where there is.

    Args:
        patterns: (N,) as from `membrane_patterns`.
        drawn: a person drew the tumour: then only the number of cells matters.
    """
    counted = patterns != LEFT_OUT
    cells = int(np.count_nonzero(counted))
    if cells < MIN_CELLS:
        return f"Only {cells} cells were found; at least {MIN_CELLS} are needed. Choose a field with more tumour."
    around = None if nuclei.membranes is None else nuclei.membranes.tumour
    if drawn or around is None or np.count_nonzero(patterns >= MODERATE) >= STAINED_CELLS:
        return ""
    limits = LIMITS[nuclei.method]
    empty = 1 - float(np.median(around[counted]))
    grouped = int(np.count_nonzero(_grouped(nuclei, limits) & counted & (around > SOLID_SHARE)))
    if empty >= limits.empty and grouped < limits.enough:
        return (
            f"Half of the cells lie where {empty:.0%} or more of the surroundings are fat or empty space. "
            "Choose a field with tumour, or draw the tumour."
        )
    if grouped < limits.grouped:
        return (
            f"Only {grouped} of {cells} cells lie in groups, as tumour cells do; at least {limits.grouped} are needed. "
            "Choose a field with tumour, or draw the tumour."
        )
    return ""


def _densities(thresholds: Thresholds) -> tuple[float, float, float]:
    chosen = MEMBRANE_THRESHOLDS if thresholds.weak is None else thresholds
    check_thresholds(chosen)
    return chosen.weak or 0.0, chosen.moderate, chosen.strong


def _share(patterns: npt.NDArray[np.int8], pattern: int) -> float:
    return float(np.count_nonzero(patterns == pattern)) / max(len(patterns), 1)


def _summary(ray_od: npt.NDArray[np.float16], weak: float) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the stained share of every outline and the mean density of its stained part, (N,) each."""
    stained = ray_od >= weak
    count = np.count_nonzero(stained, axis=1)
    total = np.where(stained, ray_od, np.float16(0)).sum(axis=1, dtype=np.float32)
    return (count / ray_od.shape[1]).astype(np.float32), (total / np.maximum(count, 1)).astype(np.float32)


def _width(rays: Rays) -> npt.NDArray[np.float32]:
    """Return the mean width of the stained part of every membrane, (N,) in um; NaN without any."""
    stained = rays.od >= (MEMBRANE_THRESHOLDS.weak or 0.0)
    count = np.count_nonzero(stained, axis=1)
    total = np.where(stained, rays.width_um, 0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _hollow_around(image: RGBImage, nuclei: Nuclei, white: White) -> npt.NDArray[np.float32]:
    """Return the share of fat, lumen and glass in the surroundings of every cell, (N,)."""
    factor = min(1.0, nuclei.mpp / HOLLOW_MPP)
    height, width = image.shape[:2]
    small = resize_to(image, (max(1, round(width * factor)), max(1, round(height * factor))))
    mpp = nuclei.mpp / factor
    hollow = hollow_mask(optical_density(small, white), mpp).astype(np.float32)
    side = round(SURROUNDINGS_UM / mpp) // 2 * 2 + 1
    share = cv2.blur(hollow, (side, side), borderType=cv2.BORDER_REFLECT)
    x, y = (nuclei.centres * (small.shape[1] / width)).astype(np.intp).T
    rows, columns = np.clip(y, 0, small.shape[0] - 1), np.clip(x, 0, small.shape[1] - 1)
    return np.asarray(np.clip(share[rows, columns], 0, 1), np.float32)


def _grouped(nuclei: Nuclei, limits: TumourLimits) -> npt.NDArray[np.bool_]:
    """Tell which cells lie among others as those of tumours do, (N,)."""
    if len(nuclei) <= limits.neighbours:
        return np.zeros(len(nuclei), np.bool_)
    places = nuclei.centres * np.float32(nuclei.mpp)
    distances, others = cKDTree(places).query(places, k=min(NEIGHBOURHOOD, len(nuclei)))
    areas = np.median(nuclei.area_um2[others], axis=1)
    near = distances[:, limits.neighbours] <= GROUPED_WITHIN_UM
    return np.asarray(near & (areas >= limits.area_um2), np.bool_)


def _second_read(shares: list[Interval]) -> tuple[str, ...]:
    """Say which shares could lie on the other side of the cut-off that decides."""
    limit, reasons = 100 * SHARE_LIMIT, []
    names = {INTENSE: "intense complete", MODERATE: "weak to moderate complete", FAINT: "faint incomplete"}
    for pattern, name in names.items():
        share = shares[pattern]
        if share.low <= limit < share.high:
            reasons.append(
                f"The interval {share.low:.1f}-{share.high:.1f} % of {name} staining crosses {limit:g} %: second read."
            )
        if share.low > limit:
            break
    return tuple(reasons)


def _corrected(nuclei: Nuclei, adjustments: Adjustments) -> int:
    if not adjustments.corrections:
        return 0
    measured = measured_patterns(nuclei, adjustments.thresholds)
    return sum(int(measured[row]) != pattern for row, pattern in adjustments.corrections.items())
