"""What every reader hands on: a portion of a source as verbatim text columns, and the rows that could not be read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

ROW = "_row"
FILE = "_file"


@dataclass(frozen=True, kw_only=True)
class AsideRow:
    """A row that is no record: its number, why (a reason of `rules/quality.yaml`), and its text for the quarantine, never for a log."""

    row: int
    reason: str
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Portion:
    """`rows`: int64 `_row`, then one string column per header; `aside`: rows of the same stretch that go into quarantine."""

    rows: pa.RecordBatch
    aside: tuple[AsideRow, ...] = ()


def text_schema(header: tuple[str, ...]) -> pa.Schema:
    return pa.schema([(ROW, pa.int64()), *((name, pa.string()) for name in header)])


def text_batch(header: tuple[str, ...], numbers: Sequence[int], rows: Sequence[Sequence[str | None]]) -> pa.RecordBatch:
    """Rows of a small or irregular source as a batch; every row is as wide as the header."""
    columns = [pa.array([row[i] for row in rows], pa.string()) for i in range(len(header))]
    return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), *columns], schema=text_schema(header))
