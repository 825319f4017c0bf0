"""What the settings of a training are called, and what they mean in the words of their configuration."""

import re
from functools import cache

from pydantic import BaseModel

LABELS = {
    "mpp": "Pixel size (µm)",
    "mpp_target": "Pixel size to train at (µm)",
    "tile_um": "Side of a tile (µm)",
    "crop_px": "Side of a crop (px)",
    "clip": "Largest gradient",
    "val_share": "Share for validation",
    "test_share": "Share for the test",
    "max_minutes": "Time limit (min)",
    "early_stop": "Stop early after (epochs)",
    "freeze_backbone": "Freeze the backbone (epochs)",
    "steps_per_epoch": "Batches per epoch",
    "warmup": "Warm-up (epochs)",
    "start": "Start from",
    "synthetic": "Synthetic images",
    "drop_unstained": "Leave out unstained tiles",
    "ema": "Running mean of the weights",
    "nce": "PatchNCE weight",
    "adversarial": "Adversarial weight",
    "density": "Optical density weight",
    "colour": "Colour weight",
    "classifier_weight": "Class weight of samples",
    "beta1": "Adam beta 1",
    "images": "Samples on a picture",
    "real_target": "Target for real tiles",
    "coverage": "Coverage of the prediction set",
    "turns": "Flips and turns",
    "jpeg": "JPEG",
    "tied": "All positions alike",
    "tied_discriminator": "Discriminator: all positions alike",
    "discriminator_learning_rate": "Discriminator's learning rate",
    "start_steps": "Batches before the start",
    "quantile": "Quantile of DAB",
    "gain": "DAB painted per DAB",
    "phantoms": "Simulated pairs",
    "phantom_share": "Share of simulated crops",
    "ratios": "Synthetic per real tile",
    "filtered_ratios": "The same, filtered",
    "real_shares": "Shares of the real tiles",
    "two_filters": "Filter by two classifiers",
    "same_batches": "As many batches for all",
    "draws": "Draws for each that shall pass",
    "generator_batches": "Generator: batches",
    "generator_start": "Generator: batches before the start",
    "generator_width": "Generator: width",
}

PLAIN_HELP = {
    "epochs": "Passes over the training images.",
    "batch_size": "Images per step. Halve it where the memory is not enough.",
    "learning_rate": "How far one step goes. Lower it by ten where the loss jumps or becomes no number.",
    "seed": "The same seed, data and settings give the same run.",
    "weight_decay": "Pulls the weights towards zero, against learning by heart.",
    "schedule": "How the learning rate changes from epoch to epoch.",
    "precision": "Arithmetic; auto takes bfloat16 where the device is faster with it.",
    "balance": "What is done about classes of unequal size.",
    "label_smoothing": "How much of the certainty is taken off the labels.",
    "freeze_backbone": "Epochs during which only the head learns.",
    "backbone": "Name of a timm model.",
    "width": "Channels of the generator's last layer.",
    "discriminator_learning_rate": "Where it differs from the generator's.",
    "beta1": "Momentum of Adam.",
    "stain": "How far stain colours and amounts vary, in optical density.",
}


def label(name: str) -> str:
    """The name of a setting on the screen."""
    return LABELS.get(name, name[:1].upper() + name[1:].replace("_", " "))


def explained(kind: type[BaseModel], name: str) -> str:
    """What a setting means: from the docstring of the configuration that defines it."""
    for each in kind.__mro__:
        found = _attributes(each.__doc__ or "").get(name) if each is not BaseModel else None
        if found:
            return found
    return PLAIN_HELP.get(name, "")


@cache
def _attributes(text: str) -> dict[str, str]:
    """The lines below "Attributes:" by name; "a, b: text" stands for both."""
    found: dict[str, str] = {}
    names: list[str] = []
    for line in text.partition("Attributes:")[2].splitlines():
        start = re.match(r"\s{8}(\w+(?:, \w+)*): (.*)", line)
        if start:
            names = start.group(1).split(", ")
            found |= dict.fromkeys(names, start.group(2).strip())
        elif line.strip() and names:
            found |= {name: f"{found[name]} {line.strip()}" for name in names}
    return {name: words[:1].upper() + words[1:].replace("`", "") for name, words in found.items()}
