"""Train the stain recognition: `python -m core.stains.train_recognition ../shared/data`.

scikit-learn grows the forest; what is stored are its numbers alone (`core.stains.forest`).
"""

import argparse
from pathlib import Path
from zlib import crc32

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier

from core.config import ROOT
from core.labels import Stain
from core.stains.forest import Forest, save_forest
from core.stains.training_set import Examples, examples_of, join, other_pictures, real_pictures

VARIANTS = 12
"""Random variants per real image and photograph."""

SYNTHETIC_COUNT = 30
"""Synthetic images of each kind."""

CLASS_SHARES = {Stain.HE: 0.38, Stain.IHC: 0.38, Stain.NEITHER: 0.24}
"""What is uploaded to a workbench is mostly a stained section."""

TREES = 200
LEAF = 3
SEED = 20


def collect(folder: Path) -> Examples:
    """Measure all real images under `folder`, the photographs of the libraries and synthetic images."""
    parts = [
        examples_of(picture, variants=VARIANTS, seed=crc32(picture.name.encode())) for picture in real_pictures(folder)
    ]
    for picture in other_pictures(SEED, SYNTHETIC_COUNT):
        variants = VARIANTS if picture.source == "photographs" else 1
        parts.append(examples_of(picture, variants=variants, seed=crc32(picture.name.encode())))
    return join(parts)


def grow(examples: Examples) -> Forest:
    """Grow a forest in which every class, and within it every source, has the same weight."""
    model = ExtraTreesClassifier(
        TREES, min_samples_leaf=LEAF, max_features=0.25, random_state=SEED, n_jobs=1, bootstrap=False
    )
    model.fit(examples.features, examples.labels, sample_weight=balanced_weights(examples))
    return arrays_of(model)


def balanced_weights(examples: Examples) -> npt.NDArray[np.float64]:
    """Give the classes the shares of `CLASS_SHARES`; within a class, weigh each source by the square root of its size.

    So large sets lead but do not drown the others.
    """
    weights = np.zeros(len(examples.labels))
    for label in np.unique(examples.labels):
        for source in np.unique(examples.sources):
            chosen = (examples.labels == label) & (examples.sources == source)
            if chosen.any():
                weights[chosen] = 1 / np.sqrt(chosen.sum())
        of_class = examples.labels == label
        weights[of_class] *= CLASS_SHARES[list(Stain)[label]] / weights[of_class].sum()
    return weights * len(weights)


def arrays_of(model: ExtraTreesClassifier) -> Forest:
    """Put the trees of a fitted model one after another; the classes in the order of `Stain`."""
    trees = [tree.tree_ for tree in model.estimators_]
    starts = np.cumsum([0] + [tree.node_count for tree in trees])
    left, right, share = [], [], []
    for tree, start in zip(trees, starts, strict=False):
        own = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        left.append(start + np.where(leaf, own, tree.children_left))
        right.append(start + np.where(leaf, own, tree.children_right))
        value = np.zeros((tree.node_count, len(Stain)), np.float32)
        value[:, model.classes_] = tree.value[:, 0] / tree.value[:, 0].sum(axis=1, keepdims=True)
        share.append(value)
    return Forest(
        roots=starts[:-1].astype(np.int32),
        feature=np.concatenate([np.maximum(tree.feature, 0) for tree in trees]).astype(np.int16),
        threshold=np.concatenate([tree.threshold for tree in trees]).astype(np.float32),
        left=np.concatenate(left).astype(np.int32),
        right=np.concatenate(right).astype(np.int32),
        share=np.concatenate(share),
        depth=max(tree.max_depth for tree in trees),
        inputs=model.n_features_in_,
    )


def main() -> None:
    """Train on everything there is and store the forest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of real images with its manifest.csv")
    parser.add_argument("--out", type=Path, default=ROOT / "weights" / "stain_recognition.safetensors")
    arguments = parser.parse_args()
    examples = collect(arguments.folder)
    forest = grow(examples)
    save_forest(forest, arguments.out, note=f"{len(examples.labels)} examples, {len(forest.feature)} nodes")


if __name__ == "__main__":
    main()
