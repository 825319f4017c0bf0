"""The models page."""

from pathlib import Path

from core import auth
from core.chosen_weights import use_file
from core.db import Database, User
from core.db.settings import get_app_settings
from core.labels import Role
from core.models.registry import CARDS
from core.models.weights import save_safetensors


def test_has_a_card_for_every_model(visit, pathologist: User):
    app = visit(pathologist, "models.py")
    text = " ".join(each.value for each in app.markdown)

    assert not app.exception
    assert all(card.title in text for card in CARDS.values())


def test_a_researcher_goes_back_to_the_weights_before(
    visit, database: Database, admin: User, pathologist: User, tmp_path: Path
):
    rita = auth.add_user(database, admin, "rita", "a long enough password", Role.RESEARCHER)
    weights = tmp_path / "mine.safetensors"
    save_safetensors(CARDS["simple_cnn"].build().state_dict(), weights)
    sha256 = use_file(database, admin, "simple_cnn", weights)

    assert not [each for each in visit(pathologist, "models.py").button if each.key == "roll_back-simple_cnn"]
    app = visit(rita, "models.py")
    assert any(sha256[:16] in each.value for each in app.caption)
    app.button(key="roll_back-simple_cnn").click().run()
    assert not app.exception
    assert get_app_settings(database).weights == {}
