"""Make the bundled IHCNet: `python -m core.training.bundled.ihcnet CHECKPOINT --data ../shared/data`.

The backbone has seen simulated tissue only, so every fold may use it. The classifier and the ordinal regression are
fitted once per left-out case for the figures, and once on all cases for the weights that are shipped.
"""

import argparse
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from torch import nn

from core.inference.aggregation import aggregate_her2, combine, pool_tiles
from core.labels import Her2Score
from core.models.ihcnet import IHCNet
from core.models.weights import save_safetensors
from core.quantify.her2_rule import measured_her2, ordinal_probabilities, predictors
from core.training.bundled.augment import degrade, restain, turn
from core.training.bundled.fields import crop_field, make_field
from core.training.bundled.heads import Examples, HeadConfig, embed, fit_head, fresh_head, head_probs, informative
from core.training.bundled.her2_cases import Case, TileSet, cut_tiles, list_cases, read_image
from core.training.bundled.ordinal import fit_ordinal
from core.training.judging.metrics import agreement
from core.types import RGBImage

log = logging.getLogger(__name__)

NETWORK_WEIGHT = 0.2
"""Say of the network in the combined answer: with so little real data, the measurements decide most."""

COVERAGE = 0.8
"""Share of cases whose label shall lie in the prediction set."""

AUGMENTED_TILES = 16
"""Restained copies of tiles per case and scale that the classifier also trains on."""

SIMULATED_FIELDS, CROPS_PER_FIELD = 120, 4
Probs = npt.NDArray[np.float64]


@dataclass(frozen=True)
class View:
    """One image of one case, read at one scale, as the network and the measurements see it.

    Attributes:
        vectors: (N, 1920) pooled features of its tissue tiles.
        tiles: their measurements; the pictures are dropped.
        augmented: (M, 1920) of restained copies of informative tiles, for training.
    """

    case: Case
    mpp: float
    vectors: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]
    tissue: npt.NDArray[np.float64]
    augmented: npt.NDArray[np.float32]


@dataclass(frozen=True)
class HeldOut:
    """Answers for one left-out case.

    Attributes:
        network, measured: (4,) probabilities of either alone.
    """

    case: Case
    view: View
    network: Probs
    measured: Probs
    calibration: dict[str, float]


def look(network: IHCNet, case: Case, mpp: float, tiles: TileSet, *, augment: bool = False) -> View:
    """Compute all that the folds need of the tiles of one case."""
    extra = _restained(case, tiles) if augment else tiles.images[:0]
    vectors = embed(network, np.concatenate([tiles.images, extra]))
    count = len(tiles.images)
    return View(case, mpp, vectors[:count], tiles.features, tiles.tissue, vectors[count:])


def _restained(case: Case, tiles: TileSet) -> RGBImage:
    rng = np.random.default_rng(abs(hash_of(case.name)))
    able = np.flatnonzero(informative(tiles.features, case.label))
    drawn = rng.choice(able, min(AUGMENTED_TILES, 4 * len(able)))
    white = tuple(float(level) for level in np.percentile(tiles.images[able], 99, axis=(0, 1, 2)))
    copies = [
        degrade(rng, restain(rng, turn(rng, tiles.images[index]), (white[0], white[1], white[2]))) for index in drawn
    ]
    return np.stack(copies)


def hash_of(name: str) -> int:
    """Return a number that depends on the name alone, in every process."""
    return int.from_bytes(name.encode()[-6:], "big")


def simulated_examples(network: IHCNet, *, fields: int = SIMULATED_FIELDS) -> Examples:
    """Embed random crops of simulated fields with their exact scores."""
    rng = np.random.default_rng(1)
    crops = [crop_field(rng, field, 224) for field in map(make_field, range(fields)) for _ in range(CROPS_PER_FIELD)]
    vectors = embed(network, np.stack([crop.image for crop in crops]))
    labels = np.array([crop.score for crop in crops])
    return Examples(vectors, labels, np.ones(len(crops)), np.arange(len(crops)))


def examples(views: Sequence[View], names: Sequence[str], config: HeadConfig) -> Examples:
    """Collect the informative tiles of all views, weighted by how far their label can be trusted."""
    vectors, labels, chance, case = [], [], [], []
    for view in views:
        kept = view.vectors[informative(view.features, view.case.label)]
        own = np.concatenate([kept, view.augmented])
        vectors.append(own)
        labels.append(np.full(len(own), view.case.label))
        chance.append(np.full(len(own), 1.0 if view.case.fits else config.misfit_weight))
        case.append(np.full(len(own), names.index(view.case.name)))
    return Examples(np.concatenate(vectors), np.concatenate(labels), np.concatenate(chance), np.concatenate(case))


def fit_measured(views: Sequence[View], config: HeadConfig) -> dict[str, float]:
    """Fit the ordinal regression to all views; the views of one case share its weight."""
    values = np.stack([predictors(view.features) for view in views])
    labels = np.array([view.case.label for view in views])
    weights = [(1.0 if view.case.fits else config.misfit_weight) / len(view.case.mpps) for view in views]
    return fit_ordinal(values, labels, np.array(weights))


def leave_case_out(
    views: Sequence[View],
    start: nn.Sequential,
    simulated: Examples,
    config: HeadConfig,
    *,
    judged: Sequence[View] | None = None,
) -> list[HeldOut]:
    """Judge every view by a classifier and a regression that were fitted without its case.

    Args:
        judged: other views of the same cases to judge instead (another scale, changed stain).
    """
    names = sorted({view.case.name for view in views})
    everything, answers = examples(views, names, config), []
    for index, name in enumerate(names):
        head = fit_head(start, everything.without(index), simulated, config)
        calibration = fit_measured([view for view in views if view.case.name != name], config)
        for view in judged or views:
            if view.case.name == name:
                network = pool_tiles(head_probs(head, view.vectors), view.tissue)
                measured = ordinal_probabilities(predictors(view.features), calibration)
                if measured is not None:
                    answers.append(HeldOut(view.case, view, network, measured, calibration))
    return answers


def final_probs(answer: HeldOut, calibration: dict[str, float]) -> Probs:
    """Return (4,) of the bundled answer for a left-out case, with the regression of its own fold."""
    own = calibration | answer.calibration
    return combine(answer.network, measured_her2(answer.view.features, own), own)


def calibrate_image(answers: Sequence[HeldOut]) -> dict[str, float]:
    """Fit the temperature by the likelihood of left-out cases, and then the conformal threshold.

    The views of one case count together as one case.
    """
    labels = np.array([answer.case.label for answer in answers])
    share = np.array([1.0 / len(answer.case.mpps) for answer in answers])

    def calibration(temperature: float) -> dict[str, float]:
        return {"network_weight": NETWORK_WEIGHT, "image_temperature": round(temperature, 4)}

    def loss(log_temperature: float) -> float:
        numbers = calibration(float(np.exp(log_temperature)))
        probs = np.stack([final_probs(answer, numbers) for answer in answers])
        chosen = np.log(np.clip(probs[np.arange(len(labels)), labels], 1e-4, 1))
        return -float((share * chosen).sum() / share.sum())

    found = calibration(float(np.exp(minimize_scalar(loss, bounds=(-1.0, 1.5), method="bounded").x)))
    misses = np.sort([1 - final_probs(answer, found)[answer.case.label] for answer in answers])
    rank = min(len(misses), int(np.ceil((len(misses) + 1) * COVERAGE)))
    return found | {"conformal_threshold": round(float(misses[rank - 1]) + 1e-4, 4), "coverage": COVERAGE}


def load_pretrained(checkpoint: Path) -> IHCNet:
    """Read the network of a pretraining run."""
    network = IHCNet()
    network.load_state_dict(torch.load(checkpoint, weights_only=True)["network"])
    return network.to(memory_format=torch.channels_last).eval()


def report(answers: Sequence[HeldOut], calibration: dict[str, float]) -> str:
    """Return the per-case table and the three agreements as text."""
    scores = [score.value for score in Her2Score]
    truth = np.array([answer.case.label for answer in answers])
    columns = {
        "measured": np.array([int(answer.measured.argmax()) for answer in answers]),
        "network": np.array([int(answer.network.argmax()) for answer in answers]),
        "bundled": np.array([int(final_probs(answer, calibration).argmax()) for answer in answers]),
    }
    lines = [f"{'case':10} {'um/px':>5} {'label':>5} " + " ".join(f"{name:>8}" for name in columns) + "  P(bundled)"]
    for index, answer in enumerate(answers):
        probs = " ".join(f"{p:.2f}" for p in final_probs(answer, calibration))
        cells = " ".join(f"{scores[column[index]]:>8}" for column in columns.values())
        note = "" if answer.case.fits else "  label does not fit the picture"
        lines.append(f"{answer.case.name:10} {answer.view.mpp:5} {scores[truth[index]]:>5} {cells}  {probs}{note}")
    return "\n".join([*lines, *(f"{name:8} {agreement(truth, column)}" for name, column in columns.items())])


def finish(
    network: IHCNet, views: Sequence[View], simulated: Examples, config: HeadConfig, out: Path
) -> dict[str, float]:
    """Judge leave-case-out, fit the shipped classifier on all cases, write the weights; return their calibration."""
    start = fresh_head(config)
    answers = leave_case_out(views, start, simulated, config)
    calibration = calibrate_image(answers)
    for title, pick in (("as uploads without scale", 0), ("at their true scale", -1)):
        chosen = [answer for answer in answers if answer.view.mpp == answer.case.mpps[pick]]
        log.info("%s:\n%s", title, report(chosen, calibration))
    names = sorted({view.case.name for view in views})
    network.classifier = fit_head(start, examples(views, names, config), simulated, config)
    calibration |= {key: round(value, 5) for key, value in fit_measured(views, config).items()}
    sha256 = save_safetensors(network.state_dict(), out / "ihcnet.safetensors")
    for view in views:
        answer = aggregate_her2(head_probs(network.classifier, view.vectors), view.features, view.tissue, calibration)
        log.info("%s %s: shipped answer %s (label %d)", view.case.name, view.mpp, answer.outcome, view.case.label)
    log.info("sha256 = %s\n%s", sha256, json.dumps(calibration, indent=1))
    return calibration


def main() -> None:
    """Read the real cases, fit, judge, and write weights, calibration and figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="checkpoint.pt of `core.training.bundled.pretrain`")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("weights"))
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    network = load_pretrained(arguments.checkpoint)
    views: list[View] = []
    for case in list_cases(arguments.data):
        image = read_image(case.path)
        views += [look(network, case, mpp, cut_tiles(image, mpp), augment=True) for mpp in case.mpps]
        log.info("%s: %d tiles", case.name, len(views[-1].tissue))
    finish(network, views, simulated_examples(network), HeadConfig(), arguments.out)


if __name__ == "__main__":
    main()
