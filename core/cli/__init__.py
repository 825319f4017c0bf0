"""The command line: `python -m core analyze|user|token|serve|doctor`."""

from core.cli.commands import app

__all__ = ["app"]
