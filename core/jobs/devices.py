"""What runs can train on here, and how many at once."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from core.config import get_settings

CPU = "cpu"


def device_names() -> tuple[str, ...]:
    """Return the devices of this machine: all GPUs ("cuda:0"), or the processor where there is none."""
    if get_settings().device == CPU or not _gpus():
        return (CPU,)
    return tuple(f"cuda:{number}" for number in range(_gpus()))


def free_devices(taken: Iterable[str]) -> list[str]:
    """Return one entry for each run that may start now, the least occupied devices first.

    Args:
        taken: devices of the runs that train; a name that is none of ours counts for the first one.
    """
    names = device_names()
    used = Counter(name if name in names else names[0] for name in taken)
    places = [(used[name] + turn, name) for name in names for turn in range(get_settings().runs_per_device)]
    return [name for load, name in sorted(places) if load < get_settings().runs_per_device]


def environment_of(device: str, visible: str | None) -> dict[str, str]:
    """Return the variables that keep a process on its device.

    Args:
        device: as in `device_names`.
        visible: CUDA_VISIBLE_DEVICES of this process, whose order the numbers follow; None where it is not set.
    """
    if device == CPU:
        return {"TRAIN_DEVICE": CPU}
    number = int(device.removeprefix("cuda:"))
    names = visible.split(",") if visible else []
    return {"CUDA_VISIBLE_DEVICES": names[number].strip() if number < len(names) else str(number)}


@lru_cache(maxsize=1)
def _gpus() -> int:
    import torch  # takes seconds: only once a run is to be started

    return int(torch.cuda.device_count())
