"""An extract into a department's database (库表交换, law.md L-20): loaded aside in chunks, then swapped in, so that nobody there sees half.

The file that was sealed is what is loaded. Its rows go into a table of another name; only when all are in is that renamed to the asked one,
in one transaction, and what stood there is dropped. A load that is stopped or fails leaves the recipient's table as it was.
"""

import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.engine import URL

from connectors.database import resolved_url
from rules.errors import Refused

ROWS_A_CHUNK = 5_000
TABLE_NAME = re.compile(r"[^\W\d]\w{0,39}")
DRIVERS: Mapping[str, str] = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql"}
"""Where the URL names no driver."""


@dataclass(frozen=True, kw_only=True)
class Destination:
    """A table in a department's database. `url` as it was asked for, secrets still as `${ENV}`; `place` with them filled in."""

    url: str
    table: str
    place: URL

    def __repr__(self) -> str:
        return f"Destination(table={self.table!r})"


def destination(url: str, table: str, environ: Mapping[str, str]) -> Destination:
    """Refused SRC-SECRET for a secret that the environment lacks, SRC-SERVER for what is no URL, DOOR-TABLE for what is no table's name."""
    if not TABLE_NAME.fullmatch(table):
        raise Refused("DOOR-TABLE", where=table, what="表名 name")
    place = resolved_url(url, environ, where=table)
    return Destination(url=url, table=table, place=place.set(drivername=DRIVERS.get(place.drivername, place.drivername)))


@contextmanager
def loaded_aside(to: Destination, file: Path, watch: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Load a Parquet file of texts beside the table; gives what swaps it in. Without that, nothing is left of it.

    `watch` is called before each chunk and may raise to stop. Refused DOOR-TABLE if the database does not take it, without its message.
    """
    aside = f"{to.table}__in_{secrets.token_hex(4)}"
    engine = _engine(to.place)
    try:
        with _refusals(to):
            rows = _table(aside, file)
            rows.create(engine)
        try:
            with _refusals(to):
                _load(engine, rows, file, watch)
            yield lambda: _swap(engine, to, aside)
        finally:
            with suppress(sa.exc.SQLAlchemyError):
                rows.drop(engine, checkfirst=True)
    finally:
        engine.dispose()


def _engine(place: URL) -> sa.Engine:
    """On SQLite the driver would not open a transaction before the renaming."""
    engine = sa.create_engine(place)
    if place.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None


def _table(name: str, file: Path) -> sa.Table:
    return sa.Table(name, sa.MetaData(), *(sa.Column(column, sa.Text) for column in pq.read_schema(file).names))


def _load(engine: sa.Engine, rows: sa.Table, file: Path, watch: Callable[[], None]) -> None:
    with pq.ParquetFile(file) as read:
        for batch in read.iter_batches(ROWS_A_CHUNK):
            watch()
            with engine.begin() as connection:
                connection.execute(rows.insert(), batch.to_pylist())


def _swap(engine: sa.Engine, to: Destination, aside: str) -> None:
    quoted = engine.dialect.identifier_preparer.quote
    before = f"{to.table}__out_{secrets.token_hex(4)}"
    with _refusals(to), engine.begin() as connection:
        if sa.inspect(connection).has_table(to.table):
            connection.execute(sa.text(f"ALTER TABLE {quoted(to.table)} RENAME TO {quoted(before)}"))
        connection.execute(sa.text(f"ALTER TABLE {quoted(aside)} RENAME TO {quoted(to.table)}"))
        connection.execute(sa.text(f"DROP TABLE IF EXISTS {quoted(before)}"))


@contextmanager
def _refusals(to: Destination) -> Iterator[None]:
    """The driver's text may hold a row or the URL; its kind holds neither."""
    try:
        yield
    except sa.exc.SQLAlchemyError as fault:
        raise Refused("DOOR-TABLE", where=to.table, what=type(getattr(fault, "orig", None) or fault).__name__) from None
