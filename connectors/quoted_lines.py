"""Which lines of a block make up one record: quotes may hold line ends, and may be left open by mistake."""

import csv
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

MAX_RECORD_LINES = 200
"""A quoted cell with more line ends than this is a quote that nobody closed."""

NEWLINE = ord("\n")
QUOTE = ord('"')


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of a block of text: `starts`, `ends` are the byte range of each.

    A record begins at line `heads[i]` and fills the bytes from `begins[i]` to `finishes[i]`. `open_lines`: lines whose quote never closes.
    `carry`: the line from which the text belongs to the next block, or the number of lines.
    """

    text: bytes
    starts: np.ndarray
    ends: np.ndarray
    heads: np.ndarray
    begins: np.ndarray
    finishes: np.ndarray
    open_lines: tuple[int, ...]
    carry: int

    @property
    def count(self) -> int:
        return len(self.starts)

    def line(self, index: int) -> bytes:
        return self.text[self.starts[index] : self.ends[index]].rstrip(b"\n")

    def record(self, position: int) -> bytes:
        return self.text[self.begins[position] : self.finishes[position]].rstrip(b"\n")

    def carried(self) -> bytes:
        return self.text[self.starts[self.carry] :] if self.carry < self.count else b""

    def joined(self) -> bytes:
        """The text of all records, without what was dropped between them."""
        if not len(self.begins):
            return b""
        breaks = np.flatnonzero(self.begins[1:] != self.finishes[:-1]) + 1
        first, final = np.concatenate(([0], breaks)), np.append(breaks, len(self.begins)) - 1
        return b"".join(self.text[self.begins[i] : self.finishes[j]] for i, j in zip(first, final, strict=True))

    def without(self, dropped: Collection[int]) -> "Lines":
        """The same block, without the records that begin at the dropped lines."""
        if not dropped:
            return self
        keep = ~np.isin(self.heads, np.fromiter(dropped, int))
        return replace(self, heads=self.heads[keep], begins=self.begins[keep], finishes=self.finishes[keep])


def split_lines(text: bytes, *, columns: int, delimiter: str, last: bool) -> Lines:
    """Find the records of a block; `last` says that no further text follows."""
    starts, ends = _bounds(text)
    odd = _lines_with_odd_quotes(text, starts, ends)
    if not len(odd):
        return _lines(text, starts, ends, heads=np.arange(len(starts)), open_lines=(), carry=len(starts))
    return _with_quotes(text, starts, ends, odd, columns=columns, delimiter=delimiter, last=last)


def cells_of(text: bytes, delimiter: str) -> list[str] | None:
    """The cells of one record; None when the text is no whole record or more than one."""
    try:
        rows = list(csv.reader(text.decode("utf-8", "replace").splitlines(keepends=True), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _bounds(text: bytes) -> tuple[np.ndarray, np.ndarray]:
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == NEWLINE) + 1
    if len(text) and (not len(ends) or ends[-1] != len(text)):
        ends = np.append(ends, len(text))
    return np.concatenate(([0], ends[:-1])) if len(ends) else ends, ends


def _lines_with_odd_quotes(text: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    if QUOTE not in text:
        return np.array([], int)
    quotes = np.flatnonzero(np.frombuffer(text, np.uint8) == QUOTE)
    counts = np.searchsorted(quotes, ends) - np.searchsorted(quotes, starts)
    return np.flatnonzero(counts % 2)


def _with_quotes(text: bytes, starts: np.ndarray, ends: np.ndarray, odd: np.ndarray, *, columns: int, delimiter: str, last: bool) -> Lines:
    """Join each line that leaves a quote open with the lines up to the one that closes it, if that makes one whole record."""
    continued = np.zeros(len(starts), bool)
    open_lines: list[int] = []
    carry = len(starts)
    position = 0
    while position < len(odd):
        first = int(odd[position])
        position += 1
        if cells_of(text[starts[first] : ends[first]], delimiter) is not None:
            continue  # a quote inside a cell, which is only a character there
        partner = int(odd[position]) if position < len(odd) else None
        if partner is None and not last and len(starts) - first <= MAX_RECORD_LINES:
            carry = first
            break
        if (
            partner is not None
            and partner - first < MAX_RECORD_LINES
            and _is_one_record(text[starts[first] : ends[partner]], columns, delimiter)
        ):
            continued[first + 1 : partner + 1] = True
            position += 1
        else:
            open_lines.append(first)
    return _lines(text, starts, ends, heads=np.flatnonzero(~continued[:carry]), open_lines=tuple(open_lines), carry=carry)


def _lines(text: bytes, starts: np.ndarray, ends: np.ndarray, *, heads: np.ndarray, open_lines: tuple[int, ...], carry: int) -> Lines:
    following = np.append(heads[1:], carry) if len(heads) else heads
    return Lines(
        text=text,
        starts=starts,
        ends=ends,
        heads=heads,
        begins=starts[heads],
        finishes=ends[following - 1],
        open_lines=open_lines,
        carry=carry,
    )


def _is_one_record(text: bytes, columns: int, delimiter: str) -> bool:
    cells = cells_of(text, delimiter)
    return cells is not None and len(cells) == columns
