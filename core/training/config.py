"""What a person may set of a training: one frozen configuration per recipe, with the published defaults.

A configuration is written to the run folder as JSON before the first step and read back from there; unknown keys and
values out of range are refused in words.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from core.errors import InvalidOptionError
from core.training.config_base import Augmentation, Balance, Precision, Recipe, Schedule, TrainConfig
from core.training.config_study import StudyConfig

__all__ = [
    "CONFIGS",
    "Augmentation",
    "Balance",
    "ClassifierConfig",
    "IhcnetConfig",
    "MedSynGanConfig",
    "Precision",
    "Recipe",
    "Schedule",
    "SimpleCnnConfig",
    "StudyConfig",
    "TrainConfig",
    "VirtualStainConfig",
    "VitConfig",
    "read_config",
    "recipe_of",
]


class ClassifierConfig(TrainConfig):
    """A network that names the class of a tile.

    Attributes:
        tile_um: side of a tile in micrometres where images are larger than the network's input and their scale is
            known; None takes the card's.
        mpp: micrometres per pixel of images that do not say so; None takes an image as one tile if it is not larger
            than four inputs, and as scanned at 40x otherwise.
        start: "random", "bundled" (the weights the workbench uses), "imagenet" (where torchvision or timm has them on
            this machine) or the path of a weights file.
        synthetic: folder of accepted synthetic images, in class folders; they only ever train.
        synthetic_share: synthetic images per real training image, at most.
        drop_unstained: leave tiles without brown out of the positive classes (2+, 3+, PR+) while training: their label
            is the case's, and they show nothing of it.
        coverage: share of each class whose true class the prediction set shall hold.
    """

    tile_um: float | None = Field(default=None, gt=0)
    mpp: float | None = Field(default=None, gt=0, le=20)
    balance: Balance = Balance.WEIGHTS
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    augmentation: Augmentation = Augmentation()
    start: str = "random"
    freeze_backbone: int = Field(default=0, ge=0, le=10_000)
    synthetic: Path | None = None
    synthetic_share: float = Field(default=1.0, ge=0, le=10)
    drop_unstained: bool = False
    coverage: float = Field(default=0.9, gt=0.5, lt=1)


class SimpleCnnConfig(ClassifierConfig):
    """SimpleCNN as published: Adam, cross-entropy, 50 epochs, 70/30; the 30 are halved into validation and test.

    Attributes:
        tied: weigh every position of a tile alike while training; for a few hundred tiles. What is saved is the
            published network all the same.
    """

    recipe: Literal[Recipe.SIMPLE_CNN] = Recipe.SIMPLE_CNN
    tied: bool = False


class IhcnetConfig(ClassifierConfig):
    """IHCNet as published: AdamW, 3e-4, weight decay 1e-4, cosine, 17 epochs, batch 128 (here 32, for the memory)."""

    recipe: Literal[Recipe.IHCNET] = Recipe.IHCNET
    epochs: int = Field(default=17, ge=1, le=10_000)
    learning_rate: float = Field(default=3e-4, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=1e-4, ge=0, le=10)
    schedule: Schedule = Schedule.COSINE
    start: str = "bundled"


class VitConfig(ClassifierConfig):
    """A timm backbone by name behind IHCNet's classifier head, for the borderline of 1+ and 2+."""

    recipe: Literal[Recipe.VIT] = Recipe.VIT
    backbone: str = Field(default="vit_tiny_patch16_224", min_length=1, max_length=100)
    epochs: int = Field(default=17, ge=1, le=10_000)
    learning_rate: float = Field(default=1e-4, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.05, ge=0, le=10)
    schedule: Schedule = Schedule.COSINE
    warmup: int = Field(default=1, ge=0, le=1000)


class MedSynGanConfig(TrainConfig):
    """MedSynGAN in its plain published form: Adam 2e-4, binary cross-entropy; the rest are switches, all off.

    Attributes:
        start_steps: batches before the first epoch from which the generator learns to paint real tiles from their
            principal components, so that it starts with images that differ; 0 starts at random.
        anchor: weight of the loss by which it goes on painting, at reduced size, the tile that half of the noise are
            the components of; keeps it from answering all noise alike.
        spectral_norm: bound the discriminator's layers; folded away when weights are written.
        tied_discriminator: its last layer weighs every position alike; written out in full when weights are written.
        differentiable_augmentation: colour, shift and cutout of what the discriminator sees, real and synthetic.
        ema: decay of the running mean of the generator's weights that is kept; 0 keeps the last weights.
        real_target: what the discriminator shall answer for real images (one-sided label smoothing below 1).
        classifier_weight: weight of the loss by which a classifier of the real tiles pulls a sample to its class.
        images: samples on each picture of the fixed noise.
    """

    recipe: Literal[Recipe.MEDSYNGAN] = Recipe.MEDSYNGAN
    epochs: int = Field(default=200, ge=1, le=10_000)
    learning_rate: float = Field(default=2e-4, gt=0, allow_inf_nan=False)
    discriminator_learning_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    beta1: float = Field(default=0.5, ge=0, lt=1)
    clip: float | None = None
    tile_um: float | None = Field(default=None, gt=0)
    mpp: float | None = Field(default=None, gt=0, le=20)
    width: Literal[32, 64, 96, 128] = 64
    start_steps: int = Field(default=0, ge=0, le=100_000)
    anchor: float = Field(default=0.0, ge=0, le=100)
    spectral_norm: bool = False
    tied_discriminator: bool = False
    differentiable_augmentation: bool = False
    ema: float = Field(default=0.0, ge=0, lt=1)
    real_target: float = Field(default=1.0, gt=0.5, le=1)
    classifier_weight: float = Field(default=0.0, ge=0, le=10)
    images: int = Field(default=16, ge=1, le=64)


class VirtualStainConfig(TrainConfig):
    """PSPStain's generator on registered pairs; each term of the loss has a weight, 0 switches it off.

    Attributes:
        crop_px: side of the training crops; a multiple of 4.
        mpp: micrometres per pixel of images that do not say so; None takes those of at most 512 px as reduced to the
            generator's scale already, and others as scanned at 40x.
        mpp_target: micrometres per pixel of the generator; None takes the card's.
        adversarial, nce, density, colour: weights of the adversarial, PatchNCE, optical-density (protein) and
            L1/pyramid terms.
        correlation: weight of a second optical-density term: where the DAB of a crop is, however much there is of it.
        quantile: which quantile of the DAB that such tissue shows is to be painted; above 0.5 missing DAB costs more
            than too much, or the rare brown would be averaged away.
        gain: DAB to paint per DAB measured. What is learnt is an average over patients and paler than any of them;
            above 1 gives some of the contrast back.
        discriminator_learning_rate: of the networks that learn beside the generator; None takes the generator's.
        ema: decay of the running mean of the generator's weights that is kept; 0 keeps the last weights.
        phantoms, phantom_share: simulated pairs that train too, and how often a crop is one of theirs.
        start: "solved" (decoder fitted to the pairs by least squares), "bundled", "random" or a weights file.
    """

    recipe: Literal[Recipe.VIRTUAL_STAIN] = Recipe.VIRTUAL_STAIN
    epochs: int = Field(default=100, ge=1, le=10_000)
    batch_size: int = Field(default=1, ge=1, le=256)
    learning_rate: float = Field(default=2e-4, gt=0, allow_inf_nan=False)
    schedule: Schedule = Schedule.COSINE
    crop_px: int = Field(default=128, ge=32, le=512, multiple_of=4)
    mpp: float | None = Field(default=None, gt=0, le=20)
    mpp_target: float | None = Field(default=None, gt=0, le=20)
    adversarial: float = Field(default=1.0, ge=0, le=100)
    nce: float = Field(default=1.0, ge=0, le=100)
    density: float = Field(default=2.0, ge=0, le=100)
    colour: float = Field(default=10.0, ge=0, le=100)
    correlation: float = Field(default=0.0, ge=0, le=100)
    quantile: float = Field(default=0.75, gt=0, lt=1)
    gain: float = Field(default=1.0, gt=0, le=10)
    discriminator_learning_rate: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    ema: float = Field(default=0.99, ge=0, lt=1)
    phantoms: int = Field(default=0, ge=0, le=1000)
    phantom_share: float = Field(default=0.12, ge=0, lt=1)
    start: str = "bundled"
    stain: float = Field(default=0.15, ge=0, le=1)


AnyConfig = Annotated[
    SimpleCnnConfig | IhcnetConfig | VitConfig | MedSynGanConfig | VirtualStainConfig | StudyConfig,
    Field(discriminator="recipe"),
]
CONFIGS: dict[Recipe, type[TrainConfig]] = {
    Recipe.SIMPLE_CNN: SimpleCnnConfig,
    Recipe.IHCNET: IhcnetConfig,
    Recipe.VIT: VitConfig,
    Recipe.MEDSYNGAN: MedSynGanConfig,
    Recipe.VIRTUAL_STAIN: VirtualStainConfig,
    Recipe.STUDY: StudyConfig,
}
_ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyConfig)


def read_config(values: Mapping[str, Any]) -> Any:
    """Return the configuration that these values describe; `recipe` names its kind.

    Raises:
        InvalidOptionError: an unknown recipe or key, or a value out of range; all of them are named.
    """
    try:
        return _ADAPTER.validate_python(dict(values))
    except ValidationError as error:
        raise InvalidOptionError(f"These settings do not work. {_in_words(error)}") from error


def recipe_of(config: TrainConfig) -> Recipe:
    """Return the recipe that a configuration belongs to."""
    return Recipe(str(config.model_dump()["recipe"]))


def _in_words(error: ValidationError) -> str:
    sentences = []
    for problem in error.errors():
        place = ".".join(str(part) for part in problem["loc"] if part not in tuple(Recipe)) or "recipe"
        found = "" if isinstance(problem["input"], dict) else f" (found {problem['input']!r})"
        sentences.append(f"{place}: {problem['msg']}{found}.")
    return " ".join(sentences)
