"""The truth beside the sources: who the residents are, whose each record is, and where which dirty pattern stands."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from district.texts import Texts, pick, words
from district.views import Mark, View

TABLES = ("residents", "records", "patterns")
WHOLE_COLUMN = "*"


class TruthFile:
    """A Parquet file, one row group per table given."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def records_table(view: View) -> pa.Table:
    residents = view.residents.ids().take(pa.array(view.who))
    return pa.table({"dataset": _repeated(view.spec.key, len(view)), "record": view.keys, "resident": residents})


def patterns_table(view: View) -> pa.Table:
    """Each pattern at each record and column; `record` is * where a habit of the department makes the whole column so."""
    marks = [_marks_table(view, replace(mark, rows=np.unique(mark.rows))) for mark in view.marks]
    return pa.concat_tables([_patterns(view, words([]), "", ""), *marks, *_habits(view)])


def _marks_table(view: View, mark: Mark) -> pa.Table:
    whole = mark.pattern == "X-19"
    return _patterns(view, words([WHOLE_COLUMN]) if whole else view.keys.take(pa.array(mark.rows)), mark.pattern, mark.column)


def _habits(view: View) -> list[pa.Table]:
    """Code tables of the department's own: X-12 for sex, X-14 for all others; told once, with the first block."""
    if view.residents.block:
        return []
    coded = [(("X-12" if c.element == "sex" else "X-14"), c.name) for c in view.spec.columns if c.codes]
    return [_patterns(view, words([WHOLE_COLUMN]), pattern, column) for pattern, column in coded if view.wants(pattern)]


def stray_rows(view: View, headers: list[str]) -> pa.Table:
    """X-20: lines of the file that are nobody's record, by what stands in their key's column."""
    strays = ([headers[0]] if repeats_header(view) else []) + (["合计"] if has_total(view) else [])
    return _patterns(view, words(strays), "X-20", next(iter(view.columns)))


def repeats_header(view: View) -> bool:
    return view.spec.form.header_again and view.residents.block == 0 and view.wants("X-20")


def has_total(view: View) -> bool:
    return view.spec.form.totals and view.residents.block == view.residents.plan.blocks - 1 and view.wants("X-20")


def _patterns(view: View, records: Texts, pattern: str, column: str) -> pa.Table:
    texts = [_repeated(value, len(records)) for value in (view.spec.key, pattern, column)]
    return pa.table({"dataset": texts[0], "record": records, "pattern": texts[1], "column": texts[2]})


def _repeated(word: str, count: int) -> Texts:
    return pick(words([word]), np.zeros(count, np.int64))
