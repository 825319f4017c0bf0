"""The Training page as tests go through it: a folder chosen, a run opened, a tab, what is said."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.db import User


def opened(visit, user: User, run_id: str) -> AppTest:
    """The page with one run open, as after a reload of its address."""
    app = visit(user, run=run_id)
    app.query_params["run"] = run_id
    app.switch_page("training.py").run()
    assert not app.exception, app.exception
    return app


def tab(app: AppTest, name: str, key: str = "training_tab") -> AppTest:
    """Open a tab."""
    app.session_state[key] = name
    app.run()
    assert not app.exception, app.exception
    return app


def on_folder(visit, user: User, images: Path) -> AppTest:
    """The page with a folder chosen and looked at."""
    app = visit(user, "training.py")
    app.segmented_control(key="data_source").set_value("Folder on the server").run()
    app.text_input(key="data_folder").set_value(str(images)).run()
    return settled(app)


def settled(app: AppTest) -> AppTest:
    """The page when its threads have done their work."""
    while "training_work" in app.session_state:
        pieces = list(app.session_state["training_work"].values())
        for piece in pieces:
            assert piece.done.wait(30)
        app.run()
        assert not app.exception, app.exception
        if list(app.session_state["training_work"].values()) == pieces:
            break
    return app


def said(app: AppTest) -> str:
    """All words on the page."""
    kinds = (app.markdown, app.caption, app.error, app.warning, app.info, app.success, app.subheader)
    return "\n".join(each.value for kind in kinds for each in kind)
