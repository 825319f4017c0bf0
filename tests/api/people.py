"""People with accounts, as the tests of the API use them."""

from dataclasses import dataclass

from core import auth
from core.db import Database, User
from core.labels import Role

PASSWORD = "a quiet morning in the lab"


@dataclass(frozen=True)
class Person:
    """A user and an API token of theirs."""

    user: User
    token: str

    @property
    def bearer(self) -> dict[str, str]:
        """The header that says who asks."""
        return {"Authorization": f"Bearer {self.token}"}


def person(database: Database, name: str, role: Role) -> Person:
    """Add a user with a token; the first one becomes the administrator."""
    if auth.users_exist(database):
        user = auth.add_user(database, auth.command_line_user(), name, PASSWORD, role)
    else:
        user = auth.create_first_admin(database, name, PASSWORD, local=True)
    return Person(user, auth.create_token(database, user, "test"))
