"""A study on the Training page: chosen like any recipe, watched as its table fills in, read, and nothing to use."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from runs_by_hand import add_run, write_class_folders
from training_page import on_folder, opened, said, tab

from core import jobs
from core.db import User
from core.jobs import processes, records
from core.training.config import Recipe, StudyConfig
from core.training.run_folder import State

PARTS = 55


@pytest.mark.usefixtures("waiting_queue")
def test_a_study_is_set_up_and_started_like_any_recipe(visit, researcher: User, tmp_path: Path):
    images = write_class_folders(tmp_path / "tiles", cases=6)
    app = on_folder(visit, researcher, images)
    app.button(key="recipe-study").click().run()
    assert app.text_input(key="set-study-ratios").value == "0.5, 1, 2"
    assert not [each for each in app.number_input if each.key == "set-study-val_share"]
    app.text_input(key="set-study-ratios").set_value("1")
    app.number_input(key="set-study-folds").set_value(2)
    app.button(key="start_run").click().run()

    assert not app.exception and not app.error
    run = jobs.list_runs(researcher)[0]
    config = jobs.config_of(run.folder)
    assert isinstance(config, StudyConfig) and (config.ratios, config.folds) == ((1.0,), 2)
    assert (run.status.epochs, run.status.unit) == (config.rounds, "part")


def test_ratios_that_are_no_numbers_get_a_sentence(visit, researcher: User, tmp_path: Path):
    app = on_folder(visit, researcher, write_class_folders(tmp_path / "tiles", cases=6))
    app.button(key="recipe-study").click().run()
    app.text_input(key="set-study-ratios").set_value("some").run()

    assert "ratios" in app.error[0].value


def test_too_few_cases_for_the_folds_get_a_sentence(visit, researcher: User, tmp_path: Path):
    app = on_folder(visit, researcher, write_class_folders(tmp_path / "tiles", cases=2))
    app.button(key="recipe-study").click().run()
    app.button(key="start_run").click().run()

    assert "too few for 3 folds" in app.error[0].value
    assert jobs.list_runs(researcher) == []


def test_a_finished_study_shows_its_answer_and_offers_no_weights(visit, researcher: User):
    run_id = add_run(researcher, "does it help", Recipe.STUDY, epoch=PARTS)
    app = opened(visit, researcher, run_id)

    assert "+2 filtered helped" in app.info[0].value.replace("\\", "")
    assert list(app.dataframe[0].value["Trained on"]) == [
        "real alone", "+0.5 as generated", "+1 as generated", "+2 as generated", "+1 filtered", "+2 filtered",
    ]  # fmt: skip
    assert len(app.get("plotly_chart")) == 3
    assert "380 of 500 synthetic images: 76 %. The published run accepted 14.6 %." in said(app)
    assert not [each for each in app.button if each.key in ("use_weights", "resume_longer")]
    assert [each.label for each in app.get("download_button")] == ["Notebook", "Whole run", "Table as CSV"]
    assert "Ratios" not in said(tab(app, "Settings and log", f"run_tab-{run_id}"))


def test_a_running_study_fills_its_table_in(
    visit,
    researcher: User,
    trainer: subprocess.Popen[bytes],
):
    run_id = add_run(researcher, "half way", Recipe.STUDY, state=State.RUNNING, epoch=8, message="filtering, fold 2")
    folder = records.read_job(run_id).folder
    records.write_job(replace(records.read_job(run_id), requested=records.Wish.RUN))
    records.write_trainer(folder, processes.describe(trainer.pid, "cpu"))
    app = opened(visit, researcher, run_id)

    assert any(each.text.startswith("Part 9 of ") for each in app.get("progress"))
    assert "Filtering, fold 2" in said(app).replace("\\", "")
    assert list(app.dataframe[0].value["Better in"])[1].endswith("of 1")


@pytest.mark.usefixtures("waiting_queue")
def test_a_stopped_study_shows_what_it_has_and_can_be_resumed(visit, researcher: User):
    run_id = add_run(researcher, "stopped", Recipe.STUDY, state=State.STOPPED, epoch=14, message="Stopped.")
    app = opened(visit, researcher, run_id)

    assert "14 of 60 parts are done" in said(app)
    app.button(key="resume_run").click().run()
    assert jobs.get_run(researcher, run_id).status.state is State.QUEUED
