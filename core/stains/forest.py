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
        inputs: F, number of features the forest was grown on.
    """

    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    share: npt.NDArray[np.float32]
    depth: int
    inputs: int

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
    numbers = {name: np.array([getattr(forest, name)], np.int32) for name in ("depth", "inputs")}
    save_file({**arrays, **numbers}, path, metadata={"note": note})


def load_forest(path: Path, *, inputs: int) -> Forest:
    """Read a forest.

    Args:
        inputs: number of features that will be given to it.
    Raises:
        WeightsError: the file is missing, damaged, or made for other features.
    """
    try:
        arrays = load_file(path)
        depth, stored = (int(arrays.pop(name)[0]) for name in ("depth", "inputs"))
        forest = Forest(**arrays, depth=depth, inputs=stored)
    except FileNotFoundError as error:
        raise WeightsError(
            f"{path.name} is missing in {path.parent}, so no stain can be recognised. Install the workbench again."
        ) from error
    except (SafetensorError, KeyError, TypeError, IndexError) as error:
        raise WeightsError(
            f"{path.name} is damaged or holds no forest. Install the file that came with this version."
        ) from error
    if stored != inputs:
        raise WeightsError(
            f"{path.name} was made for {stored} features, this version measures {inputs}. "
            "Install the file that came with this version."
        )
    return forest
