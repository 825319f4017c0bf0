"""The tab Health of the page Synthesis: what it asks, measures, shows and exports."""

import pytest
from people_of_pages import PASSWORD
from streamlit.testing.v1 import AppTest

from core import auth
from core.db import Database, User
from core.inference import generator_health
from core.labels import Role
from core.quality import health_figures
from pages.ui import background, workspace
from pages.ui.synthesis import health, places

PAGE = "synthesis.py"
LIMIT_S = 120


@pytest.fixture
def researcher(database: Database, admin: User) -> User:
    """A researcher, named rita."""
    return auth.add_user(database, admin, "rita", PASSWORD, Role.RESEARCHER)


@pytest.fixture
def tab(visit, researcher: User) -> AppTest:
    """The page with the tab Health open."""
    app = visit(researcher, PAGE)
    app.session_state[places.NEXT] = places.HEALTH
    return app.run()


def measured(app: AppTest, *, count: int = 60, seed: str = "5") -> AppTest:
    """Ask for a measurement."""
    app.number_input(key=health.COUNT).set_value(count)
    app.text_input(key=health.SEED).set_value(seed)
    return app.button(key="health_measure").click().run()


def finished(app: AppTest) -> AppTest:
    """Wait until it is done."""
    task = background.find(app.session_state[workspace.STATE].owner, health.KIND)
    assert task is not None and task.done.wait(LIMIT_S)
    return app.run()


def texts(app: AppTest) -> str:
    """All that is said on the page."""
    parts = (app.markdown, app.caption, app.error, app.info, app.success, app.warning)
    return " ".join(str(each.value) for part in parts for each in part)


def test_says_what_to_do_first(tab: AppTest) -> None:
    assert not tab.exception
    assert "Press Measure" in texts(tab)


@pytest.mark.parametrize(
    ("count", "seed", "words"),
    [(0, "1", "50 to 2,000"), (-5, "1", "50 to 2,000"), (1_000_000, "1", "50 to 2,000"), (60, "x", "seed is 'x'")],
)
def test_refuses_in_words(tab: AppTest, count: int, seed: str, words: str) -> None:
    app = measured(tab, count=count, seed=seed)
    assert not app.exception
    assert words in texts(app)


def test_measures_and_shows_figures_beside_real_ones(tab: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_figures, "ROUNDS", 3)
    app = finished(measured(tab))

    assert not app.exception
    assert [metric.label for metric in app.metric] == [
        "Fréchet distance",
        "Kernel distance",
        "Precision (fidelity)",
        "Recall (diversity)",
        "Class as asked for",
        "Memorised",
        "Variety of features",
        "Variety of pictures",
    ]
    said = texts(app)
    assert "No collapse" in said and "60 synthetic images" in said
    assert "1,699 held-out tiles of 7 cases" in said and "Classes are named by SimpleCNN" in said
    assert "not on this machine" in said  # the data set is not registered here
    shown = app.session_state[health.STATE]
    assert isinstance(shown, health.Measured) and isinstance(shown.health, generator_health.GeneratorHealth)
