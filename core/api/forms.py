"""What requests may hold: text fields beside an image, read strictly and refused in words."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema, field_validator

from core.api.errors import sentence
from core.errors import InvalidOptionError
from core.labels import CAM_LAYERS, CamMethod, Marker, NucleiMethod, OperatingPoint, Scale, StainChoice
from core.quantify.regions import corner_pairs
from core.training.config import Recipe
from core.types import Adjustments, Options, Region, Thresholds

_CORNERS: dict[str, Any] = {
    "type": "array",
    "description": "Corners (x, y) in pixels of the upload, at least 3; what lies beyond the image is cut off.",
    "items": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
}
_CORRECTIONS: dict[str, Any] = {
    "type": "object",
    "description": "Row of a nucleus, from 0 as in the CSV -> class 0-3, or -1 for a nucleus that does not count.",
    "additionalProperties": {"type": "integer", "minimum": -1, "maximum": 3},
}

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
    nuclei: NucleiMethod = Field(NucleiMethod.LEARNED, description="How nuclei are found.")
    operating_point: OperatingPoint = Field(
        OperatingPoint.BEST_F1, description="What the learned detector's limits favour."
    )
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
            nuclei=self.nuclei,
            operating_point=self.operating_point,
        )


class ThresholdsForm(BaseModel):
    """DAB optical density of a nucleus (of a membrane, for HER2) from which it is weak, moderate and strong."""

    model_config = ConfigDict(extra="forbid")

    weak: float | None = Field(None, description="null: stained or not as detected; membranes by their own limits.")
    moderate: float = Thresholds.moderate
    strong: float = Thresholds.strong


class RegionForm(BaseModel):
    """A closed polygon on the image."""

    model_config = ConfigDict(extra="forbid")

    points: Annotated[list[Any], WithJsonSchema(_CORNERS)]
    exclude: bool = Field(False, description="What lies inside is left out; otherwise only what lies inside counts.")


class AdjustmentsForm(BaseModel):
    """What a person changes about the measurement of an entry; what is absent stays as measured."""

    model_config = ConfigDict(extra="forbid")

    thresholds: ThresholdsForm = ThresholdsForm()
    regions: list[RegionForm] = []
    corrections: Annotated[dict[int, int], WithJsonSchema(_CORRECTIONS)] = {}

    @field_validator("corrections", mode="before")
    @classmethod
    def _rows_and_classes(cls, value: object) -> object:
        try:
            return {int(row): _whole(grade) for row, grade in dict(value).items()}  # type: ignore[call-overload]
        except (TypeError, ValueError) as error:
            raise ValueError(
                'should be an object of row numbers and classes from -1 to 3, such as {"12": 2}'
            ) from error

    def adjustments(self) -> Adjustments:
        """Return what the form asks for.

        Raises:
            InvalidOptionError: a region is no area.
        """
        regions = tuple(Region(tuple(corner_pairs(region.points)), region.exclude) for region in self.regions)
        limits = self.thresholds
        return Adjustments(Thresholds(limits.weak, limits.moderate, limits.strong), regions, dict(self.corrections))


def _whole(value: object) -> int:
    """Return a whole number as it stands in JSON; true and 1.5 are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value


class RunForm(BaseModel):
    """A training to be put in the queue."""

    recipe: Recipe
    data: str = Field(description="Folder or CSV table on the server, or the identifier of an uploaded data set.")
    name: str = Field("", description="Free text; named after the recipe where empty.")
    config: dict[str, Any] = Field({}, description="Settings that differ from the recipe's: epochs, batch_size, ...")
    priority: int = Field(0, ge=-100, le=100, description="Higher ones start first; above 0 for administrators.")


class ResumeForm(BaseModel):
    """How a run goes on."""

    extra_epochs: int = Field(0, ge=0, le=10_000, description="More epochs than before; a finished run needs some.")


class StopForm(BaseModel):
    """How a run stops."""

    finish: bool = Field(
        False, description="End it and judge the best weights so far, instead of keeping it to resume."
    )


FormT = TypeVar("FormT", bound=BaseModel)


class CompatForm(BaseModel):
    """What the published application sends beside the image; the address decides, so this is ignored there too."""

    is_he: bool = False


class StainForm(BaseModel):
    """The text fields of a virtual staining."""

    scale: Scale = Scale.FILE


class SampleForm(BaseModel):
    """What shall be sampled."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_by_name=True)

    label: str = Field(alias="class", description='"PR-", "PR+"; "0", "1+", "2+", "3+" where HER2 weights are active.')
    count: int = Field(1, description="1 to 256.")
    seed: int = Field(0, description="Of the first image, 0 to 4294967295; the others have those that follow.")
    truncation: float = Field(1.0, description="The noise is multiplied by it; above 0, at most 1.")


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


def json_body(form: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """Describe a JSON body for the documentation; it is read by hand, counted, after the sign-in."""
    schema = form.model_json_schema()
    schema = _spelled_out(schema, schema.pop("$defs", {}))
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}


def _spelled_out(schema: Any, definitions: dict[str, Any]) -> Any:
    """Put the definitions of a schema in the places that refer to them."""
    if isinstance(schema, list):
        return [_spelled_out(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        schema = {**definitions[schema["$ref"].rsplit("/", 1)[-1]], **{k: v for k, v in schema.items() if k != "$ref"}}
    return {key: _spelled_out(value, definitions) for key, value in schema.items()}
