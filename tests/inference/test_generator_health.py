"""The health of a generator from its weights to what leaves: figures, alarm, CSV, JSON, model card."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.config import ROOT
from core.errors import CancelledError, InvalidOptionError, WeightsError
from core.inference import health_export
from core.inference.engine import Engine
from core.inference.generator_health import GeneratorHealth, check_generator
from core.inference.training_index import require_index
from core.models.sidecar import Sidecar, write_sidecar
from core.models.weights import read_state_dict, save_safetensors
from core.quality import health_figures
from core.quality.health import Level, Measure
from core.quality.neighbours_file import save_index

NAME, COUNT = "medsyngan_g", 60


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(ROOT / "weights", backend="torch")


@pytest.fixture(scope="module")
def health(engine: Engine) -> GeneratorHealth:
    """Of the bundled generator, by few images and few draws."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health_figures, "ROUNDS", 4)
        return check_generator(engine, NAME, count=COUNT, seed=3)


def test_the_bundled_generator_is_varied_and_copies_nothing(health: GeneratorHealth) -> None:
    found = health.judged
    assert found.level is Level.VARIED
    memorised, named = found.of(Measure.MEMORISED).synthetic, found.of(Measure.CONSISTENCY).synthetic
    assert memorised is not None and memorised.value < 0.1
    assert named is not None and named.value > 0.8
    frechet = found.of(Measure.FRECHET)
    assert frechet.synthetic is not None and frechet.real is not None
    assert frechet.synthetic.value > frechet.real.value
    assert (health.count, health.held_out, health.held_out_cases, health.training) == (COUNT, 1699, 7, 5536)
    assert health.classifier.startswith("SimpleCNN")


def test_the_same_seed_gives_the_same_figures(
    health: GeneratorHealth, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_figures, "ROUNDS", 4)
    again = check_generator(engine, NAME, count=COUNT, seed=3)
    assert again.judged.findings == health.judged.findings
    assert [each.spec for each in again.shown] == [each.spec for each in health.shown]


def test_a_generator_that_ignores_its_noise_raises_the_alarm(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_figures, "ROUNDS", 4)
    weights = read_state_dict(ROOT / "weights" / "medsyngan_g.safetensors")
    weights["project.weight"][:, :100] = 0  # what the noise is multiplied with
    path = tmp_path / "deaf.safetensors"
    sha256 = save_safetensors(weights, path)
    save_index(replace(require_index(engine, NAME), weights_sha256=sha256), tmp_path / "deaf.index.npz")
    write_sidecar(path, Sidecar(model=NAME, labels=("PR-", "PR+"), sha256=sha256, index="deaf.index.npz"))
    found = check_generator(Engine(ROOT / "weights", overrides={NAME: path}, backend="torch"), NAME, count=COUNT)
    assert found.judged.level is Level.COLLAPSED
    assert [round(each.picture_variety, 3) for each in found.judged.per_class] == [0, 0]


def test_csv_and_json_carry_figures_intervals_and_hashes(health: GeneratorHealth) -> None:
    rows = list(csv.DictReader(io.StringIO(health_export.encode_csv(health).decode("utf-8-sig"))))
    first, found = rows[0], json.loads(health_export.encode_json(health))
    assert (first["figure"], first["images"], first["weights_sha256"]) == (
        "Fréchet distance",
        str(COUNT),
        health.weights_sha256,
    )
    frechet = found["figures"]["frechet"]
    assert float(first["synthetic"]) == pytest.approx(frechet["synthetic"]["value"], abs=1e-4)
    assert frechet["synthetic"]["low"] <= frechet["synthetic"]["value"] <= frechet["synthetic"]["high"]
    assert (found["model"], found["seed"], found["level"]) == (NAME, 3, "varied")
    assert len(found["map"]["synthetic"]) == len(found["map"]["synthetic_labels"]) == COUNT


def test_the_section_of_a_card_states_what_it_rests_on(health: GeneratorHealth) -> None:
    text = health_export.card_section(health, "a test")
    assert "60 samples (seeds from 3, truncation 1)" in text and "1,699 tiles of 7 held-out cases" in text
    assert text.count("\n| ") == len(Measure) + 1  # the head of the table too


def test_a_wish_that_cannot_be_met_is_refused_before_anything_is_sampled(engine: Engine) -> None:
    for options in ({"count": 10}, {"count": COUNT, "seed": -1}, {"count": COUNT, "truncation": 0.0}):
        with pytest.raises(InvalidOptionError):
            check_generator(engine, NAME, **options)  # type: ignore[arg-type]


def test_weights_without_an_index_have_no_health(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    weights = read_state_dict(ROOT / "weights" / "medsyngan_g.safetensors")
    weights["project.bias"] = weights["project.bias"] + 0.1
    save_safetensors(weights, path)
    with pytest.raises(WeightsError, match="no index"):
        check_generator(Engine(ROOT / "weights", overrides={NAME: path}), NAME, count=COUNT)


def test_progress_runs_from_start_to_end_and_can_cancel(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_figures, "ROUNDS", 4)
    seen: list[int] = []

    def note(_step: str, done: int, _total: int) -> None:
        seen.append(done)
        if done > 700:
            raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        check_generator(engine, NAME, count=COUNT, progress=note)
    assert seen[0] == 0 and np.all(np.diff(seen) >= 0)
