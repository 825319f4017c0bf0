"""The generator as a function from noise and classes to pixels, on every backend."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from core.devices import Backend
from core.errors import InvalidOptionError
from core.models.card import ModelCard, Task
from core.models.medsyngan import Generator
from core.types import RGBImage

BATCH = 64
"""Images that are made together at most."""

BATCH_SIZES = (BATCH, 8, 1)
"""Sizes that OpenVINO compiles. All give the same pixels, bit by bit: a test checks that where it runs.
On 2 cores in bfloat16 64 images take 0.21 s at once, 0.22 s in eights, and twice that one by one."""

TORCH_BATCH = {False: 8, True: BATCH}
"""Size of every batch in torch, without and with CUDA: filled up, because there the last bit depends on the size."""

TOLERANCE_F32, TOLERANCE_BF16 = 1, 4
"""Gray levels by which a pixel may differ between backends: where both compute in float32, and where one uses
bfloat16. Of 64 images of the bundled weights it was 1 (one value in 100,000) and 2 (0.06 in the mean)."""

Codes = npt.NDArray[np.float32]
"""(N, noise + C) float32: the noise of each image, then how much of each class it is to show, summing to 1."""

Sample = Callable[[Codes], RGBImage]


class SampledPixels(nn.Module):
    """A generator that mixes classes and returns pixels."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, noise: Tensor, shares: Tensor) -> Tensor:
        """Make images.

        Args:
            noise: (N, 100) float, standard normal.
            shares: (N, C) float; one 1 among zeros gives the embedding of that class unchanged.
        Returns:
            (N, 128, 128, 3) uint8 RGB.
        """
        batch = self.generator.paint(noise, shares @ self.generator.label_embedding.weight)
        # Inside the network: NumPy would take a tenth of the generator's time for it.
        levels = torch.clamp(torch.round((batch + 1) * 127.5), 0, 255)
        return levels.permute(0, 2, 3, 1).to(torch.uint8)


def build_sampler(backend: Backend, card: ModelCard, load: Callable[[], nn.Module], *, cache: Path | None) -> Sample:
    """Return a generator as a function from codes to (N, H, W, 3) uint8 RGB.

    The same code gives the same pixels whatever is sampled with it. Between backends they differ by `TOLERANCE_F32` or
    `TOLERANCE_BF16`.

    Args:
        load: returns the network in evaluation mode; called only where no converted copy is kept.
        cache: path without suffix where OpenVINO's converted copy is kept; None keeps none.
    """
    if backend in (Backend.OPENVINO_BF16, Backend.OPENVINO_F32):
        return _openvino_sampler(card, load, precise=backend is Backend.OPENVINO_F32, cache=cache)
    return TorchSampler(load(), cuda=backend is Backend.TORCH_CUDA)


class TorchSampler:
    """Plain torch in float32, in batches of one size."""

    def __init__(self, network: nn.Module, *, cuda: bool) -> None:
        self._device = torch.device("cuda" if cuda else "cpu")
        self._network = SampledPixels(_generator(network)).to(self._device).eval()
        self._classes = self._network.generator.label_embedding.num_embeddings
        self._batch = TORCH_BATCH[cuda]

    def __call__(self, codes: Codes) -> RGBImage:
        """Make the images of all codes."""
        parts = [self._run(codes[start : start + self._batch]) for start in range(0, len(codes), self._batch)]
        return np.concatenate(parts)

    def _run(self, codes: Codes) -> RGBImage:
        filled = np.zeros((self._batch, codes.shape[1]), np.float32)
        filled[: len(codes)] = codes
        noise, shares = np.hsplit(filled, [codes.shape[1] - self._classes])
        with torch.inference_mode(), torch.backends.cudnn.flags(deterministic=True, allow_tf32=False):
            pixels = self._network(torch.from_numpy(noise).to(self._device), torch.from_numpy(shares).to(self._device))
        sampled: RGBImage = pixels.cpu().numpy()
        return sampled[: len(codes)]


def _openvino_sampler(card: ModelCard, load: Callable[[], nn.Module], *, precise: bool, cache: Path | None) -> Sample:
    from core.inference.openvino_graph import OpenVinoGraph  # only here: torch alone is enough for the other backends

    noise, classes = dimensions(card)
    graph = OpenVinoGraph(
        lambda: SampledPixels(_generator(load())).eval(),
        [torch.zeros(1, noise), torch.full((1, classes), 1 / classes)],
        [(noise,), (classes,)],
        batch_sizes=BATCH_SIZES,
        precise=precise,
        cache=cache,
    )

    def sample(codes: Codes) -> RGBImage:
        pixels: RGBImage = graph(codes[:, :noise], codes[:, noise:])[0]
        return pixels

    return sample


def codes_of(card: ModelCard, noise: npt.NDArray[np.floating], labels: npt.NDArray[np.generic]) -> Codes:
    """Put noise and shares of the classes beside each other.

    Args:
        noise: (N, 100) float, standard normal.
        labels: (N,) class indices, or (N, C) shares of the classes.
    Raises:
        InvalidOptionError: they do not fit the network, or it makes no images from noise.
    """
    if card.task is not Task.SYNTHESIS:
        raise InvalidOptionError(f"{card.title} is for {card.task}, not for {Task.SYNTHESIS}.")
    length, classes = dimensions(card)
    if noise.ndim != 2 or noise.shape[1] != length or not np.isfinite(noise).all():
        raise InvalidOptionError(f"{card.title} takes finite noise of (N, {length}), not {noise.shape}.")
    shares = labels.astype(np.float32)
    if labels.ndim == 1:
        known = np.isin(labels, np.arange(classes))
        if not known.all():
            raise InvalidOptionError(f"{card.title} knows the classes 0 to {classes - 1}, not {labels[~known][0]}.")
        shares = np.eye(classes, dtype=np.float32)[labels.astype(np.int64)]
    if shares.shape != (len(noise), classes) or not np.allclose(shares.sum(axis=1), 1, atol=1e-3):
        raise InvalidOptionError(
            f"{card.title} takes {len(noise)} labels, or ({len(noise)}, {classes}) shares that sum to 1, "
            f"not {labels.shape}."
        )
    return np.concatenate([noise.astype(np.float32), shares], axis=1)


@lru_cache(maxsize=8)
def dimensions(card: ModelCard) -> tuple[int, int]:
    """Return how long a generator's noise is, and how many classes it knows."""
    with torch.device("meta"):
        generator = _generator(card.build())
    classes, width = generator.label_embedding.weight.shape
    return generator.project.in_features - width, classes


def _generator(network: nn.Module) -> Generator:
    if not isinstance(network, Generator):
        raise TypeError(f"{type(network).__name__} makes no images from noise")
    return network
