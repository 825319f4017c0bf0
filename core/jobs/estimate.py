"""How long a training will take, from a few of its steps."""

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.db import User
from core.errors import TrainingError
from core.jobs import processes
from core.jobs.devices import device_names, free_devices
from core.jobs.records import Trainer, iter_jobs, read_trainer
from core.jobs.submission import usable_data
from core.training.config import StudyConfig, TrainConfig, read_config
from core.training.run_folder import RunFolder, State, disk_error
from core.types import Progress, no_progress

MEASURE_S = 4.0
"""Steps are measured over this long."""

LIMIT_S = 180.0
_POLL_S = 0.1


@dataclass(frozen=True)
class Estimate:
    """How long a training will take.

    Attributes:
        seconds_per_step: of one batch.
        steps: batches of an epoch; `epochs` at most.
        start_s: before the first batch: loading, reading the images. They are kept: the run itself starts faster.
        total_s: all of it, without the evaluation at the end.
        unit: what `epochs` counts.
        shared: other runs trained here meanwhile, so alone it is faster.
    """

    seconds_per_step: float
    steps: int
    epochs: int
    start_s: float
    total_s: float
    shared: bool
    unit: str = "epoch"


def estimate(
    user: User, data: Path | str, config: TrainConfig | Mapping[str, Any], *, progress: Progress = no_progress
) -> Estimate:
    """Train a few steps in a process of its own, away from the runs, and measure them.

    Args:
        progress: told what is done; may raise CancelledError.
    Raises:
        InvalidOptionError, InvalidDataError, NotFoundError, PermissionDeniedError: as `submit`.
        TrainingError: the training cannot start, in its own words, or not a step was done in three minutes.
        StorageError: the disk refused it.
    """
    settings = config if isinstance(config, TrainConfig) else read_config(config)
    path = usable_data(user, data, settings)
    taken = [trainer.device for job in iter_jobs() if (trainer := read_trainer(job.folder)) is not None]
    device = next(iter(free_devices(taken)), device_names()[0])
    if isinstance(settings, StudyConfig):
        found = _study(path, settings, device, progress)
    else:
        found = _measure_apart(path, settings, device, progress)
    return replace(found, shared=bool(taken))


def _study(path: Path, config: StudyConfig, device: str, progress: Progress) -> Estimate:
    """Measure the two kinds of networks that a study trains, and count how many of each."""
    from core.training.study.plan import Work, parts_of
    from core.training.study.settings import measured_configs

    classifier, generator = measured_configs(config)
    one = _measure_apart(path, classifier, device, progress)
    parts = [part.work for part in parts_of(config)]
    cells, generators = parts.count(Work.CELL), parts.count(Work.GENERATOR)
    steps = config.epochs * (config.steps_per_epoch or max(1, round(one.steps * (1 - 1 / config.folds))))
    total_s = one.start_s + cells * steps * one.seconds_per_step
    if generators:
        batches = config.generator_batches + config.generator_start
        other = _measure_apart(path, generator, device, progress)
        total_s += generators * batches * other.seconds_per_step
    return Estimate(one.seconds_per_step, steps, cells, one.start_s, total_s, shared=False, unit="classifier")


def _measure_apart(path: Path, config: TrainConfig, device: str, progress: Progress) -> Estimate:
    """Measure a training in a folder that is gone afterwards."""
    try:
        folder = RunFolder(Path(tempfile.mkdtemp(prefix="measuring-")))
    except OSError as error:
        raise disk_error(error) from error
    try:
        folder.write_json("config.json", config.model_dump(mode="json"))
        folder.write_json("data.json", {"data": str(path)})
        return _measure(folder, config, device, progress)
    finally:
        shutil.rmtree(folder.path, ignore_errors=True)


def _measure(folder: RunFolder, config: TrainConfig, device: str, progress: Progress) -> Estimate:
    try:
        trainer = processes.start(folder, device, MLFLOW_TRACKING_URI="")
    except OSError as error:
        raise TrainingError(f"The training program could not be started ({error.strerror}).") from error
    began = time.monotonic()
    ready: float | None = None
    try:
        while (now := time.monotonic()) - began < LIMIT_S:
            alive, status = processes.is_alive(trainer, folder), folder.status()
            progress(status.message or "starting", 0, 1)
            if ready is None and status.state in (State.RUNNING, State.EVALUATING, State.FINISHED):
                ready = now
            found = None if ready is None else _read(folder, config, start_s=ready - began, trained_s=now - ready)
            if found is not None:
                return found
            if status.state is State.FAILED or not alive:
                raise TrainingError(status.message or "The training program broke off before its first step.")
            time.sleep(_POLL_S)
    finally:
        _end(trainer, folder)
    raise TrainingError(
        f"No step was done in {LIMIT_S / 60:.0f} minutes: reading the images takes longer. "
        "Start the run; it shows the time that is left once it trains."
    )


def _read(folder: RunFolder, config: TrainConfig, *, start_s: float, trained_s: float) -> Estimate | None:
    """The estimate, once enough is known for one."""
    status = folder.status()
    count = max(status.steps, 1)
    if status.epoch and (trained_s >= MEASURE_S or status.state is not State.RUNNING):
        epoch_s = trained_s / status.epoch
        return Estimate(epoch_s / count, count, config.epochs, start_s, start_s + config.epochs * epoch_s, shared=False)
    lines = [line for line in folder.read_stats() if line["kind"] == "step"]
    if status.epoch or len(lines) < 2 or lines[-1]["seconds"] - lines[0]["seconds"] < MEASURE_S:
        return None
    step_s = (lines[-1]["seconds"] - lines[0]["seconds"]) / max(1, lines[-1]["step"] - lines[0]["step"])
    # Validation costs no backward pass: a third of a step for each of its batches.
    share = config.val_share / max(0.1, 1 - config.val_share - config.test_share) / 3
    total_s = start_s + config.epochs * count * step_s * (1 + share)
    return Estimate(step_s, count, config.epochs, start_s, total_s, shared=False)


def _end(trainer: Trainer, folder: RunFolder) -> None:
    processes.end(trainer, force=True)
    deadline = time.monotonic() + 5
    while processes.is_alive(trainer, folder) and time.monotonic() < deadline:
        time.sleep(_POLL_S / 2)
    processes.exit_code(trainer)
