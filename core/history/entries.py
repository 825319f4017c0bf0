"""Saving results, finding them again, and the pathologist's own score."""

import hashlib
import json
from dataclasses import dataclass
from uuid import uuid4

from core.auth import require
from core.db import Database, HistoryQuery, HistoryRow, User, UserUsage
from core.db import history as rows
from core.db.clock import utc_now
from core.db.search import storable
from core.db.settings import get_app_settings
from core.errors import InvalidOptionError, NotFoundError
from core.history import files
from core.history.adjustments import checked_adjustments, read_adjusted, write_adjusted
from core.history.deletion import possible_ids, purge
from core.labels import CLASSES, Role
from core.quantify.adjusted import Adjusted, adjusted_scores
from core.types import Adjustments, Analysis, Nuclei, Result

MAX_COMMENT = 2000

NO_NUCLEI = "No nuclei are stored with this entry. Run the analysis of the image again to measure them."


@dataclass(frozen=True)
class Saved:
    """Where a result is kept; `duplicate` if it had been saved before and the old entry was left as it is."""

    entry_id: str
    duplicate: bool


@dataclass(frozen=True)
class Entry:
    """One stored analysis: its row, and the result as it was (pictures within `core.history.pictures`' steps).

    Attributes:
        adjusted: figures with a person's adjustments; None where nobody adjusted anything.
    """

    row: HistoryRow
    result: Result
    adjusted: Adjusted | None = None


def save(db: Database, user: User, result: Result, original: bytes) -> Saved | None:
    """Keep a result in the user's history; the uploaded file only if the administrator's setting says so.

    The same image with the same marker, options and weights is recognised and not saved twice.

    Returns:
        None for guests: nothing of theirs is stored.
    Raises:
        StorageError: disk or database refused; nothing was saved, and what was saved before is untouched.
    """
    if user.is_guest:
        return None
    fingerprint = fingerprint_of(result)
    existing = rows.find_duplicate(db, user.id, fingerprint)
    if existing is not None:
        return Saved(existing, duplicate=True)
    purge(db)  # a server that runs for months must keep its promises about deletion too
    keep = get_app_settings(db).keep_originals
    row = _new_row(result.analysis, has_original=keep)
    folder = files.write_entry(result, original if keep else None)
    final = files.history_folder() / row.id
    stored = False
    try:
        existing = rows.insert_entry(db, user.id, row, fingerprint, publish=lambda: files.publish(folder, row.id))
        stored = existing is None
    finally:
        if not stored:
            files.discard(folder)
            files.discard(final)
    return Saved(existing or row.id, duplicate=not stored)


def load(db: Database, user: User, entry_id: str) -> Entry:
    """Return one of the user's own entries with its result.

    Raises:
        NotFoundError: there is none, it was deleted, or it is somebody else's.
        StorageError: its files are missing or damaged.
    """
    row = get_row(db, user, entry_id)
    return Entry(row, files.read_entry(row.id), read_adjusted(row.id))


def get_row(db: Database, user: User, entry_id: str) -> HistoryRow:
    """Return one of the user's own entries without its result.

    Raises:
        NotFoundError: there is none, it was deleted, or it is somebody else's.
    """
    return rows.get_entry(db, user.id, next(iter(possible_ids([entry_id])), ""))


def load_nuclei(db: Database, user: User, entry_id: str) -> tuple[HistoryRow, Nuclei, Adjusted | None]:
    """Return the nuclei of one of the user's own entries, with what a person adjusted; without its pictures.

    Raises:
        NotFoundError: there is no such entry, it was deleted, or it is somebody else's; or no nuclei were measured.
        StorageError: its files are damaged.
    """
    row = get_row(db, user, entry_id)
    nuclei = files.read_nuclei(row.id)
    if nuclei is None:
        raise NotFoundError(NO_NUCLEI)
    return row, nuclei, read_adjusted(row.id)


def get_adjustments(db: Database, user: User, entry_id: str) -> Adjusted | None:
    """Return what a person adjusted about one of the user's own entries, and the figures that follow.

    Raises:
        NotFoundError: there is no such entry, it was deleted, or it is somebody else's.
        StorageError: the file is damaged.
    """
    return read_adjusted(get_row(db, user, entry_id).id)


def save_adjustments(db: Database, user: User, entry_id: str, adjustments: Adjustments) -> Adjusted | None:
    """Keep adjustments and the figures that follow beside one of the user's own entries; its own figures stay.

    Regions are cut at the edges of the image. The last adjustments replace the former ones.

    Returns:
        The figures; None where the adjustments change nothing, and nothing is kept.
    Raises:
        NotFoundError: there is no such entry, it was deleted, or it is somebody else's; or no nuclei were measured.
        InvalidOptionError: the adjustments do not fit the image or its nuclei.
        StorageError: the disk refused; the former adjustments are untouched.
    """
    row, nuclei, _ = load_nuclei(db, user, entry_id)
    checked = checked_adjustments(adjustments, (row.width, row.height))
    found = adjusted_scores(nuclei, checked, at=utc_now().isoformat(timespec="seconds"))
    kept = None if checked == Adjustments() else found
    write_adjusted(row.id, kept)
    return kept


def list_entries(db: Database, user: User, query: HistoryQuery | None = None) -> list[HistoryRow]:
    """Return the user's own entries that fit a query; none for guests."""
    return [] if user.is_guest else rows.list_entries(db, user.id, query or HistoryQuery())


def count_entries(db: Database, user: User, query: HistoryQuery | None = None) -> int:
    """Return how many of the user's own entries fit a query, whatever its limit."""
    return 0 if user.is_guest else rows.count_entries(db, user.id, query or HistoryQuery())


def thumbnail(db: Database, user: User, entry_id: str) -> bytes:
    """Return the JPEG thumbnail of one of the user's own entries, at most 320 px.

    Raises:
        NotFoundError: there is none, it was deleted, or it is somebody else's.
        StorageError: the file is missing.
    """
    return files.read_file(get_row(db, user, entry_id).id, "thumbnail.jpg")


def original(db: Database, user: User, entry_id: str) -> bytes | None:
    """Return the uploaded file of one of the user's own entries; None where it is not kept.

    Raises:
        NotFoundError: there is no such entry, it was deleted, or it is somebody else's.
        StorageError: the file is missing.
    """
    row = get_row(db, user, entry_id)
    return files.read_file(row.id, "original.bin") if row.has_original else None


def record_own_score(db: Database, user: User, entry_id: str, score: str | None, comment: str = "") -> HistoryRow:
    """Store the pathologist's own score and comment beside the model's answer; None clears the score.

    Raises:
        InvalidOptionError: the score is no class of the marker, or the comment is too long.
        NotFoundError: there is no such entry, it was deleted, or it is somebody else's.
    """
    row = get_row(db, user, entry_id)
    classes = CLASSES[row.marker]
    if score is not None and score not in classes:
        raise InvalidOptionError(f'"{score}" is no score of {row.marker.title}. Choose {", ".join(classes)}.')
    comment = storable(comment).strip()
    if len(comment) > MAX_COMMENT:
        raise InvalidOptionError(f"The comment has {len(comment)} characters; at most {MAX_COMMENT} are kept.")
    # Where the model gave no score ("insufficient tissue"), there is nothing to disagree with.
    disagrees = score is not None and row.outcome in classes and score != row.outcome
    at = utc_now() if score is not None or comment else None
    return rows.update_own_score(db, user.id, row.id, score=score, comment=comment, disagrees=disagrees, at=at)


def usage(db: Database, actor: User) -> list[UserUsage]:
    """Return how many entries every user keeps.

    Raises:
        PermissionDeniedError: the actor is no administrator.
    """
    require(actor, Role.ADMIN)
    return rows.usage(db)


def fingerprint_of(result: Result) -> str:
    """Return the SHA-256 of everything that decides about a result: image, marker, options and weights."""
    analysis = result.analysis
    provenance = analysis.provenance
    decisive = {
        "image": provenance.image_sha256,
        "marker": analysis.marker,
        "stain": [analysis.stain.stain, analysis.stain.overruled],
        "scored": analysis.outcome in CLASSES[analysis.marker],
        "scale": [provenance.scale, provenance.mpp],
        "explained": [analysis.cam_method, analysis.target, sorted(result.pictures.heatmaps)],
        "models": provenance.models,
    }
    if result.nuclei is not None:  # entries of earlier versions have none
        nuclei = result.nuclei
        decisive["nuclei"] = [nuclei.method, nuclei.mpp, len(nuclei), int(nuclei.positive.sum())]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _new_row(analysis: Analysis, *, has_original: bool) -> HistoryRow:
    provenance = analysis.provenance
    codes = tuple(dict.fromkeys(notice.code for notice in analysis.notices if notice.level != "info"))
    return HistoryRow(
        id=uuid4().hex,
        created=utc_now(),
        name=analysis.name,
        marker=analysis.marker,
        outcome=analysis.outcome,
        confidence=analysis.confidence,
        stain=analysis.stain.stain,
        stain_source=analysis.stain_source,
        tiles=len(analysis.tiles),
        notices=codes,
        own_score=None,
        own_comment="",
        own_at=None,
        disagrees=False,
        image_sha256=provenance.image_sha256,
        width=provenance.size[0],
        height=provenance.size[1],
        has_original=has_original,
    )
