"""The tab Runs: the list, one run, or several beside each other."""

from core.db.engine import Database
from core.db.records import User
from pages.ui import training_compare, training_list, training_places, training_run


def show(db: Database, user: User) -> None:
    """What was opened last."""
    compared, opened = training_places.compared(), training_places.opened()
    if compared:
        training_compare.show(user, compared)
    elif opened:
        training_run.show(db, user, opened)
    else:
        training_list.show(user)
