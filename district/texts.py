"""Columns of text as Arrow arrays: picked from vocabularies, joined, numbered and patched, always a whole column at a time."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Numbers: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Texts: TypeAlias = pa.StringArray

NEVER = -(10**6)
_FIRST_DAY, _LAST_DAY = date(1890, 1, 1), date(2040, 12, 31)


def words(values: Sequence[str | None]) -> Texts:
    return pa.array(values, pa.string())


def pick(vocabulary: Texts, codes: Numbers) -> Texts:
    """The word of each code; a negative code is an empty cell."""
    return vocabulary.take(pa.array(codes.astype(np.int64), mask=codes < 0))


def join(*parts: Texts | str) -> Texts:
    """Parts side by side, empty where any part is."""
    return flat(pc.binary_join_element_wise(*parts, pa.scalar("", pa.string())))


def chain(columns: Sequence[Texts]) -> Texts:
    """Columns one below the other."""
    return pa.concat_arrays([flat(column) for column in columns])


def flat(column: pa.Array | pa.ChunkedArray) -> Texts:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def numbered(values: Numbers, width: int = 0) -> Texts:
    """Decimal numbers, filled up with zeros on the left."""
    texts = pc.cast(pa.array(values), pa.string())
    return flat(pc.utf8_lpad(texts, width=width, padding="0")) if width else texts


def patched(column: Texts, rows: Numbers, replacement: Texts) -> Texts:
    """The column with other words at some rows (ascending, each once)."""
    if not len(rows):
        return column
    mask = np.zeros(len(column), bool)
    mask[rows] = True
    return flat(pc.replace_with_mask(column, pa.array(mask), flat(replacement)))


def blanked(column: Texts, rows: Numbers) -> Texts:
    return patched(column, rows, pa.nulls(len(rows), pa.string()))


def present(column: Texts) -> Numbers:
    """Which cells hold something."""
    return pc.is_valid(column).to_numpy(zero_copy_only=False)


def matching(column: Texts, pattern: str) -> Numbers:
    """Which cells match a regular expression; empty ones do not."""
    return pc.fill_null(pc.match_substring_regex(column, pattern), False).to_numpy(zero_copy_only=False)


def dates(days: Numbers, spelling: str = "%Y-%m-%d") -> Texts:
    """Days since 1970 in words; NEVER (and anything outside 1890–2040) is an empty cell."""
    first = (_FIRST_DAY - date(1970, 1, 1)).days
    vocabulary = _spelt_days(spelling)
    codes = days.astype(np.int64) - first
    return pick(vocabulary, np.where((codes >= 0) & (codes < len(vocabulary)), codes, -1))


@cache
def _spelt_days(spelling: str) -> Texts:
    first, last = (np.datetime64(day) for day in (_FIRST_DAY, _LAST_DAY))
    return respelt(words(np.datetime_as_string(np.arange(first, last + 1)).tolist()), spelling)


def respelt(texts: Texts, spelling: str) -> Texts:
    """ISO dates in another spelling: %Y %m %d and %-m %-d in any arrangement; what follows the day (a time) stays."""
    pieces = {
        "%Y": pc.utf8_slice_codeunits(texts, 0, 4),
        "%-m": pc.utf8_ltrim(pc.utf8_slice_codeunits(texts, 5, 7), "0"),
        "%-d": pc.utf8_ltrim(pc.utf8_slice_codeunits(texts, 8, 10), "0"),
        "%m": pc.utf8_slice_codeunits(texts, 5, 7),
        "%d": pc.utf8_slice_codeunits(texts, 8, 10),
    }
    parts: list[Texts | str] = []
    while spelling:
        token = next((token for token in pieces if spelling.startswith(token)), spelling[0])
        parts.append(pieces.get(token, token))
        spelling = spelling[len(token) :]
    return join(*parts, pc.utf8_slice_codeunits(texts, 10))
