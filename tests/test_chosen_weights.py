"""Weights in the place of the bundled ones: checked before they are used."""

import hashlib
import pickle
from pathlib import Path

import pytest

from core import auth
from core.chosen_weights import Former, previous, roll_back, use_bundled, use_file, use_run, use_upload
from core.config import Settings
from core.db import Database, User
from core.db.audit import list_audit
from core.db.settings import get_app_settings
from core.errors import ConflictError, NotFoundError, PermissionDeniedError, WeightsError
from core.inference.engine import Engine
from core.jobs.records import Wish
from core.jobs.submission import new_run
from core.labels import Role
from core.models.registry import get_card
from core.models.sidecar import Sidecar, SidecarCalibration, write_sidecar
from core.models.weights import save_safetensors
from core.training.config import read_config
from core.training.run_folder import RunFolder, State, Status

PASSWORD = "a long enough password"


@pytest.fixture
def admin(database: Database) -> User:
    """The administrator."""
    return auth.create_first_admin(database, "ada", PASSWORD, local=True)


@pytest.fixture(scope="module")
def fitting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that fits SimpleCNN."""
    path = tmp_path_factory.mktemp("weights") / "other.safetensors"
    save_safetensors(get_card("simple_cnn").build().state_dict(), path, half=True)
    return path


def test_uses_a_file_on_the_server(database: Database, admin: User, fitting: Path):
    sha256 = use_file(database, admin, "simple_cnn", fitting)

    assert len(sha256) == 64
    assert get_app_settings(database).weights == {"simple_cnn": str(fitting.resolve())}


def test_keeps_an_upload_in_the_data_folder(database: Database, admin: User, settings: Settings, fitting: Path):
    use_upload(database, admin, "simple_cnn", "../../other.safetensors", fitting.read_bytes())

    kept = Path(get_app_settings(database).weights["simple_cnn"])
    assert kept.parent == (settings.data_dir / "weights").resolve()
    assert kept.read_bytes() == fitting.read_bytes()


def test_refuses_weights_of_another_network(database: Database, admin: User, settings: Settings, fitting: Path):
    with pytest.raises(WeightsError):
        use_upload(database, admin, "ihcnet", "other.safetensors", fitting.read_bytes())

    assert get_app_settings(database).weights == {}
    assert list((settings.data_dir / "weights").iterdir()) == []


class Trap:
    """Would write a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return (open, (str(self.path), "w"))


def test_refuses_a_pickle_with_code_without_running_it(database: Database, admin: User, tmp_path: Path):
    sprung = tmp_path / "sprung"
    with pytest.raises(WeightsError):
        use_upload(database, admin, "simple_cnn", "model.pth", pickle.dumps(Trap(sprung)))

    assert not sprung.exists()


def test_goes_back_to_the_bundled_ones(database: Database, admin: User, fitting: Path):
    use_file(database, admin, "simple_cnn", fitting)
    use_bundled(database, admin, "simple_cnn")

    assert get_app_settings(database).weights == {}


def test_only_administrators_choose(database: Database, admin: User, settings: Settings, fitting: Path):
    bob = auth.add_user(database, admin, "bob", PASSWORD, Role.RESEARCHER)
    with pytest.raises(PermissionDeniedError):
        use_upload(database, bob, "simple_cnn", "other.safetensors", fitting.read_bytes())

    assert not (settings.data_dir / "weights").exists()


@pytest.fixture
def rita(database: Database, admin: User) -> User:
    """A researcher."""
    return auth.add_user(database, admin, "rita", PASSWORD, Role.RESEARCHER)


def ended_run(user: User, weights: Path | None, recipe: str = "simple-cnn", **data: object) -> RunFolder:
    """A run that has finished, with weights."""
    config = read_config({"recipe": recipe})
    folder = new_run(user, name="my run", data=Path("/images"), config=config, priority=0, wish=Wish.NONE)
    if weights is not None:
        folder.weights.write_bytes(weights.read_bytes())
    folder.write_json("data.json", {"data": "/images"} | data)
    folder.say(Status(State.FINISHED, epoch=3, epochs=3))
    return folder


def describe(folder: RunFolder, labels: tuple[str, ...] = ("PR-", "PR+"), sha256: str = "") -> None:
    """What the end of a run writes beside its weights."""
    found = hashlib.sha256(folder.weights.read_bytes()).hexdigest()
    sidecar = Sidecar(
        model="simple_cnn",
        labels=labels,
        sha256=sha256 or found,
        origin="run my run",
        date="2026-11-21",
        calibration=SidecarCalibration(temperature=2.0),
        card="weights.md",
        novelty="weights.novelty.npz",
    )
    write_sidecar(folder.weights, sidecar)
    (folder.path / "weights.md").write_text("# My run")


def test_uses_the_weights_of_a_run_with_what_describes_them(database: Database, rita: User, fitting: Path):
    folder = ended_run(rita, fitting)
    describe(folder)
    used = use_run(database, rita, folder.path.name)

    kept = Path(get_app_settings(database).weights["simple_cnn"])
    engine = Engine(Path("nowhere"), overrides={"simple_cnn": kept}, backend="torch")
    entry = engine.entry("simple_cnn")
    assert entry is not None and entry.card is not None
    assert (used.model, used.sha256) == ("simple_cnn", engine.state("simple_cnn").sha256)
    assert (entry.origin, entry.date, entry.card.read_text()) == ("run my run", "2026-11-21", "# My run")
    assert engine.extras("simple_cnn")["calibration"]["temperature"] == 2.0
    assert "novelty" not in engine.extras("simple_cnn")  # its file was not there


def test_a_run_that_was_not_evaluated_says_so(database: Database, rita: User, fitting: Path):
    folder = ended_run(rita, fitting, classes=["PR-", "PR+"])
    describe(folder, sha256="0" * 64)  # of weights that a resumed run has replaced since
    use_run(database, rita, folder.path.name)

    kept = Path(get_app_settings(database).weights["simple_cnn"])
    entry = Engine(Path("nowhere"), overrides={"simple_cnn": kept}).entry("simple_cnn")
    assert entry is not None
    assert entry.origin == "run my run of rita, best of 3 epochs, not evaluated"
    assert entry.extras == {}


def test_weights_of_other_classes_are_refused(database: Database, rita: User, fitting: Path):
    folder = ended_run(rita, fitting)
    describe(folder, labels=("healthy", "ill"))
    with pytest.raises(WeightsError, match="healthy, ill"):
        use_run(database, rita, folder.path.name)
    assert get_app_settings(database).weights == {}


@pytest.mark.parametrize(
    ("recipe", "classes", "said"),
    [
        ("vit", ["0", "1+", "2+", "3+"], "can be exported"),
        ("medsyngan", ["a", "b"], "can be exported"),
        ("ihcnet", ["0", "1+", "2+", "3+"], "IHCNet"),
        ("simple-cnn", None, "not evaluated"),
    ],
)
def test_what_the_workbench_cannot_use_is_refused_in_words(
    database: Database, settings: Settings, rita: User, fitting: Path, recipe: str, classes: object, said: str
):
    folder = ended_run(rita, fitting, recipe, classes=classes)
    with pytest.raises(WeightsError, match=said):
        use_run(database, rita, folder.path.name)
    assert not list((settings.data_dir / "weights").glob("*"))


def test_a_run_without_weights_or_still_training_is_refused(database: Database, rita: User, fitting: Path):
    with pytest.raises(ConflictError, match="no weights yet"):
        use_run(database, rita, ended_run(rita, None).path.name)
    folder = ended_run(rita, fitting)
    folder.say(Status(State.RUNNING))
    with pytest.raises(ConflictError, match="still trains"):
        use_run(database, rita, folder.path.name)


def test_only_own_runs_and_only_researchers(database: Database, admin: User, rita: User, fitting: Path):
    theirs = ended_run(admin, fitting, classes=["PR-", "PR+"])
    with pytest.raises(NotFoundError):
        use_run(database, rita, theirs.path.name)
    paula = auth.add_user(database, admin, "paula", PASSWORD, Role.PATHOLOGIST)
    for act in (use_run, roll_back):
        with pytest.raises(PermissionDeniedError):
            act(database, paula, theirs.path.name if act is use_run else "simple_cnn")


def test_goes_back_step_by_step(database: Database, admin: User, rita: User, fitting: Path):
    folder = ended_run(rita, fitting, classes=["PR-", "PR+"])
    use_file(database, admin, "simple_cnn", fitting)
    use_run(database, rita, folder.path.name)
    use_run(database, rita, folder.path.name)  # once more is no step

    assert previous(database, "simple_cnn") == Former(fitting.resolve())
    assert roll_back(database, rita, "simple_cnn") == Former(fitting.resolve())
    assert get_app_settings(database).weights == {"simple_cnn": str(fitting.resolve())}
    assert roll_back(database, rita, "simple_cnn") == Former(None)
    assert get_app_settings(database).weights == get_app_settings(database).weights_before == {}
    with pytest.raises(ConflictError, match="to go back to"):
        roll_back(database, rita, "simple_cnn")
    changes = [row for row in list_audit(database, admin) if row.action == "weights changed"]
    assert [row.user_name for row in changes] == ["rita", "rita", "rita", "ada"]


def test_deleted_and_damaged_weights_are_passed_over(database: Database, admin: User, fitting: Path, tmp_path: Path):
    paths = [tmp_path / f"{number}.safetensors" for number in range(3)]
    for path in paths:
        path.write_bytes(fitting.read_bytes())
        use_file(database, admin, "simple_cnn", path)
    use_bundled(database, admin, "simple_cnn")
    paths[2].unlink()
    paths[1].write_bytes(b"damaged")

    assert previous(database, "simple_cnn") == Former(paths[1], ("2.safetensors was deleted",))
    former = roll_back(database, admin, "simple_cnn")
    assert former.path == paths[0]
    assert len(former.skipped) == 2


def test_researchers_do_not_choose_the_bundled_ones_or_files(database: Database, rita: User, fitting: Path):
    with pytest.raises(PermissionDeniedError):
        use_bundled(database, rita, "simple_cnn")
    with pytest.raises(PermissionDeniedError):
        use_file(database, rita, "simple_cnn", fitting)
