"""A random forest as plain arrays: evaluated with numpy alone, stored as safetensors, nothing to unpickle."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core.errors import WeightsError


@dataclass(frozen=True)
class Forest:
    """All trees in one list of nodes; a leaf points to itself.

    Attributes:
        roots: (T,) int32, node where each tree starts.
        feature: (N,) int16, index of the feature that a node asks for.
        threshold: (N,) float32; smaller or equal goes left.
        left, right: (N,) int32, the next nodes.
        share: (N, C) float32, class shares of the training examples that end in a leaf.
        depth: steps after which every tree has reached a leaf.
    """

    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    share: npt.NDArray[np.float32]
    depth: int

    def probabilities(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return (C,) the mean class shares over all trees, for the (F,) features of one image."""
        node = self.roots
        for _ in range(self.depth):
            smaller = features[self.feature[node]] <= self.threshold[node]
            node = np.where(smaller, self.left[node], self.right[node])
        return np.asarray(self.share[node].mean(axis=0, dtype=np.float64))


def save_forest(forest: Forest, path: Path, *, note: str) -> None:
    """Write a forest as safetensors, with a note on its origin."""
    arrays = {name: getattr(forest, name) for name in ("roots", "feature", "threshold", "left", "right", "share")}
    save_file({**arrays, "depth": np.array([forest.depth], np.int32)}, path, metadata={"note": note})


def load_forest(path: Path) -> Forest:
    """Read a forest.

    Raises:
        WeightsError: the file is missing, damaged or holds something else.
    """
    try:
        arrays = load_file(path)
        depth = int(arrays.pop("depth")[0])
        return Forest(**arrays, depth=depth)
    except FileNotFoundError as error:
        raise WeightsError(
            f"{path.name} is missing in {path.parent}: the stain can't be recognised. Install it again."
        ) from error
    except (SafetensorError, KeyError, TypeError, IndexError) as error:
        raise WeightsError(
            f"{path.name} is damaged or holds no forest. Install the file that came with this version."
        ) from error
