"""Synthetic images by class and seed: the same weights, class, seed and truncation give the same image, always."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import numpy.typing as npt

from core.errors import InvalidOptionError
from core.inference.engine import Engine
from core.inference.sampling import BATCH
from core.labels import Marker
from core.models.medsyngan import NOISE_DIM
from core.models.registry import get_card
from core.types import Progress, RGBImage, no_progress

GENERATORS = {Marker.PR: "medsyngan_g", Marker.HER2: "medsyngan_her2_g"}
"""The model that paints each marker."""

MAX_COUNT = 10_000
SEEDS = 2**32
"""Seeds are whole numbers below this."""


@dataclass(frozen=True)
class SampleSpec:
    """What one synthetic image is made from.

    Attributes:
        label: class, as the model's card calls it.
        truncation: the noise is multiplied by it, in (0, 1]; less gives more typical, less varied images.
    """

    label: str
    seed: int
    truncation: float = 1.0


def specs_of(label: str, count: int, seed: int, truncation: float = 1.0) -> tuple[SampleSpec, ...]:
    """Return what `count` images of one class are made from: the seed and those that follow it."""
    return tuple(SampleSpec(label, (seed + number) % SEEDS, truncation) for number in range(count))


def noise_of(specs: Sequence[SampleSpec]) -> npt.NDArray[np.float32]:
    """Return (N, 100) float32, standard normal times the truncation.

    The stream of numbers is NumPy's legacy Mersenne Twister, which NumPy promises never to change.
    """
    noise = np.empty((len(specs), NOISE_DIM), np.float32)
    for row, spec in zip(noise, specs, strict=True):
        row[:] = np.random.RandomState(spec.seed).standard_normal(NOISE_DIM) * spec.truncation
    return noise


def sample_images(engine: Engine, name: str, specs: Sequence[SampleSpec]) -> RGBImage:
    """Make synthetic images.

    Args:
        name: of the generator; `GENERATORS` lists them.
    Returns:
        (N, 128, 128, 3) uint8 RGB.
    Raises:
        InvalidOptionError: a class that the generator does not know.
        ModelUnavailableError: its weights are missing or unusable.
    """
    return engine.sample(name, noise_of(specs), _indices(name, specs))


def iter_samples(
    engine: Engine, name: str, specs: Iterable[SampleSpec], *, batch: int = BATCH, progress: Progress = no_progress
) -> Iterator[tuple[tuple[SampleSpec, ...], RGBImage]]:
    """Make synthetic images, a batch at a time, so that any number of them takes no more memory than one batch.

    Raises:
        InvalidOptionError, ModelUnavailableError: as `sample_images`.
        CancelledError: from `progress`.
    """
    total = len(specs) if isinstance(specs, Sequence) else 0
    waiting, done = iter(specs), 0
    while some := tuple(islice(waiting, batch)):
        progress("sampling", done, total)
        images = sample_images(engine, name, some)
        done += len(some)
        yield some, images
    progress("sampling", done, total)


def interpolate_seeds(engine: Engine, name: str, first: SampleSpec, last: SampleSpec, *, steps: int) -> RGBImage:
    """Make the images on the way from one seed to another, of the first one's class; (steps, 128, 128, 3) uint8 RGB.

    The noise turns on the sphere: on a straight line it would become shorter than noise ever is, and the images pale.
    """
    start, end = noise_of([first, replace(last, label=first.label)]).astype(np.float64)
    noise = np.stack([spherical(start, end, share) for share in np.linspace(0, 1, steps)])
    return engine.sample(name, noise.astype(np.float32), _indices(name, [first] * steps))


def interpolate_classes(engine: Engine, name: str, spec: SampleSpec, label: str, *, steps: int) -> RGBImage:
    """Make the images on the way from one class to another, of one seed; (steps, 128, 128, 3) uint8 RGB.

    What the network has learnt of the two classes is mixed in equal steps.
    """
    start, end = _indices(name, [spec, replace(spec, label=label)])
    shares = np.zeros((steps, len(get_card(name).labels)), np.float32)
    way = np.linspace(0, 1, steps, dtype=np.float32)
    shares[:, start] += 1 - way
    shares[:, end] += way
    return engine.sample(name, np.repeat(noise_of([spec]), steps, axis=0), shares)


def all_classes(
    engine: Engine, name: str, seed: int, truncation: float = 1.0
) -> tuple[tuple[SampleSpec, ...], RGBImage]:
    """Make one image of each class from the same noise, in the order of the card's labels."""
    specs = tuple(SampleSpec(label, seed, truncation) for label in get_card(name).labels)
    return specs, sample_images(engine, name, specs)


def spherical(start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], share: float) -> npt.NDArray[np.float64]:
    """Return the vector that lies `share` of the way from one to another, on the sphere; lengths change evenly.

    Source: Shoemake 1985, https://doi.org/10.1145/325334.325242
    """
    lengths = float(np.linalg.norm(start)), float(np.linalg.norm(end))
    cosine = float(np.clip(start @ end / max(lengths[0] * lengths[1], 1e-12), -1, 1))
    angle = math.acos(cosine)
    if math.sin(angle) < 1e-6:
        return start * (1 - share) + end * share
    direction = (
        math.sin((1 - share) * angle) * start / lengths[0] + math.sin(share * angle) * end / lengths[1]
    ) / math.sin(angle)
    return np.asarray(direction * (lengths[0] * (1 - share) + lengths[1] * share))


def check_wish(count: object, seed: object, truncation: object, label: str, labels: Sequence[str]) -> None:
    """Check what somebody asks to be sampled.

    Raises:
        InvalidOptionError: the first thing that is wrong, and what is possible.
    """
    if not _whole(count) or not 1 <= int(str(count)) <= MAX_COUNT:
        raise InvalidOptionError(f"The count is {_short(count)}; sample 1 to {MAX_COUNT:,} images at a time.")
    if not _whole(seed) or not 0 <= int(str(seed)) < SEEDS:
        raise InvalidOptionError(f"The seed is {_short(seed)}; it must be a whole number from 0 to {SEEDS - 1:,}.")
    if isinstance(truncation, bool) or not isinstance(truncation, int | float) or not 0 < truncation <= 1:
        raise InvalidOptionError(f"The truncation is {_short(truncation)}; it must lie above 0, and at most at 1.")
    check_label(label, labels)


def check_label(label: str, labels: Sequence[str]) -> None:
    """Check that the weights know a class.

    Raises:
        InvalidOptionError: they do not; the message lists those that they know.
    """
    if label not in labels:
        raise InvalidOptionError(f"These weights know no class {_short(label)}; they paint {', '.join(labels)}.")


def parse_seed(text: str) -> int:
    """Read a seed that somebody typed.

    Raises:
        InvalidOptionError: it is no whole number from 0 to 4,294,967,295.
    """
    words = text.strip()
    if not (words.isascii() and words.isdecimal()) or len(words) > 10 or int(words) >= SEEDS:
        raise InvalidOptionError(f"The seed is {_short(text)}; it must be a whole number from 0 to {SEEDS - 1:,}.")
    return int(words)


def _indices(name: str, specs: Sequence[SampleSpec]) -> npt.NDArray[np.int64]:
    labels = get_card(name).labels
    for spec in specs:
        check_label(spec.label, labels)
    return np.array([labels.index(spec.label) for spec in specs], np.int64)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _short(value: object) -> str:
    return repr(value)[:40]
