"""Which images somebody may train on: any folder that the server can read, but nobody else's uploads."""

from pathlib import Path

from core.config import get_settings
from core.db import User
from core.errors import InvalidDataError, InvalidOptionError, NotFoundError
from core.jobs.datasets import dataset_folder, get_dataset, places_of
from core.jobs.records import is_id, read_job, runs_folder
from core.jobs.runs import may_see
from core.training.config import ClassifierConfig, TrainConfig, VirtualStainConfig
from core.training.data import DataSet

_NO_PATH = "This is no path of a folder. Enter the whole path of the images, or upload a ZIP."
START_WORDS = ("random", "bundled", "imagenet", "solved")


def data_path(user: User, data: Path | str) -> Path:
    """Return the whole path of images that this user may train on.

    Args:
        data: a folder or table on the server, or the identifier of an uploaded data set.
    Raises:
        InvalidDataError: there is nothing, or it belongs to the workbench.
        NotFoundError: an uploaded data set that does not exist, or is somebody else's.
    """
    if is_id(str(data)):
        return get_dataset(user, str(data)).folder
    path = _resolved(data)
    own = get_settings().data_dir.resolve()
    if path.is_relative_to(own):
        _check_upload(user, path)
    elif own.is_relative_to(path):
        raise InvalidDataError(f"{path} holds the workbench's own data. Choose the folder of the images itself.")
    if not _exists(path):
        raise InvalidDataError(f"There is no folder {path} on the server. Enter its whole path, or upload a ZIP.")
    return path


def check_items(user: User, data: DataSet) -> None:
    """Refuse a table or a link that leads to what `data_path` refuses.

    Raises:
        InvalidDataError: an image lies where this data set may not reach.
    """
    own = get_settings().data_dir.resolve()
    root = data.root.resolve()
    upload = _upload_of(root)
    for place in places_of(data):
        if upload is not None and not place.is_relative_to(upload):
            raise InvalidDataError(f"The data set names {place.name}, which is no part of the upload. Upload it whole.")
        if upload is None and place.is_relative_to(own):
            _check_upload(user, place)


def check_settings(user: User, config: TrainConfig) -> None:
    """Refuse settings that read files which are not this user's.

    Raises:
        InvalidDataError, InvalidOptionError, NotFoundError: the synthetic images or the first weights are none, or
            are somebody else's.
    """
    if isinstance(config, ClassifierConfig) and config.synthetic is not None:
        data_path(user, config.synthetic)
    if not isinstance(config, ClassifierConfig | VirtualStainConfig) or config.start in START_WORDS:
        return
    path, own = _resolved(config.start), get_settings().data_dir.resolve()
    if path.is_relative_to(runs_folder()):
        run_id = path.relative_to(runs_folder()).parts[:1]
        if not run_id or not may_see(user, read_job(run_id[0])):
            raise NotFoundError("There are no such weights to start from, or they are somebody else's.")
    elif path.is_relative_to(own) and path.parent != own / "weights":
        raise InvalidOptionError(f"start: {path} belongs to the workbench and holds no weights.")
    if not _exists(path) or path.is_dir():
        raise InvalidOptionError(f"start: {config.start!r} is neither one of {', '.join(START_WORDS)} nor a file here.")


def _check_upload(user: User, path: Path) -> None:
    upload = _upload_of(path)
    if upload is None:
        raise InvalidDataError(f"{path} belongs to the workbench. Choose a folder of images, or upload a ZIP.")
    get_dataset(user, upload.name)


def _upload_of(path: Path) -> Path | None:
    """The folder of the upload that a path lies in."""
    parent = dataset_folder()
    if not path.is_relative_to(parent) or path == parent:
        return None
    return parent / path.relative_to(parent).parts[0]


def _resolved(path: Path | str) -> Path:
    try:
        if str(path).strip():
            return Path(path).expanduser().resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a null character; a link that leads to itself; no such home
        raise InvalidDataError(_NO_PATH) from error
    raise InvalidDataError(_NO_PATH)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long
        return False
