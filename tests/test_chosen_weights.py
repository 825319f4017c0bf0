"""Weights in the place of the bundled ones: checked before they are used."""

import pickle
from pathlib import Path

import pytest

from core import auth
from core.chosen_weights import use_bundled, use_file, use_upload
from core.config import Settings
from core.db import Database, User
from core.db.settings import get_app_settings
from core.errors import PermissionDeniedError, WeightsError
from core.labels import Role
from core.models.registry import get_card
from core.models.weights import save_safetensors

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
