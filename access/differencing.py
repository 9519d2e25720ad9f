"""Differences (差分) between a new statistic and all that the same recipient was given before (law.md I-09, TX-14).

Whoever holds two tables can subtract: a group of one from a union of groups of the other. So of every group that is shown in one table we
ask how near it comes to a union of groups of the other, counted in persons:

- nearer than the smallest group, but not equal: the difference would tell of too few;
- equal, with hidden groups within, unless it is itself a group, or a sum, that the other shows: it would narrow what is hidden there.

Any of these refuses the new one. What an extract handed over counts as a table of one group. Two answers at a time are compared; what only
three or more together would tell is not looked for.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from pyroaring import BitMap64
from sqlalchemy.orm import Session

from access.populations import as_bytes, keep_bytes, read_bytes, read_population
from access.statistics import Table
from catalog.schema import DataGrantRow, ReceiptRow

SUFFIX = ".groups"


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A table as it was answered: who is in which group of the cube of `shape`, and which groups, sums among them, were hidden."""

    shape: tuple[int, ...]
    persons: np.ndarray
    cells: np.ndarray
    hidden: np.ndarray


def answered(table: Table, hidden: np.ndarray) -> Answered:
    order = np.argsort(table.persons, kind="stable")
    return Answered(shape=table.shape, persons=table.persons[order], cells=table.cells[order], hidden=hidden)


def one_group(numbers: BitMap64) -> Answered:
    """An extract: everybody in it is one group, which was shown."""
    persons = np.array(numbers.to_array(), dtype=np.int64)
    return Answered(shape=(1,), persons=persons, cells=np.zeros(len(persons), dtype=np.int64), hidden=np.zeros(2, dtype=bool))


def differs_by_few(new: Answered, earlier: Answered, smallest: int) -> bool:
    """Whether holding both would tell of fewer than `smallest` persons."""
    return _narrows(new, earlier, smallest) or _narrows(earlier, new, smallest)


def keep_groups(folder: Path, one: Answered) -> str:
    """Keep a table: a bitmap of residents for each of its groups; returns the digest that the file is named by."""
    order = np.argsort(one.cells, kind="stable")
    cells, starts = np.unique(one.cells[order], return_index=True)
    people = np.split(one.persons[order], starts[1:]) if len(cells) else []
    residents = pa.array([as_bytes(BitMap64(some.astype(np.uint64))) for some in people], pa.binary())
    told = {"shape": json.dumps(one.shape), "hidden": json.dumps(np.flatnonzero(one.hidden).tolist())}
    table = pa.table({"cell": pa.array(cells, pa.int64()), "residents": residents}).replace_schema_metadata(told)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return keep_bytes(folder, sink.getvalue().to_pybytes(), SUFFIX)


def read_groups(folder: Path, digest: str) -> Answered:
    """IntegrityBroken DOOR-POPULATION if the file is gone or is not what its name says."""
    table = pq.read_table(pa.BufferReader(read_bytes(folder, digest, SUFFIX)))
    shape = tuple(json.loads(table.schema.metadata[b"shape"]))
    hidden = np.zeros([size + 1 for size in shape], dtype=bool)
    hidden.flat[json.loads(table.schema.metadata[b"hidden"])] = True
    people = [np.array(BitMap64.deserialize(data).to_array(), dtype=np.int64) for data in table["residents"].to_pylist()]
    cells = np.repeat(table["cell"].to_numpy(), [len(some) for some in people])
    persons = np.concatenate(people or [np.empty(0, dtype=np.int64)])
    order = np.argsort(persons, kind="stable")
    return Answered(shape=shape, persons=persons[order], cells=cells[order].astype(np.int64), hidden=hidden)


def earlier_answers(session: Session, folder: Path, recipient: str) -> Iterator[Answered]:
    """All that a recipient was given, statistics and extracts, each content once."""
    receipt = ReceiptRow
    mine = sa.select(receipt.groups, receipt.population).join(DataGrantRow, DataGrantRow.id == receipt.grant_id)
    rows = session.execute(mine.where(DataGrantRow.grantee_key == recipient, receipt.population.is_not(None)).distinct()).tuples()
    for groups, population in sorted(rows, key=str):
        yield read_groups(folder, groups) if groups else one_group(read_population(folder, population or ""))


def _narrows(shown: Answered, other: Answered, smallest: int) -> bool:
    """Whether a group that `shown` shows comes too near to a union of groups of `other`."""
    pairs = _common(shown, other)
    strange = shown.cells[~np.isin(shown.persons, other.persons)]
    return any(_sums_narrow(fixed, shown, other, pairs, strange, smallest) for fixed in _subsets(len(shown.shape)))


def _sums_narrow(fixed: Sequence[int], shown: Answered, other: Answered, pairs: np.ndarray, strange: np.ndarray, smallest: int) -> bool:
    """The same of the groups with these dimensions told apart and the others summed. `strange`: groups of those whom `other` has not.

    The union that comes nearest to a group takes the groups of which it holds more than half.
    """
    sizes = np.bincount(other.cells, minlength=int(np.prod(other.shape)))
    joined, held = np.unique(_summed(shown, pairs[:, 0], fixed) * len(sizes) + pairs[:, 1], return_counts=True)
    group, cell = np.divmod(joined, len(sizes))
    left_out, most = sizes[cell] - held, int(np.prod([shown.shape[dim] for dim in fixed], dtype=int))
    near = np.bincount(_summed(shown, strange, fixed), minlength=most)
    near = near + np.bincount(group, weights=np.minimum(held, left_out), minlength=most)
    told = ~_hidden_of(shown, fixed).ravel() & (np.bincount(_summed(shown, shown.cells, fixed), minlength=most) > 0)
    if (told & (near > 0) & (near < smallest)).any():
        return True
    taken = held > left_out
    inside = taken & other.hidden[_cube(other.shape)].ravel()[cell]
    equal = told & (near == 0)
    suspects = np.flatnonzero(equal & (np.bincount(group[inside], minlength=most) > 0))
    return any(not _is_shown_group(cell[taken & (group == suspect)], other) for suspect in suspects)


def _common(one: Answered, other: Answered) -> np.ndarray:
    """For each person whom both hold: the group in the one and in the other; whoever is in several groups, each pair."""
    _, mine, theirs = np.intersect1d(one.persons, other.persons, return_indices=True)
    if len(np.unique(one.persons)) == len(one.persons) and len(np.unique(other.persons)) == len(other.persons):
        return np.column_stack([one.cells[mine], other.cells[theirs]])
    left = np.searchsorted(other.persons, one.persons, "left")
    times = np.searchsorted(other.persons, one.persons, "right") - left
    repeated = np.repeat(np.arange(len(one.persons)), times)
    offsets = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    return np.column_stack([one.cells[repeated], other.cells[left[repeated] + offsets]])


def _summed(one: Answered, cells: np.ndarray, fixed: Sequence[int]) -> np.ndarray:
    """Which group each cell belongs to where only these dimensions are told apart."""
    if not fixed:
        return np.zeros(len(cells), dtype=np.int64)
    places = np.unravel_index(cells, one.shape)
    return np.ravel_multi_index(tuple(places[dim] for dim in fixed), tuple(one.shape[dim] for dim in fixed))


def _cube(shape: Sequence[int]) -> tuple[slice, ...]:
    """The groups themselves, without sums."""
    return tuple(slice(0, size) for size in shape)


def _hidden_of(one: Answered, fixed: Sequence[int]) -> np.ndarray:
    return one.hidden[tuple(slice(0, size) if dim in fixed else size for dim, size in enumerate(one.shape))]


def _is_shown_group(cells: np.ndarray, other: Answered) -> bool:
    """Whether some cells are all of one group, or sum, that the other table shows."""
    places = np.column_stack(np.unravel_index(cells, other.shape))
    place = tuple(int(some[0]) if (some == some[0]).all() else size for some, size in zip(places.T, other.shape, strict=True))
    whole = np.unique(other.cells)
    alike = np.ones(len(whole), dtype=bool)
    for dim, found in enumerate(np.unravel_index(whole, other.shape)):
        alike &= (found == place[dim]) | (place[dim] == other.shape[dim])
    return int(alike.sum()) == len(cells) and not other.hidden[place]


def _subsets(dims: int) -> Iterator[tuple[int, ...]]:
    return chain.from_iterable(combinations(range(dims), size) for size in range(dims + 1))
