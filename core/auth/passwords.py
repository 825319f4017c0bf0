"""Passwords: the rule for new ones, and argon2id hashes."""

import secrets
import threading
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.config import get_settings
from core.db.search import search_key
from core.errors import InvalidOptionError

MIN_PASSWORD = 10
MAX_PASSWORD = 1024

PASSWORD_RULE = f"At least {MIN_PASSWORD} characters, not the user name. A sentence is easy to remember."

_LANES = 4
# A hash takes 64 MiB; without a limit, a flood of sign-ins would take all memory.
_slots = threading.BoundedSemaphore(4)


def check_new_password(password: str, name: str) -> None:
    """Check a new password against the rule.

    Raises:
        InvalidOptionError: too short, too long, or the user name.
    """
    if len(password) < MIN_PASSWORD:
        raise InvalidOptionError(
            f"The password has {len(password)} characters; at least {MIN_PASSWORD} are needed. Choose a longer one."
        )
    if len(password) > MAX_PASSWORD:
        raise InvalidOptionError(f"The password is longer than {MAX_PASSWORD} characters. Choose a shorter one.")
    if search_key(password) == search_key(name):
        raise InvalidOptionError("The password is the user name. Choose another one.")


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, with its salt and parameters."""
    with _slots:
        return _hasher().hash(password)


def verify_password(password_hash: str, password: str) -> bool:
    """Say whether a password is the one that was hashed; a damaged hash fits none."""
    if len(password) > MAX_PASSWORD:
        return False
    try:
        with _slots:
            return _hasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _hasher().check_needs_rehash(password_hash)


def dummy_hash() -> str:
    """Return a hash that fits no password.

    It is verified for unknown names, so that the time to answer does not tell whether a name exists.
    """
    settings = get_settings()
    return _dummy_hash(settings.argon2_memory_kib, settings.argon2_passes)


@lru_cache(maxsize=2)
def _dummy_hash(memory_kib: int, passes: int) -> str:
    hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=_LANES)
    return hasher.hash(secrets.token_urlsafe(32))


def _hasher() -> PasswordHasher:
    settings = get_settings()
    return PasswordHasher(time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=_LANES)
