"""All checks in order: what others rest on comes first."""

import platform
from collections.abc import Iterator

from core import __version__
from core.config import get_settings
from core.doctor.check import Check, State, in_words
from core.doctor.environment import check_data_folder, check_font, check_libraries


def run_checks() -> tuple[Check, ...]:
    """Check everything; takes some seconds, and raises for nothing it finds."""
    return tuple(iter_checks())


def iter_checks() -> Iterator[Check]:
    """Check one part after the other."""
    settings = get_settings()
    yield Check("workbench", State.OK, f"version {__version__}, Python {platform.python_version()}")
    libraries = check_libraries()
    yield libraries
    yield check_data_folder(settings.data_dir)
    yield check_font()
    if libraries.state is State.BROKEN:
        return  # everything below imports them
    from core.doctor.serving import check_database, check_device, check_models, check_other_workbench
    from core.doctor.training import check_training

    yield in_words("database", check_database, advice="Pages, API and history need it; `analyze` does not.")
    yield in_words("device", check_device, advice="Set DEVICE=auto and BACKEND=auto.")
    yield from check_models()
    yield in_words("training", check_training, advice="Check DATA_DIR and the permissions of its folder.")
    yield from check_other_workbench()
