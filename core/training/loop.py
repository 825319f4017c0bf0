"""The training loop of every recipe, on Lightning Fabric: one process or many, CPU or GPU."""

import fcntl
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric

from core.devices import has_bf16, has_openvino
from core.errors import AppError, ConflictError, StorageError, TrainingError
from core.memory import keep_memory
from core.models.weights import save_safetensors
from core.training.checkpoint import load_checkpoint, save_checkpoint
from core.training.config import Precision, StudyConfig, TrainConfig, read_config, recipe_of
from core.training.recipes import build_task
from core.training.reporter import Reporter, check_finite
from core.training.run_folder import RunFolder, State, Status, disk_error
from core.training.task import Task

log = logging.getLogger(__name__)


def train(run: RunFolder) -> Status:
    """Train, or go on training, what a run folder describes; returns how it ended.

    Expected failures (data, disk, memory, divergence) end the run with a sentence in its status and are not raised.

    Raises:
        ConflictError: another process trains in this folder.
        InvalidOptionError: the configuration is not usable.
    """
    keep_memory()
    config = read_config(json.loads(run.config.read_text(encoding="utf-8")))
    with _only_one(run):
        before = run.status()
        status = Status(
            State.STARTING, before.epoch, config.rounds, seconds=before.seconds, pid=os.getpid(), unit=config.unit
        )
        fabric = build_fabric(config)
        with Reporter(run, config, status, writes=fabric.is_global_zero) as reporter:
            state, message = State.FAILED, "The training stopped unexpectedly; the log says more."
            try:
                state, message = _train(run, config, fabric, reporter)
            except KeyboardInterrupt:
                state, message = State.STOPPED, f"Stopped. The finished {config.unit}s are kept; resume to go on."
            except AppError as error:
                message = str(error)
            except MemoryError:
                message = OUT_OF_MEMORY
            except OSError as error:
                message = str(disk_error(error) if run.path.is_dir() else _vanished(run, error))
            except RuntimeError as error:
                if not _is_memory(error):
                    raise
                message = OUT_OF_MEMORY
            finally:
                log.info("%s: %s", state.value, message)
                _last_words(reporter, state, message)
        return reporter.status


OUT_OF_MEMORY = (
    "The memory was not enough. Halve the batch size, choose a smaller crop or network, or end other work on this "
    "machine; then resume the run."
)


def _train(run: RunFolder, config: TrainConfig, fabric: Fabric, reporter: Reporter) -> tuple[State, str]:
    reporter.say(message="reading the images")
    data = Path(json.loads(run.data.read_text(encoding="utf-8"))["data"])
    fabric.seed_everything(config.seed, verbose=False)
    torch.use_deterministic_algorithms(config.deterministic, warn_only=True)
    # Nothing here reads memory that it has not written.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if isinstance(config, StudyConfig):
        from core.training.study.running import run_study

        return run_study(run, config, fabric, reporter)
    task = build_task(config, data, fabric, reporter.doing)
    recipe = recipe_of(config).value
    checkpoint = load_checkpoint(run.checkpoint, recipe=recipe) or {"epoch": 0, "best": None, "best_epoch": 0}
    if checkpoint["epoch"]:
        task.restore(checkpoint["task"])
    done, best, best_epoch = int(checkpoint["epoch"]), checkpoint["best"], int(checkpoint["best_epoch"])
    run.keep_stats(epochs=done)
    reporter.say(
        state=State.RUNNING, epoch=done, steps=task.steps(), metric=task.goal.title, best=best, best_epoch=best_epoch,
        message="training",
    )  # fmt: skip
    reporter.start_epochs()

    for epoch in range(done + 1, config.epochs + 1):
        fabric.seed_everything(config.seed + 7919 * epoch + fabric.global_rank, verbose=False)
        for step, batch in enumerate(task.batches(epoch), 1):
            reporter.batch(epoch, step, task.step(batch, epoch - 1 + step / task.steps()))
            if _agreed(fabric, run.asked_to_stop()):
                return _stopped(run, task, reporter, best_epoch)
        learnt = {f"train_{name}": value for name, value in reporter.learnt().items()}
        figures = task.end_epoch(epoch)
        check_finite(figures)
        if task.goal.better(figures[task.goal.name], best):
            best, best_epoch = figures[task.goal.name], epoch
            if fabric.is_global_zero:
                _save_weights(run, task)
        if fabric.is_global_zero:
            state = {"recipe": recipe, "epoch": epoch, "best": best, "best_epoch": best_epoch, "task": task.state()}
            save_checkpoint(run.checkpoint, state)
        reporter.picture(epoch, task.draw(epoch))
        reporter.say(best=best, best_epoch=best_epoch)
        reporter.epoch(epoch, {**learnt, **figures})
        done = epoch
        if _agreed(fabric, _enough(config, reporter, epoch, best_epoch)):
            break
    return _finish(run, task, reporter, f"finished after {done} epochs")


def build_fabric(config: TrainConfig) -> Fabric:
    """Return the devices of this process: those that torchrun or SLURM gave, else one."""
    world = int(os.environ.get("WORLD_SIZE", os.environ.get("SLURM_NTASKS", "1")))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ.get("SLURM_NTASKS_PER_NODE", str(world))))
    if config.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    fabric = Fabric(
        accelerator=os.environ.get("TRAIN_DEVICE", "auto"),
        strategy="ddp" if world > 1 else "auto",
        devices=here,
        num_nodes=world // here,
        precision=_precision(config.precision),
    )
    fabric.launch()
    return fabric


def _precision(wanted: Precision) -> Any:
    if wanted is Precision.AUTO:
        fast = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else has_openvino() and has_bf16()
        wanted = Precision.BFLOAT16 if fast else Precision.FLOAT32
    return "bf16-mixed" if wanted is Precision.BFLOAT16 else "32-true"


def _enough(config: TrainConfig, reporter: Reporter, epoch: int, best_epoch: int) -> bool:
    if config.early_stop and epoch - best_epoch >= config.early_stop:
        log.info("no improvement for %d epochs", config.early_stop)
        return True
    return config.max_minutes is not None and reporter.seconds >= 60 * config.max_minutes


def _agreed(fabric: Fabric, decision: bool) -> bool:
    """Return what the first process decided: all must leave the loop at the same batch."""
    return decision if fabric.world_size == 1 else bool(fabric.broadcast(decision))


def _stopped(run: RunFolder, task: Task, reporter: Reporter, best_epoch: int) -> tuple[State, str]:
    finish = run.asked_to_finish()
    if not best_epoch:
        return State.STOPPED, "Stopped before the first epoch was done: there are no weights yet. Resume to go on."
    if finish:
        return _finish(run, task, reporter, f"ended early with the weights of epoch {best_epoch}")
    return State.STOPPED, f"Stopped. The weights of epoch {best_epoch} are kept; resume to go on."


def _finish(run: RunFolder, task: Task, reporter: Reporter, message: str) -> tuple[State, str]:
    reporter.say(state=State.EVALUATING, left_s=None, message="judging the best weights on what was held out")
    if reporter.writes:
        run.write_json("evaluation.json", task.finish(run, run.weights))
    return State.FINISHED, f"{message[0].upper()}{message[1:]}."


def _save_weights(run: RunFolder, task: Task) -> None:
    try:
        save_safetensors(task.best_weights(), run.weights)
    except OSError as error:
        raise disk_error(error) from error


def _last_words(reporter: Reporter, state: State, message: str) -> None:
    try:
        reporter.say(state=state, message=message, pid=0, left_s=None, seconds=reporter.seconds)
    except StorageError as error:  # the disk is full: what stands in the folder stays, the watcher sees a dead process
        log.error("%s", error)
        reporter.status = replace(reporter.status, state=state, message=message)


@contextmanager
def _only_one(run: RunFolder) -> Iterator[None]:
    """Hold the folder's lock; the processes of one distributed run share it through the first."""
    if int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0"))) > 0:
        yield
        return
    with (run.path / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConflictError(
                f"Another process trains in {run.path.name} already. Wait for it, stop it, or start a new run."
            ) from error
        yield


def _vanished(run: RunFolder, error: OSError) -> AppError:
    return TrainingError(f"The run folder {run.path.name} has vanished ({error.strerror}). Start a new run.")


def _is_memory(error: RuntimeError) -> bool:
    text = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in text or "can't allocate memory" in text
