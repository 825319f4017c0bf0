"""What the workbench stands on: libraries, disk, font."""

import importlib
import importlib.util
import shutil
import tempfile
from pathlib import Path

from core.doctor.check import Check, State
from core.reports.fonts import find_font

FREE_WARNING_GB = 5.0
FREE_NEEDED_GB = 0.2

_IMPORTED = {
    "torch": "networks",
    "torchvision": "networks",
    "safetensors": "weights",
    "cv2": "images",
    "skimage": "images",
    "tifffile": "TIFF",
    "imagecodecs": "compressed TIFF",
    "pytorch_grad_cam": "Grad-CAM",
    "fpdf": "PDF reports",
    "sqlalchemy": "database",
    "argon2": "passwords",
    "fastapi": "API",
}
_FOUND = {"streamlit": "pages", "plotly": "pages", "matplotlib": "colours"}
"""Needed elsewhere; here it is enough that they are installed."""

_SYSTEM_PACKAGES = {"libGL": "libgl1", "libgthread": "libglib2.0-0", "libglib": "libglib2.0-0"}


def check_libraries() -> Check:
    """Import what the workbench needs."""
    problems = []
    for module, purpose in _IMPORTED.items():
        try:
            importlib.import_module(module)
        except (ImportError, OSError) as error:  # OSError: a shared library of torch that cannot be loaded
            problems.append(f"{module} ({purpose}): {error}")
    problems += [
        f"{module} ({purpose}): not installed"
        for module, purpose in _FOUND.items()
        if importlib.util.find_spec(module) is None
    ]
    if not problems:
        return Check("libraries", State.OK, f"all {len(_IMPORTED) + len(_FOUND)} are there")
    found = "; ".join(problems)
    return Check("libraries", State.BROKEN, found, library_advice(found))


def library_advice(reason: str) -> str:
    """Say how to get what an import failed for."""
    packages = sorted({package for library, package in _SYSTEM_PACKAGES.items() if library in reason})
    if packages:
        return f"OpenCV needs libraries of the system; on Debian and Ubuntu: apt-get install {' '.join(packages)}"
    return "Run: pip install -r requirements.txt"


def check_data_folder(folder: Path) -> Check:
    """Write into the data folder and look at the space left on its disk."""
    name = "data folder"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"can be written")
        free_gb = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return Check(name, State.BROKEN, f"{folder}: {reason}", "Make it writable, or set DATA_DIR to another folder.")
    found = f"{folder.resolve()}, {free_gb:.1f} GB free"
    if free_gb < FREE_NEEDED_GB:
        return Check(name, State.BROKEN, found, "Results can no longer be saved. Free some space.")
    if free_gb < FREE_WARNING_GB:
        return Check(name, State.WARNING, found, "Free some space: every analysis keeps its pictures here.")
    return Check(name, State.OK, found)


def check_font() -> Check:
    """Look for the font that lets reports show names in any alphabet."""
    files = find_font()
    if files is not None:
        return Check("report font", State.OK, files.regular.name)
    advice = (
        "Reports show ? for other letters. Install matplotlib, or on Debian and Ubuntu: apt-get install fonts-dejavu"
    )
    return Check("report font", State.WARNING, "DejaVu Sans is missing: Latin letters only", advice)
