"""Which weights each model has just now, and what is known about them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import ModelUnavailableError, WeightsError
from core.models.card import ModelCard
from core.models.manifest import Entry, read_manifest
from core.models.registry import CARDS, get_card
from core.models.sidecar import read_sidecar
from core.models.weights import LoadedModel, check_weights, load_weights
from core.quality.novelty import Novelty
from core.quality.novelty_file import load_novelty


@dataclass(frozen=True)
class ModelState:
    """Whether a model can be used.

    Attributes:
        sha256: of its weights; None where they are unusable.
        error: why not, in one sentence; None where it works.
        path: the first file of the weights; None where there is none.
        overridden: the administrator chose other weights than the bundled ones.
    """

    sha256: str | None
    error: str | None
    path: Path | None
    overridden: bool = False


class ActiveWeights:
    """The bundled weights, or those that an administrator chose instead. Thread-safe."""

    def __init__(self, weights_dir: Path, overrides: Mapping[str, Path]) -> None:
        """Read nothing yet.

        Args:
            weights_dir: folder with `manifest.toml`.
            overrides: weights to use instead of the bundled ones, by model name.
        """
        self._weights_dir = weights_dir
        self._overrides = dict(overrides)
        self._guard = threading.Lock()
        self._checking = {name: threading.RLock() for name in CARDS}
        self._states: dict[str, tuple[object, ModelState]] = {}
        self._novelties: dict[str, tuple[object, Novelty]] = {}

    def choose(self, card: ModelCard, path: Path | None) -> None:
        """Use other weights from now on; None goes back to the bundled ones."""
        with self._guard:
            if path is None:
                self._overrides.pop(card.name, None)
            else:
                self._overrides[card.name] = path

    def entry(self, card: ModelCard) -> Entry:
        """Return what is known about a model's weights.

        Raises:
            WeightsError: there are none, or their description is damaged or says that they are for something else.
        """
        with self._guard:
            override = self._overrides.get(card.name)
        if override is not None:
            return _described(card, override)
        entry = read_manifest(self._weights_dir).get(card.name)
        if entry is None:
            raise WeightsError(f"{card.title} has no bundled weights. The Admin page can add a file.")
        return entry

    def find(self, name: str) -> Entry | None:
        """Return what is known about a model's weights; None where that is unusable."""
        try:
            return self.entry(get_card(name))
        except WeightsError:
            return None

    def state(self, name: str) -> ModelState:
        """Return whether a model can be used; its files are looked at again only after they changed."""
        try:
            entry = self.entry(get_card(name))
        except WeightsError as error:
            override = self._overrides.get(name)
            return ModelState(None, str(error), override, overridden=override is not None)
        fingerprint = (entry.sha256, tuple(_fingerprint(path) for path in entry.paths))
        with self._checking[name]:
            known = self._states.get(name)
            if known is None or known[0] != fingerprint:
                known = (fingerprint, self._inspect(CARDS[name], entry))
                self._states[name] = known
        return known[1]

    def sha256(self, name: str) -> str:
        """Return the hash of a model's weights.

        Raises:
            ModelUnavailableError: they are missing or unusable.
        """
        state = self.state(name)
        if state.sha256 is None:
            raise _unavailable(CARDS[name], state.error or "")
        return state.sha256

    def load(self, name: str) -> LoadedModel:
        """Read a model's weights.

        Raises:
            ModelUnavailableError: they are missing or unusable; the state says so from then on.
        """
        self.sha256(name)
        entry = self.entry(CARDS[name])
        try:
            return load_weights(CARDS[name], entry.paths, sha256=entry.sha256, extras=entry.extras)
        except WeightsError as error:
            with self._checking[name]:
                fingerprint = self._states[name][0]
                chosen = name in self._overrides
                self._states[name] = (fingerprint, ModelState(None, str(error), entry.paths[0], chosen))
            raise _unavailable(CARDS[name], str(error)) from error

    def novelty(self, name: str) -> Novelty | None:
        """Return what a classifier's training tiles look like; None where its weights bring no such file.

        Raises:
            WeightsError: they name a file that is missing, damaged or made for other weights.
            ModelUnavailableError: the weights themselves are unusable.
        """
        entry = self.find(name)
        file = entry.extras.get("novelty") if entry is not None else None
        if entry is None or not isinstance(file, str):
            return None
        path, sha256 = entry.paths[0].with_name(Path(file).name), self.sha256(name)
        key = (sha256, _fingerprint(path))
        with self._checking[name]:
            known = self._novelties.get(name)
            if known is None or known[0] != key:
                found = load_novelty(path)
                if found.sha256 != sha256:
                    raise WeightsError(f"{path.name} was made for other weights. Make it again, or copy the right one.")
                self._novelties[name] = known = (key, found)
        return known[1]

    def _inspect(self, card: ModelCard, entry: Entry) -> ModelState:
        overridden = card.name in self._overrides
        try:
            sha256 = check_weights(card, entry.paths, sha256=entry.sha256)
        except WeightsError as error:
            return ModelState(None, str(error), entry.paths[0], overridden)
        return ModelState(sha256, None, entry.paths[0], overridden)


def _described(card: ModelCard, path: Path) -> Entry:
    """What is known about weights in the place of the bundled ones.

    Raises:
        WeightsError: the description beside them is damaged, or says that they are for something else.
    """
    sidecar = read_sidecar(path, card)
    if sidecar is None:
        return Entry(card.name, (path,), None, None, "chosen by the administrator", "")
    text = path.with_name(sidecar.card) if sidecar.card else None
    return Entry(card.name, (path,), sidecar.sha256, text, sidecar.origin, sidecar.date, sidecar.extras())


def _unavailable(card: ModelCard, reason: str) -> ModelUnavailableError:
    return ModelUnavailableError(f"{card.title} is unavailable. {reason}")


def _fingerprint(path: Path) -> tuple[str, int, int]:
    try:
        stat = path.stat()
    except (OSError, ValueError):
        return (str(path), -1, -1)
    return (str(path), stat.st_mtime_ns, stat.st_size)
