"""One round of files: start a job for each new one, collect what is done, open what was asked for."""

import base64
from dataclasses import replace
from functools import partial
from threading import Thread

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.db.engine import Database
from core.db.records import User
from core.errors import CancelledError
from core.images import thumbnail
from core.labels import CamMethod
from core.types import Options, Result
from pages.ui import layers, progress, work
from pages.ui.inputs import Upload
from pages.ui.jobs import Job, Work, all_jobs
from pages.ui.workspace import Opened, Row, Workspace, clear_screen, keep_changes, open_entry, open_job, put_on_screen

THUMBNAIL_PX = 96
STOPPED = "The analysis stopped unexpectedly. Run it again; if that happens again, tell the administrator the file."


def start_new(space: Workspace, uploads: list[Upload], options: Options, user: User, db: Database) -> None:
    """Start a job for every upload that had none yet. Rows of files that were removed go; running ones stay."""
    new = [upload for upload in uploads if upload.id not in space.seen]
    if not new:
        return
    given = {upload.id for upload in uploads}
    space.rows = [row for row in space.rows if row.id in given or row.job is not None]
    space.seen.update(given)
    space.awaited = new[0].id
    space.round += 1
    for upload in new:
        space.rows.append(Row(upload.id, upload.name, upload.data, None))
        _start(space, space.rows[-1], options, work.analysis_for(user, db), sample=upload.sample)


def run_again(space: Workspace, opened: Opened, options: Options, user: User, db: Database) -> None:
    """Analyse the image on the screen once more, as the options are now."""
    _start(space, _row_of(space, opened), options, work.analysis_for(user, db))


def explain(space: Workspace, opened: Opened, target: str, method: CamMethod, db: Database) -> None:
    """Explain another class of the image on the screen, or with another method."""
    former = opened.result.analysis
    options = opened.options or Options(marker=former.marker, scale=former.provenance.scale)
    asked = replace(options, explain=True, target=target, cam_method=method)
    _start(space, _row_of(space, opened), asked, work.explanation_for(db, opened.result, opened.entry_id))


def running(space: Workspace) -> list[Job]:
    """The jobs this tab waits for."""
    return [row.job for row in space.rows if row.job is not None and not row.job.done.is_set()]


def wait(space: Workspace, slot: DeltaGenerator, warming: Thread) -> None:
    """Show the progress until one of the jobs is done."""
    jobs = running(space)
    if jobs:
        progress.wait_for_any(jobs, slot, finished=len(space.rows) - len(jobs), loading=warming.is_alive)
        slot.empty()


def replaces(space: Workspace) -> bool:
    """Whether another image than the one on the screen is being analysed and will be opened."""
    return bool(space.awaited) and (space.opened is None or space.opened.row_id != space.awaited)


def show_problem(space: Workspace, slot: DeltaGenerator, options: Options, user: User, db: Database) -> None:
    """Why the one file of the round has no result, or why that was not stored; and a way to try again."""
    row = space.rows[0]
    if not row.problem:
        return
    with slot.container():
        if row.cancelled:
            st.info(row.problem, icon=":material/cancel:")
        else:
            st.error(row.problem, icon=":material/error:")
        if row.data and space.opened is None:
            again = partial(_start, space, row, options, work.analysis_for(user, db))
            st.button("Run again", icon=":material/replay:", key="retry", on_click=again)


def collect(space: Workspace, user: User, db: Database) -> None:
    """Take over the results of the jobs that are done, and open the one that was asked for."""
    for row in space.rows:
        job = row.job
        if job is None or not job.done.is_set():
            continue
        row.job = None
        all_jobs().collect(job)
        row.cancelled = isinstance(job.error, CancelledError)
        row.problem = str(job.error) if job.error else "" if job.result else STOPPED
        row.data = job.data
        if job.result is not None:
            _fill(row, job, job.result)
        if space.awaited == row.id:
            space.awaited = ""
            if job.result is not None:
                opened = open_job(job, job.result, row.id, db, user)
                keep_changes(space.opened, opened)
                put_on_screen(space, opened)
            elif space.opened is not None and space.opened.row_id != row.id:
                clear_screen(space)  # the former result must not stand under this file's problem


def open_row(space: Workspace, row: Row, user: User, db: Database) -> None:
    """Show one finished file of the round.

    Raises:
        NotFoundError: its entry was deleted meanwhile.
    """
    if row.entry_id is not None:
        opened = open_entry(db, user, row.entry_id)
        opened.row_id, opened.data = row.id, row.data
        put_on_screen(space, opened)
    elif row.result is not None:
        packet = layers.pack(row.result, row.id)
        put_on_screen(space, Opened(row.result, packet, row.id, row_id=row.id, data=row.data))


def _row_of(space: Workspace, opened: Opened) -> Row:
    for row in space.rows:
        if row.id == opened.row_id:
            return row
    row = Row(opened.entry_id or "again", opened.result.analysis.name, opened.data or b"", None)
    opened.row_id = row.id
    space.rows = [row]
    return row


def _start(space: Workspace, row: Row, options: Options, what: Work, *, sample: str = "") -> None:
    row.job = all_jobs().start(
        Job(owner=space.owner, name=row.name, data=row.data, options=options, sample=sample), what
    )
    row.problem, row.cancelled = "", False
    space.awaited = space.awaited or row.id


def _fill(row: Row, job: Job, result: Result) -> None:
    analysis = result.analysis
    picture = base64.b64encode(thumbnail(result.pictures.image, THUMBNAIL_PX)).decode()
    row.name, row.outcome, row.confidence = analysis.name, analysis.outcome, analysis.confidence
    row.warnings = sum(notice.level != "info" for notice in analysis.notices)
    row.thumbnail = f"data:image/jpeg;base64,{picture}"
    row.entry_id = job.entry_id
    row.result = None if job.entry_id else result
