"""Which records are one resident: tables in, residents out (law.md §5.1, §5.2)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from golden_tables import number, source

from golden.engine import open_engine
from golden.resolution import resolve
from golden.sources import RecordSource
from rules.authority import load_survivorship
from rules.matching import load_matching

Linked = Callable[..., dict[str, int]]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(tmp_path / "spill") as con:
        yield con


@pytest.fixture
def linked(con: duckdb.DuckDBPyConnection) -> Linked:
    """Residents by `dataset/record`."""

    def run(*sources: RecordSource) -> dict[str, int]:
        ordered = sorted(sources, key=lambda s: s.dataset)
        resolve(con, ordered, matching=load_matching(), survivorship=load_survivorship(), previous=None)
        rows = con.execute(
            "SELECT dataset || '/' || record, res FROM resident_of JOIN records USING (rid) JOIN sources USING (src)"
        ).fetchall()
        return dict(rows)

    return run


LI = number("1990-05-06", 11)


def test_one_number_and_one_name_are_one_resident(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        source(tmp_path, "hukou", [{"id_number": LI, "name": "李明"}], department="police"),
        source(tmp_path, "social", [{"id_number": LI, "name": "李明"}, {"id_number": LI, "name": "李　明"}]),
    )
    assert len(found) == 3
    assert len(set(found.values())) == 1


def test_a_number_that_two_people_carry_is_not_merged(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        source(tmp_path, "hukou", [{"id_number": LI, "name": "李明", "sex": "1", "birth_date": "1990-05-06"}], department="police"),
        source(tmp_path, "social", [{"id_number": LI, "name": "王秀英", "sex": "2", "birth_date": "1985-01-02"}]),
    )
    assert found["hukou/1"] != found["social/1"]
