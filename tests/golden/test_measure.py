"""Precision and recall of a crosswalk, counted by hand."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from golden.measure import by_pattern, kept_apart, pairwise

RECORDS = ("1", "2", "3", "4", "5")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """In truth 1 2 3 are one person, 4 5 another; found were 1 2 and 3 4 5: of four found pairs two are right."""
    crosswalk, truth, patterns = (tmp_path / f"{name}.parquet" for name in ("crosswalk", "truth", "patterns"))
    keys = {"dataset": ["d"] * 5, "record": RECORDS}
    pq.write_table(pa.table(keys | {"resident_id": ["R1", "R1", "R2", "R2", "R2"]}), crosswalk)
    pq.write_table(pa.table(keys | {"resident": ["a", "a", "a", "b", "b"]}), truth)
    pq.write_table(
        pa.table({"dataset": ["d", "d"], "record": ["3", "3"], "pattern": ["X-09", "X-09"], "column": ["name", "former"]}), patterns
    )
    return crosswalk, truth, patterns


def test_pairs_and_records_are_counted(files: tuple[Path, Path, Path]) -> None:
    found = pairwise(files[0], files[1])
    assert (found.precision, found.recall, found.f1) == (0.5, 0.5, 0.5)
    assert found.bcubed_precision == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)
    assert found.bcubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert (found.records, found.residents, found.people) == (5, 2, 2)


def test_a_record_with_a_pattern_counts_once(files: tuple[Path, Path, Path]) -> None:
    (row,) = by_pattern(*files)
    assert (row.pattern, row.records, row.precision, row.recall) == ("X-09", 1, 0.0, 0.0)


def test_who_was_merged_with_anybody_was_not_kept_apart(tmp_path: Path) -> None:
    """Twins a and b stay apart; of the two with one number c does, while a record of d went to a third person e."""
    crosswalk, truth, patterns = (tmp_path / f"{name}.parquet" for name in ("crosswalk", "truth", "patterns"))
    keys = {"dataset": ["d"] * 6, "record": ["1", "2", "3", "4", "5", "6"]}
    pq.write_table(pa.table(keys | {"resident_id": ["R1", "R2", "R3", "R4", "R5", "R5"]}), crosswalk)
    pq.write_table(pa.table(keys | {"resident": ["a", "b", "c", "d", "d", "e"]}), truth)
    marked = {"record": ["1", "2", "3", "4", "6"], "pattern": ["X-23", "X-23", "X-06", "X-06", "X-09"]}
    pq.write_table(pa.table({"dataset": ["d"] * 5, **marked, "column": ["key"] * 5}), patterns)
    one_number, twins = kept_apart(crosswalk, truth, patterns)
    assert (one_number.pattern, one_number.people, one_number.apart) == ("X-06", 2, 1)
    assert (twins.pattern, twins.people, twins.apart) == ("X-23", 2, 2)
