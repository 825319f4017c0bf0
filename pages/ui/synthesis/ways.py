"""From one synthetic image to another: what was asked for, its strip and its animation."""

from dataclasses import dataclass

from core.db.engine import Database
from pages.ui import grid
from pages.ui.synthesis import generators
from pages.ui.synthesis.generators import Weights

SEEDS, CLASSES, SWEEP = "Two seeds", "Two classes", "All classes"


@dataclass(frozen=True)
class Way:
    """What was asked for; the same always gives the same images."""

    weights: Weights
    mode: str
    labels: tuple[str, str]
    seeds: tuple[int, int]
    steps: int
    truncation: float

    @property
    def title(self) -> str:
        """ "PR+, seed 1 to 2"."""
        if self.mode == SEEDS:
            return f"{self.labels[0]}, seed {self.seeds[0]} to {self.seeds[1]}"
        if self.mode == CLASSES:
            return f"{self.labels[0]} to {self.labels[1]}, seed {self.seeds[0]}"
        return f"Seed {self.seeds[0]} in every class"


@dataclass(frozen=True)
class Shown:
    """The images of the last way that was asked for."""

    way: Way
    cells: tuple[grid.Cell, ...]
    animation: bytes


def made(db: Database, way: Way) -> Shown:
    """The strip and the animation."""
    from core.animation import animated_webp
    from core.images import encode_jpeg
    from core.inference.synthesis import SampleSpec, all_classes, interpolate_classes, interpolate_seeds

    engine, model = generators.engine_of(db, way.weights), way.weights.model
    first, last = (SampleSpec(label, seed, way.truncation) for label, seed in zip(way.labels, way.seeds, strict=True))
    if way.mode == SEEDS:
        images = interpolate_seeds(engine, model, first, last, steps=way.steps)
    elif way.mode == CLASSES:
        images = interpolate_classes(engine, model, first, last.label, steps=way.steps)
    else:
        images = all_classes(engine, model, first.seed, way.truncation)[1]
    words = _captions(way, len(images))
    cells = tuple(
        grid.Cell(f"step {number}", encode_jpeg(image), caption=text, alt=f"Synthetic, {text}")
        for number, (image, text) in enumerate(zip(images, words, strict=True), start=1)
    )
    about = {"Description": "Synthetic images: no patient's tissue. Research use only.", "Way": way.title}
    return Shown(way, cells, animated_webp(images, about | {"Weights-SHA256": way.weights.sha256}))


def _captions(way: Way, count: int) -> list[str]:
    if way.mode == SWEEP:
        return list(way.weights.labels)
    first, last = (f"seed {seed}" for seed in way.seeds) if way.mode == SEEDS else way.labels
    return [first, *(f"{number / (count - 1):.0%}" for number in range(1, count - 1)), last]
