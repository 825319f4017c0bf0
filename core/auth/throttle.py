"""Delays that grow with every failed sign-in, per name and per address, shared by all processes."""

import math
from datetime import datetime, timedelta

from core.auth.secret import sha256_hex
from core.db import sessions
from core.db.clock import utc_now
from core.db.engine import Database
from core.db.search import search_key
from core.errors import TooManyAttemptsError

_MAX_S = 300
FREE_PER_NAME = 4
"""Attempts under one name without a delay; then 2, 4, 8, ... seconds, at most five minutes."""
FREE_PER_ADDRESS = 20
"""The same for one address, which many people of a hospital may share."""


def count_attempt(db: Database, name: str, address: str, *, now: datetime | None = None) -> None:
    """Count an attempt before its password is checked.

    Args:
        address: of the client; empty where it is not known, then only the name counts.
    Raises:
        TooManyAttemptsError: too early after failures; nothing was counted.
    """
    delays = {_name_key(name): _steps(FREE_PER_NAME)}
    if address:
        delays[_address_key(address)] = _steps(FREE_PER_ADDRESS)
    wait = sessions.count_attempt(db, delays, now=now or utc_now())
    if wait > timedelta():
        seconds = math.ceil(wait.total_seconds())
        raise TooManyAttemptsError(
            f"Too many attempts failed. Please wait {seconds} s before the next one.", wait_s=seconds
        )


def forgive(db: Database, name: str, address: str) -> None:
    """Forget the failures of a name after a success.

    The address only gets this one attempt back: otherwise a person with an account could try others' passwords
    for ever by signing in to the own one in between.
    """
    sessions.forgive_attempts(db, forget=_name_key(name), uncount=_address_key(address))


def _steps(free: int) -> tuple[timedelta, ...]:
    seconds = [0] * free
    while seconds[-1] < _MAX_S:
        seconds.append(min(max(2, seconds[-1] * 2), _MAX_S))
    return tuple(timedelta(seconds=each) for each in seconds)


def _name_key(name: str) -> str:
    # People type passwords into the name field: what was typed must not be readable in the database.
    return f"name:{sha256_hex(search_key(name))}"


def _address_key(address: str) -> str:
    return f"address:{sha256_hex(address)}"
