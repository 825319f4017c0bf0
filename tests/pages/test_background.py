"""Work of a page in the background: one of a kind for each owner, its result or the reason why there is none."""

import threading

from core.errors import CancelledError, InvalidImageError
from core.types import Progress
from pages.ui import background

WAIT_S = 10


def test_the_result_waits_for_the_page():
    task = background.start("ada", "stain", "2 images", lambda _progress: 17)
    assert task.done.wait(WAIT_S)
    assert background.find("ada", "stain") is task
    assert background.result_of(task, int) == 17
    assert background.find("bob", "stain") is None and background.find("ada", "filter") is None


def test_new_work_of_a_kind_cancels_the_former():
    go_on = threading.Event()

    def work(progress: Progress) -> None:
        go_on.wait(WAIT_S)
        progress("staining", 1, 2)

    former = background.start("ada", "stain", "first", work)
    latter = background.start("ada", "stain", "second", lambda _progress: "done")
    go_on.set()
    assert former.done.wait(WAIT_S) and isinstance(former.error, CancelledError)
    assert background.find("ada", "stain") is latter


def test_an_expected_error_is_no_result():
    def work(_progress: Progress) -> None:
        raise InvalidImageError("scan.png is empty.")

    task = background.start("ada", "stain", "scan.png", work)
    assert task.done.wait(WAIT_S)
    assert background.result_of(task, str) is None and str(task.error) == "scan.png is empty."
