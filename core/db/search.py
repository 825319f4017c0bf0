"""Text search that works alike on every database and for every alphabet."""

import unicodedata

from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute


def search_key(text: str) -> str:
    """Return the form in which texts are compared: compatibility characters unified, case folded, spaces trimmed.

    SQLite's own LOWER knows ASCII only, so the folded text is stored beside the original.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).strip()


def contains_words(column: InstrumentedAttribute[str], text: str) -> list[ColumnElement[bool]]:
    """Return one condition for each word of a search; `%` and `_` are searched for as they are."""
    return [column.contains(word, autoescape=True) for word in search_key(text).split()]
