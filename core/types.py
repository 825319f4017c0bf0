"""Results that travel between the layers: frozen dataclasses, arrays with stated shape, range and frame.

Everything except `Pictures` and `DecodedImage` is plain data and survives a round trip through JSON
(`pydantic.TypeAdapter(Analysis)`), which is how history and reports keep it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.labels import (
    CamMethod,
    Her2Score,
    Marker,
    NucleiMethod,
    OperatingPoint,
    Scale,
    Stain,
    StainChoice,
    StainSource,
)

RGBImage = npt.NDArray[np.uint8]
"""(H, W, 3) uint8, RGB, in [0, 255]."""

Heatmap = npt.NDArray[np.float32]
"""(H, W) float32 in [0, 1]."""

DensityMap = npt.NDArray[np.float32]
"""(H, W) float32 optical density of one stain, >= 0."""

Mask = npt.NDArray[np.bool_]
"""(H, W) bool."""

Progress = Callable[[str, int, int], None]
"""Called with (step in the user's words, units done, units in total); raises CancelledError to stop the work."""


def no_progress(step: str, done: int, total: int) -> None:
    """Ignore progress."""


@dataclass(frozen=True)
class DecodedImage:
    """One upload, decoded and turned upright.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        mpp: micrometres per pixel as stored in the file, or None.
        sha256: of the uploaded bytes.
        name: file name without its folders, at most 120 characters, printable.
        notes: what was converted, in the user's words ("CMYK converted to RGB").
    """

    image: RGBImage
    mpp: float | None
    sha256: str
    name: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """One remark beside the score: what it means for the result and what to do.

    Attributes:
        code: stable short name for programs ("blurred", "scale-unknown", "virtual-stain").
        level: "info", "warning" or "error".
    """

    code: str
    level: str
    message: str


@dataclass(frozen=True)
class QualityReport:
    """How fit an image is for scoring.

    Attributes:
        sharpness: variance of the Laplacian of the gray image over tissue; usual from `sharpness_limit`.
        brightness: mean gray level in [0, 255].
        contrast: standard deviation of the gray level over tissue.
        tissue_fraction: share of the image that is tissue, in [0, 1].
        white_point: (R, G, B) of the empty background, in [0, 255].
    """

    sharpness: float
    sharpness_limit: float
    brightness: float
    contrast: float
    tissue_fraction: float
    white_point: tuple[float, float, float]


@dataclass(frozen=True)
class StainCall:
    """What the stain recognition says.

    Attributes:
        stain: the most probable stain, or the user's choice where `overruled`.
        probabilities: of each `Stain` value, summing to 1.
        unsure: the two best are close; a person should look.
        overruled: the user chose the stain.
    """

    stain: Stain
    probabilities: dict[str, float]
    unsure: bool
    overruled: bool


@dataclass(frozen=True)
class TileResult:
    """One scored tile.

    Attributes:
        x, y: top left corner in pixels of the uploaded image (after it was turned upright).
        width, height: extent in pixels of the uploaded image.
        label: class of this tile alone.
        confidence: its probability, in [0, 1].
        probabilities: of all classes in the order of `CLASSES[marker]`.
        tissue_fraction: share of the tile that is tissue.
        explained: its heat map is part of the overlay.
    """

    x: int
    y: int
    width: int
    height: int
    label: str
    confidence: float
    probabilities: tuple[float, ...]
    tissue_fraction: float
    explained: bool = False


@dataclass(frozen=True)
class Membranes:
    """DAB on the outline of every cell, one row a nucleus of the same `Nuclei`.

    Attributes:
        od: (N,) float32, mean DAB optical density of the stained part of the outline; 0 where none is stained.
        completeness: (N,) float32 in [0, 1], share of the cell's outline that is stained.
        width_um: (N,) float32, full width at half maximum of the stained membrane; NaN where none is stained.
        ray_od: (N, R) float16, DAB optical density of the membrane in R directions around the nucleus, 0 where there is
            none: what other thresholds are applied to. None where it was not kept.
        tumour: (N,) float32 in [0, 1], share of the surroundings that could be tumour: solid tissue, neither fat nor
            lumen nor glass. None likewise.
    """

    od: npt.NDArray[np.float32]
    completeness: npt.NDArray[np.float32]
    width_um: npt.NDArray[np.float32]
    ray_od: npt.NDArray[np.float16] | None = None
    tumour: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Nuclei:
    """Nuclei found in one image, one row each: enough to grade them anew without looking at the image again.

    Attributes:
        centres: (N, 2) float32, x and y in pixels of the upload.
        outlines: (N, 16, 2) float32, closed polygons in pixels of the upload, clockwise on the screen.
        area_um2: (N,) float32.
        dab_od, hematoxylin_od: (N,) float32, mean optical density inside the outline.
        positive: (N,) bool, stained as the detector saw it.
        confidence: (N,) float32 in [0, 1], how sure the detector is that this is a nucleus.
        mpp: micrometres per pixel of the upload that was worked with.
        mpp_estimated: `mpp` was estimated from the size of the nuclei.
        membranes: membrane stain per cell; None where it was not measured.
    """

    centres: npt.NDArray[np.float32]
    outlines: npt.NDArray[np.float32]
    area_um2: npt.NDArray[np.float32]
    dab_od: npt.NDArray[np.float32]
    hematoxylin_od: npt.NDArray[np.float32]
    positive: npt.NDArray[np.bool_]
    confidence: npt.NDArray[np.float32]
    mpp: float
    mpp_estimated: bool
    method: NucleiMethod
    membranes: Membranes | None = None

    def __len__(self) -> int:
        """Return the number of nuclei."""
        return len(self.centres)


@dataclass(frozen=True)
class Thresholds:
    """Mean DAB optical density of a nucleus from which it counts as weak, moderate and strong.

    Attributes:
        weak: None keeps positive and negative as the detector saw them.
    """

    weak: float | None = None
    moderate: float = 0.4
    strong: float = 0.6


@dataclass(frozen=True)
class Region:
    """A closed polygon drawn on an image.

    Attributes:
        points: corners (x, y) in pixels of the upload, at least 3.
        exclude: what lies inside is left out; otherwise only what lies inside a region counts.
    """

    points: tuple[tuple[float, float], ...]
    exclude: bool = False


@dataclass(frozen=True)
class Adjustments:
    """What a person changed about a measurement; the default changes nothing.

    Attributes:
        corrections: row of a nucleus -> its class by eye (0-3), or -1 for "no tumour nucleus".
    """

    thresholds: Thresholds = Thresholds()
    regions: tuple[Region, ...] = ()
    corrections: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % bootstrap interval over fields; `low` = `high` = `value` where there is one field only."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class HotSpot:
    """The circle with the largest share of stained nuclei.

    Attributes:
        x, y, radius: in pixels of the upload.
        percent: share of stained nuclei in it, 0-100.
        counted: nuclei in it.
    """

    x: float
    y: float
    radius: float
    percent: float
    counted: int


@dataclass(frozen=True)
class NuclearScores:
    """Scores of a nuclear stain from graded nuclei.

    Attributes:
        counted: nuclei that count; left_out: nuclei outside the regions, excluded or corrected away.
        percent_positive: 0-100. Also the Ki-67 index.
        weak, moderate, strong: percent of all counted nuclei.
        h_score: 0-300.
        allred_proportion, allred_intensity: 0-5 and 0-3.
        er, pgr: guideline category ("negative", "low positive", "positive"); "" without nuclei.
        fields: fields that the intervals rest on.
        second_read: why a second person should read it (an interval crosses a cut-off); empty if not needed.
        corrected: nuclei whose class a person changed.
    """

    counted: int
    left_out: int
    percent_positive: Interval
    weak: float
    moderate: float
    strong: float
    h_score: Interval
    allred_proportion: int
    allred_intensity: int
    er: str
    pgr: str
    hot_spot: HotSpot | None
    fields: int
    second_read: tuple[str, ...] = ()
    corrected: int = 0

    @property
    def allred(self) -> int:
        """Allred total: 0 or 2-8."""
        return self.allred_proportion + self.allred_intensity


@dataclass(frozen=True)
class GuidelineReading:
    """What the HER2 guideline says about shares of tumour cells.

    Attributes:
        score: None where the guideline does not define one ("not defined").
        rule: the rule that fired, in words, with the shares.
        distances: cut-off in words -> share minus cut-off, in points of percent.
        source: of the rule.
        secondary: HER2-low or ultralow, labelled as secondary; "" where neither.
    """

    score: Her2Score | None
    rule: str
    distances: dict[str, float]
    source: str
    secondary: str = ""


@dataclass(frozen=True)
class MembraneScores:
    """Membrane patterns of the tumour cells of a HER2 stain.

    Attributes:
        cells: tumour cells measured; left_out: cells outside the regions, excluded or corrected away.
        none, faint_incomplete, moderate_complete, intense_complete: percent of the cells, summing to 100.
        reading: by the guideline; None where there are too few cells.
        insufficient: why there is not enough tumour tissue to score; "" where there is.
        corrected: cells whose pattern a person changed.
    """

    cells: int
    left_out: int
    none: Interval
    faint_incomplete: Interval
    moderate_complete: Interval
    intense_complete: Interval
    reading: GuidelineReading | None
    fields: int
    insufficient: str = ""
    second_read: tuple[str, ...] = ()
    corrected: int = 0


@dataclass(frozen=True)
class Measurements:
    """Stain amounts measured on the scored IHC, without any network.

    Attributes:
        tissue_px: tissue pixels measured.
        dab_area_percent: share of tissue with DAB optical density above `dab_threshold`, 0-100.
        dab_od_mean: mean DAB optical density over tissue.
        dab_od_p90: its 90th percentile.
        membrane_energy: 90th percentile of membrane-like ridges in the DAB density (white top-hat).
        positive_nuclei_percent, allred, h_score: nuclear figures; None where nuclei were not counted.
        rule_label: class by measurement alone, beside the network's; None where no rule applies.
        rule_text: the rule that gave `rule_label`, in words.
        nuclear: scores of the nuclei, as measured (before anybody's adjustments); None where nuclei were not sought.
        membrane: patterns of the membranes, likewise.
    """

    tissue_px: int
    dab_threshold: float
    dab_area_percent: float
    dab_od_mean: float
    dab_od_p90: float
    membrane_energy: float
    positive_nuclei_percent: float | None = None
    nuclei_counted: int | None = None
    allred: int | None = None
    h_score: float | None = None
    rule_label: str | None = None
    rule_text: str = ""
    nuclear: NuclearScores | None = None
    membrane: MembraneScores | None = None


@dataclass(frozen=True)
class Provenance:
    """What produced a result, so that it can be repeated.

    Attributes:
        models: name -> SHA-256 of the weights used, in order of use.
        seconds: step -> seconds.
        thresholds: name -> value of every threshold that took part.
        mpp: micrometres per pixel that was used, or None where unknown.
        scale: where that came from.
        size: (width, height) of the upload in pixels.
        backend: "openvino-bf16", "openvino-f32", "torch-cpu", "torch-cuda" or "remote".
        created: ISO 8601, UTC.
    """

    version: str
    models: dict[str, str]
    image_sha256: str
    backend: str
    seconds: dict[str, float]
    thresholds: dict[str, float]
    mpp: float | None
    scale: Scale
    size: tuple[int, int]
    created: str


@dataclass(frozen=True)
class Analysis:
    """The whole answer for one image, without its pictures.

    Attributes:
        outcome: a class of the marker, `INSUFFICIENT` or `NOT_SCORED`.
        confidence: calibrated probability of the outcome in [0, 1]; None where nothing was scored.
        probabilities: class -> probability; empty where nothing was scored.
        prediction_set: classes that cannot be excluded at the stated coverage, best first.
        rule: how the tiles became one answer, in one sentence.
        target: the class that the heat maps explain.
    """

    marker: Marker
    name: str
    outcome: str
    confidence: float | None
    probabilities: dict[str, float]
    prediction_set: tuple[str, ...]
    rule: str
    stain: StainCall
    stain_source: StainSource
    quality: QualityReport
    tiles: tuple[TileResult, ...]
    measurements: Measurements | None
    notices: tuple[Notice, ...]
    provenance: Provenance
    cam_method: CamMethod = CamMethod.GRAD_CAM
    target: str = ""


@dataclass(frozen=True)
class Pictures:
    """The pictures of one result, all over the same field and at most `DISPLAY_PX` on the long side.

    Attributes:
        image: the upload, (H, W, 3) uint8 RGB.
        ihc: the IHC that was scored, (H, W, 3) uint8 RGB: `image` itself, or the virtual stain of it.
        dab, hematoxylin: (H, W) float32 optical density; None where nothing was measured.
        heatmaps: layer -> (H, W) float32 in [0, 1]; NaN where no tile was explained.
    """

    image: RGBImage
    ihc: RGBImage
    dab: DensityMap | None = None
    hematoxylin: DensityMap | None = None
    heatmaps: dict[str, Heatmap] = field(default_factory=dict)


DISPLAY_PX = 1400
"""Long side of the pictures kept with a result."""


@dataclass(frozen=True)
class Result:
    """What `core.analysis.analyze` returns: the answer, its pictures, and the nuclei it was measured on.

    Attributes:
        nuclei: None where none were sought (nothing scored, or a virtual stain).
    """

    analysis: Analysis
    pictures: Pictures
    nuclei: Nuclei | None = None


@dataclass(frozen=True)
class Options:
    """What the user asks of one analysis.

    Attributes:
        nuclei: how nuclei are found.
        operating_point: what the learned detector's limits favour.
        insist: score although the image looks like neither H&E nor IHC.
        layers: layers to explain; empty or `explain=False` for none.
        target: class to explain; None explains the outcome.
    """

    marker: Marker = Marker.HER2
    stain: StainChoice = StainChoice.AUTO
    scale: Scale = Scale.FILE
    explain: bool = True
    layers: tuple[str, ...] = ("conv0", "denseblock1", "denseblock2", "denseblock3", "denseblock4")
    cam_method: CamMethod = CamMethod.GRAD_CAM
    target: str | None = None
    insist: bool = False
    nuclei: NucleiMethod = NucleiMethod.LEARNED
    operating_point: OperatingPoint = OperatingPoint.BEST_F1
