"""The one-time code that proves, to the first administrator's page, access to the server's terminal."""

import hmac
import logging
import secrets
from functools import lru_cache

from core.db import users
from core.db.engine import Database

logger = logging.getLogger(__name__)

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 5 bits each, without look-alikes


@lru_cache(maxsize=1)
def setup_code() -> str:
    """Return the setup code of this process: 80 random bits as "ABCD-EFGH-JKLM-NPQR"."""
    letters = [secrets.choice(_ALPHABET) for _ in range(16)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def announce_setup_code(db: Database) -> None:
    """Print the setup code in the terminal, as long as nobody has an account. Call once at start."""
    if users.count_users(db) == 0:
        logger.warning("Create the administrator in the browser. From another machine, enter the code %s", setup_code())


def code_fits(code: str | None) -> bool:
    """Say whether somebody entered the setup code; case, spaces and dashes do not matter."""
    entered = "".join((code or "").split()).replace("-", "").upper()
    return hmac.compare_digest(entered.encode(), setup_code().replace("-", "").encode())
