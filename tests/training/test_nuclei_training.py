"""What the nuclei network learns from, how it is judged, and that a training that was cut off goes on."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from core.errors import NotFoundError
from core.labels import OperatingPoint
from core.quantify.nuclei_learned import Limits
from core.training.bundled.nuclei_fields import (
    UNKNOWN,
    Crops,
    CropSampler,
    NucleiField,
    folds_by_case,
    heat_of,
    read_nuclei_fields,
    simulate_nuclei_fields,
)
from core.training.bundled.nuclei_judging import Judged, LimitTable, held_out_fields, matches, summary, tally
from core.training.bundled.nuclei_points import TrainConfig, Training, nuclei_loss


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small annotated fields that overlap, one other, and one segmented field."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "ki67_points" / "bcdata").mkdir(parents=True)
    (folder / "ki67_points" / "shidc").mkdir()
    rows = [{"x": 31, "y": 41, "label_id": 1}, {"x": 101, "y": 61, "label_id": 2}, {"x": 9, "y": 9, "label_id": 3}]
    for name in ("bcdata/1.png", "shidc/p1_0299_1.jpg", "shidc/p1_0317_7.jpg"):
        path = folder / "ki67_points" / name
        cv2.imwrite(str(path), np.full((120, 180, 3), 230, np.uint8))
        path.with_suffix(".json").write_text(json.dumps(rows))
    masks = folder / "ki67_masks" / "Lung1"
    masks.mkdir(parents=True)
    cv2.imwrite(str(masks / "ihc.png"), np.full((128, 128, 3), 230, np.uint8))
    segmented = np.zeros((128, 128, 3), np.uint8)
    cv2.circle(segmented, (40, 60), 14, (0, 255, 0), -1)
    cv2.circle(segmented, (40, 60), 11, (0, 0, 255), -1)
    cv2.circle(segmented, (90, 60), 11, (255, 0, 0), -1)
    cv2.imwrite(str(masks / "seg.png"), segmented)
    return folder


@pytest.fixture(scope="module")
def fields(data: Path) -> list[NucleiField]:
    return read_nuclei_fields(data)


def test_points_are_brought_to_half_a_micrometre_per_pixel(fields: list[NucleiField]) -> None:
    first = fields[0]
    assert first.image.shape == (60, 90, 3)
    assert first.centres.tolist() == [[15.25, 20.25], [50.25, 30.25]]  # lymphocytes are left out
    assert first.stained.tolist() == [True, False]
    assert (first.inside[20, 15], first.inside[5, 80]) == (1, 0)


def test_components_of_a_mask_are_nuclei(fields: list[NucleiField]) -> None:
    masked = fields[-1]
    assert masked.source == "masks"
    assert np.round(masked.centres).tolist() == [[20, 30], [45, 30]]
    assert masked.stained.tolist() == [True, False]
    assert UNKNOWN not in masked.inside


def test_fields_that_overlap_are_one_case(fields: list[NucleiField]) -> None:
    assert len({field.case for field in fields if field.source == "shidc"}) == 1


def test_a_case_is_in_one_fold_and_sources_are_spread(fields: list[NucleiField]) -> None:
    assert set(folds_by_case(fields, 2)) == {field.case for field in fields}


def test_a_folder_without_fields_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="ki67_points"):
        read_nuclei_fields(tmp_path)


def test_simulated_her2_has_unstained_nuclei_only() -> None:
    nuclear, _, her2 = simulate_nuclei_fields(3, first_seed=9000)
    assert (nuclear.source, her2.source) == ("nuclear phantom", "her2 phantom")
    assert len(her2.centres)
    assert not her2.stained.any()
    rows = np.clip(np.round(her2.centres).astype(int), 0, 351)
    assert np.mean(her2.inside[rows[:, 1], rows[:, 0]] == 1) > 0.8


def test_heat_is_one_at_a_centre() -> None:
    heat = heat_of(np.array([[10.0, 20.0], [31.2, 0.2], [300.0, 5.0]], np.float32), 32)
    assert heat.shape == (32, 32)
    assert (heat[20, 10], heat[0, 31]) == (1.0, 1.0)


def test_crops_mark_the_nuclei_they_show(fields: list[NucleiField]) -> None:
    crops = CropSampler(fields, side=64).draw(np.random.default_rng(0), 6)
    assert (crops.images.shape, crops.images.dtype) == ((6, 64, 64, 3), np.uint8)
    assert (crops.heat.shape, crops.inside.shape, crops.judged.shape) == ((6, 2, 64, 64), (6, 64, 64), (6, 64, 64))
    assert crops.heat.max() > 0.9


def test_the_loss_falls_towards_the_truth() -> None:
    heat = np.stack([heat_of(np.array([[8.0, 8.0]], np.float32), 32), np.zeros((32, 32), np.float32)])[None]
    inside = np.where(heat[:, 0] > 0.5, 1, 0).astype(np.uint8)
    crops = Crops(np.zeros((1, 32, 32, 3), np.uint8), heat, inside, np.ones((1, 32, 32), bool))
    right = torch.full((1, 3, 32, 32), -8.0)
    right[0, 0, 8, 8] = 8.0
    right[0, 2][torch.from_numpy(inside[0] == 1)] = 8.0
    assert nuclei_loss(right, crops, inside_weight=1.0) < 0.1 < nuclei_loss(-right, crops, inside_weight=1.0)


def test_a_training_goes_on_from_its_checkpoint(fields: list[NucleiField], tmp_path: Path) -> None:
    config = TrainConfig(steps=4, batch=2, side=32)
    whole = Training(config, tmp_path / "whole.checkpoint").run(fields)

    class Cut(Exception):
        pass

    first = Training(config, tmp_path / "cut.checkpoint")

    def save_and_stop() -> None:
        Training.save(first)
        raise Cut

    first.save = save_and_stop  # type: ignore[method-assign]
    with pytest.raises(Cut):
        first.run(fields, save_every=2)
    second = Training(config, tmp_path / "cut.checkpoint")
    assert second.step == 2
    for one, other in zip(whole.parameters(), second.run(fields).parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_each_annotated_nucleus_is_matched_once() -> None:
    truth = np.array([[0.0, 0.0], [20.0, 0.0]])
    assert matches(np.array([[1.0, 0.0], [2.0, 0.0], [40.0, 0.0]]), truth, 5.0) == 1


def test_a_summary_counts_both_kinds_and_the_index() -> None:
    found = np.array([[0.0, 0.0], [50.0, 0.0], [90.0, 0.0], [10.0, 50.0], [50.0, 50.0]])
    stained, unstained = found[:2], np.concatenate([found[3:], [[90.0, 50.0]]])
    one = summary(tally(found, np.array([True, True, True, False, False]), stained, unstained, 5.0)[None])
    assert one.stained.precision == pytest.approx(2 / 3)
    assert one.unstained.recall == pytest.approx(2 / 3)
    assert one.mean_f1 == pytest.approx(0.8)
    assert one.bias == pytest.approx(20.0)  # 3 of 5 instead of 2 of 5


def test_limits_are_chosen_on_the_fields_allowed() -> None:
    def judged(name: str, ghost: float) -> Judged:
        nucleus, faint = (heat_of(np.array([[x, 20.0]], np.float32), 40) for x in (10.0, 30.0))
        maps = np.stack([np.maximum(0.8 * nucleus, ghost * faint), np.zeros((40, 40)), np.zeros((40, 40))])
        points = np.array([[10.0, 20.0]], np.float32)
        return Judged("bcdata", name, name, points, np.zeros((0, 2), np.float32), 5.0, maps.astype(np.float32))

    table = LimitTable([judged("quiet", 0.0), judged("ghostly", 0.5)])
    chosen = table.choose(OperatingPoint.BEST_F1, np.array([False, True]))
    assert isinstance(chosen, Limits)
    assert 0.30 < chosen.positive < 0.49  # smoothing leaves 0.6 of a hill's height
    assert table.choose(OperatingPoint.BEST_F1, np.array([True, False])).positive < 0.3


def test_a_fold_that_is_missing_is_named(fields: list[NucleiField], tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="Train all folds first"):
        held_out_fields(fields, tmp_path)
