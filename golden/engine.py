"""The DuckDB connection in which the steps of reconciliation make their relations."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

MEMORY_LIMIT = "11GB"
"""Above it DuckDB spills to the folder given; a district of 5 M residents stays under 16 GiB with the arrays beside it."""

ORDINAL = pa.int64()


@contextmanager
def open_engine(spill: Path, *, memory_limit: str = MEMORY_LIMIT) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that spills under `spill`, which the caller has to itself; what a killed process left there is removed."""
    spill.mkdir(parents=True, exist_ok=True)
    for left in spill.glob("engine-*"):
        shutil.rmtree(left, ignore_errors=True)
    with TemporaryDirectory(prefix="engine-", dir=spill) as folder, duckdb.connect() as con:
        con.execute(f"SET memory_limit='{memory_limit}'")
        con.execute(f"SET temp_directory='{quoted(folder)}'")
        con.execute("SET preserve_insertion_order=false")
        con.execute("SET checkpoint_threshold='1TB'")  # nothing here outlives the connection; checkpoints took a third of the time
        con.execute("SET enable_progress_bar=false")
        yield con


def scratch(con: duckdb.DuckDBPyConnection, name: str) -> Path:
    """A folder for files that go when the connection goes, or with what a killed process left."""
    spill: str = con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]
    folder = Path(spill) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def quoted(text: str) -> str:
    """Text as it stands between single quotes in SQL."""
    return text.replace("'", "''")


def identifier(name: str) -> str:
    """A column name as SQL reads it, whatever a contract called it."""
    return '"' + name.replace('"', '""') + '"'


def enum_of(words: Iterable[str]) -> str:
    """SQL of the type of columns that hold only these words: they stand as numbers, which are sorted and written in half the time."""
    listed = ", ".join(f"'{quoted(word)}'" for word in sorted(words) or [""])  # in alphabetical order, for rows are sorted by them
    return f"ENUM ({listed})"


def count(con: duckdb.DuckDBPyConnection, relation: str, where: str = "true") -> int:
    """Rows of a relation that meet a condition."""
    row = con.execute(f"SELECT count(*) FROM {relation} WHERE {where}").fetchall()[0]
    return int(row[0])


def arrow(con: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """The rows of a query as one Arrow table."""
    return con.sql(sql).to_arrow_table()


def keep(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> str:
    """An Arrow table kept as a relation of the connection."""
    con.register("arriving", table)
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM arriving")
    con.unregister("arriving")
    return name
