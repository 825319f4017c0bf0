"""A training run as a Jupyter notebook that repeats it."""

import json
from typing import Any

from core.training.run_folder import RunFolder

_OPENING = """\
# {name}

Repeats a training run of IHC Workbench: the same images, settings and seed. On the same kind of device the figures
come out alike; on another one nearly so.

Run it in the folder of the workbench (the one with `app.py`), after `pip install -r requirements.txt jupyter`.
Change `DATA` if the images have moved. Research use only. Not for diagnosis.
"""

_PLACES = """\
import json
import logging
import sys
from pathlib import Path

DATA = Path({data!r})  # folder or CSV of the images
RUN = Path("run-again")  # everything the run leaves is written here

sys.path.insert(0, ".")
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
"""

_SETTINGS = """\
from core.training.config import read_config

config = read_config({config})
config
"""

_TRAINING = """\
from core.training.loop import train
from core.training.run_folder import RunFolder

run = RunFolder(RUN)
RUN.mkdir(exist_ok=True)
run.write_json("config.json", config.model_dump(mode="json"))
run.write_json("data.json", {"data": str(DATA.resolve())})
status = train(run)  # a run that was broken off goes on from its checkpoint
print(status.state.value, "-", status.message)
"""

_CURVES = """\
import plotly.graph_objects as go

epochs = [line for line in run.read_stats() if line["kind"] == "epoch"]
figure = go.Figure()
for name in [key for key in epochs[0] if key.endswith("loss")]:
    figure.add_scatter(x=[line["epoch"] for line in epochs], y=[line.get(name) for line in epochs], name=name)
figure.update_layout(xaxis_title="epoch", yaxis_title="loss")
figure.write_html(RUN / "curves.html")  # open it in a browser
epochs[-1]
"""

_STUDY = """\
import plotly.graph_objects as go

evaluation = json.loads(run.evaluation.read_text())
for table in evaluation["shares"]:
    print(f"{table['share']:.0%} of the real tiles: {table['answer']}")
    for arm in table["arms"]:
        gain = arm["balanced_gain"]
        print(f"  {arm['name']:14} {gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})")
figure = go.Figure()
for table in evaluation["shares"]:
    arms = table["arms"][1:]
    gains = [arm["balanced_gain"] for arm in arms]
    figure.add_scatter(
        x=[gain["value"] for gain in gains],
        y=[arm["name"] for arm in arms],
        mode="markers",
        name=f"{table['share']:.0%} of the real tiles",
        error_x={
            "symmetric": False,
            "array": [gain["high"] - gain["value"] for gain in gains],
            "arrayminus": [gain["value"] - gain["low"] for gain in gains],
        },
    )
figure.update_layout(xaxis_title="gain in balanced accuracy")
figure.write_html(RUN / "gains.html")  # open it in a browser
evaluation["notes"]
"""

_FIGURES = """\
evaluation = json.loads(run.evaluation.read_text())
for row in evaluation.get("confusion", []):  # rows: truth, columns: what the network says
    print(row)
SHOWN = ("classes", "accuracy", "balanced_accuracy", "kappa", "figures")
{key: value for key, value in evaluation.items() if key in SHOWN}
"""


def notebook(run: RunFolder, name: str) -> bytes:
    """Return the notebook as the bytes of an `.ipynb` file.

    Args:
        name: of the run, for the title.
    """
    config = json.loads(run.config.read_text(encoding="utf-8"))
    data = str(json.loads(run.data.read_text(encoding="utf-8"))["data"])
    cells = [
        _markdown(_OPENING.format(name=name.replace("\n", " "))),
        _code(_PLACES.format(data=data)),
        _markdown("## Settings"),
        _code(_SETTINGS.format(config=_as_python(config))),
        _markdown("## Training"),
        _code(_TRAINING),
    ]
    if config.get("recipe") == "study":
        cells += [_markdown("## Does synthetic data help?"), _code(_STUDY)]
    else:
        cells += [
            _markdown("## Curves"),
            _code(_CURVES),
            _markdown("## Figures on what was held out"),
            _code(_FIGURES),
        ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    language = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    book = {"cells": cells, "metadata": language, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(book, indent=1).encode()


def code_of(book: bytes) -> str:
    """Return the code of all cells, one after the other."""
    cells = json.loads(book)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _as_python(config: dict[str, Any]) -> str:
    lines = [f"        {key!r}: {value!r}," for key, value in config.items()]
    return "\n".join(["", "    {", *lines, "    }", ""])


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.strip().splitlines(keepends=True)}


def _code(text: str) -> dict[str, Any]:
    source = text.strip().splitlines(keepends=True)
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}
