"""Delimited text read block by block through Arrow's CSV parser: verbatim cells, true line numbers, bounded memory.

A block ends at the last line end outside quotes. Lines that cannot be read (broken bytes, a quote that never closes, too few or too many
cells) go aside with their number; a file that ends in the middle of a record is refused, because what else is missing nobody knows.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from connectors.furniture import is_footer_line, set_furniture_aside
from connectors.gb18030 import to_2022
from connectors.portions import ROW, AsideRow, Portion, text_batch, text_schema
from connectors.quoted_lines import Lines, cells_of, split_lines
from connectors.text_layout import Layout, chinese_encoding
from rules.errors import Refused

BLOCK_BYTES = 8 << 20
MAX_LINE_BYTES = 64 << 20
"""Text without a line end in this many bytes is no table."""


@dataclass(kw_only=True)
class TextReading:
    """One pass over one file. `digest` (SHA-256 of the bytes) and `ends_open` (no line end at the end) are known after the pass."""

    path: Path
    layout: Layout
    digest: str | None = None
    ends_open: bool = False
    _line: int = field(default=1, init=False)
    _encoding: str | None = field(default=None, init=False)
    _carried: bytes = field(default=b"", init=False)
    _carried_bad: dict[int, str] = field(default_factory=dict, init=False)

    def portions(self) -> Iterator[Portion]:
        """All rows below the header, in the order of the file."""
        self._encoding = self.layout.encoding
        for raw, last in self._blocks():
            rows = self._portion(raw, last=last)
            tidy = set_furniture_aside(rows.rows)
            aside = tuple(sorted((*rows.aside, *tidy.aside), key=lambda row: row.row))
            yield Portion(rows=tidy.rows, aside=aside)

    def _blocks(self) -> Iterator[tuple[bytes, bool]]:
        """Stretches of whole lines as they stand in the file, and whether it is the last one."""
        hasher, rest = hashlib.sha256(), b""
        with self.path.open("rb") as file:
            hasher.update(file.read(self.layout.bom_bytes))
            while chunk := file.read(BLOCK_BYTES):
                hasher.update(chunk)
                whole, rest = _cut_at_line_end(rest + chunk, self._wide)
                if len(rest) > MAX_LINE_BYTES:
                    raise Refused("SRC-UNREADABLE", where=self.path.name, what=f"第 {self._line} 行过长 line {self._line} has no end")
                if whole:
                    yield whole, False
        self.digest = hasher.hexdigest()
        self.ends_open = bool(rest)
        yield rest, True

    @property
    def _wide(self) -> str | None:
        """The encoding, where its line ends are two bytes long."""
        return self.layout.encoding if (self.layout.encoding or "").startswith("utf-16") else None

    def _portion(self, raw: bytes, *, last: bool) -> Portion:
        text, bad = self._utf_8(raw)
        shift = self._carried.count(b"\n")
        bad = {**self._carried_bad, **{line + shift: reason for line, reason in bad.items()}}
        lines = split_lines(self._carried + text, columns=len(self.layout.header), delimiter=self.layout.delimiter, last=last)
        if last:
            self._refuse_open_end(lines, bad)
        portion = self._parsed(lines, bad)
        self._line += lines.carry
        self._carried = lines.carried()
        self._carried_bad = {line - lines.carry: reason for line, reason in bad.items() if line >= lines.carry}
        if last and self.ends_open:
            self._refuse_short_end(portion)
        return portion

    def _utf_8(self, raw: bytes) -> tuple[bytes, dict[int, str]]:
        """The block as UTF-8 with plain line ends, and the lines (from 0) whose bytes are broken."""
        if self._encoding is None:
            self._encoding = chinese_encoding(raw)
        encoding = self._encoding or "utf-8"
        plain = raw if self._wide else _plain_line_ends(raw)
        try:
            decoded = plain.decode(encoding)
        except UnicodeDecodeError:
            text, bad = _line_by_line(plain, encoding)
        else:
            text, bad = (plain if encoding == "utf-8" else decoded.encode("utf-8", "replace")), {}
        text = _plain_line_ends(text) if self._wide else text
        text = to_2022(text) if encoding == "gb18030" else text
        if b"\0" in text:
            bad |= {number: "ROW-BYTES" for number, line in enumerate(text.split(b"\n")) if b"\0" in line}
        return text, bad

    def _refuse_open_end(self, lines: Lines, bad: Mapping[int, str]) -> None:
        """A file that ends in broken bytes, zeros or inside quotes was cut off."""
        final = lines.count - 1
        if final in bad and (self.ends_open or b"\0" in lines.line(final)):
            raise Refused("SRC-CUT-OFF", where=f"{self.path.name} 第 {self._line + final} 行 line {self._line + final}")
        if lines.open_lines and not self._any_whole_line(lines, lines.open_lines[-1] + 1):
            number = self._line + lines.open_lines[-1]
            raise Refused("SRC-CUT-OFF", where=f"{self.path.name} 第 {number} 行 line {number}", what="引号未闭合 a quote never closes")

    def _any_whole_line(self, lines: Lines, start: int) -> bool:
        parsed = (cells_of(lines.line(i), self.layout.delimiter) for i in range(start, lines.count))
        return any(cells is not None and len(cells) == len(self.layout.header) for cells in parsed)

    def _refuse_short_end(self, portion: Portion) -> None:
        """A last line that has no line end and too few cells was cut off, unless it is a total or a note."""
        final = portion.aside[-1] if portion.aside else None
        after_all_rows = final is not None and (not portion.rows.num_rows or final.row > portion.rows.column(0)[-1].as_py())
        if final is not None and after_all_rows and final.reason == "ROW-SHORT":
            raise Refused(
                "SRC-CUT-OFF", where=f"{self.path.name} 第 {final.row} 行 line {final.row}", what="最后一行不完整 the last line is short"
            )

    def _parsed(self, lines: Lines, bad: Mapping[int, str]) -> Portion:
        above = set(range(self.layout.header_lines - self._line + 1))
        faulty = {**dict.fromkeys(lines.open_lines, "ROW-QUOTE"), **{line: bad[line] for line in bad if line < lines.carry}}
        good = lines.without(above | faulty.keys())
        rows, aside = _rows_of(good, self.layout, self._line)
        for line in sorted(faulty.keys() - above):
            aside.append(AsideRow(row=self._line + line, reason=faulty[line], text=_shown(lines.line(line))))
        return Portion(rows=rows, aside=tuple(sorted(aside, key=lambda row: row.row)))


def _rows_of(lines: Lines, layout: Layout, first_line: int) -> tuple[pa.RecordBatch, list[AsideRow]]:
    """The records as Arrow reads them; those of another width aside."""
    numbers = lines.heads + first_line
    uneven: dict[int, str] = {}

    def set_aside(row: Any) -> str:
        uneven[row.number - 1] = row.text
        return "skip"

    table = _arrow_table(lines.joined(), layout, set_aside)
    if table.num_rows + len(uneven) != len(numbers):  # Arrow and we disagree about a quote: go record by record
        return _one_by_one(lines, layout, numbers)
    keep = np.ones(len(numbers), bool)
    keep[list(uneven)] = False
    batch = _numbered(table, numbers[keep], layout)
    return _with_uneven(batch, [(int(numbers[i]), text) for i, text in uneven.items()], layout)


def _arrow_table(text: bytes, layout: Layout, set_aside: Any) -> pa.Table:
    if not text:
        return pa.table({name: pa.array([], pa.string()) for name in layout.header})
    return pacsv.read_csv(
        pa.BufferReader(text),
        read_options=pacsv.ReadOptions(column_names=list(layout.header), block_size=len(text) + 1, use_threads=False),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=set_aside
        ),
        convert_options=pacsv.ConvertOptions(column_types=dict.fromkeys(layout.header, pa.string()), strings_can_be_null=False),
    )


def _numbered(table: pa.Table, numbers: np.ndarray, layout: Layout) -> pa.RecordBatch:
    columns = [column.combine_chunks() if column.num_chunks != 1 else column.chunk(0) for column in table.columns]
    return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), *columns], schema=text_schema(layout.header))


def _with_uneven(batch: pa.RecordBatch, uneven: list[tuple[int, str]], layout: Layout) -> tuple[pa.RecordBatch, list[AsideRow]]:
    """Rows with nothing but empty cells beyond the header's width are good rows; the others stay aside."""
    aside, numbers, rows = [], [], []
    width = len(layout.header)
    for number, text in uneven:
        cells = cells_of(text.encode("utf-8"), layout.delimiter) or [text]
        if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
            numbers.append(number)
            rows.append(cells[:width])
        else:
            aside.append(AsideRow(row=number, reason=_unevenness(cells, text, width), text=_shown(text.encode("utf-8"))))
    return (_merged(batch, numbers, rows, layout) if rows else batch), aside


def _merged(batch: pa.RecordBatch, numbers: list[int], rows: list[list[str]], layout: Layout) -> pa.RecordBatch:
    both = pa.Table.from_batches([batch, text_batch(layout.header, numbers, rows)])
    return both.sort_by(ROW).combine_chunks().to_batches()[0]


def _unevenness(cells: list[str], text: str, width: int) -> str:
    if is_footer_line(text):
        return "ROW-NOTE"
    return "ROW-SHORT" if len(cells) < width else "ROW-LONG"


def _one_by_one(lines: Lines, layout: Layout, numbers: np.ndarray) -> tuple[pa.RecordBatch, list[AsideRow]]:
    """The same as `_rows_of` by Python's parser; slow, for the rare block with quotes in odd places."""
    good_numbers, rows, aside = [], [], []
    for position, number in enumerate(numbers):
        text = lines.record(position)
        cells = cells_of(text, layout.delimiter)
        if cells is not None and len(cells) == len(layout.header):
            good_numbers.append(int(number))
            rows.append(cells)
        elif cells is None:
            aside.append(AsideRow(row=int(number), reason="ROW-QUOTE", text=_shown(text)))
        elif cells:
            reason = _unevenness(cells, text.decode("utf-8", "replace"), len(layout.header))
            aside.append(AsideRow(row=int(number), reason=reason, text=_shown(text)))
    return text_batch(layout.header, good_numbers, rows), aside


def _shown(line: bytes) -> str:
    return json.dumps({"text": line.decode("utf-8", "replace")}, ensure_ascii=False)


def _cut_at_line_end(raw: bytes, wide: str | None) -> tuple[bytes, bytes]:
    """The whole lines, and the beginning of the next one."""
    newline = "\n".encode(wide) if wide else b"\n"
    end = raw.rfind(newline)
    while wide and end % 2 and end > 0:
        end = raw.rfind(newline, 0, end + 1)
    if end < 0 and not wide:
        end = raw.rfind(b"\r", 0, len(raw) - 1)
    end = end + len(newline) if end >= 0 else 0
    return raw[:end], raw[end:]


def _line_by_line(text: bytes, encoding: str) -> tuple[bytes, dict[int, str]]:
    """Decode a block with broken bytes; the lines that hold them are named."""
    bad: dict[int, str] = {}
    if encoding.startswith("utf-16"):
        decoded = text.decode(encoding, "replace")
        bad = {number: "ROW-BYTES" for number, line in enumerate(decoded.split("\n")) if "\ufffd" in line}
        return decoded.encode("utf-8", "replace"), bad
    lines = []
    for number, line in enumerate(text.split(b"\n")):
        try:
            lines.append(line.decode(encoding))
        except UnicodeDecodeError:
            lines.append(line.decode(encoding, "replace").replace('"', "'"))
            bad[number] = "ROW-BYTES"
    return "\n".join(lines).encode("utf-8", "replace"), bad


def _plain_line_ends(text: bytes) -> bytes:
    """`\\r\\n` and `\\r` as `\\n`; a `\\r` among real line ends is a stray and becomes a space."""
    if b"\r" not in text:
        return text
    text = re.sub(rb"\r+\n", b"\n", text) if b"\r\r" in text else text.replace(b"\r\n", b"\n")
    return text.replace(b"\r", b" " if b"\n" in text else b"\n")
