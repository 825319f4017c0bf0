"""The settings of the networks that a study trains: those of the recipes, with what the study says of them."""

from typing import Any

from core.training.config import ClassifierConfig, IhcnetConfig, MedSynGanConfig, SimpleCnnConfig, StudyConfig

GENERATOR_BATCH, ANCHOR, PULL, RATE = 16, 20.0, 0.1, 8e-4
"""As the bundled generator was trained; see its card."""

_SHARED = ("batch_size", "learning_rate", "weight_decay", "schedule", "clip", "precision", "deterministic", "mpp")
"""Settings of a study that are its classifiers'."""


def classifier_config(config: StudyConfig, *, seed: int, steps: int) -> ClassifierConfig:
    """Return the settings of one classifier.

    Args:
        steps: batches in all, whatever it is trained on.
    """
    common: dict[str, Any] = {
        "epochs": config.epochs,
        "steps_per_epoch": max(1, round(steps / config.epochs)),
        **{name: getattr(config, name) for name in _SHARED},
        "seed": seed,
        "synthetic_share": 10.0,  # as many as are given
        "val_share": 0.0,
        "test_share": 0.0,
    }
    if config.classifier == "ihcnet":
        return IhcnetConfig(**common, start="random")
    return SimpleCnnConfig(**common, tied=config.tied)


def generator_config(config: StudyConfig, *, seed: int, steps: int) -> MedSynGanConfig:
    """Return the settings of one generator, those of the bundled one but for its size and length.

    Args:
        steps: batches of an epoch.
    """
    return MedSynGanConfig(
        epochs=max(1, -(-config.generator_batches // steps)),
        batch_size=GENERATOR_BATCH,
        steps_per_epoch=steps,
        width=config.generator_width,
        start_steps=config.generator_start,
        anchor=ANCHOR,
        tied_discriminator=True,
        ema=0.998,
        discriminator_learning_rate=RATE,
        classifier_weight=PULL,
        precision=config.precision,
        deterministic=config.deterministic,
        mpp=config.mpp,
        seed=seed,
    )


def measured_configs(config: StudyConfig) -> tuple[ClassifierConfig, MedSynGanConfig]:
    """Return a classifier and a generator to estimate the time of a study by, without the generator's start."""
    classifier = classifier_config(config, seed=config.seed, steps=1)
    generator = generator_config(config, seed=config.seed, steps=1)
    return (
        classifier.model_copy(update={"steps_per_epoch": None}),
        generator.model_copy(update={"steps_per_epoch": None, "start_steps": 0, "classifier_weight": 0.0}),
    )
