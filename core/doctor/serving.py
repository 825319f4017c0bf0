"""What answers: database, device, networks, the other workbench. Imports the libraries that were checked before."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from core import db as databases
from core.auth import users_exist
from core.config import get_settings
from core.db.settings import get_app_settings
from core.devices import Backend, choose_backend, describe
from core.doctor.check import Check, State, in_words
from core.errors import RemoteError, StorageError
from core.inference.active_weights import ModelState
from core.inference.engine import Engine, get_engine
from core.models.card import Task
from core.models.registry import CARDS
from core.remote import RemoteWorkbench
from core.serving import serving_engine

NEEDED_MODELS = ("ihcnet", "simple_cnn", "pspstain")


def check_database() -> Check:
    """Open the database, check that it is sound, and see whether anybody can sign in.

    Raises:
        StorageError: it cannot be used.
    """
    database = databases.get_database()
    databases.check_database(database)
    if users_exist(database):
        return Check("database", State.OK, f"{database.label} is sound")
    advice = (
        "Open the workbench in a browser to create the administrator, or: python -m core user add NAME --role admin"
    )
    return Check("database", State.WARNING, f"{database.label} is sound, but there are no users yet", advice)


def check_device() -> Check:
    """Say what the networks run on.

    Raises:
        InvalidOptionError: the settings ask for what is not here.
    """
    settings = get_settings()
    backend = choose_backend(settings.device, settings.backend)
    found = f"{describe(backend)}, {backend.value}"
    if backend is Backend.TORCH_CPU and settings.backend == "auto":
        return Check("device", State.WARNING, found, "OpenVINO is several times faster: pip install openvino")
    return Check("device", State.OK, found)


def check_models() -> Iterator[Check]:
    """Compare all weights with the manifest, and run each network that analyses need once."""
    engine = _engine()
    for name, state in engine.available().items():
        title = f"model {name}"
        if state.sha256 is None:
            yield _without_weights(title, name, state)
        else:
            advice = "Set BACKEND=torch and try again: if that works, OpenVINO does not suit this computer."
            yield in_words(title, partial(_tried, engine, title, name, state), advice=advice)


def check_other_workbench() -> Iterator[Check]:
    """Ask the other workbench that does the inference, where the administrator has set one."""
    try:
        settings = get_app_settings(databases.get_database())
    except StorageError:
        return  # reported as the database
    if not settings.remote_url:
        return
    try:
        health = RemoteWorkbench(settings.remote_url, settings.remote_token).health()
    except RemoteError as error:
        yield Check("other workbench", State.BROKEN, str(error))
        return
    found = f"{settings.remote_url}: version {health.version}, {health.backend}, {health.seconds:.1f} s"
    yield Check("other workbench", State.OK, found)


def _engine() -> Engine:
    try:
        return serving_engine(databases.get_database())
    except StorageError:
        return get_engine()  # the bundled weights can be checked without a database


def _without_weights(title: str, name: str, state: ModelState) -> Check:
    if name not in NEEDED_MODELS and state.path is None:
        return Check(title, State.OK, f"optional ({CARDS[name].title}), no weights here")
    advice = f"Put the weights of the release into {get_settings().weights_dir}, or choose a file on the Admin page."
    return Check(title, State.BROKEN, state.error or "no weights", advice)


def _tried(engine: Engine, title: str, name: str, state: ModelState) -> Check:
    """Run a network once on an empty field.

    Raises:
        ModelUnavailableError: it cannot be loaded.
    """
    card = CARDS[name]
    field = np.full((1, card.input_px, card.input_px, 3), 255, np.uint8)
    if card.task is Task.CLASSIFICATION:
        finite = bool(np.isfinite(engine.classify(name, field)).all())
    elif card.task is Task.VIRTUAL_STAINING:
        finite = engine.stain(field, name=name).shape == field.shape
    elif card.task is Task.DETECTION:
        finite = bool(np.isfinite(engine.detect_nuclei(field)).all())
    else:
        finite = True
    entry = engine.entry(name)
    origin = entry.origin if entry is not None and state.overridden else "as listed in the manifest"
    found = f"SHA-256 {(state.sha256 or '')[:12]}, {origin}"
    if finite:
        return Check(title, State.OK, f"{found}, answers")
    return Check(title, State.BROKEN, f"{found}, but its answer is not a number", "Copy the weights again.")
