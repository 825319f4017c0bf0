"""Why a trainer ended that did not say so itself, in words."""

import os
import signal

from core.training.run_folder import RunFolder, State, Status

_TAIL_BYTES = 4096
_SHOWN = 200


def last_words(folder: RunFolder, status: Status, code: int | None) -> tuple[State, str]:
    """Return the state and the sentence for a run whose process is gone.

    Args:
        status: what the trainer said last.
        code: how the process ended, negative for a signal; None where that is unknown.
    """
    kept = _kept(status)
    if folder.asked_to_stop():
        return State.STOPPED, f"Stopped in the middle of its work. {kept}"
    return State.INTERRUPTED, f"{_cause(folder, code)} {kept}"


def _cause(folder: RunFolder, code: int | None) -> str:
    if code == -signal.SIGKILL:
        return (
            "The training was killed from outside; most likely the memory of this computer was used up. "
            "If nobody did it on purpose, choose a smaller batch."
        )
    if code is not None and code < 0:
        return f"The training was ended from outside ({_signal(-code)})."
    if code:
        said = _tail(folder)
        return f"The training program broke off (code {code}); " + (f'it said: "{said}".' if said else "see its log.")
    return (
        "The training was ended from outside: the computer was restarted, or its memory was used up "
        "(then choose a smaller batch)."
    )


def _kept(status: Status) -> str:
    if not status.epoch:
        return f"No {status.unit} was done yet: resume to begin again."
    best = f", the best weights are those of epoch {status.best_epoch}" if status.best_epoch else ""
    return f"{status.epoch} {status.unit}s are kept{best}; resume to go on."


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _tail(folder: RunFolder) -> str:
    """The last line that the program wrote."""
    try:
        with folder.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:_SHOWN] if said else ""
