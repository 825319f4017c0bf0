"""The tables as SQLAlchemy 2 typed columns; portable between SQLite and PostgreSQL."""

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time, aware and UTC in Python, naive UTC in the database: SQLite has no time zones."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn aware into naive UTC."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn naive UTC into aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Root of the tables."""

    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012


class MigrationTable(Base):
    """Which changes of the structure this database has seen."""

    __tablename__ = "migrations"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    applied: Mapped[datetime]


class UserTable(Base):
    """People who may sign in; `name_key` is the name as compared, so that "Anna" and "anna" are one."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(String(256), unique=True)
    role: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(255))
    disabled: Mapped[bool]
    created: Mapped[datetime]


class SessionTable(Base):
    """Sign-ins; the cookie's value is known only as its SHA-256. No user means a guest."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime]
    last_seen: Mapped[datetime]
    expires: Mapped[datetime]


class TokenTable(Base):
    """API tokens, known only as their SHA-256."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime]
    last_used: Mapped[datetime | None]


class TicketTable(Base):
    """One-time tickets that carry a sign-in from a page to the cookie; the session token is sealed with the ticket."""

    __tablename__ = "tickets"

    ticket_sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[str] = mapped_column(String(256))
    expires: Mapped[datetime]


class AttemptTable(Base):
    """Sign-in attempts per name and per address since the last success; keys are hashes, not what was typed."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    count: Mapped[int]
    last: Mapped[datetime]
    blocked_until: Mapped[datetime]


class HistoryTable(Base):
    """Stored analyses; their pictures lie in files named by `id`."""

    __tablename__ = "history"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created: Mapped[datetime]
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    marker: Mapped[str] = mapped_column(String(20))
    outcome: Mapped[str] = mapped_column(String(40))
    confidence: Mapped[float | None] = mapped_column(Float)
    stain: Mapped[str] = mapped_column(String(20))
    stain_source: Mapped[str] = mapped_column(String(20))
    tiles: Mapped[int]
    notices: Mapped[str] = mapped_column(Text)
    own_score: Mapped[str | None] = mapped_column(String(40))
    own_comment: Mapped[str] = mapped_column(Text)
    own_at: Mapped[datetime | None]
    disagrees: Mapped[bool]
    image_sha256: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]
    height: Mapped[int]
    has_original: Mapped[bool]
    search_text: Mapped[str] = mapped_column(Text)
    deleted_at: Mapped[datetime | None]

    __table_args__ = (
        Index("history_by_user", "user_id", "deleted_at", "created"),
        Index("history_by_fingerprint", "user_id", "fingerprint"),
    )


class ReaderTestTable(Base):
    """Blind reader tests; their images lie in files named by the items."""

    __tablename__ = "reader_tests"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(40))
    seed: Mapped[int] = mapped_column(BigInteger)
    created: Mapped[datetime]
    offered: Mapped[bool]
    note: Mapped[str] = mapped_column(Text)


class ReaderItemTable(Base):
    """Images of reader tests; `truth`, `label`, `source` and `model_answer` are for nobody who still reads."""

    __tablename__ = "reader_items"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    test_id: Mapped[str] = mapped_column(ForeignKey("reader_tests.id", ondelete="CASCADE"), index=True)
    truth: Mapped[str] = mapped_column(String(40))
    label: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(Text)
    model_answer: Mapped[str] = mapped_column(String(40))
    model_confidence: Mapped[float | None] = mapped_column(Float)


class ReaderAnswerTable(Base):
    """What a reader said about an image: one answer each."""

    __tablename__ = "reader_answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    test_id: Mapped[str] = mapped_column(ForeignKey("reader_tests.id", ondelete="CASCADE"), index=True)
    item_id: Mapped[str] = mapped_column(ForeignKey("reader_items.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    answer: Mapped[str] = mapped_column(String(40))
    confidence: Mapped[int | None]
    seconds: Mapped[float] = mapped_column(Float)
    at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("item_id", "user_id"),)


class SettingTable(Base):
    """The administrator's settings, one JSON value each."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class AuditTable(Base):
    """Who did what. The name is copied: the log must still read well when users change."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[int | None]
    user_name: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(60), index=True)
    detail: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(String(64))
    search_text: Mapped[str] = mapped_column(Text)
