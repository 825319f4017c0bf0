"""Checks of heat maps: planted evidence passes, maps that ignore answer, weights or tissue are warned of."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from filled_weights import filled_model

from core.errors import CancelledError
from core.explain.attribution import Answers
from core.explain.cam import explain
from core.explain.covering import CELLS, cell_regions, cover
from core.explain.deletion import coarse, curves_of, order_of, random_order
from core.explain.faithfulness import Faithfulness, check_maps, heat_on_tissue
from core.explain.randomised import Randomised, compare, randomised_networks
from core.explain.ranks import rank_correlation, top_overlap
from core.labels import CamMethod
from core.models.weights import LoadedModel
from core.types import Heatmap

SIDE = 112
GLASS = np.full(3, 240.0)
TILE = np.full((SIDE, SIDE, 3), (120, 80, 60), np.uint8)
PLACE = (slice(16, 48), slice(16, 48))
UNLIKE = (Randomised("classifier", 0.1, 0.0, 0.2), Randomised("all layers", 0.1, 0.0, 0.2))
ALIKE = (Randomised("classifier", 0.9, 0.9, 0.9), Randomised("all layers", 0.8, 0.8, 0.8))


def looks_at_the_place(tiles: np.ndarray) -> np.ndarray:
    """Class 1 by the share of the planted place that is not covered."""
    shown = (tiles[:, *PLACE, 0] < 200).mean(axis=(1, 2))
    return np.stack([1 - shown, shown], axis=1).astype(np.float32)


def marks(*place: slice) -> Heatmap:
    """A map of one place."""
    heatmap = np.zeros((SIDE, SIDE), np.float32)
    heatmap[place] = 1
    return heatmap


RIGHT, WRONG = marks(*PLACE), marks(slice(64, 96), slice(64, 96))


def checked(maps: dict[str, Heatmap], tissue: np.ndarray | None = None, **options: object) -> Faithfulness:
    options.setdefault("randomised", {})
    answers = Answers(looks_at_the_place, 1)
    tissue = np.ones((SIDE, SIDE), np.bool_) if tissue is None else tissue
    return check_maps(TILE, maps, answers, target="PR+", tissue=tissue, glass=GLASS, **options)


def codes(found: Faithfulness) -> list[str]:
    return [notice.code for notice in found.notices]


def test_covering_the_planted_place_drops_the_answer() -> None:
    curves = curves_of(TILE, RIGHT, Answers(looks_at_the_place, 1), glass=GLASS)

    assert curves.deletion[0] == 1 and curves.deletion[2] == 0  # the place is 8 % of the tile
    assert curves.insertion[0] == 0 and curves.insertion[2] == 1
    assert curves.deletion_area < 0.1 and curves.insertion_area > 0.9


def test_random_orders_take_the_answer_away_evenly() -> None:
    chance = random_order(TILE, Answers(looks_at_the_place, 1), glass=GLASS)

    assert np.mean(chance.areas) == pytest.approx(0.5, abs=0.1)
    assert min(chance.areas) < max(chance.areas)
    assert np.mean(chance.insertion_areas) == pytest.approx(0.5, abs=0.1)


def test_a_right_map_passes_and_a_wrong_one_does_not() -> None:
    found = checked({"right": RIGHT, "wrong": WRONG}, randomised={"right": UNLIKE, "wrong": UNLIKE})

    assert [each.follows_answer for each in found.maps] == [True, False]
    assert codes(found) == ["not-faithful", "maps-disagree"]
    assert "wrong: removing the marked places does not change the answer more" in found.notices[0].message
    assert (found.score, found.glass_score, found.answers) == (1, 0, (19 + 4) * 15)


def test_a_map_that_ignores_the_weights_is_warned_of() -> None:
    found = checked({"right": RIGHT}, randomised={"right": ALIKE})

    assert codes(found) == ["ignores-weights"]
    assert "hardly depends on the weights" in found.notices[0].message and "0.80" in found.notices[0].message


def test_heat_on_glass_is_measured_and_said() -> None:
    tissue = np.ones((SIDE, SIDE), np.bool_)
    tissue[:, :32] = False
    found = checked({"right": RIGHT}, tissue=tissue)

    assert found.maps[0].on_tissue == pytest.approx(0.5)
    assert codes(found) == ["heat-on-glass"]
    assert "50% of the heat lies on empty glass" in found.notices[0].message


def test_tissue_of_another_resolution_covers_the_same_field() -> None:
    assert heat_on_tissue(RIGHT, np.ones((7, 7), np.bool_)) == pytest.approx(1)
    assert heat_on_tissue(np.zeros_like(RIGHT), np.ones((7, 7), np.bool_)) is None


def test_an_empty_map_claims_nothing() -> None:
    found = checked({"empty": np.zeros_like(RIGHT), "right": RIGHT})

    assert codes(found) == ["empty-map"]
    assert found.agreements[0].rank_correlation is None and found.agreements[0].overlap is None


def test_a_class_that_glass_has_too_cannot_be_covered_away() -> None:
    answers = Answers(lambda tiles: np.full((len(tiles), 2), 0.9, np.float32), 0)
    options = {"target": "0", "tissue": np.ones((4, 4), np.bool_), "glass": GLASS, "randomised": {}}
    found = check_maps(TILE, {"right": RIGHT}, answers, **options)

    assert codes(found) == ["glass-like-class"]
    assert found.maps[0].follows_answer is None


def test_the_checks_can_be_cancelled() -> None:
    def cancel(*_step: object) -> None:
        raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        random_order(TILE, Answers(looks_at_the_place, 1, progress=cancel), glass=GLASS)


def test_agreement_is_of_order_not_of_scale() -> None:
    first = np.random.default_rng(0).random(CELLS**2).astype(np.float32)

    assert rank_correlation(first, first**3) == pytest.approx(1)
    assert rank_correlation(first, -first) == pytest.approx(-1)
    assert top_overlap(first, first**3) == 1
    assert top_overlap(first, -first + 1) == 0


def test_cells_cover_the_whole_tile_once() -> None:
    black, regions = np.zeros((128, 128, 3), np.uint8), cell_regions(128)  # 128 is no multiple of the cells
    nothing, half = np.zeros((2, CELLS**2), np.bool_)
    half[: CELLS**2 // 2] = True
    hidden, upper, lower = cover(black, regions, np.stack([nothing, half, ~half]), GLASS) == 240

    assert hidden.all()
    assert (upper ^ lower).all()


def test_the_strongest_cells_come_first() -> None:
    order = order_of(RIGHT)
    marked = np.flatnonzero(coarse(RIGHT))
    assert set(order[: len(marked)]) == set(marked)


@pytest.fixture
def simple() -> LoadedModel:
    """SimpleCNN with filled weights and a lock of its own."""
    return replace(filled_model("simple_cnn"), lock=threading.Lock())


def patches() -> np.ndarray:
    return np.kron(np.random.default_rng(0).integers(0, 256, (1, 8, 8, 3), np.uint8), np.ones((1, 16, 16, 1), np.uint8))


def test_random_weights_stay_in_the_copy(simple: LoadedModel) -> None:
    before = {key: value.clone() for key, value in simple.module.state_dict().items()}
    stages = []
    for stage, network in randomised_networks(simple):
        changed = [key for key, value in network.module.state_dict().items() if not torch.equal(value, before[key])]
        stages.append((stage, len(changed)))

    assert stages[:3] == [("classifier", 4), ("classifier and last convolution", 6), ("all layers", 8)]
    assert all(torch.equal(value, before[key]) for key, value in simple.module.state_dict().items())


def test_a_map_that_needs_the_weights_changes_and_a_picture_of_the_tile_does_not(simple: LoadedModel) -> None:
    tile = patches()

    def maps_of(network: LoadedModel) -> dict[str, Heatmap]:
        cam = explain(network, tile, target=1, layers=["conv2"], method=CamMethod.GRAD_CAM)["conv2"][0]
        return {"cam": cam, "brightness": tile[0].mean(axis=-1).astype(np.float32) / 255}

    found = compare(simple, maps_of(simple), maps_of)

    assert found["brightness"][-1].similarity == pytest.approx(1)
    assert found["cam"][-1].similarity < 0.5
    assert [each.stage for each in found["cam"]] == ["classifier", "classifier and last convolution", "all layers"]


def test_a_map_without_gradients_does_not_know_the_class(simple: LoadedModel) -> None:
    def maps_of(network: LoadedModel) -> dict[str, Heatmap]:
        return {
            "eigen": explain(network, patches(), target=1, layers=["conv2"], method=CamMethod.EIGEN_CAM)["conv2"][0]
        }

    found = checked({"eigen": RIGHT}, randomised=compare(simple, maps_of(simple), maps_of))

    assert {"ignores-class", "ignores-weights"} & set(codes(found))
    assert found.maps[0].randomised[0].similarity == pytest.approx(1)
