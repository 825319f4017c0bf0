"""The shapes of requests and answers, as they appear in the API's documentation."""

from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.api.errors import sentence
from core.errors import InvalidOptionError
from core.labels import CAM_LAYERS, PRIMARY_CAM_LAYER, CamMethod, Marker, Scale, Stain, StainChoice, StainSource
from core.types import Options

PR_LAYERS = ("conv1", "conv2")
LAYERS: dict[Marker, tuple[str, ...]] = {Marker.HER2: CAM_LAYERS, Marker.PR: PR_LAYERS}


class AnalyzeForm(BaseModel):
    """The text fields beside the image."""

    stain: StainChoice = StainChoice.AUTO
    explain: bool = True
    layers: str = Field("", description="Comma list of layers to explain; empty for all.")
    scale: Scale = Field(Scale.FILE, description="Magnification, where the file does not say its pixel size.")
    cam_method: CamMethod = CamMethod.GRAD_CAM
    target: str | None = Field(None, description="Class to explain; the outcome where absent.")
    insist: bool = Field(False, description="Score although the image looks like neither H&E nor IHC.")
    raw: bool = Field(False, description="Add what another workbench needs to rebuild the whole result.")
    store: bool = Field(True, description="Keep the result in the history.")

    @field_validator("target", mode="before")
    @classmethod
    def _empty_is_absent(cls, value: object) -> object:
        return value or None

    def options(self, marker: Marker) -> Options:
        """Return what the form asks of an analysis.

        Raises:
            InvalidOptionError: a layer that this marker's network does not have.
        """
        known = LAYERS[marker]
        asked = tuple(name.strip() for name in self.layers.split(",") if name.strip())
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise InvalidOptionError(f"`layers` holds {', '.join(unknown)[:80]}; known are {', '.join(known)}.")
        return Options(
            marker=marker,
            stain=self.stain,
            scale=self.scale,
            explain=self.explain,
            layers=asked or known,
            cam_method=self.cam_method,
            target=self.target,
            insist=self.insist,
        )


FormT = TypeVar("FormT", bound=BaseModel)


class CompatForm(BaseModel):
    """What the published application sends beside the image; the address decides, so this is ignored there too."""

    is_he: bool = False


class StainForm(BaseModel):
    """The text fields of a virtual staining."""

    scale: Scale = Scale.FILE


def parse(kind: type[FormT], fields: dict[str, Any]) -> FormT:
    """Read form fields into their shape; unknown fields are ignored.

    Raises:
        InvalidOptionError: a value that is not allowed, in words.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise InvalidOptionError(sentence(error.errors(include_url=False))) from error


def multipart(form: type[BaseModel]) -> dict[str, Any]:
    """Describe a multipart body for the documentation; the body itself is read by hand, counted, after the sign-in."""
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    fields = {"file": {"type": "string", "format": "binary", "description": "H&E or IHC; `image` works too."}}
    for name, field in schema["properties"].items():
        fields[name] = {key: value for key, value in field.items() if key != "title"}
        if reference := field.get("$ref"):
            fields[name] = {**definitions[reference.rsplit("/", 1)[-1]], "default": field.get("default")}
    content = {"multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": fields}}}
    return {"requestBody": {"required": True, "content": content}}


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
    quantification: dict[str, Any] | None
    quality: dict[str, Any]
    warnings: list[dict[str, str]]
    provenance: dict[str, Any]


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
