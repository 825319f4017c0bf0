"""A font that knows more than Latin-1, found on the machine rather than shipped."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_SYSTEM_FOLDERS = (
    Path("/usr/share/fonts/truetype/dejavu"),
    Path("/usr/share/fonts/dejavu"),
    Path("/usr/share/fonts/dejavu-sans-fonts"),
    Path("/usr/share/fonts/TTF"),
)


@dataclass(frozen=True)
class FontFiles:
    """One family in the two cuts that reports use."""

    regular: Path
    bold: Path


def find_font() -> FontFiles | None:
    """Return DejaVu Sans as shipped inside matplotlib (without importing it) or by the system, else None."""
    for folder in (*_matplotlib_folders(), *_SYSTEM_FOLDERS):
        files = FontFiles(folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf")
        if files.regular.is_file() and files.bold.is_file():
            return files
    return None


def _matplotlib_folders() -> tuple[Path, ...]:
    spec = find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        return ()
    return tuple(Path(location) / "mpl-data" / "fonts" / "ttf" for location in spec.submodule_search_locations)
