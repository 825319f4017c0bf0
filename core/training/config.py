"""What a person may set of a training: one frozen configuration per recipe, with the published defaults.

A configuration is written to the run folder as JSON before the first step and read back from there; unknown keys and
values out of range are refused in words.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from core.errors import InvalidOptionError


class Recipe(StrEnum):
    """What can be trained."""

    SIMPLE_CNN = "simple-cnn"
    IHCNET = "ihcnet"
    VIT = "vit"
    MEDSYNGAN = "medsyngan"
    VIRTUAL_STAIN = "virtual-stain"
    STUDY = "study"


class Schedule(StrEnum):
    """How the learning rate changes from epoch to epoch."""

    COSINE = "cosine"
    PLATEAU = "plateau"
    CONSTANT = "constant"


class Balance(StrEnum):
    """What is done about classes of unequal size."""

    NONE = "none"
    WEIGHTS = "weights"
    SAMPLING = "sampling"


class Precision(StrEnum):
    """Arithmetic of the forward pass; `auto` takes bfloat16 where the device is faster with it."""

    AUTO = "auto"
    FLOAT32 = "32"
    BFLOAT16 = "bf16"


class Augmentation(BaseModel):
    """How strongly training images are varied; 0 switches one off.

    Attributes:
        turns: flip and rotate by quarter turns.
        stain: deviation of stain colours and amounts, in optical density.
        light: deviation of the white point.
        zoom: largest relative change of scale.
        blur, jpeg, noise: chance of each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    turns: bool = True
    stain: float = Field(default=0.15, ge=0, le=1)
    light: float = Field(default=0.05, ge=0, le=0.5)
    zoom: float = Field(default=0.15, ge=0, le=0.5)
    blur: float = Field(default=0.2, ge=0, le=1)
    jpeg: float = Field(default=0.2, ge=0, le=1)
    noise: float = Field(default=0.2, ge=0, le=1)


class TrainConfig(BaseModel):
    """What every recipe knows.

    Attributes:
        epochs: passes over the training images (of `steps_per_epoch` batches where that is set).
        steps_per_epoch: batches per epoch; None takes every training image once.
        warmup: epochs during which the learning rate rises.
        clip: largest norm of the gradient; None does not clip.
        early_stop: epochs without improvement after which the run ends; 0 never.
        max_minutes: wall clock after which the run ends as if its epochs were done; None never.
        val_share, test_share: of the cases, held out where the data set does not say so itself.
        deterministic: the same seed gives the same result on this machine; slower on a GPU.
        unit: what a run of this recipe is counted in; `rounds` of them in all.
        unused: settings that mean nothing to this recipe.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    unit: ClassVar[str] = "epoch"
    unused: ClassVar[frozenset[str]] = frozenset()

    epochs: int = Field(default=50, ge=1, le=10_000)
    batch_size: int = Field(default=32, ge=1, le=4096)
    steps_per_epoch: int | None = Field(default=None, ge=1, le=1_000_000)
    learning_rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    weight_decay: float = Field(default=0.0, ge=0, le=10)
    schedule: Schedule = Schedule.CONSTANT
    warmup: int = Field(default=0, ge=0, le=1000)
    clip: float | None = Field(default=1.0, gt=0)
    early_stop: int = Field(default=0, ge=0, le=10_000)
    max_minutes: float | None = Field(default=None, gt=0)
    precision: Precision = Precision.AUTO
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    deterministic: bool = True
    val_share: float = Field(default=0.15, ge=0, lt=0.9)
    test_share: float = Field(default=0.15, ge=0, lt=0.9)

    @property
    def rounds(self) -> int:
        """How many units the run has."""
        return self.epochs


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


def _numbers(value: Any) -> Any:
    """Read "0.5, 1, 2" as numbers; anything else is left to the type."""
    if isinstance(value, str):
        return [part for part in value.replace(";", ",").split(",") if part.strip()]
    return [value] if isinstance(value, int | float) else value


Ratio = Annotated[float, Field(gt=0, le=10)]
Ratios = Annotated[tuple[Ratio, ...], BeforeValidator(_numbers), Field(max_length=10)]
Share = Annotated[float, Field(gt=0, le=1)]
Shares = Annotated[tuple[Share, ...], BeforeValidator(_numbers), Field(min_length=1, max_length=5)]


class StudyConfig(TrainConfig):
    """Does synthetic data help? The same classifier on real images alone, and on real and synthetic ones.

    In each fold some cases are for the test alone; generator, filter and classifiers learn from the others.

    Attributes:
        epochs: passes over the real training tiles; sets how many batches every classifier does.
        batch_size: real and synthetic tiles a batch.
        same_batches: every classifier does as many batches as that of real images alone, so that more images are not
            more training; else synthetic images add their own, and real ones are seen as often as without them.
        classifier: what is trained, with its own augmentation.
        tied: weigh every position of a tile alike while training (SimpleCNN only).
        ratios: synthetic images per real training tile, taken as they come from the generator.
        filtered_ratios: the same, of images that passed the quality filter.
        real_shares: shares of the real training tiles; below 1 they say whether synthesis helps where images are few.
        folds: every case is tested in one of them.
        seeds: trainings of each kind in each fold, with seeds from the seed on.
        two_filters: filter by two classifiers, each of one half of the training cases, which both must accept; else by
            the real-only classifier of the fold, as published.
        draws: images drawn at most for each that shall pass the filter.
        generator_batches: batches of 16 tiles that each generator learns from.
        generator_start: batches before those in which it learns to paint real tiles from their components.
        generator_width: channels of its last layer.
        mpp: micrometres per pixel of images that do not say so.
    """

    unit: ClassVar[str] = "part"
    unused: ClassVar[frozenset[str]] = frozenset({"early_stop", "val_share", "test_share", "warmup"})

    recipe: Literal[Recipe.STUDY] = Recipe.STUDY
    epochs: int = Field(default=12, ge=1, le=10_000)
    learning_rate: float = Field(default=5e-3, gt=0, allow_inf_nan=False)
    schedule: Schedule = Schedule.COSINE
    val_share: float = Field(default=0.0, ge=0, lt=0.9)
    test_share: float = Field(default=0.0, ge=0, lt=0.9)
    classifier: Literal["simple-cnn", "ihcnet"] = "simple-cnn"
    tied: bool = True
    same_batches: bool = True
    ratios: Ratios = (0.5, 1.0, 2.0)
    filtered_ratios: Ratios = (1.0, 2.0)
    real_shares: Shares = (1.0,)
    folds: int = Field(default=3, ge=2, le=20)
    seeds: int = Field(default=3, ge=1, le=20)
    two_filters: bool = False
    draws: int = Field(default=20, ge=1, le=1000)
    generator_batches: int = Field(default=2000, ge=1, le=1_000_000)
    generator_start: int = Field(default=400, ge=0, le=100_000)
    generator_width: Literal[32, 64, 96, 128] = 32
    mpp: float | None = Field(default=None, gt=0, le=20)

    @property
    def rounds(self) -> int:
        """Generators, filters and classifiers to train."""
        arms = 1 + len(set(self.ratios)) + len(set(self.filtered_ratios))
        filters = int(bool(self.filtered_ratios))
        generators = int(arms > 1)
        return len(set(self.real_shares)) * self.folds * (generators + filters + self.seeds * arms)


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
