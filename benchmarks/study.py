"""Does synthetic data help? Real tiles alone beside real and synthetic ones, tested on cases that nothing has seen.

    python -m benchmarks.study --data ../shared/data --out RUN [--set epochs=12 --set generator_batches=2000]
    python -m benchmarks.study --show RUN

The first cuts the annotated Ki-67 fields into tiles without overlap and trains; it goes on with a run that was broken
off. The second prints what a run folder holds so far. The first line of each table is the baseline, real tiles alone.
"""

import argparse
import logging
from pathlib import Path
from typing import Any

from core.cli.train import read_settings
from core.jobs import config_of
from core.jobs.submission import fill
from core.training.bundled.nuclear_tiles import labelled_tiles, read_fields
from core.training.config import Recipe, StudyConfig
from core.training.data.class_folders import write_tiles
from core.training.loop import train
from core.training.run_folder import RunFolder
from core.training.study.results import evaluate_study, read_lines
from core.training.study.table import as_markdown


def prepare(data: Path, out: Path, settings: list[str]) -> RunFolder:
    """Cut the tiles and write the run folder, or find both."""
    run, tiles = RunFolder(out.resolve()), out.resolve().with_name(f"{out.name}-tiles")
    if not run.config.is_file():
        if not tiles.is_dir():
            write_tiles(labelled_tiles(read_fields(data)), tiles)
        fill(run, tiles, read_settings(Recipe.STUDY, None, settings))
    run.forget_stop()
    return run


def show(run: RunFolder) -> None:
    """Print the tables of a run, what passed the filter, and what has to be said about it."""
    config = config_of(run)
    assert isinstance(config, StudyConfig)
    lines = read_lines(run)
    found = evaluate_study(config, lines.values())
    minutes = sum(float(line["seconds"]) for line in lines.values()) / 60
    print(f"{found['done']} of {found['parts']} parts in {minutes:.0f} minutes; {found['folds']} folds by case")
    print(f"{found['test_tiles']} test tiles of {found['cases']} cases\n")
    print(as_markdown(found))
    for each in found["filters"]:
        print(f"\nfold {each['fold'] + 1}, {each['share']:.0%} of the tiles: {_filtering(each)}")
    print("\n" + "\n".join(found["notes"]))


def _filtering(each: dict[str, Any]) -> str:
    share = each["accepted"] / max(each["drawn"], 1)
    classes = ", ".join(f"{one['label']} {one['accepted']} of {one['drawn']}" for one in each["by_class"])
    reasons = ", ".join(f"{name} {count}" for name, count in sorted(each["every"].items()))
    return f"{share:.1%} accepted ({classes}); {reasons or 'nothing rejected'}"


def main() -> None:
    """Train where asked to, then print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder that holds ki67_points")
    parser.add_argument("--out", type=Path, help="run folder, new or to go on with")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the recipe")
    parser.add_argument("--show", type=Path, help="only print what this run folder holds")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if arguments.show is not None:
        show(RunFolder(arguments.show))
        return
    if arguments.data is None or arguments.out is None:
        raise SystemExit("Give --data and --out, or --show RUN.")
    run = prepare(arguments.data, arguments.out, arguments.set)
    train(run)
    show(run)


if __name__ == "__main__":
    main()
