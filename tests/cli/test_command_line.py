"""The command line as a whole: quick help, no heavy imports before they are needed."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app

ROOT = Path(__file__).resolve().parents[2]


def test_help_loads_neither_networks_nor_database() -> None:
    code = (
        "import sys, core.cli; "
        "heavy = {'torch', 'cv2', 'numpy', 'sqlalchemy', 'openvino', 'streamlit', 'fpdf'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["analyze"],
        ["train"],
        ["sample"],
        ["stain"],
        ["user", "add"],
        ["user", "list"],
        ["user", "reset-password"],
        ["user", "disable"],
        ["user", "enable"],
        ["token", "add"],
        ["token", "list"],
        ["token", "revoke"],
        ["serve"],
        ["doctor"],
    ],
)
def test_every_command_explains_itself(command: list[str]) -> None:
    done = CliRunner().invoke(app, [*command, "--help"])
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "core", "user", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert "python -m core user" in done.stdout
