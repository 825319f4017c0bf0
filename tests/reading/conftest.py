"""People, a data set of tissue-like tiles and a collection of other ones."""

import pytest
from tiles_to_read import tile

from core import auth, collections, jobs
from core.collections import KeptImage
from core.db import Database, User
from core.labels import Role

PASSWORD = "a long enough password"


@pytest.fixture
def ada(database: Database) -> User:
    """The administrator, who makes tests."""
    return auth.create_first_admin(database, "ada", PASSWORD, local=True)


@pytest.fixture
def bob(database: Database, ada: User) -> User:
    """A pathologist."""
    return auth.add_user(database, ada, "bob", PASSWORD, Role.PATHOLOGIST)


@pytest.fixture
def real_set(ada: User) -> str:
    """A data set of 12 tiles of two classes."""
    images = ((label, f"tile {number}.png", tile(number)) for label in ("PR-", "PR+") for number in range(6))
    return jobs.add_images(ada, "Real tiles", images).id


@pytest.fixture
def kept(ada: User) -> str:
    """A collection of 8 images of two classes."""
    made = collections.create(ada, "Kept")
    collections.add_images(
        ada,
        made.id,
        (
            (KeptImage("PR+" if seed % 2 else "PR-", seed, 1.0, "medsyngan_g", "ab" * 32), tile(1000 + seed))
            for seed in range(8)
        ),
    )
    return made.id
