"""What every screen shares: navigation by role and the footer."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from core import __version__
from core.db.records import User
from core.labels import Role
from core.reports.content import DISCLAIMER
from pages.ui import browser

FRONTEND = Path(__file__).with_name("frontend")
ANALYZE, HISTORY, TRAINING, MODELS = "analyze.py", "history.py", "training.py", "models.py"
SYNTHESIS, STAINING, TOUR = "synthesis.py", "virtual_staining.py", "demonstration.py"
READING = "reading.py"
ACCOUNT, ADMIN = "account.py", "admin.py"
PATHS = (
    "history",
    "reading",
    "synthesis",
    "virtual_staining",
    "training",
    "models",
    "demonstration",
    "account",
    "admin",
    "sign_out",
)


def pages_for(user: User | None) -> Mapping[str, Sequence[Page | Callable[[], None]]]:
    """The screens somebody may open, in the order of the navigation; signed out there is only the sign-in.

    A known address leads to the sign-in while signed out, so that an expired session is no "page not found".
    """
    if user is None:
        sign_in = [st.Page("sign_in.py", title="Sign in", url_path=path) for path in PATHS]
        return {"": [st.Page("sign_in.py", title="Sign in", default=True), *sign_in]}
    work = [st.Page(ANALYZE, title="Analyze", icon=":material/biotech:", default=True)]
    own = []
    if not user.is_guest:
        work.append(st.Page(HISTORY, title="History", icon=":material/history:"))
        work.append(st.Page(READING, title="Reader tests", icon=":material/visibility:"))
        own.append(st.Page(ACCOUNT, title="Account", icon=":material/person:"))
    if user.role in (Role.RESEARCHER, Role.ADMIN):
        work.append(st.Page(SYNTHESIS, title="Synthesis", icon=":material/auto_awesome_mosaic:"))
        work.append(st.Page(STAINING, title="Virtual staining", icon=":material/format_color_fill:"))
        work.append(st.Page(TRAINING, title="Training", icon=":material/model_training:"))
    work.append(st.Page(MODELS, title="Models", icon=":material/neurology:"))
    own.append(st.Page(TOUR, title="Demonstration", icon=":material/slideshow:"))
    if user.role is Role.ADMIN:
        work.append(st.Page(ADMIN, title="Admin", icon=":material/settings:"))
    own.append(st.Page(sign_out, title="Sign out", icon=":material/logout:"))
    return {"": work, user.name: own}


def header() -> None:
    """Title, icon and logo of every screen."""
    st.set_page_config(page_title="IHC Workbench", page_icon=FRONTEND / "icon.svg", layout="wide")
    st.logo(FRONTEND / "logo.svg", size="large")


def sign_out() -> None:
    """Leave for the route that ends the session."""
    browser.go(browser.SIGN_OUT)


def footer() -> None:
    """The line under every screen."""
    with st.container(key="footer", horizontal_alignment="center"):
        st.space("medium")
        st.caption(f"{DISCLAIMER} IHC Workbench {__version__}", text_alignment="center")
