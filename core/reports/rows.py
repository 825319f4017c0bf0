"""Lines of a report's tables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of a table: what, and how much with its unit."""

    label: str
    value: str
