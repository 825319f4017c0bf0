"""Where the images may lie that a generator was trained on."""

from pathlib import Path

from core import jobs
from core.db.records import User


def folders(user: User) -> list[Path]:
    """Return this user's data sets, and those of the runs that the user may see."""
    stored = [each.folder for each in jobs.list_datasets(user)]
    trained = [Path(run.data) for run in jobs.list_runs(user)]
    return list(dict.fromkeys([*stored, *(path if path.is_dir() else path.parent for path in trained)]))
