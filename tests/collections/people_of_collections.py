"""People who keep synthetic images, or may not."""

from datetime import UTC, datetime

from core.db import User
from core.labels import Role


def person(number: int, name: str, role: Role) -> User:
    """Somebody with an account."""
    return User(number, name, role, disabled=False, created=datetime(2026, 11, 1, tzinfo=UTC))


ADMIN = person(1, "Ada", Role.ADMIN)
RITA = person(2, "Rita", Role.RESEARCHER)
RON = person(3, "Ron", Role.RESEARCHER)
PAULA = person(4, "Paula", Role.PATHOLOGIST)
