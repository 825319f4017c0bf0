"""Locks between processes: a file that one holder at a time has; the system lets it go when the holder dies."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from core.errors import ConflictError
from core.training.run_folder import disk_error

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_RETRY_S = 0.02


@contextmanager
def hold(path: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file.

    Args:
        path: made if it is missing; it stays, empty.
        wait_s: how long to wait for another holder, process or thread.
    Raises:
        ConflictError: somebody else has it.
        StorageError: the disk refused the file.
    """
    try:
        file = path.open("ab")
    except OSError as error:
        raise disk_error(error) from error
    with file:
        deadline = time.monotonic() + wait_s
        while not _taken(file):
            if time.monotonic() >= deadline:
                raise ConflictError("The runs are being changed by somebody else. Try again in a moment.")
            time.sleep(_RETRY_S)
        yield


def is_held(path: Path) -> bool:
    """Whether somebody has a lock file; False where there is none."""
    try:
        with path.open("ab" if sys.platform == "win32" else "rb") as file:
            return not _taken(file)
    except FileNotFoundError:
        return False


def _taken(file: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
