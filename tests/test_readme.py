"""Every command, picture and script that the README names exists."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"python -m core ([a-z]+(?: (?:add|list|revoke))?)", README)))


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:docs|benchmarks)/\w+\.\w+", README))))
def test_named_files_exist(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python -m (benchmarks\.\w+)", README))))
def test_named_benchmarks_exist(module: str) -> None:
    assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_named_commands_have_help(command: str) -> None:
    answer = CliRunner().invoke(app, [*command.split(), "--help"])
    assert answer.exit_code == 0
    assert "Usage" in answer.output


def test_the_two_commands_are_there() -> None:
    assert "pip install -r requirements.txt && streamlit run app.py" in README
    assert "pip install -r requirements.txt && pytest" in README
    assert len(COMMANDS) >= 4
