"""What the command line shows: progress on standard error, failures as one sentence."""

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from core.errors import AppError

_BAR_WIDTH = 24
_REDRAW_S = 0.05


@contextmanager
def in_words() -> Iterator[None]:
    """End the command with code 1 and the sentence of an expected error, without a trace."""
    try:
        yield
    except AppError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


class ProgressLine:
    """A bar that rewrites itself in a terminal; silent where standard error is a file or a pipe."""

    def __init__(self, label: str, *, shown: bool = True) -> None:
        self.label = label
        self._shown = shown and sys.stderr.isatty()
        self._drawn_at = 0.0
        self._step = ""

    def update(self, step: str, done: int, total: int) -> None:
        """Draw one state; fits `core.types.Progress`."""
        now = time.monotonic()
        if not self._shown or (step == self._step and done < total and now - self._drawn_at < _REDRAW_S):
            return
        self._drawn_at, self._step = now, step
        filled = round(_BAR_WIDTH * done / total) if total else 0
        counted = f" {done} of {total}" if total > 1 else ""
        text = f"[{'#' * filled}{'.' * (_BAR_WIDTH - filled)}] {self.label}: {step}{counted}"
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write(f"\r{text[:width]:<{width}}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the bar so that a line of text can follow."""
        if self._shown:
            sys.stderr.write(f"\r{' ' * (shutil.get_terminal_size().columns - 1)}\r")
            sys.stderr.flush()
