"""The store: one engine over SQLite or PostgreSQL, its sessions, and its schema brought up to date.

The same code runs on both; what differs stands in this module and nowhere else. On SQLite: WAL, foreign keys on, one writer at a time.
On PostgreSQL: psycopg 3, everything in the schema `store` through the search path.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg.errors
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.orm import Session, SessionTransaction

from catalog.locks import hold
from rules.errors import PlatformFault

PG_SCHEMA = "store"
SQLITE_BUSY_MS = 30_000
MIGRATION_LOCK = 0x746F6E67  # any fixed number: the advisory lock that one migration at a time holds


class StoreSession(Session):
    """A session whose explicit `begin()` means writing.

    SQLite cannot turn a read transaction into a writing one once another process has written, so `with store.session() as s, s.begin():`
    takes the write lock at once (and waits for it); a session that only reads, without `begin()`, never waits for a writer.
    """

    def begin(self, nested: bool = False) -> SessionTransaction:
        transaction = super().begin(nested=nested)
        if not nested:
            self.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        return transaction


class Store:
    """An open store. `session()` for work, `engine` for what needs plain connections."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def session(self) -> Iterator[StoreSession]:
        """A session, closed at the end. Whoever opens it commits it: `with store.session() as s, s.begin():`."""
        with StoreSession(self.engine, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        self.engine.dispose()


class Watch:
    """Tells whether anything was committed to a store, for a hundredth of what a question to it costs. For one thread at a time."""

    def __init__(self, store: Store) -> None:
        self._connection = store.engine.raw_connection() if store.is_sqlite else None

    def moment(self) -> int | None:
        """Between two equal moments nothing was committed. None where that cannot be told: PostgreSQL has no such number."""
        if self._connection is None:
            return None
        [(version,)] = self._connection.cursor().execute("PRAGMA data_version").fetchall()
        return int(version)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def open_store(url: str) -> Store:
    """The store at a SQLAlchemy URL (`sqlite:///…`, `postgresql://…`); its schema must be there already (`migrate`)."""
    return Store(_engine(_driver_url(url)))


def migrate(url: str) -> None:
    """Bring the database to the newest schema; safe to repeat and safe when two processes do it at once."""
    target = _driver_url(url)
    if target.get_backend_name() == "sqlite":
        _migrate_sqlite(target)
    else:
        _migrate_postgres(target)


def serialise(session: Session, work: str) -> None:
    """Let only one transaction at a time do `work`, until the caller commits. On SQLite `begin()` has seen to it already."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext(:work))"), {"work": work})


def _driver_url(url: str) -> URL:
    target = make_url(url)
    if target.get_backend_name() == "postgresql":
        return target.set(drivername="postgresql+psycopg")
    if target.get_backend_name() == "sqlite":
        return target
    raise PlatformFault("STORE-URL", where=target.get_backend_name())


def _engine(target: URL) -> sa.Engine:
    if target.get_backend_name() == "sqlite":
        engine = sa.create_engine(target, connect_args={"timeout": SQLITE_BUSY_MS / 1000, "check_same_thread": False})
        sa.event.listen(engine, "connect", _set_up_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
        return engine
    return sa.create_engine(target, connect_args={"options": f"-csearch_path={PG_SCHEMA} -ctimezone=UTC"}, pool_pre_ping=True)


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # `_begin_sqlite` opens transactions: the driver would not open one before DDL
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={SQLITE_BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")


def _migrate_sqlite(target: URL) -> None:
    path = Path(target.database or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = _engine(target)
    with hold(path.with_name(f".{path.name}.migration.lock")), engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        _upgrade(connection)
    engine.dispose()


def _migrate_postgres(target: URL) -> None:
    engine = _engine(target)
    try:
        with engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MIGRATION_LOCK)))
            connection.execute(sa.schema.CreateSchema(PG_SCHEMA, if_not_exists=True))
            _upgrade(connection)
    except sa.exc.OperationalError as fault:
        raise PlatformFault("STORE-CONNECT", where=target.host or "", what=_kind(fault)) from fault
    finally:
        engine.dispose()


def _upgrade(connection: sa.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as fault:  # the database was written by a newer version than this checkout
        raise PlatformFault("STORE-NEWER") from fault


def _kind(fault: sa.exc.OperationalError) -> str:
    """The kind of the driver's error; its text may hold the URL."""
    return type(fault.orig).__name__ if isinstance(fault.orig, psycopg.errors.Error) else "connection"
