"""Cells: how a column of texts becomes canonical values and fault codes, each distinct text judged once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Matrix = np.ndarray


class Cell(NamedTuple):
    """One standardised cell: its canonical value, or null, and the code of its fault, or null."""

    value: str | None
    fault: str | None = None


Judge = Callable[[str], Cell]
"""The rule of one element for one trimmed, non-empty text."""


@dataclass(frozen=True, kw_only=True)
class Standardised:
    """Canonical values and fault codes of one column, both of the column's length; null is no value, no fault.

    `derived` holds columns that come with the value, such as the grid code of an address.
    """

    value: pa.Array
    fault: pa.Array
    derived: Mapping[str, pa.Array] = field(default_factory=dict)


def as_text(values: pa.Array | pa.ChunkedArray) -> pa.StringArray:
    """One contiguous string array, whatever Arrow type the reader chose."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return whole if whole.type == pa.string() else whole.cast(pa.string())


def nothing(length: int) -> pa.Array:
    return pa.nulls(length, pa.string())


def judge_distinct(values: pa.StringArray, judge: Judge) -> Standardised:
    """Apply the rule once to each distinct text; departments repeat themselves."""
    coded = values.dictionary_encode()
    cells = [judge(text) for text in coded.dictionary.to_pylist()]
    value = pa.array([cell.value for cell in cells], pa.string())
    fault = pa.array([cell.fault for cell in cells], pa.string())
    return Standardised(value=value.take(coded.indices), fault=fault.take(coded.indices))


def judge_rest(values: pa.StringArray, quick: Standardised, done: Matrix, judge: Judge) -> Standardised:
    """Keep what the quick path has decided (`done`) and judge the other texts one by one."""
    if done.all():
        return quick
    mask = pa.array(~done)
    rest = judge_distinct(values.filter(mask), judge)
    return Standardised(
        value=pc.replace_with_mask(quick.value, mask, rest.value),
        fault=pc.replace_with_mask(quick.fault, mask, rest.fault),
    )


def bytes_of_width(values: pa.StringArray, width: int) -> tuple[Matrix, Matrix]:
    """Row numbers of the texts that are `width` bytes long, and their bytes as a (rows, width) matrix."""
    if len(values) == 0:
        return np.zeros(0, np.int64), np.zeros((0, width), np.uint8)
    offsets, data = text_buffers(values)
    lengths = np.diff(offsets)
    fits = (lengths == width) & ~null_mask(values)
    if fits.all():
        return np.arange(len(values)), data[offsets[0] : offsets[-1]].reshape(-1, width)
    rows = np.flatnonzero(fits)
    return rows, data[offsets[rows][:, None] + np.arange(width, dtype=np.int32)]


def text_buffers(values: pa.StringArray) -> tuple[Matrix, Matrix]:
    """Offsets (length + 1) and bytes of a string array, without a copy."""
    _, offsets, data = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[values.offset : values.offset + len(values) + 1]
    return ends, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def null_mask(values: pa.Array) -> Matrix:
    return np.asarray(values.is_null().to_numpy(zero_copy_only=False), dtype=bool)


def texts_of_width(matrix: Matrix) -> pa.StringArray:
    """The inverse of `bytes_of_width`: one ASCII text per row of the matrix."""
    count, width = matrix.shape
    offsets = np.arange(0, (count + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(count, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(matrix)))


def placed(length: int, rows: Matrix, texts: pa.Array) -> pa.Array:
    """A column of `length` with the texts at their rows and null elsewhere."""
    if len(rows) == length:
        return texts
    where = np.full(length, -1, np.int64)
    where[rows] = np.arange(len(rows))
    return texts.take(pa.array(where, mask=where < 0))


def fault_column(length: int, rows: Matrix, codes: Matrix, names: tuple[str | None, ...]) -> pa.Array:
    """Fault codes at `rows`: `codes` are positions in `names`, whose first entry is None."""
    index = np.zeros(length, np.int8)
    index[rows] = codes
    return pa.array(names, pa.string()).take(pa.array(index))


def only_where(values: pa.Array, keep: Matrix) -> pa.Array:
    """The values where `keep` holds, null elsewhere."""
    return values if keep.all() else pc.if_else(pa.array(keep), values, pa.scalar(None, values.type))
