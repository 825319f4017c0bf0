"""How well the HER2 answer agrees with the labels of cases it never saw: `python benchmarks/her2_agreement.py`.

Leave-case-out on all real cases: the shipped backbone has seen simulated tissue only; classifier and regression are
fitted again without the case that is judged. Takes about ten minutes on two cores.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from core.config import ROOT
from core.inference.aggregation import prediction_set
from core.models.ihcnet import IHCNet
from core.models.manifest import read_manifest
from core.models.weights import read_state_dict
from core.quantify.her2_rule import lacks_tumour
from core.stains.separation import white_point
from core.training.bundled.augment import restain
from core.training.bundled.heads import HeadConfig, fresh_head
from core.training.bundled.her2_cases import Case, cut_tiles, list_cases, read_image
from core.training.bundled.ihcnet import (
    HeldOut,
    View,
    final_probs,
    hash_of,
    leave_case_out,
    look,
    report,
    simulated_examples,
)
from core.training.judging.metrics import agreement
from core.types import RGBImage

SCORES = ("0", "1+", "2+", "3+")
WATCHED = {"a1f1510c": 3, "00006": 3, "9b0f64d1": 0, "ccb66c10": 0}
"""A strong 3+ must come out as 3+ and an unstained core as 0, when they are left out."""


def _restained(case: Case, image: RGBImage) -> RGBImage:
    white = tuple(float(level) for level in white_point(image))
    rng = np.random.default_rng([hash_of(case.name), 0])
    return restain(rng, image, (white[0], white[1], white[2]), mix=0.03, strength=0.1)


CHANGES: dict[str, Callable[[Case, RGBImage], RGBImage]] = {
    "other stain and light": _restained,
    "15 % darker": lambda _, image: (image * 0.85).astype(np.uint8),
    "half the resolution": lambda _, image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
}


def _views(network: IHCNet, cases: Sequence[Case]) -> list[View]:
    views = []
    for case in cases:
        image = read_image(case.path)
        views += [look(network, case, mpp, cut_tiles(image, mpp), augment=True) for mpp in case.mpps]
    return views


def _changed(network: IHCNet, cases: Sequence[Case], change: Callable[[Case, RGBImage], RGBImage]) -> list[View]:
    """Read changed images as an upload without scale would be."""
    views = []
    for case in cases:
        image = change(case, read_image(case.path))
        views.append(look(network, case, case.mpps[0], cut_tiles(image, case.mpps[0])))
    return views


def _bundled(answers: Sequence[HeldOut], calibration: dict[str, float]) -> np.ndarray:
    return np.array([int(final_probs(answer, calibration).argmax()) for answer in answers])


def _of(answers: Sequence[HeldOut], views: Sequence[View]) -> list[HeldOut]:
    wanted = {id(view) for view in views}
    return [answer for answer in answers if id(answer.view) in wanted]


def _kept(answer: HeldOut, calibration: dict[str, float]) -> set[int]:
    return {SCORES.index(score) for score in prediction_set(final_probs(answer, calibration), calibration)}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--quick", action="store_true", help="leave out the changed images")
    arguments = parser.parse_args()
    entry = read_manifest(ROOT / "weights")["ihcnet"]
    calibration = dict(entry.extras["calibration"])
    network = IHCNet()
    network.load_state_dict(read_state_dict(entry.paths))
    network.eval()
    cases, config = list_cases(arguments.data), HeadConfig()
    views, simulated = _views(network, cases), simulated_examples(network)
    changed = {} if arguments.quick else {title: _changed(network, cases, change) for title, change in CHANGES.items()}
    judged = [*views, *(view for group in changed.values() for view in group)]
    everything = leave_case_out(views, fresh_head(config), simulated, config, judged=judged)
    answers = _of(everything, views)
    for title, pick in (("Uploads without scale (read as 0.25 um per pixel)", 0), ("At their true scale", -1)):
        chosen = [answer for answer in answers if answer.view.mpp == answer.case.mpps[pick]]
        print(f"\n{title}\n{report(chosen, calibration)}")
        fitting = [answer for answer in chosen if answer.case.fits]
        truth = np.array([answer.case.label for answer in fitting])
        print(f"labels that fit the picture, bundled: {agreement(truth, _bundled(fitting, calibration))}")
        covered = sum(answer.case.label in _kept(answer, calibration) for answer in chosen)
        sizes = float(np.mean([len(_kept(answer, calibration)) for answer in chosen]))
        print(f"prediction sets hold the label in {covered} of {len(chosen)}, {sizes:.1f} scores on average")
        refused = [answer.case.name for answer in chosen if lacks_tumour(answer.view.features)]
        print(f"insufficient tissue instead of a score: {', '.join(refused) or 'none'}")
    print("\nStrong 3+ and unstained cores, left out (scale unknown)")
    for answer in answers:
        if answer.case.name in WATCHED and answer.view.mpp == answer.case.mpps[0]:
            probs = final_probs(answer, calibration)
            expected, got = SCORES[WATCHED[answer.case.name]], SCORES[int(probs.argmax())]
            print(f"{answer.case.name:10} expected {expected:2} bundled {got:2} ({probs.max():.2f})")
    if changed:
        print("\nThe same cases, changed (scale unknown, left out), bundled")
    for title, group in changed.items():
        chosen = _of(everything, group)
        truth = np.array([answer.case.label for answer in chosen])
        print(f"{title:22} {agreement(truth, _bundled(chosen, calibration))}")


if __name__ == "__main__":
    main()
