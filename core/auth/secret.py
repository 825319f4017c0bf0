"""Random secrets, and the form in which the database knows them."""

import hashlib
import secrets

TOKEN_PREFIX = "ihcw_"
"""Start of every API token, so that people and secret scanners recognise one."""


def new_secret() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """Return a new API token, 256 random bits.

    All in lower case: the published phone application lower-cases the server address that it is typed into.
    """
    return TOKEN_PREFIX + secrets.token_hex(32)


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text. Enough for secrets of 256 random bits; never for passwords."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
