"""Opening the database, transactions, and its failures in words."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from core.config import get_settings
from core.db import migrations
from core.db.failures import describe_failure
from core.errors import StorageError

logger = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
"""How long a writer waits for another process to finish before the user is told."""

DATABASE_NAME = "workbench.db"

_WRITER_LOCK = 1_229_472_855  # any number that is the same in all processes


class Database:
    """An open database. Share one between threads; every `read` and `write` is a transaction of its own.

    Inside `together` (or another `write` of the same thread) they join that transaction.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = engine.execution_options(one_writer=True)
        self._local = threading.local()

    @property
    def label(self) -> str:
        """What the database is, without folders or secrets: "workbench.db (SQLite)"."""
        url = self._engine.url
        kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(url.get_backend_name(), url.get_backend_name())
        return f"{Path(url.database or 'memory').name} ({kind})"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads.

        Raises:
            StorageError: locked, damaged or unreachable.
        """
        joined: Session | None = getattr(self._local, "session", None)
        if joined is not None:
            yield joined
            return
        with self._in_words(), Session(self._engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that writes: all of it is kept, or nothing.

        There is one writer at a time, from the first statement on: what a transaction has read stays true until it
        writes (SQLite would refuse a reader that turns writer at once, without waiting).

        Raises:
            StorageError: locked, full, read-only, damaged or unreachable.
        """
        joined: Session | None = getattr(self._local, "session", None)
        if joined is not None:
            yield joined
            joined.flush()
            return
        with self._in_words(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            self._local.session = session
            try:
                yield session
            finally:
                self._local.session = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Make one transaction of several calls: a change and its line in the audit log are both kept, or neither.

        Raises:
            StorageError: see `write`.
        """
        with self.write():
            yield

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError):
            raise  # a conflict the query knows how to name, or a mistake of ours
        except (DBAPIError, PoolTimeoutError) as error:
            # The text of the statement may hold comments and names: the log gets the cause only.
            cause = error.orig if isinstance(error, DBAPIError) else error
            logger.error("database %s: %s", self.label, cause)
            raise StorageError(describe_failure(self.label, str(cause))) from error

    def migrate(self, steps: migrations.Migrations = migrations.MIGRATIONS) -> None:
        """Bring the structure up to date, one transaction for each migration.

        Raises:
            StorageError: the database cannot be written, or belongs to a newer version.
        """
        while True:
            with self.write() as session:
                connection = session.connection()
                migration = migrations.next_migration(connection, steps)
                if migration is None:
                    return
                migrations.apply(connection, migration, steps)


def open_database(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> Database:
    """Open a database and bring its tables up to date; an SQLite file and its folder are made if missing.

    Args:
        url: SQLAlchemy URL, e.g. `sqlite:////srv/workbench/workbench.db` or `postgresql+psycopg://...`.
        busy_timeout_s: how long to wait for another process that writes (SQLite).
    Raises:
        StorageError: unreachable, unwritable, damaged, locked, or made by a newer version.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            engine = _sqlite_engine(parsed, busy_timeout_s)
        else:
            engine = create_engine(parsed, pool_pre_ping=True, hide_parameters=True)
            event.listen(engine, "begin", _queue_writers)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise StorageError(
            f"DATABASE_URL cannot be used ({type(error).__name__}). Expected sqlite:///FILE, or a PostgreSQL URL "
            "with its driver installed. Correct it, or remove it to use the file in the data folder."
        ) from error
    database = Database(engine)
    try:
        database.migrate()
        if engine.dialect.name == "sqlite":
            _use_wal(database)
    except StorageError:
        database.close()
        raise
    return database


_open: dict[str, Database] = {}
_open_lock = threading.Lock()


def get_database() -> Database:
    """Return the database of the settings, opened once per process.

    Raises:
        StorageError: see `open_database`; the next call tries again.
    """
    settings = get_settings()
    url = settings.database_url
    if not url:
        file = settings.data_dir.resolve() / DATABASE_NAME
        url = URL.create("sqlite", database=str(file)).render_as_string()
    with _open_lock:
        if url not in _open:
            _open[url] = open_database(url)
        return _open[url]


def check_database(db: Database) -> None:
    """Check that the database is sound and can be written; nothing is changed.

    Raises:
        StorageError: it is not, and what to do.
    """
    with db.write() as session:
        if session.get_bind().dialect.name != "sqlite":
            session.execute(text("SELECT 1"))
            return
        found = session.execute(text("PRAGMA quick_check(1)")).scalar_one()
    if found != "ok":
        raise StorageError(describe_failure(db.label, "malformed"))


def _sqlite_engine(url: URL, busy_timeout_s: float) -> Engine:
    if url.database and url.database != ":memory:":
        try:
            # Private to the operating system user: the folder holds patients' images.
            Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The data folder cannot be made ({error.strerror}). Check DATA_DIR and its permissions."
            ) from error
    # hide_parameters: names and comments must not reach a log through an exception
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s}, hide_parameters=True)
    event.listen(engine, "connect", _configure_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _configure_connection(connection: Any, _record: object) -> None:
    # The driver would start transactions at odd moments (not before CREATE TABLE); `_begin` does it instead.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    writer = connection.get_execution_options().get("one_writer", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")


def _queue_writers(connection: Connection) -> None:
    # The rules are written for one writer at a time, as SQLite has it; the lock ends with the transaction.
    if connection.get_execution_options().get("one_writer", False) and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")


def _use_wal(db: Database) -> None:
    # Readers then never wait for a writer. The mode is a property of the file and cannot change inside a transaction.
    with db._in_words():
        raw = db._engine.raw_connection()
        try:
            raw.driver_connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[union-attr]
        finally:
            raw.close()
