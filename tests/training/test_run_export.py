"""What leaves a run can be used elsewhere: weights load strictly, the notebook repeats the run."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import pytest
import torch

from core.errors import NotFoundError
from core.models.simple_cnn import SimpleCNN
from core.models.weights import save_safetensors
from core.phantoms.phantom import nuclear_phantom
from core.training.config import read_config
from core.training.export import published_pth, safetensors, write_zip
from core.training.notebook import code_of, notebook
from core.training.run_folder import RunFolder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished run of SimpleCNN, with what only this machine needs beside it."""
    run = RunFolder(tmp_path / "run")
    config = read_config({"recipe": "simple-cnn", "epochs": 1, "steps_per_epoch": 2, "batch_size": 4, "tied": True})
    run.write_json("config.json", config.model_dump(mode="json"))
    run.write_json("data.json", {"data": str(tmp_path / "tiles")})
    run.write_json("job.json", {"owner": "ada"})
    run.checkpoint.write_bytes(b"large")
    run.add_stats({"kind": "epoch", "epoch": 1, "val_loss": 0.5})
    save_safetensors(SimpleCNN().state_dict(), run.weights)
    return run


def test_the_pth_loads_strictly_and_without_running_code(run: RunFolder) -> None:
    state = torch.load(io.BytesIO(published_pth(run)), weights_only=True)
    SimpleCNN().load_state_dict(state, strict=True)
    assert {value.dtype for value in state.values()} == {torch.float32}


def test_safetensors_are_the_stored_file(run: RunFolder) -> None:
    assert safetensors(run) == run.weights.read_bytes()


def test_a_run_without_weights_says_so(run: RunFolder) -> None:
    run.weights.unlink()
    with pytest.raises(NotFoundError, match="not one epoch was done"):
        published_pth(run)


def test_the_archive_holds_the_run_but_nothing_private(run: RunFolder) -> None:
    file = io.BytesIO()
    write_zip(run, "Mine", file)
    assert set(zipfile.ZipFile(file).namelist()) == {"run.ipynb", "config.json", "stats.jsonl", "weights.safetensors"}


def test_the_notebook_is_valid_and_its_code_compiles(run: RunFolder) -> None:
    book = json.loads(notebook(run, "Mine"))
    assert (book["nbformat"], book["cells"][0]["source"][0]) == (4, "# Mine\n")
    assert len({cell["id"] for cell in book["cells"]}) == len(book["cells"])
    compile(code_of(notebook(run, "Mine")), "notebook", "exec")


@pytest.mark.slow
def test_the_notebook_repeats_the_run(run: RunFolder, tmp_path: Path) -> None:
    for case in range(8):
        label = ("PR-", "PR+")[case % 2]
        image = nuclear_phantom(case, percent_positive=90.0 * (case % 2), size_px=128).image
        (tmp_path / "tiles" / label).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / "tiles" / label / f"case{case}__0.png"), image[:, :, ::-1])
    code = code_of(notebook(run, "Mine"))
    script = tmp_path / "cells.py"
    script.write_text(code.replace('sys.path.insert(0, ".")', f"sys.path.insert(0, {str(ROOT)!r})"))
    environment = {"DATA_DIR": str(tmp_path / "data"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "finished - Finished after 1 epochs." in done.stdout
    assert (tmp_path / "run-again" / "curves.html").is_file()
