"""`python -m core serve` and `python -m core doctor`"""

import os
import subprocess
import sys
from typing import Annotated

import typer

from core.cli.terminal import ProgressLine


def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of pages and API.")] = 8501,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "localhost",
) -> None:
    """Start the workbench: pages and API in one process."""
    from core.config import ROOT

    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    command += ["--server.port", str(port), "--server.address", host]
    os.chdir(ROOT)  # where Streamlit looks for its settings
    if os.name == "posix":
        os.execv(command[0], command)  # the server takes this process over, and with it every signal
    raise typer.Exit(subprocess.call(command))


def doctor() -> None:
    """Check this installation: what works, and what to do where it does not. Code 1 if something needed is broken."""
    line = ProgressLine("checking")
    line.update("libraries", 0, 1)
    from core.doctor import State, iter_checks

    broken = 0
    for check in iter_checks():
        line.clear()
        typer.echo(f"{check.state.value:<8} {check.name}: {check.found}")
        if check.advice:
            typer.echo(f"{'':<8} -> {check.advice}")
        broken += check.state is State.BROKEN
        line.update("the next part", 0, 1)
    line.clear()
    typer.echo(f"{broken} of the parts above need attention." if broken else "Everything needed works.")
    if broken:
        raise typer.Exit(1)
