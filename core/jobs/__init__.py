"""Trainings as jobs: a queue, a process for each run, and who may do what with it.

A run is a folder, its trainer a process of its own; nothing here lives in memory alone. Pages, API and command line
ask; `tick` supervises, once a second in every server.
"""

from core.jobs.datasets import (
    StoredData,
    add_images,
    add_pictures,
    add_upload,
    delete_dataset,
    get_dataset,
    list_datasets,
)
from core.jobs.estimate import Estimate, estimate
from core.jobs.launcher import tick
from core.jobs.requests import delete, resume, set_priority, stop
from core.jobs.runs import RESEARCHERS, Run, config_of, evaluation_of, get_run, list_runs
from core.jobs.sources import data_path
from core.jobs.submission import submit, usable_data

__all__ = [
    "RESEARCHERS",
    "Estimate",
    "Run",
    "StoredData",
    "add_images",
    "add_pictures",
    "add_upload",
    "config_of",
    "data_path",
    "delete",
    "delete_dataset",
    "estimate",
    "evaluation_of",
    "get_dataset",
    "get_run",
    "list_datasets",
    "list_runs",
    "resume",
    "set_priority",
    "stop",
    "submit",
    "tick",
    "usable_data",
]
