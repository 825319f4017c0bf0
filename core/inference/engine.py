"""The one place where networks run: loaded once per weights, shared by all users, on the fastest backend here."""

import logging
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.config import get_settings
from core.devices import Backend, choose_backend, has_openvino
from core.errors import InvalidOptionError, ModelUnavailableError
from core.inference.active_weights import ActiveWeights, ModelState
from core.inference.batching import Batcher
from core.inference.runners import batch_sizes, build_runner
from core.inference.sampling import BATCH, build_sampler, codes_of
from core.models.card import ModelCard, Task
from core.models.ihcnet import IHCNet
from core.models.manifest import Entry
from core.models.registry import CARDS, get_card
from core.models.transforms import to_pixels
from core.models.weights import LoadedModel
from core.quality.novelty import Novelty
from core.types import RGBImage

logger = logging.getLogger(__name__)

MAX_BATCH = {Task.CLASSIFICATION: 16, Task.VIRTUAL_STAINING: 4, Task.DETECTION: 1}
"""Images that run together at most before others get their turn."""


class Engine:
    """Runs networks for everybody: thread-safe, lazy, and never stopped by a bad weights file."""

    def __init__(
        self,
        weights_dir: Path,
        *,
        overrides: Mapping[str, Path] | None = None,
        device: str = "auto",
        backend: str = "auto",
        cache_dir: Path | None = None,
    ) -> None:
        """Read nothing yet.

        Args:
            weights_dir: folder with `manifest.toml`.
            overrides: weights to use instead of the bundled ones, by model name.
            device, backend: as in `core.devices.choose_backend`.
            cache_dir: where converted networks are kept for a fast next start; None keeps none.
        """
        self._weights = ActiveWeights(weights_dir, overrides or {})
        self._asked = (device, backend)
        self._cache_dir = cache_dir
        self._guard = threading.RLock()
        self._building = {name: threading.RLock() for name in CARDS}
        self._backend: Backend | None = None
        self._models: dict[str, LoadedModel] = {}
        self._batchers: dict[str, tuple[str, Batcher[np.uint8, np.float32]]] = {}
        self._samplers: dict[str, tuple[str, Batcher[np.float32, np.uint8]]] = {}

    @property
    def backend(self) -> str:
        """What runs the networks: "openvino-bf16", "openvino-f32", "torch-cpu" or "torch-cuda"."""
        return self._chosen_backend().value

    def available(self) -> dict[str, ModelState]:
        """Return the state of every model; never raises for weights that are missing, damaged or wrong."""
        return {name: self.state(name) for name in CARDS}

    def state(self, name: str) -> ModelState:
        """Return the state of one model; its files are looked at again only after they changed."""
        return self._weights.state(name)

    def set_override(self, name: str, path: Path | None) -> None:
        """Use other weights for a model from now on; None goes back to the bundled ones."""
        self._weights.choose(get_card(name), path)

    def model(self, name: str) -> LoadedModel:
        """Return the network itself, for explanations.

        Raises:
            ModelUnavailableError: its weights are missing or unusable.
        """
        sha256 = self._weights.sha256(name)
        with self._building[name]:
            loaded = self._models.get(name)
            if loaded is None or loaded.sha256 != sha256:
                self._models[name] = loaded = self._on_backend(self._weights.load(name))
        return loaded

    def entry(self, name: str) -> Entry | None:
        """Return what is known about a model's active weights: files, origin, card; None where they are unusable."""
        return self._weights.find(name)

    def extras(self, name: str) -> dict[str, object]:
        """Return what manifest or sidecar add to the active weights (calibration and the like); empty without one."""
        entry = self.entry(name)
        return {} if entry is None else dict(entry.extras)

    def novelty(self, name: str) -> Novelty | None:
        """Return the feature statistics of a classifier's active weights; None where they bring none.

        Raises:
            WeightsError: they name a file that is missing, damaged or made for other weights.
        """
        return self._weights.novelty(name)

    def classify(self, name: str, tiles: RGBImage) -> npt.NDArray[np.float32]:
        """Return the logits of tiles.

        Args:
            tiles: (N, H, W, 3) uint8 RGB, H = W = the card's `input_px`.
        Returns:
            (N, C) float32 in the order of the card's labels.
        Raises:
            ModelUnavailableError: the weights are missing or unusable.
            InvalidOptionError: the tiles have another shape, or the model does not classify.
        """
        return self.classify_with_features(name, tiles)[0]

    def classify_with_features(
        self, name: str, tiles: RGBImage
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the logits of tiles, (N, C), and the features they come from, (N, F); one pass gives both.

        Raises:
            ModelUnavailableError, InvalidOptionError: as `classify`.
        """
        card = _require(name, Task.CLASSIFICATION, tiles)
        classes = len(card.labels)
        if len(tiles) == 0:
            return np.zeros((0, classes), np.float32), np.zeros((0, 0), np.float32)
        answers = self._batcher(name)(tiles)
        return answers[:, :classes], answers[:, classes:]

    def stain(self, images: RGBImage, *, name: str = "pspstain") -> RGBImage:
        """Stain H&E virtually.

        Args:
            images: (N, 256, 256, 3) uint8 RGB at the card's scale.
        Returns:
            (N, 256, 256, 3) uint8 RGB.
        Raises:
            ModelUnavailableError, InvalidOptionError: as `classify`.
        """
        _require(name, Task.VIRTUAL_STAINING, images)
        if len(images) == 0:
            return images.copy()
        return to_pixels(self._batcher(name)(images))

    def sample(
        self, name: str, noise: npt.NDArray[np.float32], labels: npt.NDArray[np.int64] | npt.NDArray[np.float32]
    ) -> RGBImage:
        """Make synthetic images of noise and classes; the same noise and class give the same image, always.

        Args:
            noise: (N, 100) float, standard normal.
            labels: (N,) whole numbers in the order of the card's labels, or (N, C) float shares of each class, which
                sum to 1 and give images between the classes.
        Returns:
            (N, 128, 128, 3) uint8 RGB.
        Raises:
            ModelUnavailableError: the weights are missing or unusable.
            InvalidOptionError: noise or labels have another shape, or the model makes no images from noise.
        """
        card = get_card(name)
        codes = codes_of(card, noise, labels)
        if len(codes) == 0:
            return np.zeros((0, card.input_px, card.input_px, 3), np.uint8)
        return self._sampler(name)(codes)

    def detect_nuclei(self, tiles: RGBImage) -> npt.NDArray[np.float32]:
        """Mark stained nuclei, unstained nuclei, and what lies inside nuclei.

        Args:
            tiles: (N, 512, 512, 3) uint8 RGB at 0.5 um/px, white-balanced to 240.
        Returns:
            (N, 3, 512, 512) float32 in [0, 1], in the order of `core.models.nuclei_unet.MAPS`.
        Raises:
            ModelUnavailableError, InvalidOptionError: as `classify`.
        """
        _require("nuclei", Task.DETECTION, tiles)
        if len(tiles) == 0:
            return np.zeros((0, *tiles.shape[1:]), np.float32).transpose(0, 3, 1, 2)
        return self._batcher("nuclei")(tiles)

    def warm_up(
        self, names: Iterable[str] = ("ihcnet", "simple_cnn", "pspstain", "nuclei"), *, explanations: bool = True
    ) -> None:
        """Load and compile models before they are asked for; unusable ones are logged and left out.

        Meant for a thread of its own at start: a request that comes meanwhile waits for the model it needs only.

        Args:
            names: of models that classify, stain or detect.
            explanations: compile the heat maps' graph as well, which holds 0.5 GB; else the first heat map does.
        """
        for name in names:
            card = get_card(name)
            try:
                batcher = self._batcher(name)
            except ModelUnavailableError as error:
                logger.warning("%s", error)
                continue
            gradients = self.model(name).gradients if explanations else None
            for size in batch_sizes(card):
                blank = np.full((size, card.input_px, card.input_px, 3), 255, np.uint8)
                batcher(blank)
            if gradients is not None:
                with self.model(name).lock:
                    gradients(blank, 0)

    def _chosen_backend(self) -> Backend:
        with self._guard:
            if self._backend is None:
                self._backend = choose_backend(*self._asked)
            return self._backend

    def _on_backend(self, loaded: LoadedModel) -> LoadedModel:
        backend = self._chosen_backend()
        if backend is Backend.TORCH_CUDA:
            loaded.module.to("cuda")
        if isinstance(loaded.module, IHCNet) and backend in (Backend.OPENVINO_BF16, Backend.OPENVINO_F32):
            from core.inference.gradients import IHCNetGradients  # only here: other backends do without OpenVINO

            cache = self._cache(f"{loaded.card.name}-gradient", loaded.sha256)
            return replace(loaded, gradients=IHCNetGradients(loaded.card, loaded.module, backend, cache=cache))
        return loaded

    def _cache(self, name: str, sha256: str) -> Path | None:
        """Return where a converted network is kept, without suffix: other weights or libraries convert anew."""
        if self._cache_dir is None or not has_openvino():
            return None
        libraries = f"{version('openvino')}-{version('torch')}".replace("+", "-")
        return self._cache_dir / f"{name}-{sha256[:16]}-{self.backend}-{libraries}"

    def _sampler(self, name: str) -> Batcher[np.float32, np.uint8]:
        sha256 = self._weights.sha256(name)
        backend = self._chosen_backend()
        with self._building[name]:
            known = self._samplers.get(name)
            if known is None or known[0] != sha256:
                cache = self._cache(f"{name}-pixels", sha256)
                run = build_sampler(backend, CARDS[name], lambda: self.model(name).module, cache=cache)
                self._samplers[name] = known = (sha256, Batcher(run, max_batch=BATCH))
        return known[1]

    def _batcher(self, name: str) -> Batcher[np.uint8, np.float32]:
        sha256 = self._weights.sha256(name)
        card, backend = CARDS[name], self._chosen_backend()
        with self._building[name]:
            known = self._batchers.get(name)
            if known is None or known[0] != sha256:
                # Converted otherwise since they got this suffix: with features beside the logits, or faster.
                suffix = {Task.CLASSIFICATION: "-features", Task.VIRTUAL_STAINING: "-bilinear"}.get(card.task, "")
                kept = f"{name}{suffix}"
                cache = self._cache(kept, sha256)
                runner = build_runner(backend, card, lambda: self.model(name).module, cache=cache)
                known = (sha256, Batcher(runner, max_batch=MAX_BATCH[card.task]))
                self._batchers[name] = known
        return known[1]


def _require(name: str, task: Task, images: RGBImage) -> ModelCard:
    card = get_card(name)
    expected = (card.input_px, card.input_px, 3)
    if card.task is not task:
        raise InvalidOptionError(f"{card.title} is for {card.task}, not for {task}.")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != expected:
        raise InvalidOptionError(f"{card.title} takes (N, {', '.join(map(str, expected))}) uint8, not {images.shape}.")
    return card


@lru_cache(maxsize=1)
def get_engine() -> Engine:
    """Return the one engine of this process, as the settings want it."""
    settings = get_settings()
    return Engine(
        settings.weights_dir,
        device=settings.device,
        backend=settings.backend,
        cache_dir=settings.data_dir / "cache",
    )
