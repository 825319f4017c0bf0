"""Text search that works alike on every database and for every alphabet."""

import unicodedata

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

MAX_SEARCH = 200
"""Characters of a search that count; databases limit the length of a pattern."""


def search_key(text: str) -> str:
    """Return the form in which texts are compared: compatibility characters unified, case folded, spaces trimmed.

    SQLite's own LOWER knows ASCII only, so the folded text is stored beside the original.
    """
    folded = unicodedata.normalize("NFKC", storable(text)).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def storable(text: str) -> str:
    """Return a text that every database takes: without NUL, lone surrogates (half characters) replaced by "?"."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def contains_words(column: InstrumentedAttribute[str], text: str) -> list[ColumnElement[bool]]:
    """Return one condition for each word of a search; `%` and `_` are searched for as they are."""
    return [column.contains(word, autoescape=True) for word in search_key(text[:MAX_SEARCH]).split()]
