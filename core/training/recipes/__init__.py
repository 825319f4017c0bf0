"""The recipes: each makes of a configuration and images what the loop trains."""

from pathlib import Path

from lightning.fabric import Fabric

from core.errors import InvalidDataError
from core.training.config import ClassifierConfig, MedSynGanConfig, TrainConfig, VirtualStainConfig
from core.training.data import Kind, open_data
from core.training.data.splitting import split
from core.training.task import Task
from core.types import Progress

_WANTED = {
    Kind.CLASSES: "one folder per class, or a CSV with path and label",
    Kind.PAIRS: "the folders HE and IHC with files of the same names",
}


def build_task(config: TrainConfig, path: Path, fabric: Fabric, progress: Progress) -> Task:
    """Read the data and build the networks of one run.

    Args:
        path: folder or CSV of the images.
        progress: told about the reading.
    Raises:
        InvalidDataError: the images do not suit the recipe.
    """
    kind = Kind.PAIRS if isinstance(config, VirtualStainConfig) else Kind.CLASSES
    data = open_data(path)
    if data.kind is not kind:
        raise InvalidDataError(f"{path.name} holds {data.kind.value}, but this recipe needs {_WANTED[kind]}.")
    data = split(data, val_share=config.val_share, test_share=config.test_share, seed=config.seed)
    if isinstance(config, ClassifierConfig):
        from core.training.recipes.classifier import ClassifierTask

        return ClassifierTask(config, data, fabric, progress)
    if isinstance(config, MedSynGanConfig):
        from core.training.recipes.medsyngan import GanTask

        return GanTask(config, data, fabric, progress)
    if isinstance(config, VirtualStainConfig):
        from core.training.recipes.virtual_stain import StainTask

        return StainTask(config, data, fabric, progress)
    raise TypeError(f"no recipe for {type(config).__name__}")
