"""Processes that train: started apart from this one, found again after a restart, ended when they do not listen."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import psutil

from core.config import ROOT, get_settings
from core.jobs.devices import environment_of
from core.jobs.records import Trainer
from core.training.run_folder import RunFolder

logger = logging.getLogger(__name__)

COMMAND: tuple[str, ...] = (sys.executable, "-m", "core.training")
"""What trains; the run folder follows."""

STARTING_S = 60.0
"""A process that should have been started this long ago, and of which nothing is known, was not."""

SILENT_S = 60.0
"""A process on another machine that said nothing for so long is dead."""

_CLOCK_S = 2.0  # the system's clock may be set while a process runs, and its birth with it
_FOREIGN = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "GROUP_RANK", "GROUP_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")

_children: dict[int, "subprocess.Popen[bytes]"] = {}


def start(folder: RunFolder, device: str, **extra: str) -> Trainer:
    """Start the trainer of a run in a session of its own: it outlives this process.

    Args:
        extra: environment variables; an empty one is taken away.
    Raises:
        OSError: the system refused it.
    """
    with folder.log.open("ab") as log:
        process = subprocess.Popen(
            [*COMMAND, str(folder.path)],
            cwd=ROOT,
            env=_environment(device) | extra,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[process.pid] = process
    with suppress(psutil.Error, OSError):
        # Analyses of people who wait go before a training that takes hours.
        psutil.Process(process.pid).nice(get_settings().training_nice)
    return describe(process.pid, device)


def describe(pid: int, device: str) -> Trainer:
    """Return what is needed to recognise a process of this machine again."""
    try:
        created = float(psutil.Process(pid).create_time())
    except psutil.Error:
        created = time.time()
    return Trainer(pid, created, socket.gethostname(), device, time.time())


def is_alive(trainer: Trainer, folder: RunFolder) -> bool:
    """Whether the process of a run still runs, or is just being started."""
    if trainer.host not in ("", socket.gethostname()):
        return time.time() - max(folder.status().heartbeat, trainer.started) < SILENT_S
    if trainer.pid == 0:
        return time.time() - trainer.started < STARTING_S
    child = _children.get(trainer.pid)
    if child is not None:
        return child.poll() is None  # collects it, too: the system keeps a dead child until somebody asks
    return _process(trainer) is not None


def exit_code(trainer: Trainer) -> int | None:
    """Return how a dead process ended, negative for a signal; None where another process had started it."""
    child = _children.pop(trainer.pid, None)
    return None if child is None else child.poll()


def end(trainer: Trainer, *, force: bool = False) -> None:
    """Ask the process and its helpers to end; `force` does not ask."""
    process = _process(trainer)
    if process is None or trainer.host not in ("", socket.gethostname()):
        return
    number = signal.SIGTERM if not force or sys.platform == "win32" else signal.SIGKILL
    logger.info("ending the trainer %d (%s)", trainer.pid, number.name)
    with suppress(ProcessLookupError, PermissionError, psutil.Error):
        if sys.platform != "win32" and os.getpgid(trainer.pid) == trainer.pid:
            os.killpg(trainer.pid, number)
        else:
            process.send_signal(number)


def _process(trainer: Trainer) -> psutil.Process | None:
    """Return the living process; None where it is gone, a zombie, or another one has its number."""
    if trainer.pid <= 0:
        return None
    try:
        process = psutil.Process(trainer.pid)
        same = abs(process.create_time() - trainer.created) < _CLOCK_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:  # gone, or of another user: not ours
        return None


def _environment(device: str) -> dict[str, str]:
    """This process's environment, less what would make the trainer part of somebody else's distributed run."""
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN and not name.startswith("SLURM_")}
    own = {"PYTHONUNBUFFERED": "1", "DATA_DIR": str(get_settings().data_dir.resolve())}
    return kept | own | environment_of(device, os.environ.get("CUDA_VISIBLE_DEVICES"))
