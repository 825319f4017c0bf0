"""A training in this terminal: how far it is, what it says, and Ctrl-C."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING

import typer

from core.cli.terminal import ProgressLine

if TYPE_CHECKING:
    from core.training.run_folder import RunFolder, Status

POLL_S = 0.5


def train_here(folder: "RunFolder", *, shown: bool) -> "Status":
    """Train in this process, with a line that says how far it is.

    Args:
        shown: this is the one of several processes that talks, and that the pages see.
    Raises:
        ConflictError: another process trains in this folder.
    """
    from core.jobs.foreground import in_this_process

    line = ProgressLine("starting", shown=shown)
    line.update("loading the networks", 0, 1)
    over = threading.Event()
    known, logged = (in_this_process(folder), _logged(folder, line)) if shown else (nullcontext(), nullcontext())
    with known, logged, _interruptible(folder, line):
        from core.training.loop import train as train_run

        logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
        watcher = threading.Thread(target=_show, args=(folder, line, over), daemon=True)
        watcher.start()
        try:
            return train_run(folder)
        finally:
            over.set()
            watcher.join()
            line.clear()


def _show(folder: "RunFolder", line: ProgressLine, over: threading.Event) -> None:
    while not over.wait(POLL_S):
        status = folder.status()
        best = f", best {status.metric} {status.best:.4g}" if status.best is not None else ""
        line.label = f"{status.unit} {min(status.epoch + 1, status.epochs)} of {status.epochs}{best}"
        line.update(status.message, status.epoch * status.steps + status.step, status.epochs * status.steps)


@contextmanager
def _interruptible(folder: "RunFolder", line: ProgressLine) -> Iterator[None]:
    """Turn Ctrl-C, and the end that SLURM announces, into a request to stop; the second one breaks off at once."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        if folder.asked_to_stop():
            raise KeyboardInterrupt
        folder.ask_to_stop()
        line.clear()
        typer.echo("Stopping after this batch; Ctrl-C once more breaks off at once.", err=True)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _logged(folder: "RunFolder", line: ProgressLine) -> Iterator[None]:
    """Show what the training logs above the line, and keep it in the run folder."""
    logger = logging.getLogger("core.training")
    kept = logging.FileHandler(folder.log, encoding="utf-8")
    kept.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    handlers: list[logging.Handler] = [kept, _Above(line)]
    level = logger.level
    logger.setLevel(logging.INFO)
    for handler in handlers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        logger.setLevel(level)
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()


class _Above(logging.Handler):
    def __init__(self, line: ProgressLine) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        """Print one line above the bar."""
        self._line.clear()
        typer.echo(record.getMessage(), err=True)
