"""What a job does: analyse here or on another workbench, then store the result in the history."""

import atexit
import gc
import threading

import streamlit as st

from core import history
from core.db.engine import Database
from core.db.records import User
from core.db.settings import get_app_settings
from core.phantoms.samples import load_sample
from core.types import Options, Progress, Result
from pages.ui.jobs import Job, Work

MEGABYTE = 1_000_000

# The networks are imported in the threads that need them: the first page must not wait for them.


def analysis_for(user: User, db: Database) -> Work:
    """Return what a job of this user does; it runs in a thread and touches no widget."""

    def work(job: Job, progress: Progress) -> None:
        if job.sample:
            progress("drawing the sample", 0, 1)
            job.data, job.name = load_sample(job.sample)
        # The result is there even where the disk is full and storing it fails.
        job.result = _analyze(job, progress, db)
        saved = history.save(db, user, job.result, job.data)
        if saved is not None:
            job.entry_id, job.known = saved.entry_id, saved.duplicate

    return work


def explanation_for(db: Database, former: Result, entry_id: str | None) -> Work:
    """Return what a job does that explains another class, or with another method; the stored entry stays as it is."""

    def work(job: Job, progress: Progress) -> None:
        job.entry_id = entry_id
        if get_app_settings(db).remote_url:
            job.result = _analyze(job, progress, db)
            return
        from core.analysis import explain_again
        from core.serving import serving_engine

        progress("explaining", 1, 2)
        target = job.options.target or former.analysis.outcome
        job.result = explain_again(
            job.data, former, engine=serving_engine(db), target=target, method=job.options.cam_method
        )

    return work


def _analyze(job: Job, progress: Progress, db: Database) -> Result:
    return analyze_here_or_there(job.data, job.name, job.options, progress, db)


def analyze_here_or_there(data: bytes, name: str, options: Options, progress: Progress, db: Database) -> Result:
    """Analyse an image where the networks run: here, or on the other workbench that the settings name."""
    settings = get_app_settings(db)
    limit = settings.upload_limit_mb * MEGABYTE
    if settings.remote_url:
        from core.remote import RemoteWorkbench

        other = RemoteWorkbench(settings.remote_url, settings.remote_token)
        return other.analyze(data, name, options, progress, max_bytes=limit)
    from core.analysis import analyze
    from core.serving import serving_engine

    return analyze(data, name, options, engine=serving_engine(db), progress=progress, max_bytes=limit)


@st.cache_resource(show_spinner=False)
def warm_up(_db: Database) -> threading.Thread:
    """Load the networks once, beside the page, as soon as somebody may use them."""

    def load() -> None:
        from core.serving import serving_engine

        # The others follow in under a second when they are first asked for, and cost an idle server nothing.
        serving_engine(_db).warm_up(("ihcnet", "nuclei"))
        # Streamlit collects garbage after every run of a page: half a second over all that the networks brought.
        gc.collect()
        gc.freeze()
        atexit.register(gc.unfreeze)  # so that the libraries can tidy up at the end

    thread = threading.Thread(target=load, name="warm-up", daemon=True)
    thread.start()
    return thread
