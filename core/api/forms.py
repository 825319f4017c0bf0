"""What requests may hold: text fields beside an image, read strictly and refused in words."""

from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator

from core.api.errors import sentence
from core.errors import InvalidOptionError
from core.labels import CAM_LAYERS, CamMethod, Marker, Scale, StainChoice
from core.training.config import Recipe
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
    schema = form.model_json_schema(ref_template="#/components/schemas/{model}")
    definitions = schema.pop("$defs", {})
    for name, field in schema["properties"].items():
        if reference := field.pop("$ref", None):
            schema["properties"][name] = definitions[reference.rsplit("/", 1)[-1]]
    return {"requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}}
