"""Results that travel between the layers: frozen dataclasses, arrays with stated shape, range and frame.

Everything except `Pictures` and `DecodedImage` is plain data and survives a round trip through JSON
(`pydantic.TypeAdapter(Analysis)`), which is how history and reports keep it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from core.labels import CamMethod, Marker, Scale, Stain, StainChoice, StainSource

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
    """What `core.analysis.analyze` returns: the answer and its pictures."""

    analysis: Analysis
    pictures: Pictures


@dataclass(frozen=True)
class Options:
    """What the user asks of one analysis.

    Attributes:
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
