"""Tables and queries of any database that SQLAlchemy reaches, in chunks on a server-side cursor."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from connectors.cell_text import cell_text
from connectors.headers import unique_headers
from connectors.portions import Portion, text_batch
from rules.errors import Refused

CHUNK_ROWS = 20_000
CONNECT_TIMEOUT_S = 10
DIGEST_BYTES = 16

_SECRET = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TIMEOUTS: Mapping[str, Mapping[str, int]] = {
    "postgresql": {"connect_timeout": CONNECT_TIMEOUT_S},
    "mysql": {"connect_timeout": CONNECT_TIMEOUT_S},
    "mssql": {"timeout": CONNECT_TIMEOUT_S},
    "oracle": {"tcp_connect_timeout": CONNECT_TIMEOUT_S},
    "sqlite": {"timeout": CONNECT_TIMEOUT_S},
}


@dataclass(kw_only=True)
class TableReading:
    """One pass over a table or a query. `digest` is known after it: it depends on the rows and not on their order."""

    engine: sa.Engine
    query: sa.Executable = field(repr=False)
    where: str
    header: tuple[str, ...]
    digest: str | None = None

    def portions(self) -> Iterator[Portion]:
        number, total = 1, 0
        for chunk in _chunks(self.engine, self.query, self.where):
            rows = [[cell_text(value) for value in row] for row in chunk]
            total += sum(_row_digest(row) for row in rows)
            yield Portion(rows=text_batch(self.header, list(range(number, number + len(rows))), rows))
            number += len(rows)
        names = "\x1f".join(self.header)
        self.digest = hashlib.sha256(f"{names}\x1e{number}\x1e{total % (1 << 8 * DIGEST_BYTES)}".encode()).hexdigest()


def open_table(url: URL, *, table: str | None, schema: str | None, query: str | None, where: str) -> TableReading:
    """Connect and look at the columns; refused with its own message when the database does not answer or lacks the table."""
    engine = _engine(url, where)
    statement = sa.text(query) if query else sa.select(sa.text("*")).select_from(_table(table or "", schema))
    try:
        with engine.connect() as connection, connection.execution_options(**_STREAMED).execute(statement) as result:
            names = list(result.keys())
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as fault:
        raise _refusal(fault, where) from None
    return TableReading(engine=engine, query=statement, where=where, header=unique_headers(names, len(names)))


def resolved_url(url: str, secrets: Mapping[str, str], *, where: str) -> URL:
    """The URL with its `${ENV}` filled in after it was taken apart, so that a password may hold any character."""
    missing = sorted({name for name in _SECRET.findall(url) if name not in secrets})
    if missing:
        raise Refused("SRC-SECRET", where=where, what="、".join(missing))
    whole = _SECRET.fullmatch(url)
    stand_ins = {f"9999{position:06d}": name for position, name in enumerate(_SECRET.findall(url))}
    try:
        if whole:
            return make_url(secrets[whole[1]])
        for mark, name in stand_ins.items():
            url = url.replace("${" + name + "}", mark, 1)
        return _filled(make_url(url), {mark: secrets[name] for mark, name in stand_ins.items()})
    except (sa.exc.ArgumentError, ValueError):
        raise Refused("SRC-SERVER", where=where, what="url") from None


_STREAMED = {"stream_results": True, "max_row_buffer": CHUNK_ROWS, "yield_per": CHUNK_ROWS}


def _filled(url: URL, values: Mapping[str, str]) -> URL:
    def fill(text: str) -> str:
        for mark, value in values.items():
            text = text.replace(mark, value)
        return text

    parts: dict[str, Any] = {
        name: fill(str(part)) for name in ("username", "password", "host", "database") if (part := getattr(url, name)) is not None
    }
    query = {name: fill(value) if isinstance(value, str) else tuple(map(fill, value)) for name, value in url.query.items()}
    return url.set(**parts, port=int(fill(str(url.port))) if url.port is not None else None, query=query)


def _engine(url: URL, where: str) -> sa.Engine:
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database and url.database != ":memory:" and not Path(url.database).exists():
        raise Refused("SRC-MISSING", where=Path(url.database).name)
    try:
        return sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args=dict(_TIMEOUTS.get(backend, {})))
    except (ImportError, sa.exc.ArgumentError) as fault:
        raise Refused("SRC-SERVER", where=where, what=f"缺少驱动 no driver: {url.drivername}") from fault


def _table(name: str, schema: str | None) -> sa.TableClause:
    """`schema.table` may stand in one word, as people write it."""
    if schema is None and "." in name:
        schema, name = name.split(".", 1)
    return sa.table(name, schema=schema)


def _chunks(engine: sa.Engine, query: sa.Executable, where: str) -> Iterator[Sequence[sa.Row[Any]]]:
    try:
        with engine.connect() as connection, connection.execution_options(**_STREAMED).execute(query) as result:
            yield from result.partitions(CHUNK_ROWS)
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as fault:
        raise _refusal(fault, where) from None


def _refusal(fault: sa.exc.SQLAlchemyError, where: str) -> Refused:
    """The driver's text may hold the URL or values of rows, so only its kind is told."""
    kind = type(getattr(fault, "orig", None) or fault).__name__
    answered = isinstance(fault, sa.exc.ProgrammingError) or (isinstance(fault, sa.exc.OperationalError) and _no_such_table(fault))
    return Refused("SRC-TABLE" if answered else "SRC-DATABASE", where=where, what=kind)


def _no_such_table(fault: sa.exc.OperationalError) -> bool:
    """SQLite and MySQL report a missing table or column, or a wrong statement, as an operational error."""
    text = str(fault.orig).lower()
    return any(sign in text for sign in ("no such", "syntax error", "doesn't exist", "unknown column", "not a database"))


def _row_digest(row: Sequence[str | None]) -> int:
    text = "\x1f".join("\x00" if cell is None else cell for cell in row)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest())
