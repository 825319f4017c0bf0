"""Whether models can be trained here: the libraries for it, room for runs, a launcher that reads its queue."""

import importlib
import shutil

from core.config import get_settings
from core.doctor.check import Check, State
from core.jobs.records import iter_jobs, runs_folder
from core.training.run_folder import State as RunState

NAME = "training"
ROOM_GB = 2.0
"""A run of IHCNet keeps weights, a checkpoint with the optimizer's moments and a cache of tiles."""

_IMPORTED = ("lightning.fabric", "torchmetrics", "timm", "tensorboard", "psutil", "imagehash")


def check_training() -> Check:
    """Import what trainings need, and look at the room and at the runs.

    Raises:
        StorageError: the folder of the runs cannot be read.
    """
    problems = []
    for module in _IMPORTED:
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as error:  # OSError: a shared library that cannot be loaded
            problems.append(f"{module}: {error}")
    if problems:
        advice = "Everything but training works. Run: pip install -r requirements.txt"
        return Check(NAME, State.WARNING, "; ".join(problems), advice)
    folder = get_settings().data_dir
    free_gb = shutil.disk_usage(folder if folder.exists() else folder.parent).free / 1e9
    states = [job.folder.status().state for job in iter_jobs()]
    waiting, broken = states.count(RunState.QUEUED), states.count(RunState.INTERRUPTED)
    found = f"{len(states)} runs ({waiting} wait, {broken} interrupted), {free_gb:.1f} GB free in {runs_folder()}"
    if free_gb < ROOM_GB:
        return Check(
            NAME, State.WARNING, found, f"A run needs up to {ROOM_GB:.0f} GB: free some space, or delete runs."
        )
    return Check(NAME, State.OK, found)
