"""The small training that is watched: it learns, and leaves nothing behind."""

from pathlib import Path

import pytest

from core.config import get_settings
from core.jobs import lesson
from core.jobs.lesson import CONFIG, Lesson, teach
from core.types import no_progress


@pytest.mark.slow
@pytest.mark.usefixtures("settings")
def test_it_learns_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson.tempfile, "tempdir", str(tmp_path))
    watched = Lesson()
    learnt = teach(watched, no_progress)
    assert [each.number for each in watched.epochs] == list(range(1, CONFIG.epochs + 1))
    assert learnt.classes == ("PR-", "PR+") and sum(map(sum, learnt.confusion)) == learnt.tiles
    assert watched.epochs[-1].training > 0.7 and learnt.low <= learnt.accuracy <= learnt.high
    assert not list(tmp_path.glob("workbench-lesson-*"))
    assert not get_settings().data_dir.exists() or not list(get_settings().data_dir.iterdir())
