"""The recipe study: planned without leaks, done part by part, gone on with where it stopped, compared fairly."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pictures_on_disk import write_set

from core.config import get_settings
from core.errors import InvalidDataError, InvalidOptionError, TrainingError
from core.jobs.requests import more_epochs
from core.training.config import StudyConfig, read_config
from core.training.data import DataSet
from core.training.data.tile_source import TileSource
from core.training.gan import judges as gan_judges
from core.training.gan import tiles as gan_tiles
from core.training.loop import train
from core.training.run_folder import RunFolder, State
from core.training.study import pools, running
from core.training.study.pace import Pace
from core.training.study.plan import TEST, TRAIN, Work, check_apart, fold_cases, halves_of, parts_of, sides_of
from core.training.study.pools import Pool

SMALL = {
    "recipe": "study",
    "epochs": 1,
    "steps_per_epoch": 2,
    "batch_size": 4,
    "ratios": [1.0],
    "filtered_ratios": [0.5],
    "folds": 2,
    "seeds": 1,
    "draws": 1,
    "generator_batches": 1,
    "generator_start": 1,
    "precision": "32",
}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of six cases, each with both classes."""
    names = [f"{label}/case{case}__{k}.png" for label in ("PR-", "PR+") for case in range(6) for k in range(2)]
    return write_set(tmp_path_factory.mktemp("study") / "tiles", names)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Judges learn for a moment only, and caches stay in the test's folder."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    get_settings.cache_clear()
    monkeypatch.setattr(gan_judges, "STEPS", 1)
    yield
    get_settings.cache_clear()


def make_run(folder: Path, images: Path, **settings: Any) -> RunFolder:
    folder.mkdir()
    run = RunFolder(folder)
    run.write_json("config.json", SMALL | settings)
    run.write_json("data.json", {"data": str(images)})
    return run


def lines_of(run: RunFolder) -> list[dict[str, Any]]:
    return [{**line, "seconds": 0} for line in run.read_stats()]


def case_of(pixels: np.ndarray, known: dict[bytes, str]) -> str | None:
    return known.get(np.ascontiguousarray(pixels).tobytes())


class Watch:
    """Which cases' pixels each part of a study was given to learn from."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seen: dict[str, set[str]] = defaultdict(set)
        self.tested: dict[str, frozenset[str]] = {}
        self._known: dict[bytes, str] = {}
        self._part = ""
        started, read, as_batch, judge = Pace.start, TileSource.read, gan_tiles.as_batch, gan_tiles.train_judge
        made = running.Study.__init__

        def make(study: Any, *given: Any) -> None:
            made(study, *given)
            for tile, case in zip(study.tiles.tiles, study.tiles.cases, strict=True):
                self._known[tile.tobytes()] = case
            self._folds = study.folds

        def start(pace: Any, part: Any, **given: Any) -> None:
            self._part, self.tested[part.key] = part.key, self._folds[part.fold]
            started(pace, part, **given)

        def watched(call: Any, place: int) -> Any:
            def calling(*given: Any, **options: Any) -> Any:
                found = call(*given, **options)
                for tile in found[0] if call is read else given[place]:
                    case = case_of(tile, self._known)
                    self.seen[self._part] |= {case} if case else set()
                return found

            return calling

        patch.setattr(running.Study, "__init__", make)
        patch.setattr(Pace, "start", start)
        patch.setattr(TileSource, "read", watched(read, 0))
        patch.setattr(gan_tiles, "as_batch", watched(as_batch, 0))
        patch.setattr(gan_tiles, "train_judge", watched(judge, 0))


@pytest.mark.parametrize("two_filters", [False, True])
def test_no_part_learns_from_the_pixels_of_a_case_that_its_fold_tests(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, two_filters: bool
):
    watch = Watch(monkeypatch)
    run = make_run(tmp_path / "run", images, two_filters=two_filters, steps_per_epoch=8)

    assert train(run).state is State.FINISHED

    learning = [line["key"] for line in run.read_stats() if two_filters or line["kind"] != Work.FILTER]
    assert all(len(watch.seen[key]) >= 2 for key in learning)  # the watch sees what is learnt from
    assert all(not seen & watch.tested[key] for key, seen in watch.seen.items())
    for line in run.read_stats():
        assert watch.seen[line["key"]] <= set(line["trained_on"])
        assert not set(line["trained_on"]) & set(line.get("confusions", {}))


def test_every_case_is_tested_once_a_seed_and_all_arms_do_the_same_batches(images: Path, tmp_path: Path):
    run = make_run(tmp_path / "run", images)
    status = train(run)

    cells = [line for line in run.read_stats() if line["kind"] == Work.CELL]
    assert (status.state, status.epoch, status.epochs, status.unit) == (State.FINISHED, 10, 10, "part")
    assert {line["batches"] for line in cells} == {2}
    for arm in ((0.0, False), (1.0, False), (0.5, True)):
        own = [line for line in cells if (line["ratio"], line["filtered"]) == arm]
        assert sorted(case for line in own for case in line["confusions"]) == [f"case{k}" for k in range(6)]
    found = json.loads(run.evaluation.read_text())
    assert (found["kind"], found["cases"], found["test_tiles"], found["done"]) == ("study", 6, 24, 10)
    assert [arm["name"] for arm in found["shares"][0]["arms"]] == ["real", "+1", "+0.5 filtered"]
    assert not run.weights.exists() and not list(run.path.rglob("*.npz"))


def test_synthetic_images_may_add_batches_of_their_own(images: Path, tmp_path: Path):
    run = make_run(tmp_path / "run", images, same_batches=False, filtered_ratios=[], ratios=[2.0])
    train(run)

    cells = [line for line in run.read_stats() if line["kind"] == Work.CELL]
    assert {(line["ratio"], line["batches"]) for line in cells} == {(0.0, 2), (2.0, 6)}
    assert "longer training" in json.loads(run.evaluation.read_text())["notes"][0]


def test_a_stopped_study_goes_on_and_ends_like_one_that_was_not(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    whole = make_run(tmp_path / "whole", images)
    train(whole)
    broken = make_run(tmp_path / "broken", images)
    tick = Pace.tick

    def stopping(pace: Pace, step: int, steps: int, loss: Any) -> None:
        if pace._part.key == "cell/1/0/0/+1" and step == 1:
            broken.ask_to_stop()
        tick(pace, step, steps, loss)

    with monkeypatch.context() as patch:
        patch.setattr(Pace, "tick", stopping)
        status = train(broken)
    done = [line["key"] for line in broken.read_stats()]
    assert (status.state, status.message) == (State.STOPPED, "Stopped. 4 of 10 parts are kept; resume to go on.")
    assert "cell/1/0/0/+1" not in done

    broken.forget_stop()
    worked: list[str] = []
    start = Pace.start
    monkeypatch.setattr(
        Pace, "start", lambda pace, part, **given: (worked.append(part.key), start(pace, part, **given))
    )
    assert train(broken).state is State.FINISHED

    assert not set(worked) & set(done)
    assert lines_of(broken) == lines_of(whole)


@pytest.mark.parametrize("by_time", [True, False])
def test_a_study_that_is_finished_early_compares_what_is_done(images: Path, tmp_path: Path, by_time: bool):
    run = make_run(tmp_path / "run", images, **({"max_minutes": 1e-9} if by_time else {}))
    if not by_time:
        run.ask_to_stop(finish=True)
    status = train(run)

    assert (status.state, status.message) == (State.FINISHED, "Ended early with 0 of 10 parts.")
    assert json.loads(run.evaluation.read_text())["notes"][0].startswith("0 of 10 parts")


def cases_of(counts: dict[str, tuple[int, int]]) -> DataSet:
    from core.training.data.items import Item, Kind

    items = tuple(
        Item(Path(f"{case}-{label}-{k}.png"), label, case)
        for case, (few, many) in counts.items()
        for label, count in (("PR-", few), ("PR+", many))
        for k in range(count)
    )
    return DataSet(Path("/srv"), Kind.CLASSES, items, ("PR-", "PR+"), cases_known=True)


def test_folds_hold_whole_cases_and_their_share_of_every_class():
    data = cases_of({f"c{k}": (1 + k % 3, 20 - k) for k in range(12)})
    folds = fold_cases(data, 3, seed=1)

    assert sorted(case for fold in folds for case in fold) == sorted(f"c{k}" for k in range(12))
    for label, total in (("PR-", 24), ("PR+", 174)):
        sizes = [sum(item.label == label for item in data.items if item.case in fold) for fold in folds]
        assert all(0.25 * total < size < 0.42 * total for size in sizes)


def test_few_tiles_are_the_same_ones_for_generator_filter_and_classifier():
    data = cases_of({f"c{k}": (4, 8) for k in range(6)})
    tested = fold_cases(data, 3, seed=0)[0]
    sides, again = (sides_of(data, tested, 0.25, seed=5) for _ in range(2))

    assert np.array_equal(sides.uses, again.uses)
    assert (sides.uses == TRAIN).sum() == 4 + 8
    assert sides.cases(data, TEST) == tested
    assert not sides.cases(data, TRAIN) & tested
    first, second = halves_of(data, sides_of(data, tested, 1.0, seed=5), seed=0)
    assert not first.cases(data, TRAIN) & second.cases(data, TRAIN)
    assert first.cases(data, TRAIN) | second.cases(data, TRAIN) | tested == {f"c{k}" for k in range(6)}


def test_a_case_on_both_sides_is_refused():
    with pytest.raises(TrainingError, match="both trained and tested on"):
        check_apart(frozenset({"a", "b"}), frozenset({"b"}))


def test_too_few_cases_get_a_sentence():
    with pytest.raises(InvalidDataError, match="too few for 3 folds"):
        fold_cases(cases_of({"a": (2, 2), "b": (2, 2)}), 3, seed=0)


def test_the_first_seed_is_done_in_all_folds_before_the_second():
    config = read_config({"recipe": "study", "real_shares": "1, 0.25", "ratios": "0.5;1", "seeds": 2})
    parts = parts_of(config)

    assert len(parts) == len({part.key for part in parts}) == config.rounds == 2 * 3 * (2 + 2 * 5)
    cells = [part for part in parts if part.work is Work.CELL and part.share == 1]
    assert [part.seed for part in cells] == [0] * 15 + [1] * 15
    assert [part.work for part in parts[:5]] == [Work.GENERATOR] * 3 + [Work.CELL, Work.FILTER]


@pytest.mark.parametrize("settings", [{"ratios": "much"}, {"ratios": [0]}, {"real_shares": []}, {"folds": 1}])
def test_settings_out_of_range_are_refused_in_words(settings: dict[str, Any]):
    with pytest.raises(InvalidOptionError, match="do not work"):
        read_config({"recipe": "study"} | settings)


def test_larger_sets_of_synthetic_images_hold_the_smaller_ones():
    pool = Pool(np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1), np.array([0, 0, 0, 1, 1, 1]))

    assert pool.first({0: 1, 1: 2}).images.ravel().tolist() == [0, 3, 4]
    assert pool.first({0: 9, 1: 0}).labels.tolist() == [0, 0, 0]


def test_the_filter_draws_until_enough_pass_or_the_limit_is_reached(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)

    class Row:
        def __init__(self, _generator: Any, label: int, *, seed: int) -> None:  # noqa: ARG002
            self.label = label

        def take(self, count: int) -> np.ndarray:
            return rng.integers(90, 210, (count, 32, 32, 3)).astype(np.uint8)

    monkeypatch.setattr(pools, "Draws", Row)
    monkeypatch.setattr(pools, "BATCH", 4)

    def look(images: np.ndarray) -> tuple[np.ndarray, None]:
        return np.tile([0.1, 0.9], (len(images), 1)), None  # says PR+ to everything

    wanted = {"classes": ("PR-", "PR+"), "draws": 3, "seed": 0, "report": lambda _done, _total: None}
    found = pools.draw_filtered(object(), {0: 4, 1: 6}, look, **wanted)

    assert (found.drawn, found.accepted) == ((12, 8), (0, 8))
    assert found.pool.labels.tolist() == [1] * 6
    assert found.every == {"other class": 12}


def test_a_study_takes_no_more_epochs(tmp_path: Path, images: Path):
    with pytest.raises(InvalidOptionError, match="in parts, not in epochs"):
        more_epochs(make_run(tmp_path / "run", images), 3)


def test_the_defaults_are_a_study_of_the_published_pipeline():
    assert [part.arm.name for part in parts_of(StudyConfig()) if part.work is Work.CELL][:6] == [
        "real", "+0.5", "+1", "+2", "+1 filtered", "+2 filtered",
    ]  # fmt: skip
