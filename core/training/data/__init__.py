"""Images to train on: where they are, what they show, whose they are."""

import os
from pathlib import Path

from core.errors import InvalidDataError
from core.labels import CLASSES, Marker
from core.training.config import Recipe
from core.training.data.folders import open_folder
from core.training.data.items import DataSet, Item, Kind, Subset
from core.training.data.table import find_table, open_table

__all__ = ["DataSet", "Item", "Kind", "Subset", "check_classes", "open_data"]

LABELS_OF = {
    Recipe.SIMPLE_CNN: CLASSES[Marker.PR],
    Recipe.IHCNET: CLASSES[Marker.HER2],
    Recipe.VIT: CLASSES[Marker.HER2],
    Recipe.MEDSYNGAN: CLASSES[Marker.PR],
}
"""Classes that the workbench can use the weights of a recipe for."""


def open_data(path: Path) -> DataSet:
    """Find the images of a data set without reading any of them.

    Args:
        path: a folder with one folder per class, perhaps below `train`, `val` and `test`; with files named as in BCI
            (`00012_train_2+.png`); with the folders `HE` and `IHC`; or with one CSV file (path, label, case, split).
            Or that CSV file itself.
    Raises:
        InvalidDataError: there is nothing to train on; the message says what was found and what was expected.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 - a training may run in another folder; links stay as they are
    if path.is_dir():
        table = find_table(path)
        return open_folder(path) if table is None else open_table(table)
    if path.is_file() and path.suffix.lower() == ".csv":
        return open_table(path)
    if path.is_file():
        raise InvalidDataError(
            f"{path.name} is neither a folder nor a CSV file. Unpack an archive first, or upload it on the page "
            "Training."
        )
    raise InvalidDataError(f"There is no folder {path} on this machine. Check the path, or upload the images as a ZIP.")


def check_classes(data: DataSet, recipe: Recipe) -> str:
    """Say what the classes of a data set mean for the weights that a recipe makes of them.

    Returns:
        A sentence for the user; empty where they are the classes that the workbench knows.
    Raises:
        InvalidDataError: the recipe needs pairs and these are classes, or the other way round.
    """
    needed = Kind.PAIRS if recipe is Recipe.VIRTUAL_STAIN else Kind.CLASSES
    if data.kind is not needed:
        raise InvalidDataError(
            "Virtual staining learns from pairs: the folders HE and IHC with files of the same names. These images are "
            "in classes. Choose other images, or a recipe for classes."
            if needed is Kind.PAIRS
            else f"The recipe {recipe.value} learns from classes, but these images are pairs of H&E and IHC. Choose "
            "images in class folders (for the IHC alone, open the folder IHC), or the recipe virtual-stain."
        )
    known = LABELS_OF.get(recipe, ())
    if recipe is Recipe.STUDY or needed is Kind.PAIRS or data.classes == known:
        return ""
    return (
        f"These images have the classes {', '.join(data.classes)}; the workbench uses weights of {recipe.value} for "
        f"{', '.join(known)}. They can be trained and evaluated, but not be made the ones the workbench uses."
    )
