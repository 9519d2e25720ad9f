"""Where records, tiles and checkpoints lie: one SQLite file (WAL, synchronous=FULL) or the PostgreSQL schema `audit`.

Both speak the same SQL here; what differs is the data of a `Dialect`. Indices are dense because they are taken from the row `head`
inside the transaction that inserts the records: a transaction that fails gives its indices back.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from audit.errors import LogBroken, LogUnavailable

BUSY_TIMEOUT_S = 30
CREATE_LOCK = 6962_000_001

TABLES = """
CREATE TABLE IF NOT EXISTS entry (seq {key} PRIMARY KEY, record {blob} NOT NULL);
CREATE TABLE IF NOT EXISTS open_intent (seq {key} PRIMARY KEY, holder TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tile (level INTEGER NOT NULL, position BIGINT NOT NULL, hashes {blob} NOT NULL, PRIMARY KEY (level, position));
CREATE TABLE IF NOT EXISTS checkpoint (size {key} PRIMARY KEY, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS cosignature (size BIGINT NOT NULL, name TEXT NOT NULL, line TEXT NOT NULL, PRIMARY KEY (size, name));
CREATE TABLE IF NOT EXISTS head (id INTEGER PRIMARY KEY CHECK (id = 1), next_seq BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS tree (id INTEGER PRIMARY KEY CHECK (id = 1), size BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY CHECK (id = 1), verifier TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kept (id INTEGER PRIMARY KEY CHECK (id = 1), first BIGINT NOT NULL, told_by BIGINT);
INSERT INTO head VALUES (1, 0) ON CONFLICT DO NOTHING;
INSERT INTO tree VALUES (1, 0) ON CONFLICT DO NOTHING;
INSERT INTO kept VALUES (1, 0, NULL) ON CONFLICT DO NOTHING
"""

Connection = Any
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one database is spoken to; connections are in autocommit mode, transactions are explicit."""

    connect: Callable[[], Connection]
    begin: str
    begin_reading: str
    mark: str
    key: str
    blob: str
    faults: tuple[type[Exception], ...]
    place: Callable[[], object] = lambda: None
    """What a connection was made to: if that is another file now, it writes where nobody will read."""
    create_first: tuple[str, ...] = ()
    one_writer: bool = False
    """Writers exclude each other: those of one process wait for a lock of ours, for the database looks again only every so often."""


class Storage:
    """Connections (one per thread) and transactions over one log database. A failed connection is dropped and made anew."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._local = threading.local()
        self._all: list[Connection] = []
        self._guard = threading.Lock()
        self._writer: AbstractContextManager[object] = threading.Lock() if dialect.one_writer else nullcontext()
        self._log: str | None = None
        self._create()

    def belongs_to(self, log: str) -> None:
        """From now on every new connection must be to the database of this log (its verifier key), not to one put in its place."""
        self._log = log

    def rows(self, sql: str, values: Sequence[object] = ()) -> Rows:
        """The result of one statement outside any transaction."""
        with self._translating():
            return list(self._executed(self._spoken(sql), values)[1].fetchall())

    @contextmanager
    def snapshot(self) -> Iterator["Transaction"]:
        """One unchanging view of the log, on a connection of its own, while others go on writing."""
        with self._translating():
            connection = self._dialect.connect()
            try:
                connection.execute(self._dialect.begin_reading)
                yield Transaction(connection, self._spoken)
            finally:
                connection.close()

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """A writing transaction: committed durably when the block ends, rolled back when it raises."""
        with self._translating(), self._writer:
            connection, _ = self._executed(self._dialect.begin)
            try:
                yield Transaction(connection, self._spoken)
                connection.execute("COMMIT")
            except BaseException:
                self._roll_back(connection)
                raise

    def close(self) -> None:
        with self._guard:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()

    def _executed(self, sql: str, values: Sequence[object] = ()) -> tuple[Connection, Any]:
        """This thread's connection and the cursor of a statement that changes nothing; made anew if the server had closed it since."""
        connection = self._connection()
        try:
            return connection, connection.execute(sql, values)
        except self._dialect.faults:
            if not getattr(connection, "closed", False):
                raise
        self._drop(connection)
        connection = self._connection()
        return connection, connection.execute(sql, values)

    def _connection(self) -> Connection:
        connection, place = getattr(self._local, "connection", None), self._dialect.place()
        if connection is not None and self._local.place != place:
            self._drop(connection)
            connection = None
        if connection is None:
            connection = self._connected()
            self._local.connection, self._local.place = connection, self._dialect.place()
            with self._guard:
                self._all.append(connection)
        return connection

    def _connected(self) -> Connection:
        connection = self._dialect.connect()
        if self._log is not None and connection.execute("SELECT verifier FROM identity").fetchall() != [(self._log,)]:
            connection.close()
            raise LogBroken(0, "the database is not that of this log any more: another was put in its place")
        return connection

    def _roll_back(self, connection: Connection) -> None:
        try:
            connection.execute("ROLLBACK")
        except self._dialect.faults:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._local.connection = None
        with self._guard:
            self._all = [kept for kept in self._all if kept is not connection]
        connection.close()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        try:
            yield
        except self._dialect.faults as fault:
            connection = getattr(self._local, "connection", None)
            if connection is not None and getattr(connection, "closed", False):
                self._drop(connection)
            if type(fault) is sqlite3.DatabaseError:  # its subclasses are about what was asked; it alone is about the file
                raise LogBroken(0, "the database file of the log is damaged") from fault
            raise LogUnavailable(f"the log's database does not take or give records ({type(fault).__name__})") from fault

    def _spoken(self, sql: str) -> str:
        return sql.replace("?", self._dialect.mark)

    def _create(self) -> None:
        with self.transaction() as db:
            for sql in self._dialect.create_first:
                db.run(sql)
            for sql in TABLES.format(key=self._dialect.key, blob=self._dialect.blob).split(";"):
                db.run(sql)


class Transaction:
    """What may be done inside `Storage.transaction()`."""

    def __init__(self, connection: Connection, spoken: Callable[[str], str]) -> None:
        self._connection, self._spoken = connection, spoken

    def run(self, sql: str, values: Sequence[object] = ()) -> None:
        self._connection.execute(self._spoken(sql), values)

    def rows(self, sql: str, values: Sequence[object] = ()) -> Rows:
        return list(self._connection.execute(self._spoken(sql), values).fetchall())

    def run_many(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        self._connection.cursor().executemany(self._spoken(sql), values)


def first_kept(db: Transaction) -> int:
    """The first index whose record was not destroyed after its years (audit.retention)."""
    return int(db.rows("SELECT first FROM kept")[0][0])


def as_bytes(value: object) -> bytes:
    """What a column of bytes holds. Changed by hand it may come back as another type: that is a changed byte to find, no reason to stop."""
    if isinstance(value, bytes | memoryview):
        return bytes(value)
    return str(value).encode("utf-8", "surrogateescape")


def open_storage(url: str) -> Storage:
    """The log database at a SQLAlchemy URL (`sqlite:///…` or `postgresql…`); its tables are made if they are not there."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "")
        with suppress(OSError):  # what then is wrong with it the first connection says
            path.touch()
        return Storage(_sqlite(path))
    return Storage(_postgresql(parsed.set(drivername="postgresql").render_as_string(hide_password=False)))


def _sqlite(path: Path) -> Dialect:
    def connect() -> Connection:
        """Never makes a file: one that is gone is a fault, and not the beginning of a new log."""
        location = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(location, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        connection.text_factory = _readable
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        return connection

    def place() -> object:
        try:
            found = path.stat()
        except OSError as fault:
            raise sqlite3.OperationalError("the file of the log is gone") from fault
        return found.st_dev, found.st_ino

    return Dialect(
        connect=connect,
        begin="BEGIN IMMEDIATE",
        begin_reading="BEGIN",
        mark="?",
        key="INTEGER",
        blob="BLOB",
        faults=(sqlite3.Error,),
        place=place,
        one_writer=True,
    )


def _postgresql(url: str) -> Dialect:
    import psycopg

    def connect() -> Connection:
        connection = psycopg.connect(url, autocommit=True)
        connection.execute("SET search_path TO audit")
        connection.execute("SET synchronous_commit TO on")
        return connection

    create_first = (f"SELECT pg_advisory_xact_lock({CREATE_LOCK})", "CREATE SCHEMA IF NOT EXISTS audit")
    return Dialect(
        connect=connect,
        begin="BEGIN",
        begin_reading="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        mark="%s",
        key="BIGINT",
        blob="BYTEA",
        faults=(psycopg.Error,),
        create_first=create_first,
    )


def _readable(data: bytes) -> str:
    """A damaged text is read all the same: what was signed shows that it was changed."""
    return data.decode(errors="replace")
