"""A study from its run folder: part after part, each kept when it is done, so that it can be stopped and resumed."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from lightning.fabric import Fabric
from scipy.special import softmax

from core.errors import CancelledError, InvalidDataError, InvalidOptionError
from core.models.medsyngan import Generator
from core.models.weights import read_state_dict, save_safetensors
from core.training.checkpoint import load_checkpoint, save_checkpoint
from core.training.config import StudyConfig
from core.training.data import Kind, Subset, open_data
from core.training.data.items import DataSet
from core.training.data.splitting import check_trainable
from core.training.data.tile_cache import TileCache
from core.training.recipes.classifier import ClassifierTask
from core.training.reporter import Reporter
from core.training.run_folder import RunFolder, State, disk_error
from core.training.study import settings, trainers
from core.training.study.pace import Pace
from core.training.study.plan import REAL, Part, Sides, Work, check_apart, fold_cases, halves_of, parts_of, sides_of
from core.training.study.pools import Pool, draw, draw_filtered, read_pool
from core.training.study.results import evaluate_study, read_lines
from core.types import RGBImage

log = logging.getLogger(__name__)

FOLDER = "study"
"""In the run folder: generators, and while it runs checkpoints and synthetic images."""


def run_study(run: RunFolder, config: StudyConfig, fabric: Fabric, reporter: Reporter) -> tuple[State, str]:
    """Do all parts that are not done yet, then compare; returns how it ended and a sentence.

    Raises:
        InvalidDataError: the images do not suit a study.
        InvalidOptionError: several processes train together.
    """
    if fabric.world_size > 1:
        raise InvalidOptionError("A study trains in one process. Start it without torchrun.")
    study = Study(run, config, fabric, reporter)
    parts = parts_of(config)
    stopped = study.do(parts)
    done = len(study.lines)
    if stopped and not (run.asked_to_finish() or study.out_of_time):
        return State.STOPPED, f"Stopped. {done} of {len(parts)} parts are kept; resume to go on."
    reporter.say(state=State.EVALUATING, left_s=None, message="comparing the classifiers")
    run.write_json("evaluation.json", evaluate_study(config, study.lines.values()))
    if done < len(parts):
        return State.FINISHED, f"Ended early with {done} of {len(parts)} parts."
    study.clear()
    return State.FINISHED, f"Finished: {done} parts."


class Study:
    """The parts of one study; `lines` are those that are done, by key."""

    def __init__(self, run: RunFolder, config: StudyConfig, fabric: Fabric, reporter: Reporter) -> None:
        """Read all images and deal the cases into folds."""
        self.run, self.config, self.fabric, self.reporter = run, config, fabric, reporter
        data = open_data(Path(_data(run)["data"]))
        if data.kind is not Kind.CLASSES:
            raise InvalidDataError("A study needs images in classes: a folder per class, or a CSV with path and label.")
        check_trainable(data)
        self.data: DataSet = data
        self.folds = fold_cases(data, config.folds, config.seed)
        self.tiles = trainers.read_tiles(config, data, reporter.doing, generator=False)
        self.small = trainers.read_tiles(config, data, reporter.doing, generator=True)
        self.lines = {key: line for key, line in read_lines(run).items() if self._usable(key)}
        self.pace = Pace(run, reporter, self.lines.values())

    def do(self, parts: tuple[Part, ...]) -> bool:
        """Do what is not done; returns whether somebody stopped it or its time was over."""
        left = [part for part in parts if part.key not in self.lines]
        self.reporter.say(state=State.RUNNING, epoch=len(self.lines), epochs=len(parts), message="training")
        work = {Work.GENERATOR: self._generate, Work.FILTER: self._filter, Work.CELL: self._classify}
        for number, part in enumerate(left):
            if self.run.asked_to_stop() or self.out_of_time:
                return True
            self.pace.start(part, done=len(self.lines), ahead=left[number + 1 :])
            try:
                found = work[part.work](part)
            except CancelledError:
                return True
            line = {"kind": part.work.value, "key": part.key, "share": part.share, "fold": part.fold, **found}
            line["seconds"] = round(self.pace.end(), 1)
            self.run.add_stats(line)
            self.lines[part.key] = line
            log.info("%s: %.0f s", part.title, line["seconds"])
            self.reporter.say(epoch=len(self.lines), step=0, seconds=self.reporter.seconds)
        return False

    def clear(self) -> None:
        """Remove synthetic images and checkpoints; generators stay."""
        for path in (self.run.path / FOLDER).rglob("*"):
            if path.suffix in (".npz", ".pt"):
                path.unlink(missing_ok=True)

    def _generate(self, part: Part) -> dict[str, Any]:
        sides, place = self._sides(part), self._place(part)
        tiles = _used(self.small, sides)
        steps = min(trainers.CHECKPOINT_BATCHES, self.config.generator_batches)
        config = settings.generator_config(self.config, seed=self.config.seed + part.fold, steps=steps)
        generator = trainers.train_generator(
            config, self.data, tiles, checkpoint=place / "generator.pt", fabric=self.fabric, tick=self.pace.tick
        )
        wanted = _counts(tiles, max((*self.config.ratios, 0.0)))
        draw(generator, wanted, seed=config.seed, report=self.pace.report).save(place / "drawn.npz")
        try:
            save_safetensors(generator.state_dict(), place / "generator.safetensors")
        except OSError as error:
            raise disk_error(error) from error
        (place / "generator.pt").unlink(missing_ok=True)
        return {"trained_on": self._learnt(tiles, part), "batches": config.epochs * steps}

    def _classify(self, part: Part) -> dict[str, Any]:
        tiles = _used(self.tiles, self._sides(part))
        synthetic = self._synthetic(part, tiles)
        steps = self._steps()
        if synthetic is not None and not self.config.same_batches:
            steps = round(steps * (1 + len(synthetic.labels) / len(tiles.of(Subset.TRAIN))))
        config = settings.classifier_config(self.config, seed=part.seed, steps=steps)
        task = trainers.train_classifier(config, self.data, tiles, synthetic, fabric=self.fabric, tick=self.pace.tick)
        if part.arm == REAL and part.seed == self.config.seed and self.config.filtered_ratios:
            save_checkpoint(self._place(part) / "filter.pt", {"recipe": FOLDER, "task": task.state()})
        confusions = trainers.confusions_of(task, tiles.of(Subset.TEST))
        learnt = self._learnt(task.cache, part)
        check_apart(frozenset(learnt), frozenset(confusions))
        return {
            "seed": part.seed,
            "ratio": part.arm.ratio,
            "filtered": part.arm.filtered,
            "real": len(tiles.of(Subset.TRAIN)),
            "synthetic": 0 if synthetic is None else len(synthetic.labels),
            "batches": config.epochs * task.steps(),
            "trained_on": learnt,
            "classes": list(self.data.classes),
            "confusions": {case: counts.tolist() for case, counts in confusions.items()},
        }

    def _filter(self, part: Part) -> dict[str, Any]:
        sides, place = self._sides(part), self._place(part)
        judges = self._judges(part, sides)
        state = read_state_dict(place / "generator.safetensors")
        generator = Generator(classes=len(self.data.classes), width=self.config.generator_width)
        generator.load_state_dict(state, strict=True)
        generator.to(self.fabric.device).eval()

        def look(images: RGBImage) -> tuple[Any, Any]:
            tiles = trainers.as_tiles(images, np.zeros(len(images), np.int64), self.tiles).tiles
            probs = [softmax(judge.classify(tiles).astype(np.float64), axis=1) for judge in judges]
            return probs[0], (probs[1] if len(probs) > 1 else None)

        found = draw_filtered(
            generator,
            _counts(_used(self.tiles, sides), max(self.config.filtered_ratios)),
            look,
            classes=self.data.classes,
            draws=self.config.draws,
            seed=self.config.seed + part.fold,
            report=self.pace.report,
        )
        found.pool.save(place / "accepted.npz")
        learnt = sorted({case for judge in judges for case in self._learnt(judge.cache, part)})
        return {
            "trained_on": learnt,
            "drawn": list(found.drawn),
            "accepted": list(found.accepted),
            "first": found.first,
            "every": found.every,
        }

    def _judges(self, part: Part, sides: Sides) -> tuple[ClassifierTask, ...]:
        """The classifier that filters: the real-only one of this fold, or two of one half of the cases each."""
        config = settings.classifier_config(self.config, seed=self.config.seed, steps=self._steps())
        if self.config.two_filters:
            train = partial(trainers.train_classifier, fabric=self.fabric, tick=self.pace.tick)
            halves = halves_of(self.data, sides, self.config.seed)
            return tuple(train(config, self.data, _used(self.tiles, half), None) for half in halves)
        task = ClassifierTask(config, self.data, self.fabric, self.reporter.doing, tiles=_used(self.tiles, sides))
        state = load_checkpoint(self._place(part) / "filter.pt", recipe=FOLDER)
        if state is None:
            raise InvalidDataError("The classifier that filters is gone from the run folder. Start a new run.")
        task.restore(state["task"])
        return (task,)

    def _synthetic(self, part: Part, tiles: TileCache) -> TileCache | None:
        if part.arm == REAL:
            return None
        pool: Pool = read_pool(self._place(part) / ("accepted.npz" if part.arm.filtered else "drawn.npz"))
        chosen = pool.first(_counts(tiles, part.arm.ratio))
        return trainers.as_tiles(chosen.images, chosen.labels, tiles) if len(chosen.labels) else None

    def _learnt(self, tiles: TileCache, part: Part) -> list[str]:
        """The cases of the tiles that train; none of them may be tested in this fold."""
        learnt = sorted({tiles.cases[row] for row in tiles.of(Subset.TRAIN)})
        check_apart(frozenset(learnt), self.folds[part.fold])
        return learnt

    def _sides(self, part: Part) -> Sides:
        return sides_of(self.data, self.folds[part.fold], part.share, self.config.seed)

    def _steps(self) -> int:
        """Batches of a classifier of real images: its epochs over all real tiles of a fold, whatever the share."""
        each = len(self.tiles.labels) * (1 - 1 / self.config.folds) / self.config.batch_size
        return self.config.epochs * (self.config.steps_per_epoch or max(1, round(each)))

    def _place(self, part: Part) -> Path:
        place = self.run.path / FOLDER / f"share-{part.share:g}-fold-{part.fold + 1}"
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(error) from error
        return place

    def _usable(self, key: str) -> bool:
        """Whether what a part that is done left for later ones is still there."""
        part = next((part for part in parts_of(self.config) if part.key == key), None)
        if part is None:
            return False
        files = {Work.GENERATOR: "drawn.npz", Work.FILTER: "accepted.npz"}
        finished = self.run.evaluation.is_file()
        return finished or part.work not in files or (self._place(part) / files[part.work]).is_file()

    @property
    def out_of_time(self) -> bool:
        """Whether the time limit is over: the run ends with what is done."""
        minutes = self.config.max_minutes
        return minutes is not None and self.reporter.seconds >= 60 * minutes


def _used(tiles: TileCache, sides: Sides) -> TileCache:
    """The tiles with what they are used for in one fold."""
    return replace(tiles, subsets=sides.uses[tiles.items])


def _counts(tiles: TileCache, ratio: float) -> Mapping[int, int]:
    """Synthetic images of each class: the classes stay in the proportion that the real ones have."""
    labels = tiles.labels[tiles.of(Subset.TRAIN)]
    return {label: round(ratio * int((labels == label).sum())) for label in range(len(tiles.classes))}


def _data(run: RunFolder) -> dict[str, str]:
    return dict(json.loads(run.data.read_text(encoding="utf-8")))
