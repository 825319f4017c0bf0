"""The queue: what starts when, what survives what, and how runs end."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from people_of_jobs import ADMIN, GUEST, PAULA, RITA, RON

from core.config import ROOT, get_settings
from core.errors import (
    ConflictError,
    InvalidDataError,
    InvalidOptionError,
    NotFoundError,
    PermissionDeniedError,
    StorageError,
)
from core.jobs import (
    delete,
    get_run,
    launcher,
    list_runs,
    locks,
    processes,
    requests,
    resume,
    set_priority,
    stop,
    submit,
    tick,
)
from core.jobs.records import Trainer, read_trainer, runs_folder, write_trainer
from core.training.config import SimpleCnnConfig
from core.training.run_folder import State

pytestmark = pytest.mark.usefixtures("launcher")

QUICK = {"recipe": "simple-cnn", "epochs": 2}
LONG = {"recipe": "simple-cnn", "epochs": 1000}
ENDED = (State.FINISHED, State.STOPPED, State.FAILED, State.INTERRUPTED)


def test_a_run_is_started_at_once_and_finishes(images: Path, wait_for) -> None:
    run = submit(RITA, name="first try", data=images, config=QUICK)
    assert (run.name, run.owner, run.recipe, run.data) == ("first try", "Rita", "simple-cnn", str(images))
    assert (run.status.state is State.QUEUED, run.device) == (False, "cpu")

    done = wait_for(run, *ENDED)
    assert (done.status.state, done.status.epoch, done.place) == (State.FINISHED, 2, None)
    wait_until_gone(done)
    assert get_run(RITA, run.id).device == ""
    assert [line["epoch"] for line in done.folder.read_stats()] == [1, 2]


def wait_until_gone(run) -> None:
    deadline = time.monotonic() + 5
    while read_trainer(run.folder) is not None and time.monotonic() < deadline:
        tick()
        time.sleep(0.02)


def test_one_run_trains_and_the_others_wait_in_order(images: Path, wait_for) -> None:
    runs = [submit(RITA, name=str(number), data=images, config=QUICK) for number in range(3)]
    assert [get_run(RITA, run.id).place for run in runs] == [None, 1, 2]

    for run in runs:
        wait_for(run, State.FINISHED)
    started = [run.folder.log.stat().st_mtime for run in runs]
    assert started == sorted(started)


def test_priority_overtakes(images: Path) -> None:
    _, second, third = (submit(RITA, name="", data=images, config=LONG) for _ in range(3))
    set_priority(ADMIN, third.id, 5)

    assert (get_run(RITA, second.id).place, get_run(RITA, third.id).place) == (2, 1)
    with pytest.raises(PermissionDeniedError):
        set_priority(RITA, second.id, 6)
    with pytest.raises(InvalidOptionError):
        set_priority(ADMIN, second.id, 101)


def test_more_places_start_more_runs(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNS_PER_DEVICE", "2")
    get_settings.cache_clear()
    runs = [submit(RITA, name="", data=images, config=LONG) for _ in range(3)]
    assert [get_run(RITA, run.id).place for run in runs] == [None, None, 1]


def test_a_stop_takes_effect_within_five_seconds_and_resume_goes_on(images: Path, wait_for) -> None:
    run = submit(RITA, name="", data=images, config=LONG | {"epochs": 12})
    wait_for(run, State.RUNNING, epoch=2)
    began = time.monotonic()
    stop(RITA, run.id)
    stopped = wait_for(run, State.STOPPED)
    assert time.monotonic() - began < 5
    assert 2 <= stopped.status.epoch < 12

    assert resume(RITA, run.id).status.state in (State.STARTING, State.RUNNING)
    done = wait_for(run, State.FINISHED)
    assert [line["epoch"] for line in done.folder.read_stats()] == list(range(1, 13))


@pytest.mark.parametrize("odd", ["deaf", "stubborn"])
def test_a_trainer_that_does_not_listen_is_ended(
    images: Path, wait_for, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    monkeypatch.setenv("FAKE", odd)
    monkeypatch.setattr(launcher, "STOP_GRACE_S", 0.3)
    monkeypatch.setattr(launcher, "KILL_GRACE_S", 0.6)
    run = submit(RITA, name="", data=images, config=LONG)
    trainer = read_trainer(wait_for(run, State.RUNNING, epoch=1).folder)
    assert get_run(RITA, run.id).stopping is False
    assert stop(RITA, run.id).stopping
    stopped = wait_for(run, State.STOPPED)
    assert "Stopped" in stopped.status.message
    assert trainer is not None and not processes.is_alive(trainer, run.folder)


def test_a_run_in_the_queue_is_taken_out_and_put_back(images: Path) -> None:
    submit(RITA, name="", data=images, config=LONG)
    second = submit(RITA, name="", data=images, config=LONG)
    assert stop(RITA, second.id).status.state is State.STOPPED
    tick()
    assert get_run(RITA, second.id).place is None
    assert resume(RITA, second.id).place == 1


def test_kill_9_is_noticed_and_the_run_goes_on(images: Path, wait_for) -> None:
    run = submit(RITA, name="", data=images, config=LONG | {"epochs": 12})
    pid = wait_for(run, State.RUNNING, epoch=2).status.pid
    os.kill(pid, signal.SIGKILL)
    broken = wait_for(run, *ENDED)
    assert broken.status.state is State.INTERRUPTED
    assert broken.can_resume
    assert "memory" in broken.status.message and "smaller batch" in broken.status.message
    assert f"{broken.status.epoch} epochs are kept" in broken.status.message

    tick()
    assert get_run(RITA, run.id).status.state is State.INTERRUPTED
    resume(RITA, run.id)
    assert wait_for(run, State.FINISHED).status.epoch == 12


def test_a_trainer_survives_the_server_that_started_it(images: Path, wait_for) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.jobs.people_of_jobs import RITA\n"
        "from core.jobs import processes, submit\n"
        "processes.COMMAND = (sys.executable, '-m', 'tests.jobs.fake_trainer')\n"
        "print(submit(RITA, name='', data=Path(sys.argv[1]), config={'recipe': 'simple-cnn', 'epochs': 10}).id)\n"
    )
    environment = os.environ | {"DATA_DIR": str(get_settings().data_dir), "DEVICE": "cpu"}
    server = subprocess.run(
        [sys.executable, "-c", code, str(images)], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    run = get_run(RITA, server.stdout.strip())
    tick()  # of the next server, which did not start it
    assert get_run(RITA, run.id).status.state in (State.STARTING, State.RUNNING)
    assert wait_for(run, State.FINISHED).status.epoch == 10


def test_a_restarted_server_sees_that_a_trainer_has_died(images: Path, wait_for) -> None:
    run = submit(RITA, name="", data=images, config=LONG)
    wait_for(run, State.RUNNING)
    trainer = read_trainer(run.folder)
    assert trainer is not None
    child = processes._children.pop(trainer.pid)  # the new server knows nothing of its children
    child.kill()
    child.wait()
    broken = wait_for(run, *ENDED)
    assert broken.status.state is State.INTERRUPTED
    assert "computer was restarted" in broken.status.message


def test_another_process_of_the_same_number_is_not_the_trainer(images: Path, wait_for) -> None:
    run = submit(RITA, name="", data=images, config=LONG)
    wait_for(run, State.RUNNING)
    trainer = read_trainer(run.folder)
    assert trainer is not None
    processes.end(trainer, force=True)
    me = processes.describe(os.getpid(), "cpu")
    write_trainer(run.folder, Trainer(me.pid, me.created - 1000, me.host, "cpu", me.started))
    assert wait_for(run, *ENDED).status.state is State.INTERRUPTED


def test_a_program_that_breaks_off_is_quoted(images: Path, wait_for, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "broken")
    run = wait_for(submit(RITA, name="", data=images, config=QUICK), *ENDED)
    assert run.status.state is State.INTERRUPTED
    assert "No module named 'nothing'" in run.status.message


def test_a_program_that_cannot_be_started_is_a_failure(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "COMMAND", ("/no/such/python",))
    run = submit(RITA, name="", data=images, config=QUICK)
    assert run.status.state is State.FAILED
    assert "could not be started" in run.status.message


def test_what_the_trainer_says_of_its_failure_stays(images: Path, wait_for, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "failing")
    run = wait_for(submit(RITA, name="", data=images, config=QUICK), *ENDED)
    assert (run.status.state, run.status.message) == (State.FAILED, "The training diverged.")


def test_the_next_run_starts_when_one_has_ended_badly(images: Path, wait_for, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "broken")
    first = submit(RITA, name="", data=images, config=QUICK)
    monkeypatch.setenv("FAKE", "")
    second = submit(RON, name="", data=images, config=QUICK)
    wait_for(second, State.FINISHED)
    assert get_run(RITA, first.id).status.state is State.INTERRUPTED


def test_two_people_and_two_servers_at_once_start_one_trainer(images: Path) -> None:
    def go(number: int) -> None:
        submit((RITA, RON)[number % 2], name="", data=images, config=LONG)
        tick()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(go, range(8)))
    tick()
    runs = list_runs(ADMIN)
    assert sorted(run.place or 0 for run in runs) == list(range(8))
    assert sum(read_trainer(run.folder) is not None for run in runs) == 1


def test_a_folder_that_somebody_trains_in_is_left_alone(images: Path) -> None:
    first = submit(RITA, name="", data=images, config=LONG)
    second = submit(RITA, name="", data=images, config=LONG)
    stop(RITA, second.id)
    with locks.hold(second.folder.lock):
        with pytest.raises(ConflictError):
            resume(RITA, second.id)
        with pytest.raises(ConflictError):
            delete(RITA, second.id)
    assert get_run(RITA, first.id).place is None


def test_a_finished_run_goes_on_only_with_more_epochs(images: Path, wait_for) -> None:
    run = submit(RITA, name="", data=images, config=QUICK)
    wait_for(run, State.FINISHED)
    with pytest.raises(ConflictError, match="how many more"):
        resume(RITA, run.id)
    resume(RITA, run.id, extra_epochs=2)
    assert wait_for(run, State.FINISHED, epoch=4).status.epochs == 4


def test_only_ended_runs_are_deleted(images: Path, wait_for) -> None:
    run = submit(RITA, name="", data=images, config=LONG)
    second = submit(RITA, name="", data=images, config=LONG)
    for each in (run, second):
        with pytest.raises(ConflictError):
            delete(RITA, each.id)
    stop(RITA, run.id)
    wait_for(run, State.STOPPED)
    delete(RITA, run.id)
    with pytest.raises(NotFoundError):
        get_run(RITA, run.id)
    assert [path.name for path in runs_folder().iterdir() if path.is_dir()] == [second.id]


def test_people_see_their_own_runs_and_administrators_all(images: Path) -> None:
    mine = submit(RITA, name="", data=images, config=LONG)
    theirs = submit(RON, name="", data=images, config=LONG)
    assert [run.id for run in list_runs(RITA)] == [mine.id]
    assert [run.id for run in list_runs(ADMIN)] == [theirs.id, mine.id]
    for act in (get_run, stop, resume, delete):
        with pytest.raises(NotFoundError):
            act(RITA, theirs.id)
    assert stop(ADMIN, theirs.id).status.state is State.STOPPED


@pytest.mark.parametrize("user", [PAULA, GUEST])
def test_others_train_nothing(images: Path, user) -> None:
    with pytest.raises(PermissionDeniedError):
        submit(user, name="", data=images, config=QUICK)
    with pytest.raises(PermissionDeniedError):
        list_runs(user)
    assert not runs_folder().exists()


@pytest.mark.parametrize("run_id", ["", "..", "../../etc", "x" * 3000, "20261121-000000-abcdef", "\0"])
def test_a_made_up_id_is_not_found(run_id: str) -> None:
    with pytest.raises(NotFoundError):
        get_run(ADMIN, run_id)


def test_names_are_free_but_safe(images: Path) -> None:
    run = submit(RITA, name=" ../\0 a\nb \ud800 é‮ " + "x" * 500, data=images, config=LONG)
    assert run.name.startswith("../ a b é x")
    assert len(run.name) == 80
    assert submit(RITA, name=" ", data=images, config=SimpleCnnConfig()).name.startswith("simple-cnn of 20")


@pytest.mark.parametrize("config", [{"recipe": "simple-cnn", "epochs": 0}, {"recipe": "x"}, {"recipe": "vit", "a": 1}])
def test_wrong_settings_are_refused_before_anything_is_made(images: Path, config) -> None:
    with pytest.raises(InvalidOptionError):
        submit(RITA, name="", data=images, config=config)
    assert not runs_folder().exists()


def test_data_of_the_wrong_kind_is_refused(images: Path) -> None:
    with pytest.raises(InvalidDataError):
        submit(RITA, name="", data=images, config={"recipe": "virtual-stain"})


def test_a_full_disk_is_a_sentence_and_leaves_nothing(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left"):
        submit(RITA, name="", data=images, config=QUICK)
    monkeypatch.undo()
    assert not [path for path in runs_folder().iterdir() if path.is_dir()]


def test_too_many_runs_of_one_person_are_refused(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.jobs.submission.MAX_UNFINISHED", 1)
    submit(RITA, name="", data=images, config=LONG)
    with pytest.raises(ConflictError):
        submit(RITA, name="", data=images, config=LONG)
    submit(RON, name="", data=images, config=LONG)


def test_a_damaged_job_hides_no_others(images: Path) -> None:
    broken = submit(RITA, name="", data=images, config=LONG)
    (broken.folder.path / "job.json").write_text("{")
    other = submit(RITA, name="", data=images, config=LONG)
    assert [run.id for run in list_runs(RITA)] == [other.id]
    with pytest.raises(StorageError):
        get_run(RITA, broken.id)
    os.killpg(broken.folder.status().pid or read_trainer(broken.folder).pid, signal.SIGKILL)


def test_a_tick_while_somebody_else_decides_returns_at_once(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = submit(RITA, name="", data=images, config=LONG)
    monkeypatch.setattr(requests, "WAIT_S", 0.1)
    held, done = threading.Event(), threading.Event()

    def other() -> None:
        with locks.hold(runs_folder() / ".lock"):
            held.set()
            done.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(10)
    tick()
    with pytest.raises(ConflictError):
        stop(RITA, run.id)
    done.set()
    thread.join()


@pytest.mark.parametrize("damage", ["", "[]", '{"state": "lost"}', "{}", "\0"])
def test_a_damaged_status_does_not_stop_the_supervisor(images: Path, wait_for, damage: str) -> None:
    run = submit(RITA, name="", data=images, config=LONG)
    trainer = read_trainer(wait_for(run, State.RUNNING).folder)
    assert trainer is not None
    processes.end(trainer, force=True)
    while processes.is_alive(trainer, run.folder):
        time.sleep(0.01)
    (run.folder.path / "status.json").write_text(damage)
    tick()
    assert get_run(RITA, run.id).status.state is State.INTERRUPTED
