"""Addresses (地址): one standard spelling and the grid of the area register, on whole columns; law.md D-44, D-45, X-15.

The digits are taken out of each text, the templates that remain are read once each (`address_parts`), and the digits are put back where the
standard spelling wants them.
"""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.address_book import AddressBook, AreaRow, RangeRow, Recipe
from rules.address_parts import FIRST_MARK, FLOOR, MOST_MARKS, ROOM
from rules.cells import Matrix, Standardised, as_text, text_buffers
from rules.characters import FULL_WIDTH

__all__ = ["AddressBook", "AreaRow", "RangeRow", "grid_of", "standardise_addresses"]

ROWS_AT_ONCE = 1 << 17
_NO_BOOK = AddressBook()
_PIECES = re.compile(f"([\U000f0000-{chr(FIRST_MARK + MOST_MARKS)}][{FLOOR}{ROOM}]?)")


@dataclass(frozen=True, kw_only=True)
class _Runs:
    """The texts of a column taken apart: a template each, and their runs of digits, one after the other."""

    templates: pa.StringArray
    digits: pa.StringArray
    first: Matrix
    count: Matrix


def standardise_addresses(values: pa.StringArray, *, areas: AddressBook | None) -> Standardised:
    """Standard spellings; with a register also `derived["grid_code"]`."""
    book = areas or _NO_BOOK
    slices = [_standardise(values.slice(at, ROWS_AT_ONCE), book) for at in range(0, len(values), ROWS_AT_ONCE)] or [
        _standardise(values, book)
    ]
    return Standardised(
        value=pa.concat_arrays([s.value for s in slices]),
        fault=pa.concat_arrays([s.fault for s in slices]),
        derived={"grid_code": pa.concat_arrays([s.derived["grid_code"] for s in slices])} if areas else {},
    )


def grid_of(addresses: pa.Array | pa.ChunkedArray, areas: AddressBook) -> pa.Array:
    """The grid code of each address; null where the register has none."""
    return standardise_addresses(as_text(addresses), areas=areas).derived["grid_code"]


def _standardise(values: pa.StringArray, book: AddressBook) -> Standardised:
    plain = _half_width(pc.fill_null(values, ""))
    runs = _take_apart(plain)
    coded = runs.templates.dictionary_encode()
    recipes = [book.recipe(template) for template in coded.dictionary.to_pylist()]
    which = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    absent = pa.array(values.is_null())
    value = pc.if_else(absent, pa.scalar(None, pa.string()), _spelt(runs, recipes, which))
    fault = pa.array([recipe.fault for recipe in recipes], pa.string()).take(pa.array(which))
    return Standardised(
        value=value,
        fault=pc.if_else(absent, pa.scalar(None, pa.string()), fault),
        derived={"grid_code": _grids(runs, recipes, which, book)},
    )


def _half_width(values: pa.StringArray) -> pa.StringArray:
    """Full-width letters, digits and signs as plain ones; most columns have none and are left alone."""
    offsets, data = text_buffers(values)
    if not (data[offsets[0] : offsets[-1]] == 0xEF).any():
        return values
    mask = pc.match_substring_regex(values, r"[\x{FF01}-\x{FF5E}]")
    changed = pa.array([text.translate(FULL_WIDTH) for text in values.filter(mask).to_pylist()], pa.string())
    return pc.replace_with_mask(values, mask, changed)


def _take_apart(values: pa.StringArray) -> _Runs:
    """On the UTF-8 bytes of the whole column: ASCII digits are no part of any other character."""
    offsets, buffer = text_buffers(values)
    data = buffer[offsets[0] : offsets[-1]]
    offsets = offsets - offsets[0]
    digit = (data - 48) < 10
    start = digit.copy()
    start[1:] &= ~digit[:-1]
    firsts = offsets[:-1][np.diff(offsets) > 0]
    start[firsts] = digit[firsts]
    kept = ~digit | start
    templates = np.where(digit, np.uint8(48), data)[kept]
    run_starts = np.flatnonzero(start)
    digits_before = _count_before(digit, run_starts)
    ends = np.append(digits_before, digit.sum())
    run_at = np.searchsorted(run_starts, offsets)
    return _Runs(
        templates=_strings(_count_before(kept, offsets), templates),
        digits=_strings(ends, data[digit]),
        first=run_at[:-1],
        count=np.diff(run_at),
    )


def _count_before(mask: Matrix, positions: Matrix) -> Matrix:
    totals = np.zeros(len(mask) + 1, np.int32)
    np.cumsum(mask, out=totals[1:])
    return totals[positions]


def _strings(offsets: Matrix, data: Matrix) -> pa.StringArray:
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(data)))


def _spelt(runs: _Runs, recipes: list[Recipe], which: Matrix) -> pa.Array:
    """Literal pieces and digits in turn, joined row by row."""
    pieces = [_PIECES.split(recipe.spelling or "") for recipe in recipes]
    digits = _without_leading_zeros(runs.digits)
    columns: list[pa.Array] = []
    for place in range(max(map(len, pieces), default=1)):
        texts = [row[place] if place < len(row) else "" for row in pieces]
        columns.append(_digits_at(runs, digits, texts, which) if place % 2 else pa.array(texts, pa.string()).take(pa.array(which)))
    joined = pc.binary_join_element_wise(*columns, "", null_handling="replace", null_replacement="")
    void = np.array([recipe.spelling is None for recipe in recipes], bool)[which]
    return pc.if_else(pa.array(void), pa.scalar(None, pa.string()), joined) if void.any() else joined


def _digits_at(runs: _Runs, digits: pa.StringArray, texts: list[str], which: Matrix) -> pa.Array:
    """The run of digits that a mark names, in each row; a floor and its room become one number."""
    mark = np.array([ord(text[0]) - FIRST_MARK if text else -1 for text in texts], np.int64)[which]
    found = _runs_at(runs, digits, mark)
    kind = np.array([0 if len(text) < 2 else 1 if text[1] == FLOOR else 2 for text in texts], np.int8)[which]
    if not kind.any():
        return found
    room = _runs_at(runs, runs.digits, np.where(kind == 1, mark + 1, mark))
    whole = pc.fill_null(pc.greater(pc.utf8_length(room), 2), True)
    floor = pc.if_else(whole, pa.scalar("", pa.string()), found)
    padded = pc.if_else(whole, found, pc.utf8_lpad(room, 2, "0"))
    return pc.if_else(pa.array(kind == 1), floor, pc.if_else(pa.array(kind == 2), padded, found))


def _runs_at(runs: _Runs, digits: pa.StringArray, mark: Matrix) -> pa.Array:
    has = (mark >= 0) & (mark < runs.count)
    return digits.take(pa.array(np.where(has, runs.first + mark, 0), mask=~has)) if len(digits) else pa.nulls(len(mark), pa.string())


def _without_leading_zeros(digits: pa.StringArray) -> pa.StringArray:
    zero = pc.match_substring_regex(digits, "^0[0-9]")
    if not pc.any(zero).as_py():
        return digits
    return pc.if_else(zero, pc.utf8_ltrim(digits, characters="0"), digits)


def _grids(runs: _Runs, recipes: list[Recipe], which: Matrix, book: AddressBook) -> pa.Array:
    estates, roads, number = (np.array([getattr(r, key) for r in recipes], np.int64) for key in ("estate", "road", "number"))
    mark = number[which]
    found = _runs_at(runs, runs.digits, mark)
    short = pc.if_else(pc.less_equal(pc.utf8_length(found), 5), found, pa.scalar(None, pa.string()))
    numbers = pc.fill_null(pc.cast(short, pa.int64()), -1).to_numpy(zero_copy_only=False)
    numbers = np.where(mark <= -2, -2 - mark, numbers)
    grids = book.find_grids(estates[which], roads[which], numbers)
    return (
        pa.array(book.grids, pa.string()).take(pa.array(np.maximum(grids, 0), mask=grids < 0))
        if book.grids
        else pa.nulls(len(which), pa.string())
    )
