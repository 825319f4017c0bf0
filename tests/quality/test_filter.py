"""The quality filter: every reason by itself, at its edge, and real tiles pass the defaults."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.errors import CancelledError, InvalidImageError, InvalidOptionError
from core.quality.filter import FilterSettings, Measures, Opinion, Reason, judge, judge_images, measure_images, tally
from core.quality.measures import tissue_mask
from core.training.data.reading import read_image

FINE = Measures("PR+", 60.0, 190.0, 30.0, Opinion("PR+", 0.9), Opinion("PR+", 0.8), 0.9, False)
GUARDED = FilterSettings(second_model=True, farthest=2.0, no_copies=True)


@dataclass(frozen=True)
class Neighbour:
    """A real image near to a synthetic one."""

    ratio: float
    memorised: bool


def noise(count: int = 1) -> np.ndarray:
    """Sharp gray noise of middling brightness."""
    return np.random.default_rng(1).integers(100, 250, (count, 64, 64, 3), dtype=np.uint8)


def test_a_fine_image_passes_every_check():
    assert judge(FINE, GUARDED).accepted and judge(FINE, GUARDED).words == ""


@pytest.mark.parametrize(
    ("changed", "reason", "sentence"),
    [
        ({"sharpness": 7.42}, Reason.BLURRED, "Blurred: sharpness 7.4, at least 8 is asked."),
        ({"brightness": 41.3}, Reason.DARK, "Too dark: mean gray level 41, at least 60 is asked."),
        ({"brightness": 251.0}, Reason.BRIGHT, "Too bright: mean gray level 251, at most 248 is asked."),
        ({"contrast": 2.13}, Reason.LOW_CONTRAST, "Low contrast: 2.1 gray levels, at least 3 is asked."),
        ({"opinion": Opinion("PR+", 0.52)}, Reason.UNSURE, "Unsure: PR+ 0.52, at least 0.55 is asked."),
        ({"opinion": Opinion("", 0.0)}, Reason.UNSURE, "Unsure: the classifier found no tissue to read."),
        ({"opinion": Opinion("PR-", 0.93)}, Reason.OTHER_CLASS, "Other class: made as PR+, read as PR- (0.93)."),
        ({"second": Opinion("PR+", 0.5)}, Reason.SECOND_MODEL, "Second model unsure: PR+ 0.5, at least 0.55 is asked."),
        (
            {"second": Opinion("PR-", 0.8)},
            Reason.SECOND_MODEL,
            "Second model, other class: made as PR+, read as PR- (0.80).",
        ),
        (
            {"distance": 2.6},
            Reason.UNLIKE_REAL,
            "Unlike real images: 2.6 times as far from the nearest as those from each other, at most 2 is asked.",
        ),
        (
            {"distance": 0.21, "copy": True},
            Reason.COPY,
            "Copy: 0.21 times as far from a training image as real images from each other.",
        ),
    ],
)
def test_every_reason_is_said_with_value_and_threshold(changed: dict[str, object], reason: Reason, sentence: str):
    verdict = judge(replace(FINE, **changed), GUARDED)
    assert not verdict.accepted and [each.reason for each in verdict.reasons] == [reason]
    assert verdict.words == sentence


def test_a_value_at_its_threshold_passes_and_one_just_below_reads_differently():
    edge = replace(FINE, sharpness=8.0, brightness=248.0, contrast=3.0, opinion=Opinion("PR+", 0.55), distance=2.0)
    assert judge(edge, GUARDED).accepted
    below = judge(replace(FINE, sharpness=7.9996), FilterSettings())
    assert below.words == "Blurred: sharpness 7.9996, at least 8 is asked."


def test_the_guards_are_off_at_first_and_every_check_can_be_switched_off():
    doubtful = replace(FINE, second=Opinion("PR-", 0.9), distance=9.0, copy=True)
    assert judge(doubtful, FilterSettings()).accepted
    bad = Measures("PR+", 0.0, 255.0, 0.0, Opinion("PR-", 0.1))
    off = FilterSettings(sharpness=None, darkest=None, brightest=None, contrast=None, confidence=None, same_class=False)
    assert len(judge(bad, FilterSettings()).reasons) == 5 and judge(bad, off).accepted


def test_what_was_not_measured_is_not_checked():
    alone = Measures("", 60.0, 190.0, 30.0, Opinion("PR-", 0.9))
    assert judge(alone, GUARDED).accepted
    assert judge(replace(alone, opinion=None), GUARDED).accepted


def test_images_are_measured_and_judged_with_their_probabilities():
    images = noise(4)
    images[1] = np.linspace(100, 220, 64, dtype=np.uint8)[:, None, None]
    images[2] = 255
    probs = np.array([[0.1, 0.9], [0.2, 0.8], [0.52, 0.48], [0.9, 0.1]])
    verdicts = judge_images(images, labels=["PR+"] * 4, probs=probs, classes=("PR-", "PR+"))
    assert [[each.reason for each in verdict.reasons] for verdict in verdicts] == [
        [],
        [Reason.BLURRED],
        [Reason.BLURRED, Reason.BRIGHT, Reason.LOW_CONTRAST, Reason.UNSURE, Reason.OTHER_CLASS],
        [Reason.OTHER_CLASS],
    ]
    counted = tally(verdicts)
    assert (counted.total, counted.accepted, counted.share) == (4, 1, 0.25)
    assert counted.first[Reason.BLURRED] == 2 and sum(counted.first.values()) == 3
    assert counted.every[Reason.OTHER_CLASS] == 2 and sum(counted.every.values()) == 7


def test_the_figures_are_those_of_the_whole_image():
    image = noise()[0]
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    (measured,) = measure_images([image], labels=[""], nearest=[Neighbour(1.5, True)])
    assert measured.sharpness == pytest.approx(cv2.Laplacian(gray, cv2.CV_64F).var())
    assert (measured.brightness, measured.contrast) == pytest.approx((gray.mean(), gray.std()))
    assert (measured.distance, measured.copy, measured.opinion) == (1.5, True, None)


def test_nothing_to_filter_is_no_error():
    assert judge_images(np.zeros((0, 128, 128, 3), np.uint8), labels=[]) == ()
    assert tally([]).share == 0.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"confidence": 1.5}, "confidence is 1.5; it must be between 0 and 1"),
        ({"sharpness": -1.0}, "sharpness is -1; it must be 0 or more"),
        ({"contrast": float("nan")}, "contrast is nan"),
        ({"darkest": 200.0, "brightest": 100.0}, "Set the darkest gray level below the brightest"),
    ],
)
def test_thresholds_out_of_range_are_refused(values: dict[str, float], words: str):
    with pytest.raises(InvalidOptionError, match=words):
        FilterSettings(**values)


def test_what_cannot_be_judged_is_refused_in_words():
    with pytest.raises(InvalidOptionError, match="The classifier knows PR-, PR\\+, not 3\\+"):
        judge_images(noise(), labels=["3+"], probs=np.array([[0.5, 0.5]]), classes=("PR-", "PR+"))
    with pytest.raises(InvalidOptionError, match="are \\(1, 2\\), not \\(1, 3\\)"):
        judge_images(noise(), labels=["PR+"], probs=np.ones((1, 3)), classes=("PR-", "PR+"))
    with pytest.raises(InvalidOptionError, match="1 images need as many labels"):
        judge_images(noise(), labels=[])
    with pytest.raises(InvalidImageError, match="uint8 RGB, not float64"):
        judge_images([np.zeros((9, 9, 3))], labels=[""])


def test_it_can_be_cancelled():
    def cancel(_step: str, done: int, _total: int) -> None:
        if done:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        measure_images(noise(70), labels=[""] * 70, progress=cancel)


@pytest.mark.parametrize("side", [128, 512])
def test_real_tiles_pass_the_defaults_and_blurred_ones_do_not(shared_data: Path, side: int):
    tiles = []
    for path in (
        sorted(shared_data.glob("bci/IHC/*.png"))[::4] + sorted(shared_data.glob("ki67_points/bcdata/*.png"))[::4]
    ):
        image = read_image(path).image
        tissue = tissue_mask(image)
        for y in range(0, image.shape[0] - side + 1, side):
            for x in range(0, image.shape[1] - side + 1, side):
                if tissue[y : y + side, x : x + side].mean() >= 0.5:
                    tiles.append(image[y : y + side, x : x + side])
    assert len(tiles) > 10
    assert tally(judge_images(tiles, labels=[""] * len(tiles))).share > 0.98
    blurred = [cv2.GaussianBlur(tile, (0, 0), 4) for tile in tiles]
    assert tally(judge_images(blurred, labels=[""] * len(tiles))).share < 0.05
