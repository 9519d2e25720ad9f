"""Writing the departments' files block by block: delimited text, JSON lines, Parquet, SQLite, and at the end Excel."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xlsxwriter

from district.person_sets import Form
from district.texts import Texts, join

MOST_EXCEL_ROWS = 100_000
_BOM = b"\xef\xbb\xbf"


class Sink(Protocol):
    """One data set's file while it grows; columns are headers with texts, null for empty."""

    def write(self, columns: Mapping[str, Texts]) -> None: ...

    def note(self, cells: Sequence[str]) -> None:
        """A line that is no record: a total, or the header once more. Files without lines have none."""

    def close(self) -> None: ...


def open_sink(form: Form, path: Path, title: str) -> Sink:
    path.parent.mkdir(parents=True, exist_ok=True)
    return _SINKS[form.format](form, path, title)


class TextSink:
    """CSV, also with tabs or semicolons. Only cells that need quotes have them, as departments' systems write it."""

    def __init__(self, form: Form, path: Path, title: str) -> None:
        self._form, self._title, self._begun = form, title, False
        self._file = path.open("wb")

    def write(self, columns: Mapping[str, Texts]) -> None:
        if not self._begun:
            self._begin(list(columns))
        cells = [_quoted(pc.fill_null(texts, ""), self._form.delimiter) for texts in columns.values()]
        self._emit(_lines(cells, self._form.delimiter))

    def note(self, cells: Sequence[str]) -> None:
        self._emit((self._form.delimiter.join(cells) + "\r\n").encode())

    def close(self) -> None:
        self._file.close()

    def _begin(self, headers: list[str]) -> None:
        self._begun = True
        if self._form.encoding == "utf-8-sig":
            self._file.write(_BOM)
        if self._form.title_lines:
            self.note([self._title, *[""] * (len(headers) - 1)])
        self.note(headers)

    def _emit(self, data: bytes) -> None:
        if self._form.encoding.startswith("utf-8"):
            self._file.write(data)
        else:
            self._file.write(data.decode().encode(self._form.encoding))


def _quoted(texts: Texts, delimiter: str) -> Texts:
    special = pc.match_substring_regex(texts, f'[{delimiter}"\r\n]')
    if not pc.any(special).as_py():
        return texts
    return pc.if_else(special, join('"', pc.replace_substring(texts, '"', '""'), '"'), texts)


def _lines(cells: Sequence[Texts], delimiter: str) -> bytes:
    """All rows as one run of bytes: the data buffer of the joined column, without a Python string per row."""
    rows = pc.binary_join_element_wise(*cells, pa.scalar(delimiter, pa.string()))
    rows = pc.cast(join(rows, "\r\n"), pa.large_string())
    data = rows.buffers()[2]
    offsets = rows.buffers()[1]
    first, last = (memoryview(offsets).cast("q")[place] for place in (rows.offset, rows.offset + len(rows)))
    return memoryview(data)[first:last].tobytes()


class JsonSink:
    """One object a line; empty cells are null."""

    def __init__(self, form: Form, path: Path, title: str) -> None:
        self._file = path.open("wb")

    def write(self, columns: Mapping[str, Texts]) -> None:
        fields = [join(f'"{header}": ', _json(texts)) for header, texts in columns.items()]
        rows = pc.binary_join_element_wise(*fields, pa.scalar(", ", pa.string()))
        self._file.write(_lines([join("{", rows, "}")], ","))

    def note(self, cells: Sequence[str]) -> None:
        pass

    def close(self) -> None:
        self._file.close()


def _json(texts: Texts) -> Texts:
    escaped = pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
    return pc.fill_null(join('"', pc.replace_substring(escaped, "\t", "\\t"), '"'), "null")


class ParquetSink:
    def __init__(self, form: Form, path: Path, title: str) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None

    def write(self, columns: Mapping[str, Texts]) -> None:
        table = pa.table(dict(columns))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table)

    def note(self, cells: Sequence[str]) -> None:
        pass

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class DatabaseSink:
    """A table of a SQLite file, as a department's small system keeps it."""

    def __init__(self, form: Form, path: Path, title: str) -> None:
        path.unlink(missing_ok=True)
        self._table, self._database = path.stem, sqlite3.connect(path)

    def write(self, columns: Mapping[str, Texts]) -> None:
        names = ", ".join(f'"{header}"' for header in columns)
        marks = ", ".join("?" * len(columns))
        self._database.execute(f'CREATE TABLE IF NOT EXISTS "{self._table}" ({names})')
        rows = zip(*(texts.to_pylist() for texts in columns.values()), strict=True)
        with self._database:
            self._database.executemany(f'INSERT INTO "{self._table}" VALUES ({marks})', rows)

    def note(self, cells: Sequence[str]) -> None:
        pass

    def close(self) -> None:
        self._database.close()


class ExcelSink:
    """All text, as exports of departments' systems are; a merged title line above the header where the form has one."""

    def __init__(self, form: Form, path: Path, title: str) -> None:
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_numbers": False})
        self._sheet = self._book.add_worksheet("Sheet1")
        self._form, self._title, self._row = form, title, 0

    def write(self, columns: Mapping[str, Texts]) -> None:
        if not self._row:
            self._begin(list(columns))
        for row in zip(*(texts.to_pylist() for texts in columns.values()), strict=True):
            for place, text in enumerate(row):
                if text is not None:
                    self._sheet.write_string(self._row, place, text)
            self._row += 1

    def note(self, cells: Sequence[str]) -> None:
        self._sheet.write_row(self._row, 0, cells)
        self._row += 1

    def close(self) -> None:
        self._book.close()

    def _begin(self, headers: list[str]) -> None:
        if self._form.title_lines:
            self._sheet.merge_range(0, 0, 0, len(headers) - 1, self._title)
            self._row = 1
        self.note(headers)


_SINKS: Mapping[str, Callable[[Form, Path, str], Sink]] = {
    "csv": TextSink,
    "json": JsonSink,
    "parquet": ParquetSink,
    "database": DatabaseSink,
    "xlsx": ExcelSink,
}
EXTENSIONS = {"csv": ".csv", "json": ".jsonl", "parquet": ".parquet", "database": ".db", "xlsx": ".xlsx"}
