"""What images are filtered by: figures of the pixels, a classifier's opinion, the distance to real images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from core.errors import InvalidImageError, InvalidOptionError
from core.types import Progress, RGBImage, no_progress

Probs = npt.NDArray[np.floating[Any]]
"""(N, C) probabilities of classes."""

REPORT_EVERY = 64


class Near(Protocol):
    """What is known about the real image nearest to one (`core.quality.neighbours.Nearest`)."""

    @property
    def ratio(self) -> float: ...
    @property
    def memorised(self) -> bool: ...


@dataclass(frozen=True)
class Opinion:
    """What a classifier says about one image.

    Attributes:
        label: class it names; "" where it found nothing to read.
        confidence: its probability in [0, 1].
    """

    label: str
    confidence: float


@dataclass(frozen=True)
class Measures:
    """All that an image is judged by; judging again with other thresholds needs no pixel and no network.

    Attributes:
        label: class the image was made as; "" where unknown.
        sharpness: variance of the Laplacian of gray.
        brightness, contrast: mean and standard deviation of gray, in levels of 255.
        opinion, second: of the classifier and of the second model; None where not asked.
        distance: to the nearest real image, in medians of that between real ones; None where unknown.
        copy: nearer to a training image than real images are to each other; None where unknown.
    """

    label: str
    sharpness: float
    brightness: float
    contrast: float
    opinion: Opinion | None = None
    second: Opinion | None = None
    distance: float | None = None
    copy: bool | None = None


def measure_images(
    images: RGBImage | Sequence[RGBImage],
    *,
    labels: Sequence[str],
    probs: Probs | None = None,
    classes: Sequence[str] = (),
    second: Probs | None = None,
    nearest: Sequence[Near] | None = None,
    progress: Progress = no_progress,
) -> tuple[Measures, ...]:
    """Measure all that images are judged by.

    Args:
        images: (N, H, W, 3) uint8 RGB, or N images of any size.
        labels: class each was made as; "" where unknown, then no class is compared.
        probs, second: (N, C) in the order of `classes`, of the classifier and of a second one; None where none ran, NaN
            in the row of an image in which it found nothing to read.
        nearest: what is known about the nearest real images.
    Raises:
        InvalidImageError: something is no RGB image.
        InvalidOptionError: the numbers of images, labels and probabilities differ, or a label is no class.
        CancelledError: raised by `progress`.
    """
    total = len(images)
    opinions, others = _opinions(probs, classes, total), _opinions(second, classes, total)
    _check(labels, classes if probs is not None or second is not None else (), nearest, total)
    measured = []
    for index, image in enumerate(images):
        if index % REPORT_EVERY == 0:
            progress("measuring quality", index, total)
        near = None if nearest is None else nearest[index]
        measured.append(
            Measures(
                str(labels[index]),
                *_gray_figures(image),
                opinion=opinions[index],
                second=others[index],
                distance=None if near is None else float(near.ratio),
                copy=None if near is None else bool(near.memorised),
            )
        )
    progress("measuring quality", total, total)
    return tuple(measured)


def _gray_figures(image: RGBImage) -> tuple[float, float, float]:
    """Return variance of the Laplacian, mean and standard deviation of gray."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise InvalidImageError(f"An image to be filtered is (H, W, 3) uint8 RGB, not {found}.")
    if image.size == 0:
        raise InvalidImageError("An image to be filtered has no pixels.")
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    mean, deviation = cv2.meanStdDev(gray)
    edges = cv2.meanStdDev(cv2.Laplacian(gray, cv2.CV_16S))[1]
    return float(edges[0, 0]) ** 2, float(mean[0, 0]), float(deviation[0, 0])


def _opinions(probs: Probs | None, classes: Sequence[str], total: int) -> list[Opinion | None]:
    if probs is None:
        return [None] * total
    if probs.shape != (total, len(classes)) or not classes:
        raise InvalidOptionError(
            f"Probabilities of {total} images and {len(classes)} classes are ({total}, {len(classes)}), "
            f"not {probs.shape}. Name the classes in the order of the network's outputs."
        )
    read = np.asarray(np.isfinite(probs).all(axis=1), dtype=np.bool_)
    best = np.where(read[:, None], probs, 0).argmax(axis=1)
    return [
        Opinion(str(classes[best[row]]), float(probs[row, best[row]])) if read[row] else Opinion("", 0.0)
        for row in range(total)
    ]


def _check(labels: Sequence[str], classes: Sequence[str], nearest: Sequence[Near] | None, total: int) -> None:
    if len(labels) != total or (nearest is not None and len(nearest) != total):
        raise InvalidOptionError(f"{total} images need as many labels and neighbours, not {len(labels)} labels.")
    unknown = sorted({str(label) for label in labels} - {"", *classes}) if classes else []
    if unknown:
        raise InvalidOptionError(
            f"The classifier knows {', '.join(classes)}, not {', '.join(unknown)}. "
            "Choose a classifier of these classes, or filter without one."
        )
