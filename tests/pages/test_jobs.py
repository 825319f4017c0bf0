"""Analyses in the background: progress, cancel, errors."""

import threading

from core.errors import InvalidImageError
from core.types import Options, Progress
from pages.ui.jobs import Job, Jobs

WAIT_S = 10


def new_job() -> Job:
    """A job nobody has started."""
    return Job(owner="user-1", name="scan.png", data=b"data", options=Options())


def test_reports_its_step_and_share():
    job, seen, go_on = new_job(), threading.Event(), threading.Event()

    def work(_job: Job, progress: Progress) -> None:
        progress("scoring: 3 of 4 tiles", 3, 4)
        seen.set()
        go_on.wait(WAIT_S)

    jobs = Jobs("analysis")
    jobs.start(job, work)
    seen.wait(WAIT_S)
    assert (job.step, job.share, job.done.is_set()) == ("scoring: 3 of 4 tiles", 0.75, False)
    assert jobs.of("user-1") == [job] and jobs.of("user-2") == []

    go_on.set()
    assert job.done.wait(WAIT_S) and job.error is None


def test_cancel_ends_it_at_the_next_step():
    job, go_on = new_job(), threading.Event()

    def work(_job: Job, progress: Progress) -> None:
        go_on.wait(WAIT_S)
        progress("explaining", 1, 2)

    Jobs("analysis").start(job, work)
    job.stop.set()
    go_on.set()

    assert job.done.wait(WAIT_S)
    assert str(job.error) == "Cancelled. Nothing was stored."


def test_an_expected_error_is_kept_for_the_page():
    job = new_job()

    def work(_job: Job, _progress: Progress) -> None:
        raise InvalidImageError("scan.png is empty.")

    Jobs("analysis").start(job, work)

    assert job.done.wait(WAIT_S)
    assert str(job.error) == "scan.png is empty."


def test_an_unexpected_error_still_ends_the_wait():
    job = new_job()

    def work(_job: Job, _progress: Progress) -> None:
        raise ZeroDivisionError

    Jobs("analysis").start(job, work)

    assert job.done.wait(WAIT_S)
    assert job.result is None and job.error is None


def test_a_collected_job_is_forgotten():
    jobs, job = Jobs("analysis"), new_job()
    jobs.start(job, lambda *_: None)
    job.done.wait(WAIT_S)
    jobs.collect(job)

    assert jobs.of("user-1") == []
