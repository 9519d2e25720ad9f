"""How a delimited text file is written: encoding, delimiter, header row, found by looking at its beginning."""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from connectors.headers import clean_header, find_header, match_headers, title_above, unique_headers
from rules.errors import Refused

SAMPLE_BYTES = 1 << 18
SAMPLE_LINES = 200
HEADER_LINES = 40
DELIMITERS = (",", "\t", ";", "|")
MAX_BAD_LINE_SHARE = 0.05
"""A file in which more lines than this break UTF-8 is not UTF-8 with a few broken lines."""

BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
SAME_OR_WIDER = {"utf-8-sig": "utf-8", "gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "utf-16": "utf-16-le"}
"""Codecs read as another one that holds all of their characters."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """`encoding` is None while only ASCII has been seen; `header_lines`: all lines down to the header's last; `title` stands above it."""

    encoding: str | None
    bom_bytes: int
    delimiter: str
    header_row: int
    header_lines: int
    header: tuple[str, ...]
    title: str = ""


def find_layout(
    path: Path,
    *,
    expected: Sequence[str] = (),
    encoding: str | None = None,
    delimiter: str | None = None,
    header_row: int | None = None,
) -> Layout:
    """Look at the first lines; what the contract fixes (`encoding`, `delimiter`, `header_row`) is not looked for."""
    sample = _sample(path)
    found, bom = encoding_of(sample, path.name, encoding)
    text = _decoded(sample[bom:], found or "utf-8")
    delimiters = (_one_byte(delimiter, path.name),) if delimiter else DELIMITERS
    trials = [_trial(text, mark, expected, header_row) for mark in delimiters]
    best = max((trial for trial in trials if trial is not None), key=lambda trial: trial.score, default=None)
    if best is None:
        raise Refused("SRC-EMPTY", where=path.name, what="没有表头 no header")
    return Layout(
        encoding=found,
        bom_bytes=bom,
        delimiter=best.delimiter,
        header_row=best.header_row,
        header_lines=best.header_lines,
        header=best.header,
        title=best.title,
    )


def encoding_of(sample: bytes, name: str, fixed: str | None = None) -> tuple[str | None, int]:
    """Encoding and length of the byte order mark. None: nothing but ASCII so far."""
    for mark, encoding in BOMS:
        if sample.startswith(mark):
            return encoding, len(mark)
    if fixed:
        return _codec(fixed, name), 0
    return _utf_16_by_zeros(sample) or chinese_encoding(sample), 0


def _codec(fixed: str, name: str) -> str:
    try:
        found = codecs.lookup(fixed).name
    except LookupError as fault:
        raise Refused("SRC-ENCODING", where=name, what=fixed) from fault
    return SAME_OR_WIDER.get(found, found)


def chinese_encoding(sample: bytes) -> str | None:
    """UTF-8 or GB18030, by which of them fewer lines break; None for pure ASCII."""
    if sample.isascii():
        return None
    lines = [line for line in sample.split(b"\n")[:-1] or [sample] if not line.isascii()]
    broken = {encoding: sum(1 for line in lines if not _decodes(line, encoding)) for encoding in ("utf-8", "gb18030")}
    if not lines or broken["utf-8"] <= MAX_BAD_LINE_SHARE * len(lines):
        return "utf-8"
    return "gb18030" if broken["gb18030"] <= broken["utf-8"] else "utf-8"


@dataclass(frozen=True, kw_only=True)
class _Trial:
    delimiter: str
    header_row: int
    header_lines: int
    header: tuple[str, ...]
    title: str
    score: tuple[int, float]


def _trial(text: str, delimiter: str, expected: Sequence[str], header_row: int | None) -> _Trial | None:
    """What the first lines look like when cut at this delimiter; None when there is nothing to see."""
    rows, ends = _rows(text, delimiter)
    index = _fixed_header(ends, header_row) if header_row else find_header(rows[:HEADER_LINES], expected)
    if index is None or not any(cell.strip() for cell in rows[index]):
        return None
    width = _width(rows, index)
    header = unique_headers(rows[index], width)
    starts = 1 if index == 0 else ends[index - 1] + 1
    score = (len(match_headers(expected, header).found), _evenness(rows[index:], width))
    return _Trial(
        delimiter=delimiter, header_row=starts, header_lines=ends[index], header=header, title=title_above(rows[:index]), score=score
    )


def _rows(text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The first records, and the line on which each ends."""
    lines = text.splitlines(keepends=True)[:SAMPLE_LINES]
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter)
    rows, ends = [], []
    for row in reader:
        rows.append(row)
        ends.append(reader.line_num)
    return rows, ends


def _fixed_header(ends: Sequence[int], header_row: int) -> int | None:
    return next((i for i, end in enumerate(ends) if end >= header_row), None)


def _width(rows: Sequence[Sequence[str]], index: int) -> int:
    """The rows' usual number of cells, but never less than the header has names: some writers end each row with a delimiter."""
    named = max((i + 1 for i, cell in enumerate(rows[index]) if clean_header(cell)), default=0)
    counts = Counter(len(row) for row in rows[index + 1 :] if len(row) > 1)
    usual = max(counts, key=lambda width: (counts[width], width), default=len(rows[index]))
    return max(named, usual) if counts and counts[usual] * 2 >= sum(counts.values()) else max(named, len(rows[index]))


def _evenness(rows: Sequence[Sequence[str]], width: int) -> float:
    """How well the rows below the header agree on a width above one."""
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    return (width > 1) * (width**0.5) * sum(1 for row in filled if len(row) == width) / max(1, len(filled))


def _sample(path: Path) -> bytes:
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    if not sample.strip(b"\xef\xbb\xbf\xff\xfe \r\n\t\0"):
        raise Refused("SRC-EMPTY", where=path.name)
    return sample


def _decoded(sample: bytes, encoding: str) -> str:
    cut = sample[: len(sample) // 2 * 2] if encoding.startswith("utf-16") else sample
    return cut.decode(encoding, "replace")


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _utf_16_by_zeros(sample: bytes) -> str | None:
    """UTF-16 without a mark: ASCII marks leave zeros, all on the same side of the byte pairs."""
    head = sample[:4096]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if (even + odd) * 50 < len(head) or min(even, odd) * 10 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _one_byte(delimiter: str, name: str) -> str:
    if len(delimiter.encode("utf-8")) != 1:
        raise Refused("SRC-SERVER", where=name, what=f"delimiter {delimiter}")
    return delimiter
