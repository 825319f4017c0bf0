"""What is known about a synthetic image, and how such images leave: whole, marked, or not at all."""

import csv
import io
import json
import shutil
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from filled_weights import write_weights
from PIL import Image

from core.animation import animated_webp
from core.collections import KeptImage
from core.config import ROOT, Settings
from core.errors import CancelledError, InvalidDataError, NotFoundError, StorageError, WeightsError
from core.inference.engine import Engine
from core.inference.synthesis import SampleSpec, sample_images, specs_of
from core.png_text import read_text
from core.synthetic_export import export_of, zip_on_disk
from core.synthetic_images import inspect, iter_kept, kept_again, kept_as, scores_of, to_png

NAME = "medsyngan_g"
IMAGE = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The bundled weights."""
    return Engine(ROOT / "weights", backend="torch-cpu")


def kept(seed: int, truncation: float = 1.0) -> KeptImage:
    return KeptImage("PR+", seed, truncation, NAME, "0" * 64, {"sharpness": 12.5})


def test_an_image_is_looked_at_closely(engine: Engine) -> None:
    found = inspect(engine, NAME, SampleSpec("PR+", 4))

    np.testing.assert_array_equal(found.image, sample_images(engine, NAME, [SampleSpec("PR+", 4)])[0])
    assert found.measures.opinion is not None and found.explained in ("PR-", "PR+")
    assert found.overlay is not None and found.overlay.shape == (128, 128, 3)
    assert found.real is None
    assert (found.near is None) == bool(found.unknown)
    scores = scores_of(found.measures)
    assert 0.5 <= scores["confidence"] <= 1 and scores["class_as_asked"] in (0, 1) and scores["sharpness"] > 0
    if found.near is not None:
        assert scores["nearest_ratio"] == pytest.approx(found.near.ratio, abs=1e-3)


def test_kept_images_are_made_again_by_the_same_weights_only(engine: Engine, tmp_path: Path) -> None:
    specs = specs_of("PR-", 3, seed=8)
    sha256 = engine.state(NAME).sha256 or ""
    again = list(kept_again(engine, NAME, sha256, specs))

    assert [each.seed for each, _ in again] == [8, 9, 10]
    assert again[0][0].weights_sha256 == sha256 and "sharpness" in again[0][0].scores
    np.testing.assert_array_equal(np.stack([image for _, image in again]), sample_images(engine, NAME, specs))
    other = Engine(write_weights(tmp_path, NAME), backend="torch-cpu")
    with pytest.raises(WeightsError, match="other weights"):
        list(kept_again(other, NAME, sha256, specs))


def test_a_file_says_that_it_is_synthetic() -> None:
    text = read_text(to_png(kept(7, 0.5), IMAGE))
    assert (text["Seed"], text["Truncation"], text["Class"]) == ("7", "0.5", "PR+")
    assert "Synthetic" in text["Comment"]


def test_an_export_is_whole_and_has_a_manifest(settings: Settings) -> None:
    items = [(kept(1), IMAGE), (kept(1, 0.5), IMAGE), (kept(2), IMAGE)]
    path = zip_on_disk(3, "my PR+ / images", items, total=3)

    assert path == settings.data_dir.resolve() / "exports" / "3" / "synthetic-my-PR+-images.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        files = ["synthetic_PR+_1.png", "synthetic_PR+_1_2.png", "synthetic_PR+_2.png"]
        assert archive.namelist() == [f"images/{file}" for file in files] + [
            "manifest.csv",
            "manifest.json",
            "README.txt",
        ]
        rows = list(csv.DictReader(archive.read("manifest.csv").decode("utf-8-sig").splitlines()))
        data = json.loads(archive.read("manifest.json"))
    assert [(row["file"], row["seed"], row["sharpness"]) for row in rows] == [
        (file, seed, "12.5") for file, seed in zip(files, "112", strict=True)
    ]
    assert data["synthetic"] is True and [each["file"] for each in data["images"]] == files
    assert export_of(3, path.name) == path
    assert zip_on_disk(3, "my PR+ / images", items).name == "synthetic-my-PR+-images-2.zip"


def test_a_cancelled_export_leaves_nothing(settings: Settings) -> None:
    def cancel(_step: str, done: int, _total: int) -> None:
        if done >= 16:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        zip_on_disk(3, "many", ((kept(seed), IMAGE) for seed in range(100)), total=100, progress=cancel)
    assert list((settings.data_dir / "exports" / "3").iterdir()) == []


def test_a_full_disk_gets_a_sentence_and_leaves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(100, 99, 1))
    with pytest.raises(StorageError, match=r"No space left.*Free some disk space"):
        zip_on_disk(3, "many", [(kept(1), IMAGE)])
    assert list((settings.data_dir / "exports" / "3").iterdir()) == []


@pytest.mark.usefixtures("settings")
def test_there_is_no_export_of_nothing_and_none_of_others() -> None:
    with pytest.raises(InvalidDataError, match="no images"):
        zip_on_disk(3, "none", [])
    path = zip_on_disk(3, "some", [(kept(1), IMAGE)])
    for user, file in ((4, path.name), (3, "other.zip"), (4, f"../3/{path.name}")):
        with pytest.raises(NotFoundError, match="no export"):
            export_of(user, file)


def test_images_without_measures_have_no_scores(engine: Engine) -> None:
    found = [each for each, _ in iter_kept(engine, NAME, specs_of("PR+", 2, seed=1), measure=False)]
    assert found == [kept_as(engine, NAME, spec) for spec in specs_of("PR+", 2, seed=1)]
    assert found[0].scores == {}


def test_an_animation_goes_there_and_back_and_says_what_it_is() -> None:
    data = animated_webp(np.stack([IMAGE, 255 - IMAGE, IMAGE // 2]), {"Description": "Synthetic & small"})
    with Image.open(io.BytesIO(data)) as opened:
        assert (opened.format, opened.size, opened.n_frames) == ("WEBP", (128, 128), 4)
    assert b"Synthetic &amp; small" in data
