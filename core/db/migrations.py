"""Changes of the database's structure: named functions, each applied once, in a transaction with its record.

To change a table: edit `tables.py`, write a function that brings an existing database there, append it to `MIGRATIONS`.
A new database gets today's tables at once and all migrations recorded as applied.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, insert, inspect, select

from core.db.tables import Base, MigrationTable
from core.errors import StorageError

Migration = Callable[[Connection], None]
Migrations = tuple[Migration, ...]


def first_tables(connection: Connection) -> None:
    """Version 0.1: all tables."""
    Base.metadata.create_all(connection)


def reader_tests(connection: Connection) -> None:
    """Blind reader tests, their images and the readers' answers."""
    names = ("reader_tests", "reader_items", "reader_answers")
    Base.metadata.create_all(connection, tables=[Base.metadata.tables[name] for name in names])


MIGRATIONS: Migrations = (first_tables, reader_tests)


def applied_names(connection: Connection) -> set[str]:
    """Return the migrations a database has seen; empty for a new one."""
    if not inspect(connection).has_table(MigrationTable.__tablename__):
        return set()
    return set(connection.scalars(select(MigrationTable.name)))


def next_migration(connection: Connection, migrations: Migrations) -> Migration | None:
    """Return the first migration that is missing.

    Raises:
        StorageError: a newer workbench has changed this database.
    """
    applied = applied_names(connection)
    unknown = applied - {migration.__name__ for migration in migrations}
    if unknown:
        raise StorageError(
            f"The database was changed by a newer version of the workbench ({', '.join(sorted(unknown))}). "
            "Update the workbench, or restore a backup made with this version."
        )
    return next((migration for migration in migrations if migration.__name__ not in applied), None)


def apply(connection: Connection, migration: Migration, migrations: Migrations) -> None:
    """Apply one migration and record it; a new database gets everything at once."""
    names = [migration.__name__]
    if not applied_names(connection):
        Base.metadata.create_all(connection)
        names = [each.__name__ for each in migrations]
    else:
        migration(connection)
    now = datetime.now(UTC)
    connection.execute(insert(MigrationTable), [{"name": name, "applied": now} for name in names])
