"""Unpacking an uploaded ZIP of images: nothing outside its folder, nothing that is not asked for, all or nothing."""

import io
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from core.config import get_settings
from core.errors import InvalidDataError, StorageError, TooLargeError
from core.training.data.naming import is_image, is_junk
from core.types import Progress, no_progress

MAX_FILES = 200_000
MAX_RATIO = 200
"""Images are compressed already; a member that grows more than this is made to fill the disk."""

RATIO_FROM_BYTES = 10_000_000
"""Smaller members are not worth refusing: an empty field of one colour packs extremely well."""

ARCHIVES = frozenset({".zip", ".7z", ".rar", ".gz", ".tar", ".tgz", ".bz2", ".xz"})
CHUNK_BYTES = 1 << 20
LONGEST_NAME, LONGEST_PATH = 200, 800
REPORT_EVERY = 50

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, RuntimeError, IndexError)
"""What the library raises for damaged and exotic archives."""


@dataclass(frozen=True)
class Unpacked:
    """What an archive held.

    Attributes:
        folder: where the files are now.
        files, bytes: how many were written, and how large they are.
        notes: what was left out, in words.
    """

    folder: Path
    files: int
    bytes: int
    notes: tuple[str, ...]


Member = tuple[zipfile.ZipInfo, PurePosixPath]
"""One file of an archive and where it goes, relative to the target."""


def unpack(
    source: Path | IO[bytes] | bytes,
    target: Path,
    *,
    max_files: int = MAX_FILES,
    max_bytes: int | None = None,
    progress: Progress = no_progress,
) -> Unpacked:
    """Unpack the images and tables of a ZIP archive into a new or empty folder.

    Args:
        source: path, opened file or bytes of the archive.
        target: is removed again when anything goes wrong.
        max_bytes: of all files together; the installation's limit by default.
    Raises:
        InvalidDataError: not a ZIP, damaged, encrypted, or with names that lead outside of the folder.
        TooLargeError: too many files or bytes, or a member that is made to fill the disk.
        StorageError: the target is not empty, or the disk is full.
    """
    if target.exists() and any(target.iterdir()):
        raise StorageError(f"The folder {target} is not empty; nothing was unpacked.")
    limit = get_settings().dataset_limit_gb * 10**9 if max_bytes is None else max_bytes
    done = False
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            members, notes = _choose(archive.infolist())
            _check_size([member for member, _ in members], max_files=max_files, max_bytes=limit)
            target.mkdir(parents=True, exist_ok=True)
            written = _extract(archive, members, target, progress)
        done = True
    except _DAMAGE as error:
        raise InvalidDataError(
            f"The archive cannot be read ({str(error).rstrip('.')}). A ZIP file is expected; pack the folder once "
            "more and upload it again."
        ) from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise InvalidDataError(f"The archive uses one name for a file and a folder ({error.filename}).") from error
    except OSError as error:
        raise StorageError(
            f"The archive cannot be unpacked ({error.strerror}). Free some disk space, then upload it again; "
            "nothing of it was kept."
        ) from error
    finally:
        if not done:
            shutil.rmtree(target, ignore_errors=True)
    return Unpacked(target, len(members), written, notes)


def _choose(infos: Sequence[zipfile.ZipInfo]) -> tuple[list[Member], tuple[str, ...]]:
    """Pick images and tables; say what else there was."""
    chosen: dict[PurePosixPath, zipfile.ZipInfo] = {}
    archives: list[str] = []
    others: list[str] = []
    repeated: list[str] = []
    for info in infos:
        place = _safe_place(info)
        if info.is_dir() or any(is_junk(part) for part in place.parts):
            continue
        ending = place.suffix.lower()
        if ending in ARCHIVES:
            archives.append(place.name)
        elif not is_image(place) and ending != ".csv":
            others.append(place.name)
        elif place in chosen:
            repeated.append(place.name)
        else:
            chosen[place] = info
    if not chosen:
        raise InvalidDataError(
            f"The archive holds no images: {len(others) + len(archives)} other files were found. PNG, JPEG or TIFF "
            "files in one folder per class are expected."
        )
    notes = (
        _note(archives, "are archives inside the archive and were not opened; unpack them before you pack the folder"),
        _note(others, "are neither images nor tables and were left out"),
        _note(repeated, "are in the archive twice; the first of each was kept"),
    )
    return [(info, place) for place, info in chosen.items()], tuple(note for note in notes if note)


def _safe_place(info: zipfile.ZipInfo) -> PurePosixPath:
    """Where a member goes.

    Raises:
        InvalidDataError: outside of the folder, through a link, or encrypted.
    """
    # Old Windows programs write backslashes, which name a folder there and are part of the name here.
    written = info.filename.replace("\\", "/")
    place = PurePosixPath(written)
    if place.is_absolute() or ".." in place.parts or PureWindowsPath(written).drive:
        raise InvalidDataError(
            f"The archive names {info.filename!r}, which leads outside of its folder. Nothing was unpacked. Pack the "
            "folder again with the program of your operating system."
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise InvalidDataError(
            f"The archive holds the link {info.filename!r} instead of a file. Nothing was unpacked. Pack the images "
            "themselves, not links to them."
        )
    if info.flag_bits & 1:
        raise InvalidDataError("The archive is protected by a password. Pack the folder again without one.")
    if len(written) > LONGEST_PATH or any(len(part.encode(errors="replace")) > LONGEST_NAME for part in place.parts):
        raise InvalidDataError(
            f"The archive holds a name of {len(written)} characters ({written[:60]}...). Shorten it."
        )
    return PurePosixPath(*(_printable(part) for part in place.parts))


def _printable(name: str) -> str:
    return "".join("_" if unicodedata.category(each) in ("Cc", "Cs", "Cf") else each for each in name)


def _check_size(infos: Sequence[zipfile.ZipInfo], *, max_files: int, max_bytes: int) -> None:
    """Refuse what is too much, by what the archive says of itself; the library never unpacks more than that."""
    if len(infos) > max_files:
        raise TooLargeError(f"The archive holds {len(infos)} files; at most {max_files} are unpacked. Split it.")
    for info in infos:
        if info.file_size > RATIO_FROM_BYTES and info.file_size > MAX_RATIO * info.compress_size:
            raise TooLargeError(
                f"{info.filename} grows from {info.compress_size / 1e6:.2f} to {info.file_size / 1e6:.0f} MB when "
                "it is unpacked, which no photograph does. Nothing was unpacked. Save it as PNG, or leave it out."
            )
    total = sum(info.file_size for info in infos)
    if total > max_bytes:
        raise TooLargeError(
            f"The archive unpacks to {total / 1e9:.1f} GB; the limit is {max_bytes / 1e9:.1f} GB. Leave images out, or "
            "ask the administrator for a higher limit."
        )


def _extract(archive: zipfile.ZipFile, members: Sequence[Member], target: Path, progress: Progress) -> int:
    needed, free = sum(info.file_size for info, _ in members), shutil.disk_usage(target).free
    if needed > free:
        raise StorageError(
            f"The archive unpacks to {needed / 1e9:.1f} GB, but {free / 1e9:.1f} GB of the disk are free. Free some "
            "disk space, then upload it again."
        )
    written = 0
    for index, (info, place) in enumerate(members):
        if index % REPORT_EVERY == 0:
            progress("unpacking", index, len(members))
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as packed, path.open("xb") as file:
            shutil.copyfileobj(packed, file, CHUNK_BYTES)
            written += file.tell()
    progress("unpacking", len(members), len(members))
    return written


def _note(names: Sequence[str], what: str) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{len(names)} files {what}: {', '.join(names[:5])}{more}." if names else ""
