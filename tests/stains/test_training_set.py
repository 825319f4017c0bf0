"""Training material: every image keeps its case, variants keep their stain, seeds repeat."""

from pathlib import Path

import numpy as np

from core.labels import Stain
from core.stains.augmentation import vary_stain
from core.stains.counterexamples import SYNTHETIC, add_pen, recoloured
from core.stains.training_set import Picture, examples_of, real_pictures


def tissue() -> Picture:
    random = np.random.default_rng(0)
    image = np.clip(random.normal((190, 120, 170), 30, (300, 300, 3)), 0, 255).astype(np.uint8)
    return Picture(image, Stain.HE, "made", "made", "made")


def test_pairs_and_slides_stay_in_one_case(shared_data: Path) -> None:
    cases: dict[str, set[str]] = {}
    for picture in real_pictures(shared_data):
        cases.setdefault(picture.case, set()).add(picture.name)
    assert {"bci/HE/00000_test_1+.png", "bci/IHC/00000_test_1+.png"} <= cases["bci-00000"]
    assert len(cases["fixtures__tissue"]) == 5
    assert not any("seg.png" in name for names in cases.values() for name in names)


def test_the_same_seed_gives_the_same_examples() -> None:
    first, second = (examples_of(tissue(), variants=4, seed=3) for _ in range(2))
    assert np.array_equal(first.features, second.features)
    assert first.original.tolist().count(True) == 1
    assert set(first.labels) <= {0, 2}


def test_every_generator_gives_an_image() -> None:
    random = np.random.default_rng(0)
    made = [generate(random) for generate in SYNTHETIC]
    made += [vary_stain(tissue().image, Stain.HE, random), add_pen(tissue().image, random)]
    made += [recoloured(tissue().image, Stain.HE, random)]
    assert all(image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3 for image in made)
