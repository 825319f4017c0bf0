"""The Training page: choosing images and a recipe, starting, watching, comparing, using what came of it."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from runs_by_hand import add_run, draw, write_class_folders
from training_page import on_folder, opened, said, settled, tab

from core import jobs
from core.db import User
from core.jobs import processes, records
from core.training.config import Recipe
from core.training.run_folder import State


def test_opens_with_nothing_and_says_what_to_do(visit, researcher: User):
    app = visit(researcher, "training.py")

    assert not app.exception
    assert [each.value for each in app.title] == ["Training"]
    assert app.file_uploader and all(app.button(key=f"recipe-{each.value}").disabled for each in Recipe)
    assert "Choose images first" in said(app)
    assert "No runs yet" in said(tab(app, "Runs"))
    assert "No data sets yet" in said(tab(app, "Data sets"))


def test_pathologists_do_not_train(visit, pathologist: User):
    with pytest.raises(ValueError):
        visit(pathologist, "training.py")


@pytest.mark.usefixtures("waiting_queue")
def test_starts_a_run_on_a_folder_and_opens_it(visit, researcher: User, tmp_path: Path):
    images = write_class_folders(tmp_path / "tiles")
    app = on_folder(visit, researcher, images)
    app.text_input(key="run_name").set_value("first try")
    app.number_input(key="set-simple-cnn-epochs").set_value(3)
    app.button(key="start_run").click().run()

    assert not app.exception and not app.error
    run = jobs.list_runs(researcher)[0]
    assert (run.name, run.recipe, run.data) == ("first try", Recipe.SIMPLE_CNN, str(images))
    assert jobs.config_of(run.folder).epochs == 3
    assert app.query_params["run"] == run.id
    assert "Next in the queue" in said(app)


def test_only_recipes_that_fit_the_images_can_be_chosen(visit, researcher: User, tmp_path: Path):
    images = write_class_folders(tmp_path / "tiles")
    app = on_folder(visit, researcher, images)
    app.button(key="recipe-medsyngan").click().run()

    assert app.button(key="recipe-virtual-stain").disabled
    assert not app.button(key="recipe-ihcnet").disabled
    assert app.number_input(key="set-medsyngan-epochs").value == 200


def test_settings_that_do_not_work_get_a_sentence_and_stay(visit, researcher: User, tmp_path: Path):
    images = write_class_folders(tmp_path / "tiles")
    app = on_folder(visit, researcher, images)
    app.number_input(key="set-simple-cnn-learning_rate").set_value(0.0).run()

    assert "learning_rate" in app.error[0].value
    assert not [each for each in app.button if each.key == "start_run"]
    assert app.text_input(key="data_folder").value == str(images)


@pytest.mark.parametrize(
    ("folder", "words"), [("empty", "No images"), ("one", "two classes"), ("none", "no folder"), ("broken", "read")]
)
def test_images_that_cannot_be_used_get_a_sentence(visit, researcher: User, tmp_path: Path, folder: str, words: str):
    (tmp_path / "empty").mkdir()
    draw(tmp_path / "one" / "PR-" / "1.png", seed=1)
    draw(tmp_path / "one" / "PR-" / "2.png", seed=2)
    for path in list(write_class_folders(tmp_path / "broken").rglob("*.png"))[::2]:
        path.write_bytes(b"no picture")
    app = on_folder(visit, researcher, tmp_path / folder)

    assert words in app.error[0].value
    assert all(app.button(key=f"recipe-{each.value}").disabled for each in Recipe)
    assert not [each for each in app.button if each.key == "start_run"]


def test_a_finished_classifier_shows_its_figures(visit, researcher: User):
    run_id = add_run(researcher, "tiles of [two] classes")
    app = opened(visit, researcher, run_id)

    assert {"Accuracy": "91 %", "Quadratic kappa": "0.82", "Cases right": "7 of 8"}.items() <= {
        each.label: each.value for each in app.metric
    }.items()
    assert "83 % to 96 %" in said(app) and "learnt training images by heart" in said(app)
    assert len(app.get("plotly_chart")) == 5
    assert "97 % sure" in said(tab(app, "Mistakes", f"run_tab-{run_id}"))
    assert len(tab(app, "Curves", f"run_tab-{run_id}").get("plotly_chart")) == 2
    assert "epoch 10" in tab(app, "Settings and log", f"run_tab-{run_id}").code[0].value


def test_a_run_offers_its_files(visit, researcher: User):
    app = opened(visit, researcher, add_run(researcher, "to take away"))

    assert [each.label for each in app.get("download_button")] == ["safetensors", ".pth", "Notebook", "Whole run"]


@pytest.mark.usefixtures("waiting_queue")
def test_an_uploaded_zip_becomes_a_data_set_with_a_report(visit, researcher: User, tmp_path: Path):
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", write_class_folders(tmp_path / "tiles"))
    app = visit(researcher, "training.py")
    app.file_uploader(key="zip-0").upload("my tiles.zip", Path(packed).read_bytes()).run()
    app = settled(app)

    stored = jobs.list_datasets(researcher)[0]
    assert (stored.name, stored.files) == ("my tiles", 24)
    assert app.selectbox(key="data_stored").value == stored.id
    assert "**24 images** · 8 cases · 128 × 128 px" in said(app)
    assert "Few images to train on" in app.warning[0].value
    sets = tab(app, "Data sets")
    assert "24 images of PR\\-, PR\\+" in said(sets)
    sets.button(key=f"delete_data-{stored.id}").click().run()
    sets.button(key="confirm_delete_data").click().run()
    assert jobs.list_datasets(researcher) == []


@pytest.mark.parametrize("recipe", [Recipe.MEDSYNGAN, Recipe.VIRTUAL_STAIN])
def test_a_finished_generator_shows_pictures_beside_its_figures(visit, researcher: User, recipe: Recipe):
    run_id = add_run(researcher, "pictures", recipe)
    app = opened(visit, researcher, run_id)

    assert len(app.metric) == 4 and app.image and app.table
    samples = tab(app, "Samples", f"run_tab-{run_id}")
    assert samples.select_slider(key=f"samples-{run_id}-epoch").value == "latest"


def test_a_run_with_many_losses_shows_all_its_curves(visit, researcher: User):
    run_id = add_run(researcher, "many", Recipe.MEDSYNGAN)
    names = [
        f"{place}{name}_loss" for place in ("train_", "") for name in ("d", "g", "class", "anchor", "real", "fake")
    ]
    for epoch in (8, 9):
        folder = jobs.get_run(researcher, run_id).folder
        folder.add_stats({"kind": "epoch", "epoch": epoch, "seconds": 9.0, **dict.fromkeys(names, 0.5)})
    app = tab(opened(visit, researcher, run_id), "Curves", f"run_tab-{run_id}")
    assert not app.exception


def test_a_running_one_shows_how_far_it_is_and_stops(visit, researcher: User, trainer: subprocess.Popen[bytes]):
    run_id = add_run(researcher, "live", state=State.RUNNING, epoch=4)
    folder = records.read_job(run_id).folder
    records.write_job(replace(records.read_job(run_id), requested=records.Wish.RUN))
    records.write_trainer(folder, processes.describe(trainer.pid, "cpu"))
    app = opened(visit, researcher, run_id)

    assert "Epoch 5 of 10 · about 75 s left" in [each.text for each in app.get("progress")]
    assert app.get("plotly_chart")
    app.button(key="stop_run").click().run()
    assert folder.asked_to_stop()
    assert app.button(key="stop_run").disabled


@pytest.mark.usefixtures("waiting_queue")
def test_a_failed_run_says_why_and_can_be_resumed(visit, researcher: User):
    run_id = add_run(researcher, "too fast", state=State.FAILED, epoch=2, message="Lower the learning rate.")
    app = opened(visit, researcher, run_id)

    assert "Lower the learning rate" in app.error[0].value
    app.button(key="resume_run").click().run()
    assert jobs.get_run(researcher, run_id).status.state is State.QUEUED


def test_deletes_a_run_after_a_question(visit, researcher: User):
    run_id = add_run(researcher, "not wanted")
    app = opened(visit, researcher, run_id)
    app.button(key="delete_run").click().run()
    assert jobs.list_runs(researcher)

    app.button(key="confirm_delete_run").click().run()

    assert not app.exception
    assert jobs.list_runs(researcher) == []


def test_compares_two_runs(visit, researcher: User):
    ids = [add_run(researcher, "fast"), add_run(researcher, "slow", speed=0.1)]
    app = tab(visit(researcher, "training.py"), "Runs")
    assert app.button(key="compare_runs").disabled
    for run_id in ids:
        app.checkbox(key=f"pick_run-{run_id}").check().run()
    app.button(key="compare_runs").click().run()

    assert not app.exception
    table = app.dataframe[0].value
    assert set(table.columns) == {"", "fast", "slow"}
    assert "Balanced accuracy" in list(table[""])
    assert len(app.get("plotly_chart")) == 4


def test_nobody_opens_anothers_run(visit, researcher: User, admin: User):
    run_id = add_run(admin, "of the administrator")
    app = opened(visit, researcher, run_id)

    assert "somebody else's" in app.error[0].value
    assert "of the administrator" not in said(app)


def test_an_administrator_sees_whose_run_it_is(visit, researcher: User, admin: User):
    add_run(researcher, "of the researcher")
    app = tab(visit(admin, "training.py"), "Runs")

    assert "of rosa" in said(app)
