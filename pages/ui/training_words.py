"""The words of the Training page: recipes, states, curves and figures as they are read."""

from dataclasses import dataclass

from core.labels import CLASSES, Marker
from core.reports.content import percent
from core.training.config import Recipe
from core.training.data import Kind
from core.training.run_folder import State, Status


@dataclass(frozen=True)
class RecipeWords:
    """A recipe as its card says it.

    Attributes:
        kind: of the data sets it can be trained on.
    """

    title: str
    sentence: str
    icon: str
    kind: Kind


RECIPES: dict[Recipe, RecipeWords] = {
    Recipe.SIMPLE_CNN: RecipeWords(
        "SimpleCNN",
        "Names the class of a small tile of nuclei, such as PR- and PR+. Trains in minutes, also without a GPU.",
        ":material/bolt:",
        Kind.CLASSES,
    ),
    Recipe.IHCNET: RecipeWords(
        "IHCNet",
        "Names the class of a tile of membrane stain, such as HER2 0 to 3+. Goes on from the weights in use.",
        ":material/biotech:",
        Kind.CLASSES,
    ),
    Recipe.VIT: RecipeWords(
        "Vision transformer",
        "Another backbone behind IHCNet's head, for borderline classes such as 1+ and 2+. Better with a GPU.",
        ":material/grid_view:",
        Kind.CLASSES,
    ),
    Recipe.MEDSYNGAN: RecipeWords(
        "MedSynGAN",
        "Learns to draw new tiles of each class. Needs many epochs; watch the samples improve.",
        ":material/auto_awesome:",
        Kind.CLASSES,
    ),
    Recipe.STUDY: RecipeWords(
        "Study",
        "Does synthetic data help? Compares a classifier of real images with those of real and synthetic ones.",
        ":material/balance:",
        Kind.CLASSES,
    ),
    Recipe.VIRTUAL_STAIN: RecipeWords(
        "Virtual stain",
        "Learns to turn H&E into IHC from registered pairs of the same field.",
        ":material/colorize:",
        Kind.PAIRS,
    ),
}

STATES: dict[State, tuple[str, str]] = {
    State.QUEUED: (":material/hourglass_empty:", "gray"),
    State.STARTING: (":material/play_circle:", "blue"),
    State.RUNNING: (":material/play_circle:", "blue"),
    State.EVALUATING: (":material/query_stats:", "blue"),
    State.FINISHED: (":material/check_circle:", "green"),
    State.STOPPED: (":material/stop_circle:", "orange"),
    State.FAILED: (":material/error:", "red"),
    State.INTERRUPTED: (":material/power_off:", "orange"),
}
"""Icon and colour of each state, always beside its name."""

CURVES = {
    "loss": "loss of the batches",
    "g_loss": "generator loss",
    "d_loss": "discriminator loss",
    "d_real": "real tiles called real",
    "d_fake": "synthetic tiles called real",
    "diversity": "diversity of the samples",
}
SIDES = {"train_": "training ", "val_": "validation ", "seen_": "seen tiles: "}

FIGURES = {
    "frechet": "Fréchet distance",
    "kernel": "Kernel distance",
    "precision": "Precision",
    "recall": "Recall",
    "class_consistency": "Class consistency",
    "memorised_share": "Memorised samples",
    "ssim": "SSIM",
    "psnr": "PSNR (dB)",
    "dab_correlation": "DAB correlation",
    "dice": "DAB mask Dice",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "kappa": "Quadratic kappa",
    "ece": "Calibration error",
}


def curve(name: str) -> str:
    """The name of a curve."""
    for start, side in SIDES.items():
        if name.startswith(start):
            return side + name.removeprefix(start).replace("_", " ").replace("ssim", "SSIM")
    return CURVES.get(name, name.replace("_", " "))


def figure(name: str) -> str:
    """The name of a figure of an evaluation."""
    plain = name.replace("_", " ")
    return FIGURES.get(name, plain[:1].upper() + plain[1:])


def number(value: float | int | None) -> str:
    """A figure with three significant digits; a dash where it is missing."""
    if value is None or value != value:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3g}"


def duration(seconds: float) -> str:
    """ "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 24 else f"{hours} h"


def size(count: float) -> str:
    """Bytes as "3.2 MB"."""
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def share_done(status: Status) -> float:
    """Of all epochs, in [0, 1]."""
    if status.state is State.FINISHED:
        return 1.0
    part = status.step / status.steps if status.steps else 0.0
    return min(1.0, (status.epoch + min(part, 1.0)) / status.epochs) if status.epochs else 0.0


def progress(status: Status) -> str:
    """ "Epoch 3 of 10 · about 4 min left"."""
    if not status.epochs:
        return status.state.value.capitalize()
    if status.state.ended:
        epochs = f"{status.epoch} of {status.epochs} {status.unit}s"
        return f"{epochs} in {duration(status.seconds)}" if status.seconds else epochs
    if status.state is not State.RUNNING:
        return f"{status.message[:1].upper()}{status.message[1:]}" or status.state.value.capitalize()
    parts = [f"{status.unit.capitalize()} {min(status.epoch + 1, status.epochs)} of {status.epochs}"]
    if status.left_s is not None:
        parts.append(f"about {duration(status.left_s)} left")
    return " · ".join(parts)


def best(status: Status) -> str:
    """ "Best validation loss 0.312 in epoch 4"; empty before the first epoch."""
    if status.best is None:
        return ""
    return f"Best {status.metric} {number(status.best)} in epoch {status.best_epoch}"


def interval(low: float | None, high: float | None) -> str:
    """A 95 % interval of a share: "88 % to 97 %"; empty where there is none."""
    return "" if low is None or high is None else f"{percent(low)} to {percent(high)}"


def recipe_for(kind: Kind, classes: tuple[str, ...]) -> Recipe:
    """The recipe that suits a data set best, as a proposal."""
    if kind is Kind.PAIRS:
        return Recipe.VIRTUAL_STAIN
    return Recipe.IHCNET if set(classes) <= set(CLASSES[Marker.HER2]) else Recipe.SIMPLE_CNN


def plain(text: str) -> str:
    """User text as it is: no Markdown, no directives."""
    return "".join(f"\\{each}" if each in "\\`*_{}[]()#+-.!|:~$<>&" else each for each in text)
