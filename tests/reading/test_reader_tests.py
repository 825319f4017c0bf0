"""Reader tests from the making to the CSV: what leaks, who may, where a reader goes on."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiles_to_read import tile

from core import collections
from core.db import Database, User, reading
from core.errors import (
    ConflictError,
    InvalidDataError,
    InvalidOptionError,
    NotFoundError,
    PermissionDeniedError,
    StorageError,
)
from core.images import encode_png
from core.inference.engine import Engine
from core.reading import files, results, taking
from core.reading.making import Plan, make_origin_test, make_scoring_test
from core.reading.round import Answer, Question
from core.reading.sources import FromCollection, StoredSet, Uploads

ENGINE = Engine(Path(__file__).resolve().parents[2] / "weights", device="cpu")


def made(database: Database, ada: User, real_set: str, kept: str, **plan: object) -> str:
    """A test of four real and four synthetic tiles."""
    return make_origin_test(
        database,
        ada,
        Plan("Tiles", **{"seed": 3, "offered": True} | plan),  # type: ignore[arg-type]
        real=StoredSet(real_set),
        synthetic=FromCollection(kept),
        generator="medsyngan_g",
        counts=(4, 4),
        engine=ENGINE,
    ).id


def read_all(database: Database, user: User, test_id: str, value: str | None = None) -> None:
    """Answer about every image: with the truth, or always the same."""
    truth = {item.id: item.truth for item in reading.list_items(database, test_id)}
    for item in taking.own_round(database, user, test_id).left:
        taking.record(database, user, test_id, Answer(item.id, value or truth[item.id], 2, 1.0))


def test_nothing_but_the_pixels_tells_real_from_synthetic(
    database: Database, ada: User, bob: User, real_set: str, kept: str
) -> None:
    test_id = made(database, ada, real_set, kept)
    shown = taking.own_round(database, bob, test_id)
    assert len(shown.items) == 8
    assert {(item.truth, item.source) for item in shown.items} == {("", "")}
    ways = set()
    for item in shown.items:
        with Image.open(io.BytesIO(taking.picture(database, bob, test_id, item.id))) as picture:
            ways.add((picture.format, picture.size, str(picture.quantization), str(picture.info.keys())))  # type: ignore[attr-defined]
    assert len(ways) == 1
    truth = {item.id: item.truth for item in reading.list_items(database, test_id)}
    assert sorted(truth.values()) == ["real"] * 4 + ["synthetic"] * 4
    assert len({len(item_id) for item_id in truth}) == 1


def test_a_reader_goes_on_at_the_same_image_and_sees_the_result_at_the_end(
    database: Database, ada: User, bob: User, real_set: str, kept: str
) -> None:
    test_id = made(database, ada, real_set, kept)
    order = [item.id for item in taking.own_round(database, bob, test_id).items]
    for item_id in order[:3]:
        taking.record(database, bob, test_id, Answer(item_id, "real", 1, 2.0))
    again = taking.own_round(database, bob, test_id)
    assert [item.id for item in again.items] == order
    assert again.next is not None and again.next.id == order[3]
    assert order != [item.id for item in taking.own_round(database, ada, test_id).items]
    with pytest.raises(ConflictError, match="Go on reading"):
        results.own_results(database, bob, test_id)
    taking.take_back(database, bob, test_id)
    assert len(taking.own_round(database, bob, test_id).answers) == 2
    read_all(database, bob, test_id, "synthetic")
    found = results.own_results(database, bob, test_id)
    assert found.together is not None and found.together.right.count == 8
    assert all(item.source for item in taking.own_round(database, bob, test_id).items)
    with pytest.raises(ConflictError, match="stay as they are"):
        taking.take_back(database, bob, test_id)


def test_the_owner_sees_all_readers_and_what_was_mistaken(
    database: Database, ada: User, bob: User, real_set: str, kept: str
) -> None:
    test_id = made(database, ada, real_set, kept)
    read_all(database, bob, test_id, "synthetic")
    read_all(database, ada, test_id)
    found = results.all_results(database, ada, test_id)
    by_name = {each.reader: each.accuracy for each in found.readers}
    assert by_name["ada"] is not None and by_name["ada"].right.value == 1.0
    assert by_name["bob"] is not None and (by_name["bob"].found.value, by_name["bob"].spared.value) == (1.0, 0.0)
    assert found.together is not None and (found.together.right.hits, found.together.right.count) == (12, 16)
    assert len(found.mistaken) == 4
    assert {found.items[each.item_id].truth for each in found.mistaken} == {"real"}
    rows = list(csv.DictReader(results.all_csv(database, ada, test_id).lstrip("\ufeff").splitlines()))
    assert len(rows) == 16 and {row["reader"] for row in rows} == {"ada", "bob"}
    assert sum(row["right"] == "yes" for row in rows) == 12
    assert len(list(csv.DictReader(results.own_csv(database, bob, test_id).splitlines()))) == 8


def test_only_offered_tests_are_seen_by_others_and_only_the_owner_changes_them(
    database: Database, ada: User, bob: User, real_set: str, kept: str
) -> None:
    test_id = made(database, ada, real_set, kept, offered=False)
    assert taking.list_tests(database, bob) == []
    item_id = reading.list_item_ids(database, test_id)[0]
    for ask in (taking.own_round, results.own_results, results.all_results, taking.delete):
        with pytest.raises(NotFoundError):
            ask(database, bob, test_id)
    with pytest.raises(NotFoundError):
        taking.picture(database, bob, test_id, item_id)
    with pytest.raises(NotFoundError):
        taking.record(database, bob, test_id, Answer(item_id, "real"))
    taking.offer(database, ada, test_id, True)
    assert [(each.mine, each.answered) for each in taking.list_tests(database, bob)] == [(False, 0)]
    with pytest.raises(NotFoundError):
        results.all_results(database, bob, test_id)
    with pytest.raises(InvalidOptionError):
        taking.record(database, bob, test_id, Answer(item_id, "perhaps"))
    taking.delete(database, ada, test_id)
    assert taking.list_tests(database, ada) == [] and not files.folder_of(test_id).exists()


def test_a_finished_reader_keeps_the_result_when_the_test_is_offered_no_more(
    database: Database, ada: User, bob: User, real_set: str, kept: str
) -> None:
    test_id = made(database, ada, real_set, kept)
    read_all(database, bob, test_id)
    taking.offer(database, ada, test_id, False)
    assert [each.finished for each in taking.list_tests(database, bob)] == [True]
    assert results.own_results(database, bob, test_id).readers[0].answered == 8


def test_the_same_seed_chooses_the_same_images(database: Database, ada: User, real_set: str, kept: str) -> None:
    sources = [
        sorted(item.source for item in reading.list_items(database, made(database, ada, real_set, kept, seed=seed)))
        for seed in (5, 5, 6)
    ]
    assert sources[0] == sources[1] != sources[2]


@pytest.mark.parametrize(("counts", "seed"), [((0, 4), 0), ((4, -1), 0), ((501, 4), 0), ((4, 4), -1), ((4, 4), 2**32)])
def test_numbers_that_cannot_be_are_refused(
    database: Database, ada: User, real_set: str, kept: str, counts: tuple[int, int], seed: int
) -> None:
    with pytest.raises(InvalidOptionError):
        make_origin_test(
            database,
            ada,
            Plan("x", seed),
            real=StoredSet(real_set),
            synthetic=FromCollection(kept),
            generator="medsyngan_g",
            counts=counts,
            engine=ENGINE,
        )


def test_too_few_images_are_named_and_nothing_is_stored(
    database: Database, ada: User, bob: User, real_set: str, kept: str
) -> None:
    for counts, words in (((13, 4), "12 real tiles"), ((4, 9), "8 such images")):
        with pytest.raises(InvalidOptionError, match=words):
            make_origin_test(
                database,
                ada,
                Plan("x"),
                real=StoredSet(real_set),
                synthetic=FromCollection(kept),
                generator="medsyngan_g",
                counts=counts,
                engine=ENGINE,
            )
    with pytest.raises(InvalidDataError, match="no images"):
        make_scoring_test(
            database, ada, Plan("x"), question=Question.PR, source=Uploads((("a.txt", b"x"),)), count=1, engine=ENGINE
        )
    with pytest.raises(PermissionDeniedError):
        made(database, bob, real_set, kept)
    assert taking.list_tests(database, ada) == []


def test_synthetic_images_are_not_taken_for_real_ones(database: Database, ada: User, kept: str) -> None:
    exported = collections.export_dataset(ada, kept, "exported")
    with pytest.raises(InvalidOptionError, match="synthetic or virtual by their names"):
        made(database, ada, exported.id, kept)


def test_a_full_disk_is_a_sentence_and_leaves_nothing(
    database: Database, ada: User, real_set: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left"):
        made(database, ada, real_set, kept)
    assert list(files.folder_of("x").parent.iterdir()) == [] == taking.list_tests(database, ada)


def test_classes_can_be_chosen(database: Database, ada: User, real_set: str, kept: str) -> None:
    test = make_origin_test(
        database,
        ada,
        Plan("positive"),
        real=StoredSet(real_set),
        synthetic=FromCollection(kept),
        generator="medsyngan_g",
        counts=(3, 3),
        labels=("PR+",),
        engine=ENGINE,
    )
    assert {item.label for item in reading.list_items(database, test.id)} == {"PR+"}


def test_blind_scores_are_compared_with_the_model_and_the_data_set(
    database: Database, ada: User, bob: User, real_set: str
) -> None:
    test = make_scoring_test(
        database,
        ada,
        Plan("PR", offered=True),
        question=Question.PR,
        source=StoredSet(real_set),
        count=6,
        engine=ENGINE,
    )
    items = reading.list_items(database, test.id)
    assert {item.truth for item in items} <= {"PR+", "PR-"} and all(item.model_answer for item in items)
    read_all(database, ada, test.id)
    read_all(database, bob, test.id, "PR+")
    found = {(each.first, each.second): each for each in results.all_results(database, ada, test.id).kappas}
    assert set(found) == {
        ("ada", "bob"),
        ("ada", "model"),
        ("bob", "model"),
        ("ada", "classes of the data set"),
        ("bob", "classes of the data set"),
    }
    assert found["ada", "classes of the data set"].agree.value == 1.0


def test_uploaded_images_and_zips_are_read_without_classes(database: Database, ada: User) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("some/one.png", encode_png(tile(1, 300)))
    source = Uploads((("two.png", encode_png(tile(2, 300))), ("more.ZIP", packed.getvalue())))
    test = make_scoring_test(database, ada, Plan("up"), question=Question.PR, source=source, count=2, engine=ENGINE)
    items = reading.list_items(database, test.id)
    assert [item.truth for item in items] == ["", ""]
    with Image.open(io.BytesIO(files.read(test.id, items[0].id))) as picture:
        assert np.asarray(picture).shape == (300, 300, 3)
