"""`python -m core train RECIPE --data DIR`: the run that the Training page would start, in this terminal.

Several processes train together under torchrun or SLURM: the first one makes the run folder, the others wait for it.
"""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.foreground import train_here
from core.cli.terminal import ProgressLine, in_words
from core.errors import InvalidOptionError
from core.training.config import Recipe

if TYPE_CHECKING:
    from core.training.config import TrainConfig
    from core.training.run_folder import RunFolder

POLL_S = 0.2
WAIT_S = 600.0
"""How long the other processes wait until the first one has looked at the images."""


def train(
    recipe: Annotated[Recipe | None, typer.Argument(help="What to train; not needed with --resume.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of images (one folder per class, or HE and IHC), or a CSV table.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the run, as the pages show it.")] = "",
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the images; in all, with --resume.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any other setting; several times.", metavar="KEY=VALUE")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="New folder for the run; else one that the pages show.", metavar="RUN_DIR")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with the run in this folder, or of this id.", metavar="RUN_DIR")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Look at images and settings, train nothing.")] = False,
) -> None:
    """Train a model. Ctrl-C stops after the batch and keeps the best weights; --resume goes on."""
    with in_words():
        if resume is not None:
            if recipe or data or out or settings or dry_run:
                raise InvalidOptionError(
                    "--resume takes recipe, data and settings from its run; only --epochs may change."
                )
            folder = _resumed(resume, epochs)
        else:
            if recipe is None or data is None:
                raise InvalidOptionError(f"Name a recipe ({', '.join(Recipe)}) and --data, or --resume a run.")
            config = read_settings(recipe, epochs, settings or [])
            if dry_run:
                _look(data, config)
                return
            folder = _made(name, data, config, out)
        first = place_among_processes()[0]
        status = train_here(folder, shown=first)
    if first:
        typer.echo(f"{status.state.value}: {status.message}")
        typer.echo(f"The run is in {folder.path}")
    if status.state.value == "failed":
        raise typer.Exit(1)


def read_settings(recipe: Recipe, epochs: int | None, given: list[str]) -> "TrainConfig":
    """Return the configuration that a command line describes.

    Args:
        given: KEY=VALUE each; `augmentation.stain=0.3` reaches into a group, values are JSON or plain text.
    Raises:
        InvalidOptionError: a setting is unknown or out of range.
    """
    from core.training.config import read_config

    values: dict[str, Any] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InvalidOptionError(f"--set {text}: write it as KEY=VALUE, for example --set batch_size=16.")
        *groups, last = key.strip().split(".")
        place = values
        for group in groups:
            place = place.setdefault(group, {})
            if not isinstance(place, dict):
                raise InvalidOptionError(f"--set {text}: {group} is a value already.")
        place[last] = _value(value.strip())
    if epochs is not None:
        values["epochs"] = epochs
    found: TrainConfig = read_config(values | {"recipe": recipe.value})
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _look(data: Path, config: "TrainConfig") -> None:
    """Print the report of the data and the settings."""
    from core.auth import command_line_user
    from core.cli.data_text import describe
    from core.jobs import usable_data
    from core.training.data import open_data
    from core.training.data.report import report
    from core.training.data.splitting import split

    path = usable_data(command_line_user(), data, config)
    line = ProgressLine(path.name)
    split_data = split(open_data(path), config.val_share, config.test_share, config.seed)
    found = report(split_data, line.update)
    line.clear()
    typer.echo("\n".join(describe(found)))
    typer.echo(json.dumps(config.model_dump(mode="json"), indent=1))
    if found.problems:
        raise typer.Exit(1)


def _made(name: str, data: Path, config: "TrainConfig", out: Path | None) -> "RunFolder":
    """A new run folder, the same for all processes that train together."""
    from core.auth import command_line_user
    from core.errors import ConflictError
    from core.jobs import usable_data
    from core.jobs.records import Wish
    from core.jobs.submission import fill, new_run
    from core.training.run_folder import RunFolder

    first, together = place_among_processes()
    if together and out is None:
        raise InvalidOptionError("Several processes train together: name the folder of their run with --out RUN_DIR.")
    if out is not None and not first:
        return _wait_for(RunFolder(out.resolve()))
    path = usable_data(command_line_user(), data, config)
    if out is None:
        return new_run(command_line_user(), name=name, data=path, config=config, priority=0, wish=Wish.NONE)
    if out.exists() and any(out.iterdir()):
        raise ConflictError(f"{out} is not empty. Choose a new folder, or go on with its run: --resume {out}")
    return fill(RunFolder(out.resolve()), path, config)


def _wait_for(folder: "RunFolder") -> "RunFolder":
    deadline = time.monotonic() + WAIT_S
    while not (folder.path / "status.json").exists():
        if time.monotonic() > deadline:
            raise InvalidOptionError(f"The first process has not made {folder.path}. Do all of them see this folder?")
        time.sleep(POLL_S)
    return folder


def _resumed(place: Path, epochs: int | None) -> "RunFolder":
    from core.errors import NotFoundError
    from core.jobs import config_of
    from core.jobs.foreground import check_free
    from core.jobs.records import runs_folder
    from core.jobs.requests import more_epochs
    from core.training.run_folder import RunFolder

    folder = RunFolder((place if place.is_dir() else runs_folder() / place.name).resolve())
    if not folder.config.is_file():
        raise NotFoundError(f"There is no run in {place}. Give its folder, or its id as the Training page shows it.")
    config = config_of(folder)
    if place_among_processes()[0]:
        check_free(folder)
        folder.forget_stop()
        if epochs is not None and epochs != config.epochs:
            more_epochs(folder, epochs - config.epochs)
    return folder


def place_among_processes() -> tuple[bool, bool]:
    """Whether this is the first process, and whether there are several."""
    rank = int(os.environ.get("RANK", os.environ.get("SLURM_PROCID", "0")))
    count = int(os.environ.get("WORLD_SIZE", os.environ.get("SLURM_NTASKS", "1")))
    return rank == 0, count > 1
