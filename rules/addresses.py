"""Addresses (地址): one standard spelling and the grid of the area register, on whole columns; law.md D-44, D-45, X-15.

The digits are taken out of each text, the templates that remain are read once each (`address_parts`), and the digits are put back where the
standard spelling wants them.
"""

from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rules.address_book import FLOOR_SLOT, NO_SLOT, ROOM_SLOT, AddressBook, AreaRow, RangeRow, Recipe
from rules.address_parts import MOST_MARKS
from rules.cells import Matrix, Standardised, as_text, nothing, text_buffers
from rules.characters import FULL_WIDTH

__all__ = ["AddressBook", "AreaRow", "RangeRow", "grid_of", "standardise_addresses"]

ROWS_AT_ONCE = 1 << 17
_NO_BOOK = AddressBook()


@dataclass(frozen=True, kw_only=True)
class _Runs:
    """The texts of a column taken apart: a template each, and their runs of digits, one after the other."""

    templates: pa.StringArray
    digits: pa.StringArray
    first: Matrix
    count: Matrix

    def taken(self, rows: Matrix) -> "_Runs":
        """Some rows, without their templates; the runs of digits stay together."""
        return _Runs(templates=self.templates.slice(0, 0), digits=self.digits, first=self.first[rows], count=self.count[rows])


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
    value = pc.if_else(absent, pa.scalar(None, pa.string()), _spelt(plain, runs, recipes, which))
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


def _spelt(values: pa.StringArray, runs: _Runs, recipes: list[Recipe], which: Matrix) -> pa.Array:
    """The standard spellings; texts that are spelt so already are kept as they are, the others are put together."""
    digits = _without_leading_zeros(runs.digits)
    kept = np.array([recipe.kept for recipe in recipes], bool)[which]
    if digits is not runs.digits or not kept.any():
        return _joined(runs, digits, recipes, which)
    if kept.all():
        return values
    rest = _joined(runs.taken(~kept), digits, recipes, which[~kept])
    return pc.replace_with_mask(values, pa.array(~kept), rest)


def _joined(runs: _Runs, digits: pa.StringArray, recipes: list[Recipe], which: Matrix) -> pa.Array:
    """Literal pieces and runs of digits in turn, joined row by row."""
    literals = [pa.array(texts, pa.string()) for texts in zip_longest(*(r.literals for r in recipes), fillvalue="")]
    if not literals:
        return nothing(len(which))
    columns = [literals[0].take(pa.array(which))]
    for slots, texts in zip(zip_longest(*(r.slots for r in recipes), fillvalue=NO_SLOT), literals[1:], strict=True):
        columns += [_digits_at(runs, digits, np.array(slots, np.int64)[which]), texts.take(pa.array(which))]
    joined = pc.binary_join_element_wise(*columns, "", null_handling="replace", null_replacement="")
    void = np.array([not recipe.literals for recipe in recipes], bool)[which]
    return pc.if_else(pa.array(void), pa.scalar(None, pa.string()), joined) if void.any() else joined


def _digits_at(runs: _Runs, digits: pa.StringArray, slots: Matrix) -> pa.Array:
    """The run of digits that a slot names, in each row; a floor and its room become one number."""
    mark = slots % MOST_MARKS
    mark[slots == NO_SLOT] = -1
    found, kind = _runs_at(runs, digits, mark), slots // MOST_MARKS
    if kind.max(initial=0) == 0:
        return found
    room = _runs_at(runs, runs.digits, np.where(kind == FLOOR_SLOT, mark + 1, mark))
    whole = pc.fill_null(pc.greater(pc.utf8_length(room), 2), True)
    floor = pc.if_else(whole, pa.scalar("", pa.string()), found)
    padded = pc.if_else(whole, found, pc.utf8_lpad(room, 2, "0"))
    return pc.if_else(pa.array(kind == FLOOR_SLOT), floor, pc.if_else(pa.array(kind == ROOM_SLOT), padded, found))


def _runs_at(runs: _Runs, digits: pa.StringArray, mark: Matrix) -> pa.Array:
    has = (mark >= 0) & (mark < runs.count)
    return digits.take(pa.array(np.where(has, runs.first + mark, 0), mask=~has)) if len(digits) else pa.nulls(len(mark), pa.string())


def _without_leading_zeros(digits: pa.StringArray) -> pa.StringArray:
    zero = pc.match_substring_regex(digits, "^0[0-9]")
    if not pc.any(zero).as_py():
        return digits
    return pc.replace_substring_regex(digits, "^0+([0-9])", r"\1")


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
