"""Names that people give to runs and data sets."""

import unicodedata

MAX_NAME = 80


def clean_name(text: str, *, default: str = "unnamed") -> str:
    """Return a name that can be shown and stored: one line, printable, at most `MAX_NAME` characters."""
    # Categories starting with C are control, format (text direction too), surrogate and unassigned characters.
    printable = "".join(
        " " if char.isspace() or unicodedata.category(char).startswith("C") else char
        for char in unicodedata.normalize("NFC", text[: 10 * MAX_NAME])
    )
    return " ".join(printable.split())[:MAX_NAME].rstrip() or default
