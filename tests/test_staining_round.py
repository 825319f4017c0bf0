"""Many images: the bad ones are named, cancelling keeps what is done, everything that leaves is marked."""

import csv
import io
import zipfile
from functools import partial

import cv2
import numpy as np
import pytest

from core.errors import CancelledError, InvalidImageError
from core.inference.engine import get_engine
from core.labels import Scale
from core.phantoms.samples import load_sample
from core.png_text import read_text
from core.staining_round import Round, doubt, file_of, picture, stain_sources, zip_of
from core.staining_sources import Source, Sources


def sample(key: str) -> bytes:
    image = cv2.imdecode(np.frombuffer(load_sample(key)[0], np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".png", image[:512, :512])[1].tobytes()


def given(data: bytes) -> bytes:
    return data


def gone() -> bytes:
    raise InvalidImageError("gone.png cannot be read (it is gone).")


HE = partial(given, sample("he"))


@pytest.fixture(scope="module")
def made() -> Round:
    """Two fields of one name, an IHC, and a file that is gone."""
    images = (
        Source("field.png", "2+", HE),
        Source("ihc.png", "3+", partial(given, sample("her2-3"))),
        Source("gone.png", "", gone),
        Source("field.png", "", HE),
    )
    return stain_sources(Sources(images, ("A note.",)), engine=get_engine(), scale=Scale.X40)


def test_what_cannot_be_stained_is_named_and_the_others_go_on(made: Round) -> None:
    assert [(each.file, each.label) for each in made.stained] == [
        ("virtual_field.png", "2+"),
        ("virtual_field-2.png", ""),
    ]
    assert [each.name for each in made.refused] == ["ihc.png", "gone.png"]
    assert [each.source is None for each in made.refused] == [False, True]
    assert (made.notes, made.cancelled) == (("A note.",), 0)


def test_the_refused_are_stained_where_the_user_insists(made: Round) -> None:
    again = Sources(tuple(each.source for each in made.refused if each.source is not None))
    insisted = stain_sources(again, engine=get_engine(), scale=Scale.X40, insist=True)
    assert [(each.file, each.label) for each in insisted.stained] == [("virtual_ihc.png", "3+")]


def test_cancelling_keeps_what_is_done() -> None:
    seen: list[str] = []

    def cancel(step: str, done: int, total: int) -> None:
        seen.append(step)
        if done / total > 0.5:
            raise CancelledError("Cancelled.")

    images = tuple(Source(f"{index}.png", "", HE) for index in range(3))
    found = stain_sources(Sources(images), engine=get_engine(), scale=Scale.X40, progress=cancel)
    assert (len(found.stained), found.cancelled) == (1, 2)
    assert "1 of 3, 0.png: staining virtually" in seen


def test_every_file_says_that_it_is_virtual(made: Round) -> None:
    png = file_of(made.stained[0])
    text = read_text(png)
    assert "not real staining" in text["Comment"] and text["Source"] == "field.png"
    assert picture(png).shape == (512, 512, 3)
    with zipfile.ZipFile(io.BytesIO(zip_of(made.stained))) as archive:
        names = archive.namelist()
        rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode("utf-8-sig"))))
        inside = archive.read("images/virtual_field-2.png")
    assert {"images/virtual_field.png", "manifest.json", "README.txt"} <= set(names)
    assert [(row["file"], row["class"], row["stain_source"]) for row in rows] == [
        ("virtual_field.png", "2+", "virtual"),
        ("virtual_field-2.png", "", "virtual"),
    ]
    assert "not real staining" in read_text(inside)["Comment"]


def test_the_trust_map_is_added_on_request(made: Round) -> None:
    found = doubt(made.stained[0], engine=get_engine()).trust
    assert found is not None and found.map.shape == (32, 32)
