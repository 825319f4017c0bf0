"""The description of weights that were trained here."""

import json
from pathlib import Path

import pytest

from core.errors import WeightsError
from core.models.registry import get_card
from core.models.sidecar import Sidecar, SidecarCalibration, read_sidecar, sidecar_path, write_sidecar

FULL = Sidecar(
    model="simple_cnn",
    labels=("PR-", "PR+"),
    sha256="0" * 64,
    origin="run Cleo, 2026-11-21, data set tonsils",
    date="2026-11-21",
    calibration=SidecarCalibration(
        temperature=1.4, conformal_threshold=0.3, conformal_thresholds={"PR-": 0.3, "PR+": 0.2}, coverage=0.9
    ),
    novelty="weights.novelty.npz",
    figures={"balanced_accuracy": 0.94},
    card="weights.md",
)


def weights_in(folder: Path) -> Path:
    return folder / "weights.safetensors"


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = write_sidecar(weights_in(tmp_path), FULL)
    assert path == sidecar_path(weights_in(tmp_path)) == tmp_path / "weights.safetensors.json"
    assert read_sidecar(weights_in(tmp_path), get_card("simple_cnn")) == FULL
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_weights_without_a_sidecar_have_none(tmp_path: Path) -> None:
    assert read_sidecar(weights_in(tmp_path)) is None


def test_extras_are_those_of_a_manifest() -> None:
    assert FULL.extras() == {
        "calibration": {
            "temperature": 1.4,
            "conformal_threshold": 0.3,
            "conformal_thresholds": {"PR-": 0.3, "PR+": 0.2},
            "coverage": 0.9,
        },
        "novelty": "weights.novelty.npz",
        "figures": {"balanced_accuracy": 0.94},
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sha256": "short"}, "sha256"),
        ({"model": None}, "model"),
        ({"colour": "blue"}, "colour"),
        ({"novelty": "../../etc/passwd"}, "without folders"),
        ({"card": "..\\card.md"}, "without folders"),
        ({"calibration": {"temperature": 0}}, "temperature"),
        ({"calibration": {"temperature": "NaN"}}, "temperature"),
        ({"calibration": {"conformal_thresholds": {"PR+": 1.5}}}, "threshold of 'PR.'"),
    ],
)
def test_a_damaged_sidecar_is_an_error_in_words(tmp_path: Path, change: dict[str, object], message: str) -> None:
    values = json.loads(FULL.model_dump_json()) | change
    sidecar_path(weights_in(tmp_path)).write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(WeightsError, match=message):
        read_sidecar(weights_in(tmp_path))


@pytest.mark.parametrize("content", [b"", b"{", b"[1, 2]", b"\xff\xfe\x00", b"[" * 100_000, b" " * 2_000_000])
def test_what_is_no_json_object_is_an_error_in_words(tmp_path: Path, content: bytes) -> None:
    sidecar_path(weights_in(tmp_path)).write_bytes(content)
    with pytest.raises(WeightsError, match="weights"):
        read_sidecar(weights_in(tmp_path))


def test_weights_of_another_model_are_refused(tmp_path: Path) -> None:
    write_sidecar(weights_in(tmp_path), FULL)
    with pytest.raises(WeightsError, match="not for"):
        read_sidecar(weights_in(tmp_path), get_card("ihcnet"))


def test_weights_with_other_classes_are_refused(tmp_path: Path) -> None:
    write_sidecar(weights_in(tmp_path), FULL.model_copy(update={"labels": ("fat", "tumour")}))
    with pytest.raises(WeightsError, match="tell fat, tumour apart"):
        read_sidecar(weights_in(tmp_path), get_card("simple_cnn"))
