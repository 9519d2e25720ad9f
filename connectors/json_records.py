"""JSON: one object per line, an array of objects, or an object around such an array; numbers keep the digits that the source wrote."""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from connectors.cell_text import cell_text
from connectors.headers import unique_headers
from connectors.portions import AsideRow, Portion, text_batch
from connectors.text_layout import SAMPLE_BYTES, encoding_of
from rules.errors import Refused

PORTION_ROWS = 20_000
CHUNK_CHARS = 1 << 20
MAX_OBJECT_CHARS = 16 << 20
HEADER_ROWS = 2_000
"""Keys are gathered from this many first objects; later new keys are not the contract's and are left."""

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_WRAPPED = re.compile(r'\s*\{.{0,60000}?"(?:RECORDS|records|data|rows|list|items|result|results)"\s*:\s*\[', re.S)
_GAP = re.compile(r"[\s,]*")


@dataclass(frozen=True, kw_only=True)
class _Numbered:
    """One object with its number (line, or place in the array), or a line that is no object."""

    number: int
    record: dict[str, Any] | None
    text: str = ""


@dataclass(kw_only=True)
class JsonReading:
    """One pass over one file."""

    path: Path
    header: tuple[str, ...]

    def portions(self) -> Iterator[Portion]:
        numbers: list[int] = []
        rows: list[list[str | None]] = []
        aside: list[AsideRow] = []
        for found in _objects(self.path):
            if found.record is None:
                aside.append(AsideRow(row=found.number, reason="ROW-JSON", text=json.dumps({"text": found.text}, ensure_ascii=False)))
                continue
            numbers.append(found.number)
            rows.append([cell_text(found.record.get(name)) for name in self.header])
            if len(rows) == PORTION_ROWS:
                yield Portion(rows=text_batch(self.header, numbers, rows), aside=tuple(aside))
                numbers, rows, aside = [], [], []
        yield Portion(rows=text_batch(self.header, numbers, rows), aside=tuple(aside))


def json_header(path: Path) -> tuple[str, ...]:
    """All keys of the first objects, in the order in which they appear."""
    keys: dict[str, None] = {}
    for seen, found in enumerate(_objects(path)):
        keys.update(dict.fromkeys(found.record or ()))
        if seen >= HEADER_ROWS:
            break
    if not keys:
        raise Refused("SRC-EMPTY", where=path.name)
    return unique_headers(list(keys), len(keys))


def _objects(path: Path) -> Iterator[_Numbered]:
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    encoding, bom = encoding_of(sample, path.name)
    head = sample[bom:].decode(encoding or "utf-8", "ignore")
    if not head.strip("\0 \r\n\t"):
        raise Refused("SRC-EMPTY", where=path.name)
    with codecs.open(str(path), "r", encoding or "utf-8", errors="replace") as file:
        wrapped = _WRAPPED.match(head)
        if head.lstrip().startswith("["):
            file.read(head.index("[") + 1 + (1 if bom else 0))
            yield from _array(file, path)
        elif wrapped and "\n{" not in head[: wrapped.end()].lstrip():
            file.read(wrapped.end() + (1 if bom else 0))
            yield from _array(file, path)
        else:
            yield from _lines(file, path)


def _lines(file: TextIO, path: Path) -> Iterator[_Numbered]:
    """One object per line. A last line that is none and has no end was cut off; others go aside."""
    for number, line in enumerate(file, start=1):
        text = line.strip().lstrip("\ufeff")
        if not text:
            continue
        record = _record(text)
        if record is None and not line.endswith("\n"):
            raise Refused("SRC-CUT-OFF", where=f"{path.name} 第 {number} 行 line {number}")
        yield _Numbered(number=number, record=record, text="" if record is not None else text)


def _record(text: str) -> dict[str, Any] | None:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None


def _array(file: TextIO, path: Path) -> Iterator[_Numbered]:
    """The objects of an array whose `[` has been read, with never more than a chunk and an object in memory."""
    text, number = "", 0
    while True:
        text, ended = _more(file, text)
        position = 0
        while True:
            position = _GAP.match(text, position).end()  # type: ignore[union-attr]
            if text.startswith("]", position):
                return
            try:
                value, position = _DECODER.raw_decode(text, position)
            except json.JSONDecodeError:
                break
            number += 1
            record = value if isinstance(value, dict) else None
            yield _Numbered(number=number, record=record, text="" if record is not None else str(value))
        text = text[position:]
        if ended or len(text) > MAX_OBJECT_CHARS:
            code = "SRC-CUT-OFF" if ended else "SRC-UNREADABLE"
            raise Refused(code, where=f"{path.name} 第 {number + 1} 条 object {number + 1}")


def _more(file: TextIO, text: str) -> tuple[str, bool]:
    chunk = file.read(CHUNK_CHARS)
    return text + chunk, not chunk
