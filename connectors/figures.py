"""The figures (质量指标) of a snapshot: how complete, valid, unique, timely and consistent it is, by column and as a whole.

Counts, never rates: scores of several snapshots or departments can be added up. The names are those of GB/T 36344.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.datasets import Column, Dataset
from rules.faults import load_faults
from rules.quality import COMPLETENESS, CONSISTENCY, TIMELINESS, UNIQUENESS, VALIDITY, load_quality

WHOLE = ""
SCAN_ROWS = 200_000
ID_LENGTH = 18


@dataclass(frozen=True, kw_only=True)
class Figure:
    """`passed` of `checked` cells (or rows, where `column` is empty) hold in a dimension."""

    dimension: str
    column: str
    element: str | None
    passed: int
    checked: int

    @property
    def share(self) -> float:
        return self.passed / self.checked if self.checked else 1.0


def measure(
    dataset: Dataset, standard: Path, *, faults: Mapping[tuple[str, str], int], aside: Mapping[str, int], received_on: date
) -> list[Figure]:
    """All figures of a standard file. `faults`: cells by column and fault; `aside`: rows by reason."""
    rows, nulls = _null_counts(standard)
    voided = _voided(faults)
    columns = [column for column in dataset.columns if column.element]
    figures = [figure for column in columns for figure in _of_column(column, rows, nulls[column.name], voided.get(column.name, 0))]
    figures += _across(dataset, standard, received_on)
    repeated = aside.get("ROW-KEY-REPEATED", 0) + aside.get("ROW-DUPLICATE", 0)
    figures.append(Figure(dimension=UNIQUENESS, column=WHOLE, element=None, passed=rows, checked=rows + repeated))
    return [*figures, *_sums(figures)]


def _of_column(column: Column, rows: int, nulls: int, voided: int) -> Iterator[Figure]:
    """A cell that held something is complete; if it could be understood it is valid."""
    given = rows - nulls + voided
    yield Figure(dimension=COMPLETENESS, column=column.name, element=column.element, passed=given, checked=rows)
    yield Figure(dimension=VALIDITY, column=column.name, element=column.element, passed=rows - nulls, checked=given)


def _null_counts(standard: Path) -> tuple[int, Mapping[str, int]]:
    """From the file's own statistics, without reading a row."""
    metadata = pq.read_metadata(standard)
    counts: dict[str, int] = {}
    for group in range(metadata.num_row_groups):
        for index in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(index)
            nulls = chunk.statistics.null_count if chunk.statistics else 0  # none of a row group without rows
            counts[chunk.path_in_schema] = counts.get(chunk.path_in_schema, 0) + nulls
    return metadata.num_rows, counts or dict.fromkeys(metadata.schema.to_arrow_schema().names, 0)


def _voided(faults: Mapping[tuple[str, str], int]) -> Mapping[str, int]:
    voided: dict[str, int] = {}
    for (column, code), cells in faults.items():
        if load_faults()[code].severity == "void":
            voided[column] = voided.get(column, 0) + cells
    return voided


Rule = Callable[[Mapping[str, pa.Array]], tuple[pa.Array, pa.Array]]
"""Columns by element → which rows can be checked, which of them hold."""


def _birth_in_number(cells: Mapping[str, pa.Array]) -> tuple[pa.Array, pa.Array]:
    number, birth = cells["id_number"], pc.replace_substring(cells["birth_date"], "-", "")
    checkable = pc.and_(pc.equal(pc.utf8_length(number), ID_LENGTH), pc.equal(pc.utf8_length(birth), 8))
    return checkable, pc.equal(pc.utf8_slice_codeunits(number, 6, 14), birth)


def _sex_in_number(cells: Mapping[str, pa.Array]) -> tuple[pa.Array, pa.Array]:
    number, sex = cells["id_number"], cells["sex"]
    checkable = pc.and_(pc.equal(pc.utf8_length(number), ID_LENGTH), pc.is_in(sex, value_set=pa.array(["1", "2"])))
    odd = pc.is_in(pc.utf8_slice_codeunits(number, 16, 17), value_set=pa.array(list("13579")))
    return checkable, pc.equal(odd, pc.equal(sex, "1"))


def _death_after_birth(cells: Mapping[str, pa.Array]) -> tuple[pa.Array, pa.Array]:
    birth, death = cells["birth_date"], cells["death_date"]
    return pc.and_(pc.is_valid(birth), pc.is_valid(death)), pc.less_equal(birth, death)


CONSISTENT: Mapping[tuple[str, str], Rule] = {
    ("birth_date", "id_number"): _birth_in_number,
    ("sex", "id_number"): _sex_in_number,
    ("death_date", "birth_date"): _death_after_birth,
}
"""(element that gets the figure, element it is held against) → rule (law.md D-08: a conflict is marked, neither is overwritten)."""


def _across(dataset: Dataset, standard: Path, received_on: date) -> list[Figure]:
    """What takes more than one column, or a column and the day: consistency and timeliness."""
    by_element = {column.element: column.name for column in reversed(dataset.columns) if column.element}
    rules = {pair: rule for pair, rule in CONSISTENT.items() if set(pair) <= set(by_element)}
    needed = sorted(
        {by_element[element] for pair in rules for element in pair} | {by_element[e] for e in ("updated_at",) if e in by_element}
    )
    if not needed:
        return []
    since = (received_on - timedelta(days=load_quality().periods_days.get(dataset.update_frequency, 366))).isoformat()
    totals: dict[tuple[str, str], list[int]] = {}
    for batch in pq.ParquetFile(standard).iter_batches(SCAN_ROWS, columns=needed):
        cells = {element: batch.column(name) for element, name in by_element.items() if name in needed}
        for (element, _), rule in rules.items():
            _add(totals, (CONSISTENCY, element), *rule(cells))
        if "updated_at" in by_element:
            confirmed = cells["updated_at"]
            _add(totals, (TIMELINESS, "updated_at"), pc.is_valid(confirmed), pc.greater_equal(confirmed, since))
    return [
        Figure(dimension=dimension, column=by_element[element], element=element, passed=passed, checked=checked)
        for (dimension, element), (passed, checked) in totals.items()
    ]


def _add(totals: dict[tuple[str, str], list[int]], place: tuple[str, str], checkable: pa.Array, holds: pa.Array) -> None:
    count = totals.setdefault(place, [0, 0])
    checkable = pc.fill_null(checkable, False)
    count[0] += pc.sum(pc.and_(checkable, pc.fill_null(holds, False))).as_py() or 0
    count[1] += pc.sum(checkable).as_py() or 0


def _sums(figures: Sequence[Figure]) -> list[Figure]:
    """Each dimension over all columns."""
    sums: dict[str, list[int]] = {}
    for figure in figures:
        if figure.column != WHOLE:
            count = sums.setdefault(figure.dimension, [0, 0])
            count[0] += figure.passed
            count[1] += figure.checked
    return [Figure(dimension=d, column=WHOLE, element=None, passed=passed, checked=checked) for d, (passed, checked) in sums.items()]
