"""Reading the images of a data set: several at once, in order, the unreadable ones by name."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from core.config import get_settings
from core.errors import InvalidDataError, InvalidImageError, TooLargeError
from core.images import decode
from core.training.data.items import Item
from core.types import DecodedImage, Progress

ResultT = TypeVar("ResultT")

MAX_FILE_BYTES = 4_000_000_000
MAX_UNREADABLE = 0.2
"""Share of the images that may be unreadable; where it is more, something else is wrong."""

WORKERS = 4
"""At most so many images are decoded at once: each may take half a gigabyte."""

REPORT_S = 0.2
NAMED = 5


@dataclass(frozen=True)
class Unreadable:
    """One image that cannot be used.

    Attributes:
        path: relative to the data set's folder where it lies below it.
        reason: in words, with the file's name.
    """

    path: str
    reason: str


def read_image(path: Path) -> DecodedImage:
    """Decode one image file within the limits of this installation.

    Raises:
        InvalidImageError, TooLargeError: as `core.images.decode`, and where the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidImageError(f"{path.name} cannot be read from the disk ({error.strerror}).") from error
    return decode(data, path.name, max_bytes=MAX_FILE_BYTES, max_pixels=get_settings().max_pixels)


class Reader(Generic[ResultT]):
    """One pass over the images of a data set.

    Attributes:
        unreadable: images whose work failed, in order; complete when the pass is.
    """

    def __init__(self, root: Path, work: Callable[[Item], ResultT], *, step: str, progress: Progress) -> None:
        """Prepare a pass.

        Args:
            work: called with each item, in several threads; InvalidImageError and TooLargeError make it unreadable.
            step: what the pass does, in the user's words.
        """
        self.unreadable: list[Unreadable] = []
        self._root, self._work, self._step, self._progress = root, work, step, progress
        self._reported = 0.0

    def results(self, items: Sequence[Item]) -> Iterator[tuple[int, ResultT]]:
        """Yield (index, result) of every readable item, in order.

        Raises:
            InvalidDataError: the folder of the data set is gone.
            CancelledError: raised by `progress`.
        """
        workers = min(WORKERS, os.cpu_count() or 1)
        pool = ThreadPoolExecutor(workers, thread_name_prefix="reading")
        waiting: deque[tuple[int, Future[ResultT]]] = deque()
        try:
            for index, item in enumerate(items):
                waiting.append((index, pool.submit(self._work, item)))
                if len(waiting) > 2 * workers:
                    yield from self._finish(waiting, items)
            while waiting:
                yield from self._finish(waiting, items)
            self._progress(self._step, len(items), len(items))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _finish(
        self, waiting: deque[tuple[int, Future[ResultT]]], items: Sequence[Item]
    ) -> Iterator[tuple[int, ResultT]]:
        index, future = waiting.popleft()
        try:
            yield index, future.result()
        except (InvalidImageError, TooLargeError) as error:
            check_still_there(self._root)
            self.unreadable.append(Unreadable(shown(items[index].path, self._root), str(error)))
        if time.monotonic() - self._reported > REPORT_S:
            self._reported = time.monotonic()
            self._progress(self._step, index + 1, len(items))


def check_still_there(root: Path) -> None:
    """Refuse to go on when the data set's folder is gone.

    Raises:
        InvalidDataError: it is.
    """
    if not root.exists():
        raise InvalidDataError(
            f"The folder {root} is gone: it was moved or deleted, or its disk is not connected any more. Put it back, "
            "then start again."
        )


def check_readable(unreadable: Sequence[Unreadable], total: int) -> tuple[str, ...]:
    """Return a note that names unreadable images, none where there are none.

    Raises:
        InvalidDataError: more than `MAX_UNREADABLE` of the images are.
    """
    if not unreadable:
        return ()
    reasons = " ".join(each.reason for each in unreadable[:NAMED])
    more = f" And {len(unreadable) - NAMED} more." if len(unreadable) > NAMED else ""
    found = f"{len(unreadable)} of {total} images cannot be used: {reasons}{more}"
    if len(unreadable) > MAX_UNREADABLE * total:
        raise InvalidDataError(
            f"{found} At most {MAX_UNREADABLE:.0%} may be left out. Replace or remove these files, then start again."
        )
    return (f"{found} They were left out.",)


def shown(path: Path, root: Path) -> str:
    """How a file is named to the user: relative to the data set where it lies in it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
