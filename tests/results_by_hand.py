"""Results put together by hand for report tests: real pixels, no network."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from core.labels import CLASSES, CamMethod, Her2Score, Marker, NucleiMethod, Scale, Stain, StainSource
from core.quantify.scores import nuclear_scores
from core.types import (
    Analysis,
    GuidelineReading,
    Interval,
    Measurements,
    Membranes,
    MembraneScores,
    Notice,
    Nuclei,
    Pictures,
    Provenance,
    QualityReport,
    Result,
    RGBImage,
    StainCall,
    TileResult,
)

COMMENT = "Größe und Färbung geprüft: ≥ 10 % vollständig. Сомнительно."


OD_OF_GRADE = (0.1, 0.3, 0.5, 0.8)
"""Mean DAB of a nucleus of each class, away from the usual thresholds."""

RADIUS_PX = 8.0


def hand_made_nuclei(
    grades: Sequence[int],
    *,
    size: tuple[int, int] = (640, 640),
    mpp: float = 0.25,
    patterns: bool = False,
) -> Nuclei:
    """Put round nuclei of these classes on a grid, row by row.

    Args:
        grades: 0-3, one a nucleus; with `patterns` the membrane pattern (none, faint, moderate, intense).
        size: (width, height) of the image they are in, in pixels.
        patterns: add membranes, as for a HER2 stain; the nuclei themselves are then unstained.
    """
    classes = np.asarray(grades, np.intp)
    per_row = int(np.ceil(np.sqrt(max(len(classes), 1))))
    column, row = np.arange(len(classes)) % per_row, np.arange(len(classes)) // per_row
    steps = np.array(size) / per_row
    centres = ((np.stack([column, row], axis=1) + 0.5) * steps).reshape(-1, 2)
    angles = np.arange(16) * (2 * np.pi / 16)
    ring = RADIUS_PX * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    shown = np.zeros_like(classes) if patterns else classes
    membranes = Membranes(
        od=np.array([0.0, 0.15, 0.35, 0.8], np.float32)[classes],
        completeness=np.array([0.0, 0.4, 0.95, 1.0], np.float32)[classes],
        width_um=np.array([np.nan, 0.6, 1.0, 1.6], np.float32)[classes],
    )
    return Nuclei(
        centres=centres.astype(np.float32),
        outlines=(centres[:, None] + ring).astype(np.float32),
        area_um2=np.full(len(classes), np.pi * (RADIUS_PX * mpp) ** 2, np.float32),
        dab_od=np.array(OD_OF_GRADE, np.float32)[shown],
        hematoxylin_od=np.full(len(classes), 0.5, np.float32),
        positive=shown > 0,
        confidence=np.full(len(classes), 0.9, np.float32),
        mpp=mpp,
        mpp_estimated=False,
        method=NucleiMethod.LEARNED,
        membranes=membranes if patterns else None,
    )


def hand_made_result(
    image: RGBImage,
    *,
    marker: Marker = Marker.HER2,
    outcome: str = "2+",
    virtual: bool = False,
    name: str = "Präparat_42 µm – жук.png",
    tiles_per_side: int = 2,
    nuclei: Nuclei | None = None,
) -> Result:
    """Build a scored result over (H, W, 3) uint8 RGB; heat maps are smooth, one corner is not explained.

    Args:
        nuclei: measured on it, with their scores.
    """
    height, width = image.shape[:2]
    classes = CLASSES[marker]
    probs = {label: 0.7 if label == outcome else 0.3 / (len(classes) - 1) for label in classes}
    analysis = Analysis(
        marker=marker,
        name=name,
        outcome=outcome,
        confidence=probs[outcome],
        probabilities=probs,
        prediction_set=(outcome, *(label for label in classes if label != outcome))[:2],
        rule="Mean of the tile probabilities weighted by tissue, combined with measured membrane features.",
        stain=StainCall(Stain.HE if virtual else Stain.IHC, {"he": 0.02, "ihc": 0.97, "neither": 0.01}, False, False),
        stain_source=StainSource.VIRTUAL if virtual else StainSource.REAL,
        quality=QualityReport(140.0, 100.0, 180.0, 31.0, 0.82, (240.0, 238.0, 241.0)),
        tiles=_tiles(width, height, outcome, probs[outcome], tuple(probs.values()), tiles_per_side),
        measurements=Measurements(
            800_000, 0.15, 14.2, 0.21, 0.55, 0.083, 62.0, 312, 7, 148.0, outcome, "Ridges above 0.05 OD in > 10 %."
        ),
        notices=(
            Notice("ish", "info", "2+ is equivocal: reflex in situ hybridisation is the usual next step."),
            Notice("blurred", "warning", "Blurred: sharpness 38, usual from 100. The score may be too low."),
        ),
        provenance=Provenance(
            version="0.1.0",
            models={"pspstain": "b" * 64, "ihcnet": "a" * 64} if virtual else {"ihcnet": "a" * 64},
            image_sha256="c" * 64,
            backend="torch-cpu",
            seconds={"reading": 0.02, "scoring": 0.31, "explaining": 0.2},
            thresholds={"tissue": 0.05, "coverage": 0.9},
            mpp=0.25,
            scale=Scale.FILE,
            size=(width, height),
            created="2026-11-21T20:15:00+00:00",
        ),
        cam_method=CamMethod.GRAD_CAM,
        target=outcome,
    )
    if nuclei is not None:
        membrane = None if nuclei.membranes is None else hand_made_membrane_scores()
        nuclear = nuclear_scores(nuclei) if membrane is None else None
        measured = replace(analysis.measurements, nuclear=nuclear, membrane=membrane)
        analysis = replace(analysis, measurements=measured)
    return Result(analysis, _pictures(image, virtual=virtual), nuclei)


def hand_made_membrane_scores(*, intense: float = 14.0) -> MembraneScores:
    """Membrane patterns of 200 cells, in percent: intense, 30 moderate, 20 faint, and the rest none."""
    reading = GuidelineReading(
        score=Her2Score.THREE,
        rule=f"3+: complete, intense staining in {intense:.1f} % of the tumour cells, more than 10 %.",
        distances={"intense complete > 10 %": intense - 10},
        source="ASCO/CAP 2018, affirmed 2023",
    )
    return MembraneScores(
        cells=200,
        left_out=3,
        none=Interval(50 - intense, 30.0, 42.0),
        faint_incomplete=Interval(20.0, 15.0, 25.0),
        moderate_complete=Interval(30.0, 24.0, 36.0),
        intense_complete=Interval(intense, 8.0, 20.0),
        reading=reading,
        fields=9,
        second_read=("The interval 8.0-20.0 % crosses 10 %: second read.",),
    )


def _tiles(
    width: int, height: int, label: str, confidence: float, probabilities: tuple[float, ...], per_side: int
) -> tuple[TileResult, ...]:
    size = (width // per_side, height // per_side)
    return tuple(
        TileResult(column * size[0], row * size[1], *size, label, confidence, probabilities, 0.8, column == 0)
        for row in range(per_side)
        for column in range(per_side)
    )


def _pictures(image: RGBImage, *, virtual: bool) -> Pictures:
    height, width = image.shape[:2]
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    density = np.maximum(-np.log10(np.maximum(gray, 0.01)), 0).astype(np.float32)
    smooth = cv2.GaussianBlur(density, (0, 0), max(height, width) / 40)
    heatmap = (smooth / max(float(smooth.max()), 1e-6)).astype(np.float32)
    heatmap[: height // 4, : width // 4] = np.nan
    layers = ("conv0", "denseblock1", "denseblock2", "denseblock3", "denseblock4")
    ihc = np.ascontiguousarray(image[..., ::-1]) if virtual else image
    return Pictures(image, ihc, density, 0.5 * density, {layer: heatmap.copy() for layer in layers})
