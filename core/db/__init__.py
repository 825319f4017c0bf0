"""The database: its tables and the only queries. Frozen dataclasses come out, SQLAlchemy objects never do."""

from core.db.engine import Database, check_database, get_database, open_database
from core.db.records import (
    AuditRow,
    HistoryQuery,
    HistoryRow,
    HistorySort,
    TokenInfo,
    User,
    UserUsage,
)

__all__ = [
    "AuditRow",
    "Database",
    "HistoryQuery",
    "HistoryRow",
    "HistorySort",
    "TokenInfo",
    "User",
    "UserUsage",
    "check_database",
    "get_database",
    "open_database",
]
