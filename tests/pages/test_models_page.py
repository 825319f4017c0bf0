"""The models page."""

from core.db import User
from core.models.registry import CARDS


def test_has_a_card_for_every_model(visit, pathologist: User):
    app = visit(pathologist, "models.py")
    text = " ".join(each.value for each in app.markdown)

    assert not app.exception
    assert all(card.title in text for card in CARDS.values())
