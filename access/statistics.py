"""Statistics (统计, T0): persons counted by groups of a target, with the groups hidden that are small or would give a small one away.

A person is counted, not a row. law.md I-07, G-04.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

import numpy as np
import pyarrow as pa

from access.populations import resident_numbers
from access.reading import SUBJECT
from access.targets import Target
from access.terms import Grant
from masking.methods import Basis, Mask, RecipientKey, apply
from masking.small_groups import hidden_groups, with_sums
from rules.errors import Refused
from rules.tiers import StatisticsRule

ALL = "*"
"""合计: of a dimension, all its categories together."""
NOT_KNOWN = ""
NO_KEY = RecipientKey(secret=b"")
"""None of the masks that form groups needs a recipient's key."""


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A column to group by, and how: by street, by band of age."""

    column: str
    grouping: str
    mask: Mask

    def __str__(self) -> str:
        return f"{self.column}:{self.grouping}"


@dataclass(frozen=True, kw_only=True)
class Group:
    """People alike in all dimensions, `ALL` where all of one are meant. `persons` None: hidden."""

    values: tuple[str, ...]
    persons: int | None


@dataclass(frozen=True, kw_only=True)
class Statistic:
    """An answer: its groups, with sums where asked for and where each person belongs to one group only."""

    target: str
    target_version: int
    dimensions: tuple[str, ...]
    smallest_group: int
    sums: bool
    hidden: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """People by groups: `persons` are resident numbers, `cells` the group of each, as an index into the cube of `categories`.

    A person may stand in several groups, once in each. `unknown`: persons of no known resident, counted by row, per cell.
    """

    categories: tuple[tuple[str, ...], ...]
    persons: np.ndarray
    cells: np.ndarray
    unknown: np.ndarray

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(names) for names in self.categories)

    @property
    def counts(self) -> np.ndarray:
        return (np.bincount(self.cells, minlength=self.unknown.size) + self.unknown).reshape(self.shape)

    def hidden(self, smallest: int) -> np.ndarray:
        """Which groups, and sums, are hidden. Where groups overlap none can be computed from others, for no sum is ever told."""
        counts = with_sums(self.counts)
        if self.adds_up:
            return hidden_groups(counts, smallest)
        hidden = np.ones(counts.shape, dtype=bool)
        hidden[tuple(slice(0, size) for size in self.shape)] = (self.counts > 0) & (self.counts < smallest)
        return hidden

    @property
    def adds_up(self) -> bool:
        """Whether each person belongs to one group, so that groups add up to sums."""
        return len(np.unique(self.persons)) == len(self.persons)


def dimensions_of(asked: Sequence[str], grant: Grant, target: Target, rule: StatisticsRule) -> tuple[Dimension, ...]:
    """`column` or `column:grouping` texts as dimensions. Refused DOOR-GROUPING tells all that is wrong with them."""
    pairs = [text.partition(":")[::2] for text in asked]
    known = [(column, column in grant.columns and rule.groupings.get(target.columns[column].facts.kind, {})) for column, _ in pairs]
    faults = [
        f"{column}: 不在授权内或不能分组 not granted, or not to be grouped by" if not groupings else f"{column}: {', '.join(groupings)}"
        for (column, grouping), (_, groupings) in zip(pairs, known, strict=True)
        if not groupings or (grouping and grouping not in groupings)
    ]
    if not 0 < len(pairs) <= rule.most_dimensions or len({column for column, _ in pairs}) < len(pairs):
        faults.append(f"1–{rule.most_dimensions} 个不同的数据项 different columns")
    if faults:
        raise Refused("DOOR-GROUPING", what="; ".join(faults))
    return tuple(
        Dimension(column=column, grouping=grouping or next(iter(groupings)), mask=Mask(method=groupings[grouping or next(iter(groupings))]))
        for (column, grouping), (_, groupings) in zip(pairs, known, strict=True)
        if groupings
    )


def tabulate(batches: Iterator[pa.RecordBatch], dimensions: Sequence[Dimension], today: date, rule: StatisticsRule) -> Table:
    """Count base rows (`access.reading.base_batches`) into groups. Refused DOOR-GROUPING if there were too many."""
    codes: list[dict[str, int]] = [{} for _ in dimensions]
    persons, places, strangers = [], [], []
    for batch in batches:
        found = np.column_stack([_coded(_grouped(batch, one, today), known) for one, known in zip(dimensions, codes, strict=True)])
        if np.prod([len(known) for known in codes], dtype=float) > rule.most_groups:
            raise Refused("DOOR-GROUPING", what=f"> {rule.most_groups} 组 groups")
        named = batch[SUBJECT].is_valid().to_numpy(zero_copy_only=False)
        persons.append(resident_numbers(batch[SUBJECT].drop_null()))
        places.append(found[named])
        strangers.append(found[~named])
    return _table(codes, np.concatenate(persons or [np.empty(0, np.uint64)]), _stacked(places, codes), _stacked(strangers, codes))


def statistic_of(table: Table, target: Target, dimensions: Sequence[Dimension], rule: StatisticsRule, *, sums: bool) -> Statistic:
    """What is told: groups in the order of their names, empty ones left out."""
    counts, hidden, sums = with_sums(table.counts), table.hidden(rule.smallest_group), sums and table.adds_up
    names = [[*categories, ALL] if sums else list(categories) for categories in table.categories]
    places = product(*(range(len(some)) for some in names))
    groups = tuple(
        Group(values=tuple(some[at] for some, at in zip(names, place, strict=True)), persons=None if hidden[place] else int(counts[place]))
        for place in places
        if counts[place] > 0
    )
    return Statistic(
        target=target.key,
        target_version=target.version,
        dimensions=tuple(str(one) for one in dimensions),
        smallest_group=rule.smallest_group,
        sums=sums,
        hidden=sum(group.persons is None for group in groups),
        groups=groups,
    )


def _grouped(batch: pa.RecordBatch, dimension: Dimension, today: date) -> pa.Array:
    return apply(dimension.mask, batch[dimension.column], Basis(key=NO_KEY, today=today, column=dimension.column)).fill_null(NOT_KNOWN)


def _coded(values: pa.Array, known: dict[str, int]) -> np.ndarray:
    """Each value's code; new values get the next."""
    coded = values.dictionary_encode()
    codes = [known.setdefault(text, len(known)) for text in coded.dictionary.to_pylist()]
    return np.array(codes, dtype=np.int64)[coded.indices.to_numpy(zero_copy_only=False)]


def _stacked(parts: list[np.ndarray], codes: Sequence[Mapping[str, int]]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty((0, len(codes)), dtype=np.int64)


def _table(codes: Sequence[Mapping[str, int]], persons: np.ndarray, places: np.ndarray, strangers: np.ndarray) -> Table:
    """Categories sorted; each person once in each group."""
    categories = tuple(tuple(sorted(known)) for known in codes)
    shape = tuple(len(names) for names in categories)
    order = [np.array([names.index(text) for text in known], dtype=np.int64) for known, names in zip(codes, categories, strict=True)]

    def cells(found: np.ndarray) -> np.ndarray:
        if not len(found):
            return np.empty(0, dtype=np.int64)
        return np.ravel_multi_index(tuple(order[dim][found[:, dim]] for dim in range(len(order))), shape)

    size = int(np.prod(shape))
    persons, where = np.divmod(np.unique(persons.astype(np.int64) * max(size, 1) + cells(places)), max(size, 1))
    return Table(categories=categories, persons=persons, cells=where, unknown=np.bincount(cells(strangers), minlength=size))
