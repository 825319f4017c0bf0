"""What the database hands out: frozen dataclasses without secrets, so that none can leak by accident."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from core.labels import Marker, Role, Stain, StainSource

GUEST_ID = 0
"""Identifier of the guest, who is no row of the database and owns nothing."""

COMMAND_LINE_ID = -1
"""Identifier of the person at the server's command line, who acts as an administrator."""


@dataclass(frozen=True)
class User:
    """One person who may sign in. The password hash is not part of it.

    Attributes:
        created: UTC.
    """

    id: int
    name: str
    role: Role
    disabled: bool
    created: datetime

    @property
    def is_guest(self) -> bool:
        """Whether nothing may be stored for this user."""
        return self.role is Role.GUEST


@dataclass(frozen=True)
class TokenInfo:
    """An API token as its owner sees it; the token itself was shown once and is not stored.

    Attributes:
        last_used: UTC, to the minute; None while unused.
    """

    id: int
    label: str
    created: datetime
    last_used: datetime | None


@dataclass(frozen=True)
class AuditRow:
    """Who did what, and when (UTC). `user_name` is empty where nobody was signed in."""

    id: int
    at: datetime
    user_name: str
    action: str
    detail: str
    address: str


@dataclass(frozen=True)
class AuditQuery:
    """Which part of the audit log to list, newest first.

    Attributes:
        text: found in user name, action, detail or address, case ignored.
        date_from, date_to: UTC days, inclusive.
    """

    text: str = ""
    action: str | None = None
    date_from: date | None = None
    date_to: date | None = None
    limit: int = 200
    offset: int = 0


class HistorySort(StrEnum):
    """Order of the history; `CONFIDENCE` puts the least confident first, those without a score last."""

    NEWEST = "newest"
    OLDEST = "oldest"
    NAME = "name"
    OUTCOME = "outcome"
    CONFIDENCE = "confidence"


@dataclass(frozen=True)
class HistoryQuery:
    """Which entries of one user's history to list. None means any.

    Attributes:
        text: every word is found in name, outcome, own score or comment, case ignored.
        date_from, date_to: UTC days, inclusive.
        disagrees: the pathologist's own score differs from the outcome.
        virtual: the IHC was computed from H&E.
    """

    text: str = ""
    marker: Marker | None = None
    outcome: str | None = None
    date_from: date | None = None
    date_to: date | None = None
    disagrees: bool | None = None
    virtual: bool | None = None
    image_sha256: str | None = None
    sort: HistorySort = HistorySort.NEWEST
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True)
class HistoryRow:
    """One stored analysis as the history lists it.

    Attributes:
        created, own_at: UTC.
        confidence: in [0, 1]; None where nothing was scored.
        tiles: number of tiles that were scored.
        notices: codes of the warnings and errors.
        own_score, own_comment, own_at: the pathologist's own entry.
        disagrees: `own_score` differs from a scored `outcome`.
        width, height: of the upload in pixels.
        has_original: the uploaded file is kept.
    """

    id: str
    created: datetime
    name: str
    marker: Marker
    outcome: str
    confidence: float | None
    stain: Stain
    stain_source: StainSource
    tiles: int
    notices: tuple[str, ...]
    own_score: str | None
    own_comment: str
    own_at: datetime | None
    disagrees: bool
    image_sha256: str
    width: int
    height: int
    has_original: bool


@dataclass(frozen=True)
class UserUsage:
    """How much one user keeps: a count for the administrator, never the entries themselves.

    Attributes:
        last: UTC time of the newest entry, None without entries.
    """

    user_id: int
    name: str
    entries: int
    last: datetime | None
