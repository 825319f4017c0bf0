"""What every recipe lets a person set; `core.training.config` is the way in."""

from enum import StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


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
