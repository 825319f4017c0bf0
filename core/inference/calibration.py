"""What manifest or sidecar say about a classifier's certainty, as plain numbers."""

from collections.abc import Mapping

_THRESHOLD, _PER_CLASS = "conformal_threshold", "conformal_thresholds"


def numbers_of(extras: Mapping[str, object], name: str) -> dict[str, float]:
    """Return the numbers of one table of the extras; those of its `conformal_thresholds` carry their class's name."""
    table = extras.get(name)
    if not isinstance(table, Mapping):
        return {}
    per_class = table.get(_PER_CLASS)
    named = {_key(label): value for label, value in per_class.items()} if isinstance(per_class, Mapping) else {}
    return {key: float(value) for key, value in {**table, **named}.items() if isinstance(value, int | float)}


def has_thresholds(calibration: Mapping[str, float]) -> bool:
    """Whether prediction sets were fitted, for all classes together or class by class."""
    return any(key.startswith(_THRESHOLD) for key in calibration)


def threshold_of(calibration: Mapping[str, float], label: str, *, default: float) -> float:
    """Return the largest 1 - p with which a class stays in the prediction set: its own, else that of all classes.

    Args:
        calibration: as from `numbers_of`.
    """
    return calibration.get(_key(label), calibration.get(_THRESHOLD, default))


def _key(label: str) -> str:
    return f"{_THRESHOLD} of {label}"
