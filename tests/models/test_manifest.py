"""The manifest of the bundled weights."""

from pathlib import Path

import pytest

from core.config import ROOT
from core.errors import WeightsError
from core.models.manifest import Entry, read_manifest
from core.models.registry import CARDS
from core.models.weights import check_weights, load_weights


def write(folder: Path, text: str) -> Path:
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
    return folder


def test_no_manifest_means_no_weights(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == {}


def test_free_tables_are_kept(tmp_path: Path) -> None:
    text = """
    [models.ihcnet]
    file = "ihcnet.safetensors"
    sha256 = "abc"
    card = "ihcnet.md"
    origin = "8 cores"
    date = "2026-11-21"
    [models.ihcnet.calibration]
    temperature = 1.5
    """
    assert read_manifest(write(tmp_path, text))["ihcnet"] == Entry(
        name="ihcnet",
        paths=(tmp_path / "ihcnet.safetensors",),
        sha256="abc",
        card=tmp_path / "ihcnet.md",
        origin="8 cores",
        date="2026-11-21",
        extras={"calibration": {"temperature": 1.5}},
    )


def test_shards_are_listed_in_order(tmp_path: Path) -> None:
    entry = read_manifest(write(tmp_path, '[models.pspstain]\nfiles = ["b.safetensors", "a.safetensors"]'))["pspstain"]
    assert [path.name for path in entry.paths] == ["b.safetensors", "a.safetensors"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[models", "cannot be read"),
        ("[models.resnet]\nfile = 'a'", "lists a model 'resnet'"),
        ("[models.ihcnet]\norigin = 'x'", "names no file"),
        ("[models.ihcnet]\nfile = '../../etc/passwd'", "without folders"),
        ("[models]\nihcnet = 3", "must be a table"),
        ("models = 3", "one table"),
    ],
)
def test_a_broken_manifest_is_an_error_in_words(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        read_manifest(write(tmp_path, text))


@pytest.mark.parametrize("name", CARDS)
def test_bundled_weights_are_what_the_manifest_says(name: str) -> None:
    entry = read_manifest(ROOT / "weights").get(name)
    if entry is None:
        pytest.skip(f"no weights are bundled for {name}")
    assert entry.sha256 == check_weights(CARDS[name], entry.paths, sha256=entry.sha256)
    assert load_weights(CARDS[name], entry.paths).sha256 == entry.sha256
    assert entry.card is not None and entry.card.is_file()
