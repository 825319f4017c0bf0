"""How the installation does: storage used, device, backend, versions, disk, database."""

import platform
import shutil
from importlib.metadata import version

import streamlit as st

from core import __version__, history
from core.config import get_settings
from core.db.engine import Database, check_database
from core.db.records import User
from core.errors import AppError
from pages.ui import errors, model_states, times

PARTS = ("streamlit", "torch", "openvino", "sqlalchemy", "numpy")


def show_storage(db: Database, actor: User) -> None:
    """Disk and history, and how many analyses each user keeps: counts, never images."""
    folder = get_settings().data_dir
    with errors.shown():
        used, rows = history.storage_bytes(), history.usage(db, actor)
    disk = shutil.disk_usage(folder if folder.exists() else folder.parent)
    with st.grid(3):
        st.metric("History", _size(used), border=True)
        st.metric("Free on this disk", _size(disk.free), border=True)
        st.metric("Analyses", sum(row.entries for row in rows), border=True)
    st.dataframe(
        {
            "User": [row.name for row in rows],
            "Analyses": [row.entries for row in rows],
            "Newest": [times.local(row.last) for row in rows],
        },
        hide_index=True,
        key="usage_table",
    )


def show(db: Database, _actor: User) -> None:
    """What works, and what does not."""
    from core.serving import serving_engine

    with errors.shown(), st.spinner("Looking at the device..."):
        backend = serving_engine(db).backend
    try:
        check_database(db)
        database = "works"
    except AppError as error:
        database = str(error)
    with st.grid(3):
        st.metric("Workbench", __version__, border=True)
        st.metric("Backend", backend, border=True)
        st.metric("Database", database if len(database) < 20 else "problem", border=True)
    if database != "works":
        st.error(database, icon=":material/error:")
    for view in model_states.views(db):
        icon = ":material/check_circle:" if view.sha256 else ":material/block:"
        st.markdown(f"{icon} {view.title}" + (f": {view.problem}" if view.problem else ""))
    versions = ", ".join(f"{name} {version(name)}" for name in PARTS)
    st.caption(f"Python {platform.python_version()} on {platform.machine()}, {versions} · {db.label}")


def _size(count: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"
