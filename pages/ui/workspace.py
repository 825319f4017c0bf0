"""The working results of one browser tab: kept in session state, so that no click runs a network again."""

from dataclasses import dataclass, field, replace
from uuid import uuid4

import streamlit as st

from core import history
from core.db.engine import Database
from core.db.records import User
from core.history import HistoryRow
from core.quantify.adjusted import Adjusted
from core.reports.content import OwnEntry, readable_time
from core.types import Options, Result
from pages.ui import layers
from pages.ui.adjusting import Adjusting
from pages.ui.jobs import Job, all_jobs

STATE = "workspace"


@dataclass
class Opened:
    """The result on the screen.

    Attributes:
        packet: its pictures as the viewer reads them, encoded once.
        row_id: of the row it came from; empty where it came from the history.
        data: the upload, or None where it is not at hand (opened from the history without its original).
        options: what was asked, or None where that is not known.
        seconds: from the upload to the result, or None for a stored one.
        known: the same image was analysed with the same options before.
        identity: of the packet, as the viewer knows it.
        adjusting: what was changed about the measurement.
    """

    result: Result
    packet: bytes
    identity: str = ""
    row_id: str = ""
    entry_id: str | None = None
    data: bytes | None = None
    options: Options | None = None
    own: OwnEntry | None = None
    seconds: float | None = None
    known: bool = False
    adjusting: Adjusting = field(default_factory=Adjusting)


@dataclass
class Row:
    """One file of the round: its job while that runs, and the result where it is not in the history."""

    id: str
    name: str
    data: bytes
    job: Job | None
    outcome: str = ""
    confidence: float | None = None
    warnings: int = 0
    problem: str = ""
    cancelled: bool = False
    thumbnail: str = ""
    entry_id: str | None = None
    result: Result | None = None


@dataclass
class Workspace:
    """What one tab works on.

    Attributes:
        owner: whose jobs these are; guests share no identity, so each of their tabs is an owner of its own.
        rows: the files of the current round, in the order they came.
        seen: ids of all uploads that had their analysis.
        awaited: id of the row to open when it is done.
        round: counts how often files came.
    """

    owner: str
    rows: list[Row] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    awaited: str = ""
    round: int = 0
    opened: Opened | None = None


def workspace(user: User) -> Workspace:
    """The workspace of this tab; a new one, with the jobs that still run, after a reload or another sign-in."""
    known = st.session_state.get(STATE)
    owner = f"user-{user.id}"
    if known is None or known.owner.split("/")[0] != owner:
        known = Workspace(f"{owner}/{uuid4().hex}" if user.is_guest else owner)
        known.rows = [Row(job.id, job.name, job.data, job) for job in all_jobs().of(known.owner)]
        known.awaited = known.rows[0].id if known.rows else ""
        st.session_state[STATE] = known
    return known


def put_on_screen(space: Workspace, opened: Opened) -> None:
    """Show a result from now on, after a reload of this address too."""
    space.opened = opened
    if opened.entry_id is None:
        st.query_params.clear()
    else:
        st.query_params["entry"] = opened.entry_id


def clear_screen(space: Workspace) -> None:
    """Show no result, after a reload of this address neither."""
    space.opened = None
    st.query_params.clear()


def open_job(job: Job, result: Result, row_id: str, db: Database, user: User) -> Opened:
    """Make what a finished job returned ready for the screen."""
    known = history.get_row(db, user, job.entry_id) if job.entry_id and job.known else None
    adjusted = history.get_adjustments(db, user, known.id) if known else None
    if known and adjusted:  # its corrections name nuclei by their rows
        result = replace(result, nuclei=history.load_nuclei(db, user, known.id)[1])
    return Opened(
        result=result,
        packet=layers.pack(result, job.id),
        identity=job.id,
        row_id=row_id,
        entry_id=job.entry_id,
        data=job.data,
        options=job.options,
        own=_own_entry(known, user) if known else None,
        seconds=job.seconds,
        known=job.known,
        adjusting=_adjusting(adjusted),
    )


def open_entry(db: Database, user: User, entry_id: str) -> Opened:
    """Open a stored result.

    Raises:
        NotFoundError: there is no such entry, or it is somebody else's.
    """
    entry = history.load(db, user, entry_id)
    return Opened(
        result=entry.result,
        packet=layers.pack(entry.result, entry_id),
        identity=entry_id,
        entry_id=entry_id,
        data=history.original(db, user, entry_id),
        own=_own_entry(entry.row, user),
        adjusting=_adjusting(entry.adjusted),
    )


def keep_changes(former: Opened | None, opened: Opened) -> None:
    """Take the changes over from another picture of the same nuclei, as after another explanation."""
    if former is not None and opened.result.nuclei is not None and opened.result.nuclei is former.result.nuclei:
        opened.adjusting = former.adjusting


def _adjusting(adjusted: Adjusted | None) -> Adjusting:
    return Adjusting.of(adjusted.adjustments) if adjusted else Adjusting()


def _own_entry(row: HistoryRow, user: User) -> OwnEntry | None:
    if row.own_at is None:
        return None
    return OwnEntry(row.own_score, row.own_comment, user.name, readable_time(row.own_at.isoformat()))
