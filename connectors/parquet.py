"""Parquet files: row groups as text columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from connectors.cell_text import cell_text
from connectors.headers import unique_headers
from connectors.portions import Portion, text_schema
from rules.errors import Refused

PORTION_ROWS = 100_000


@dataclass(kw_only=True)
class ParquetReading:
    """One pass over one file."""

    path: Path
    header: tuple[str, ...]

    def portions(self) -> Iterator[Portion]:
        number = 1
        with _open(self.path) as file:
            try:
                for batch in file.iter_batches(PORTION_ROWS):
                    yield Portion(rows=as_text_batch(batch, self.header, number))
                    number += batch.num_rows
            except (pa.ArrowException, OSError) as fault:
                raise Refused("SRC-UNREADABLE", where=self.path.name, what=type(fault).__name__) from fault


def parquet_header(path: Path) -> tuple[str, ...]:
    with _open(path) as file:
        names = file.schema_arrow.names
    return unique_headers(names, len(names))


def as_text_batch(batch: pa.RecordBatch, header: tuple[str, ...], first_number: int) -> pa.RecordBatch:
    """Typed Arrow columns as text, rows numbered from `first_number`."""
    numbers = pa.array(range(first_number, first_number + batch.num_rows), pa.int64())
    return pa.RecordBatch.from_arrays([numbers, *(_text(column) for column in batch.columns)], schema=text_schema(header))


def _text(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.dictionary_decode())
    if pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind):
        return pc.cast(column, pa.string())
    return pa.array([cell_text(value) for value in column.to_pylist()], pa.string())


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as fault:
        code = "SRC-EMPTY" if path.stat().st_size == 0 else "SRC-UNREADABLE"
        raise Refused(code, where=path.name, what=type(fault).__name__) from fault
