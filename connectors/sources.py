"""A data set's source: the files or the table that its contract names, opened as one stream of verbatim text columns."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import pyarrow as pa

from catalog.datasets import Dataset, Server
from connectors.database import TableReading, open_table, resolved_url
from connectors.excel import SheetReading, find_sheets
from connectors.headers import refuse_missing
from connectors.json_records import JsonReading, json_header
from connectors.parquet import ParquetReading, parquet_header
from connectors.portions import FILE, ROW, Portion
from connectors.text import TextReading
from connectors.text_layout import find_layout
from rules.errors import Refused

NO_SECRETS: Mapping[str, str] = MappingProxyType({})
HASH_BYTES = 1 << 20
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "csv": (".csv", ".tsv", ".txt", ".dat"),
    "xlsx": (".xlsx", ".xls", ".xlsm", ".xlsb", ".et", ".ods"),
    "parquet": (".parquet", ".pq"),
    "json": (".json", ".jsonl", ".ndjson"),
}


class Reading(Protocol):
    """One pass over one part of a source."""

    def portions(self) -> Iterator[Portion]: ...


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file, sheet or table of a source, with its own header."""

    name: str
    header: tuple[str, ...]
    open: Callable[[], Reading] = field(repr=False)
    title: str = ""


@dataclass(kw_only=True)
class Source:
    """All parts of a data set's source. Columns are those of all parts, in the order in which they appear."""

    parts: Sequence[Part]
    files: Sequence[Path]
    _digest: str | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def header(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(chain.from_iterable(part.header for part in self.parts)))

    @property
    def schema(self) -> pa.Schema:
        """`_row`, the columns, and `_file` where there are several parts: a row number alone would not find the row."""
        columns = [(ROW, pa.int64()), *((name, pa.string()) for name in self.header)]
        return pa.schema([*columns, (FILE, pa.string())] if len(self.parts) > 1 else columns)

    def digest(self) -> str:
        """Of the bytes of files, in the order of their names; of a table's rows, whatever their order, which reads them all."""
        if self._digest is None and self.files:
            self._digest = files_digest(self.files)
        if self._digest is None:
            for _ in self.portions():
                pass
        assert self._digest is not None
        return self._digest

    def portions(self) -> Iterator[Portion]:
        """All rows of all parts, once."""
        digests: list[str] = []
        for part in self.parts:
            reading = part.open()
            for portion in reading.portions():
                yield self._conformed(portion, part)
            if isinstance(reading, TextReading) and reading.ends_open:
                self.warnings.append(
                    f"{part.name}: 最后一行没有换行符，请确认文件完整 the last line has no end, please check that the file is whole"
                )
            if isinstance(reading, TextReading | TableReading):
                digests.append(reading.digest or "")
        if len(digests) == len(self.parts):
            self._digest = _joined_digest(digests)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows alone, without what was set aside."""
        return (portion.rows for portion in self.portions())

    def _conformed(self, portion: Portion, part: Part) -> Portion:
        """A part's portion in the columns of the whole source."""
        if len(self.parts) == 1:
            return portion
        held = {name: portion.rows.column(i) for i, name in enumerate(portion.rows.schema.names)}
        nothing = pa.nulls(portion.rows.num_rows, pa.string())
        held[FILE] = pa.array([part.name] * portion.rows.num_rows, pa.string())
        arrays = [held.get(name, nothing) for name in self.schema.names]
        return replace(portion, rows=pa.RecordBatch.from_arrays(arrays, schema=self.schema))


def open_source(dataset: Dataset, *, secrets: Mapping[str, str] = NO_SECRETS) -> Source:
    """The source that the contract names, its header checked against the contract's columns (SRC-COLUMNS names what is missing)."""
    expected = [column.physical_name for column in dataset.columns]
    source = open_server(dataset.server, expected=expected, secrets=secrets)
    for part in source.parts:
        refuse_missing(expected, part.header, where=part.name)
    return source


def open_server(server: Server, *, expected: Sequence[str] = (), secrets: Mapping[str, str] = NO_SECRETS) -> Source:
    """The source at a server, with or without a contract that says which columns to expect."""
    if server.url is not None:
        part = _table_part(server, secrets)
        return Source(parts=[part], files=())
    files = source_files(server)
    parts = [part for path in files for part in _FORMATS[server.format or format_of(path)](path, server, expected)]
    return Source(parts=parts, files=files)


def source_files(server: Server) -> list[Path]:
    """The files of a server; none of a database. Refused SRC-MISSING where there should be some."""
    if server.url is not None:
        return []
    if server.path is None:
        raise Refused("SRC-SERVER", where=server.type, what="path | url")
    return find_files(server.path, Path(server.base), server.format)


def files_digest(files: Sequence[Path]) -> str:
    """SHA-256 over the bytes of the files, in the order of their names."""
    return _joined_digest([_file_digest(path) for path in files])


def find_files(path: str, base: Path, file_format: str | None) -> list[Path]:
    """The files of a path (file, folder or glob) by name. Hidden files and Office's lock files (`~$…`) are no sources."""
    whole = base / path
    if whole.is_file():
        return [whole]
    candidates = (
        whole.rglob("*") if whole.is_dir() else base.glob(path) if not Path(path).is_absolute() else Path("/").glob(path.lstrip("/"))
    )
    suffixes = SUFFIXES[file_format] if file_format else tuple(chain.from_iterable(SUFFIXES.values()))
    named = whole.is_dir()
    files = sorted(file for file in candidates if file.is_file() and not file.name.startswith((".", "~$")))
    files = [file for file in files if not named or file.suffix.lower() in suffixes]
    if not files:
        raise Refused("SRC-MISSING", where=path)
    return files


def format_of(path: Path) -> str:
    """The format of a file by its name; anything unknown is taken for text."""
    return next((name for name, suffixes in SUFFIXES.items() if path.suffix.lower() in suffixes), "csv")


def _text_parts(path: Path, server: Server, expected: Sequence[str]) -> list[Part]:
    layout = find_layout(path, expected=expected, encoding=server.encoding, delimiter=server.delimiter, header_row=server.header_row)
    return [Part(name=path.name, header=layout.header, open=lambda: TextReading(path=path, layout=layout), title=layout.title)]


def _excel_parts(path: Path, server: Server, expected: Sequence[str]) -> list[Part]:
    sheets = find_sheets(path, expected=expected, sheet=server.sheet, header_row=server.header_row)
    name = path.name
    names = [name if len(sheets) == 1 else f"{name}#{layout.sheet}" for layout in sheets]
    return [
        Part(name=called, header=layout.header, open=partial(SheetReading, layout=layout), title=layout.title)
        for called, layout in zip(names, sheets, strict=True)
    ]


def _parquet_parts(path: Path, _server: Server, _expected: Sequence[str]) -> list[Part]:
    header = parquet_header(path)
    return [Part(name=path.name, header=header, open=lambda: ParquetReading(path=path, header=header))]


def _json_parts(path: Path, _server: Server, _expected: Sequence[str]) -> list[Part]:
    header = json_header(path)
    return [Part(name=path.name, header=header, open=lambda: JsonReading(path=path, header=header))]


_FORMATS: Mapping[str, Callable[[Path, Server, Sequence[str]], list[Part]]] = {
    "csv": _text_parts,
    "xlsx": _excel_parts,
    "parquet": _parquet_parts,
    "json": _json_parts,
}


def _table_part(server: Server, secrets: Mapping[str, str]) -> Part:
    name = server.table or "query"
    url = resolved_url(server.url or "", secrets, where=name)
    reading = open_table(url, table=server.table, schema=server.schema, query=server.query, where=name)
    return Part(name=name, header=reading.header, open=lambda: reading)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _joined_digest(digests: Sequence[str]) -> str:
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
