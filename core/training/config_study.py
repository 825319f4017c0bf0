"""What a person may set of a study; `core.training.config` is the way in."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from core.training.config_base import Recipe, Schedule, TrainConfig


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
