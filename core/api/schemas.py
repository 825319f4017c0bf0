"""The shapes of answers, as they appear in the API's documentation."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from core.api.quantities import Quantification
from core.labels import PRIMARY_CAM_LAYER, Marker, Stain, StainSource
from core.training.config import Recipe
from core.training.run_folder import State


class Problem(BaseModel):
    """Every error."""

    detail: str


class Health(BaseModel):
    """State of the server."""

    status: str
    version: str
    device: str
    backend: str
    models: dict[str, str | None] = Field(description="Name -> SHA-256 of the weights, null where unusable.")


class ModelPublic(BaseModel):
    """One network and its weights."""

    name: str
    title: str
    task: str
    marker: str | None
    labels: list[str]
    input_px: int
    tile_um: float
    parameters: int
    licence: str
    source: str
    weights_sha256: str | None
    error: str | None


class HistoryItem(BaseModel):
    """One stored analysis as the history lists it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    created: datetime
    name: str
    marker: Marker
    outcome: str
    confidence: float | None
    stain: Stain
    stain_source: StainSource
    tiles: int
    notices: list[str]
    own_score: str | None
    own_comment: str
    own_at: datetime | None
    disagrees: bool
    image_sha256: str
    width: int
    height: int


class HistoryPage(BaseModel):
    """Part of a history, and how many entries match in all."""

    count: int
    entries: list[HistoryItem]


class TilePublic(BaseModel):
    """One scored tile, in pixels of the upload."""

    x: int
    y: int
    width: int
    height: int
    score: str
    confidence: float


class PredictAnswer(BaseModel):
    """The answer for one image; `status` stands in place of `score` for PR."""

    id: str | None = Field(description="History entry; null where nothing was stored.")
    score: str | None = Field(description='"0", "1+", "2+", "3+", or why there is no score.')
    status: str | None = Field(description='"PR+", "PR-", or why there is no status.')
    confidence: float | None = Field(description="0-1")
    probabilities: dict[str, float]
    prediction_set: list[str] = Field(description="Classes that cannot be excluded, best first.")
    rule: str = Field(description="How the tiles became one answer.")
    stain: Stain
    stain_source: StainSource
    tiles: list[TilePublic]
    gradcam: dict[str, str] = Field(description="Layer -> PNG, base64.")
    pseudo_color: str | None = Field(description="PNG, base64.")
    synthetic_ihc: str | None = Field(description="PNG, base64; null where the image is IHC.")
    quantification: Quantification | None = Field(description="null where nothing was measured.")
    quality: dict[str, Any]
    warnings: list[dict[str, str]]
    provenance: dict[str, Any]


class RunPublic(BaseModel):
    """One training run."""

    id: str
    name: str
    owner: str
    recipe: Recipe
    data: str = Field(description="Folder or table of the images.")
    priority: int
    created: datetime
    state: State
    message: str = Field(description="What is done now, or why it ended and what to change.")
    place: int | None = Field(description="In the queue, from 1; null where it does not wait.")
    device: str = Field(description='"cpu" or "cuda:0" while it trains.')
    unit: str = Field(description="What is counted: epochs, or the parts of a study.")
    epoch: int = Field(description="Finished epochs, or parts.")
    epochs: int
    step: int
    steps: int
    seconds: float = Field(description="Of training so far, over all resumptions.")
    left_s: float | None
    metric: str = Field(description="What decides the best weights.")
    best: float | None
    best_epoch: int


class RunDetail(RunPublic):
    """One training run with its settings and figures."""

    config: dict[str, Any]
    last: dict[str, Any] | None = Field(description="The newest line of numbers.")
    evaluation: dict[str, Any] | None = Field(description="Figures on held-out images; null until it has ended.")


class RunStats(BaseModel):
    """Numbers of a run, oldest first; ask again with `skip` = `next`."""

    next: int
    lines: list[dict[str, Any]]


class RunDeleted(BaseModel):
    """A run that is gone."""

    id: str


class WeightsUsed(BaseModel):
    """Weights that analyses run with from now on."""

    model: str
    sha256: str | None = Field(description="null where the model has no usable weights.")
    notes: list[str] = Field([], description="What was passed over on the way back.")


class SampledPublic(BaseModel):
    """One synthetic image."""

    model_config = ConfigDict(validate_by_name=True)

    png: str = Field(description="PNG, base64; its metadata says that it is synthetic.")
    label: str = Field(alias="class")
    seed: int
    file: str = Field(description="Name to save it under, which says so too.")


class SamplesAnswer(BaseModel):
    """Synthetic images, and what makes them again."""

    images: list[SampledPublic]
    truncation: float
    model: str
    weights_sha256: str
    synthetic: bool = True


class CompatLayer(BaseModel):
    """One heat map over the tile that answers."""

    layer_name: str
    gradcam_b64: str


class CompatBox(BaseModel):
    """The tile that answers, in pixels of the scored image."""

    x0: int
    y0: int
    x1: int
    y1: int


class CompatPublic(BaseModel):
    """The published server's answer, field for field; pictures are PNG in base64, never larger than the upload."""

    pred_label: str
    confidence: float = Field(description="0-100")
    probs: dict[str, float] = Field(description="Class -> 0-1")
    probs_chart_b64: str
    orig_b64: str
    generated_b64: str | None = Field(None, description="Virtual IHC; only from GANpredict.")
    origResizedB64: str
    gradcam_layers: list[CompatLayer]
    primary_gradcam_layer: str = PRIMARY_CAM_LAYER
    primary_gradcam_b64: str
    pseudo_b64: str
    wsi_box: CompatBox


class CompatHealth(BaseModel):
    """The published server's state."""

    status: str
    device: str
    ihcnet: bool
    psp: bool
