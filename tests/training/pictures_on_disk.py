"""Small data sets on the disk, for the tests that open, split, check and cut them."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from core.images import encode_png
from core.types import RGBImage


def picture(seed: int, width: int = 64, height: int = 64, *, brown: bool = False) -> RGBImage:
    """Pale tissue with dark spots whose places depend on the seed."""
    rng = np.random.default_rng(seed)
    image = rng.normal(225, 4, (height, width, 3))
    for _ in range(max(4, width * height // 800)):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        image[y : y + 9, x : x + 9] = (130, 80, 40) if brown else (110, 110, 170)
    return np.clip(image, 0, 255).astype(np.uint8)


def write_set(root: Path, names: Iterable[str], *, size: int = 64) -> Path:
    """Write a different picture under every name; names without an image's ending get text."""
    for seed, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = path.suffix.lower() in (".png", ".tif", ".jpg")
        path.write_bytes(encode_png(picture(seed, size, size)) if image else b"text")
    return root


def write_classes(root: Path, counts: dict[str, int], *, per_case: int = 1) -> Path:
    """Write class folders with so many pictures each, `per_case` of them of one case."""
    return write_set(
        root,
        (f"{label}/{label}c{number // per_case}__{number}.png" for label in counts for number in range(counts[label])),
    )
