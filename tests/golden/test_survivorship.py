"""Which value becomes golden: tables in, values out (law.md §5.3, R-01…R-05)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from golden.engine import open_engine
from golden.records import STAMPED_ROWS, stamped_at_upload
from golden.resolution import resolve
from golden.sources import RecordSource
from rules.authority import load_survivorship
from rules.matching import load_matching
from tests.golden.tables import number, source


@dataclass(frozen=True, kw_only=True)
class Golden:
    value: str | None
    rule: str
    status: str
    of_record: str | None
    dataset: str | None


Chosen = Callable[..., dict[str, Golden]]
LI = number("1990-05-06", 11)


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(tmp_path / "spill") as con:
        yield con


@pytest.fixture
def chosen(con: duckdb.DuckDBPyConnection) -> Chosen:
    """The golden values of the one resident of all records, by element."""

    def run(*sources: RecordSource) -> dict[str, Golden]:
        ordered = sorted(sources, key=lambda s: s.dataset)
        resolve(con, ordered, matching=load_matching(), survivorship=load_survivorship(), previous=None)
        assert con.execute("SELECT count(DISTINCT res) FROM resident_of").fetchall()[0][0] == 1
        rows = con.execute("SELECT element, value, rule, status, value_of_record, dataset FROM golden_values").fetchall()
        return {e: Golden(value=v, rule=r, status=s, of_record=o, dataset=d) for e, v, r, s, o, d in rows}

    return run


def held(folder: Path, dataset: str, department: str, row: dict[str, str | None], **given: Any) -> RecordSource:
    return source(folder, dataset, [{"id_number": LI, "name": "李明", **row}], department=department, **given)


def test_the_value_of_record_stands_against_one_other(chosen: Chosen, tmp_path: Path) -> None:
    found = chosen(held(tmp_path, "hukou", "police", {"ethnicity": "01"}), held(tmp_path, "social", "hrss", {"ethnicity": "15"}))
    assert (found["ethnicity"].value, found["ethnicity"].rule, found["ethnicity"].status) == ("01", "R-01", "ok")


@pytest.mark.parametrize("spelling", ["李 明", "李明1", "李?", "李□", "阿明"])
def test_careless_spellings_refute_nothing_however_many_hold_them(chosen: Chosen, tmp_path: Path, spelling: str) -> None:
    """TX-23: a majority as such is no refutation."""
    others = [held(tmp_path, f"d{n}", "hrss", {"name": spelling}) for n in range(4)]
    found = chosen(held(tmp_path, "hukou", "police", {}), *others)
    assert (found["name"].value, found["name"].rule) == ("李明", "R-01")


def test_a_name_once_borne_does_not_refute_the_present_one(chosen: Chosen, tmp_path: Path) -> None:
    others = [held(tmp_path, f"d{n}", "hrss", {"name": "李招弟"}) for n in range(4)]
    assert chosen(held(tmp_path, "hukou", "police", {"former_name": "李招弟"}), *others)["name"].value == "李明"


def test_a_whole_name_is_preferred_to_a_damaged_one(chosen: Chosen, tmp_path: Path) -> None:
    found = chosen(*[held(tmp_path, f"d{n}", "hrss", {"name": "李□"}) for n in range(3)], held(tmp_path, "tax", "tax", {"name": "李淼"}))
    assert found["name"].value == "李淼"


def test_the_own_number_refutes_birth_and_sex_of_record(chosen: Chosen, tmp_path: Path) -> None:
    found = chosen(held(tmp_path, "hukou", "police", {"birth_date": "1990-06-05", "sex": "2"}))
    assert (found["birth_date"].value, found["birth_date"].status, found["birth_date"].of_record) == (
        "1990-05-06",
        "disputed",
        "1990-06-05",
    )
    assert (found["sex"].value, found["sex"].rule) == ("1", "R-02-number")


def test_a_year_is_completed_by_the_number_and_not_disputed(chosen: Chosen, tmp_path: Path) -> None:
    found = chosen(held(tmp_path, "hukou", "police", {"birth_date": "1990"}))
    assert (found["birth_date"].value, found["birth_date"].status) == ("1990-05-06", "ok")


def test_birth_and_sex_come_from_the_number_where_no_source_states_them(chosen: Chosen, tmp_path: Path) -> None:
    found = chosen(held(tmp_path, "hukou", "police", {"birth_date": None, "sex": None}))
    assert (found["birth_date"].value, found["sex"].value) == ("1990-05-06", "1")
    assert found["birth_date"].dataset == "hukou"


def test_a_verified_observation_refutes_the_value_of_record(chosen: Chosen, tmp_path: Path) -> None:
    found = chosen(
        held(tmp_path, "hukou", "police", {"ethnicity": "01"}),
        held(tmp_path, "door", "grid", {"ethnicity": "15"}, verified=True),
        held(tmp_path, "school", "education", {"ethnicity": "15"}),
    )
    assert (found["ethnicity"].value, found["ethnicity"].rule, found["ethnicity"].of_record) == ("15", "R-02-refuted", "01")
    assert found["ethnicity"].status == "disputed"


@pytest.mark.parametrize("before", ["2026-10-01", "2026-10-19"])
def test_who_looked_before_the_check_does_not_outvote_it_however_many_they_are(chosen: Chosen, tmp_path: Path, before: str) -> None:
    """R-02: what changed in between only the check can have seen, though all of it happened within one class of age."""
    others = [held(tmp_path, f"d{n}", "hrss", {"phone": "13800000001", "updated_at": before}) for n in range(8)]
    check = held(tmp_path, "door", "grid", {"phone": "13800000002", "updated_at": "2026-10-20"}, verified=True)
    found = chosen(*others, check)
    assert (found["phone"].value, found["phone"].dataset) == ("13800000002", "door")


def test_a_check_does_not_outvote_all_who_looked_after_it(chosen: Chosen, tmp_path: Path) -> None:
    others = [held(tmp_path, f"d{n}", "hrss", {"phone": "13800000001", "updated_at": "2026-10-20"}) for n in range(8)]
    check = held(tmp_path, "door", "grid", {"phone": "13800000002", "updated_at": "2026-10-01"}, verified=True)
    assert chosen(*others, check)["phone"].value == "13800000001"


def test_checks_made_on_one_day_are_dated_all_the_same(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """X-19 is said of uploads: a sweep of door checks is done on one day."""
    rows = [{"id_number": number("1990-05-06", n), "name": "李明", "updated_at": "2026-10-20"} for n in range(STAMPED_ROWS)]
    ordered = [source(tmp_path, "door", rows, verified=True), source(tmp_path, "social", rows)]
    assert stamped_at_upload(con, ordered) == {"social"}


def test_the_contract_may_name_the_source_of_record(chosen: Chosen, tmp_path: Path) -> None:
    found = chosen(
        held(tmp_path, "hukou", "police", {"native_place": "广东佛山"}),
        held(tmp_path, "own", "grid", {"native_place": "湖北宜昌"}, source_of_record=frozenset({"native_place"})),
    )
    assert found["native_place"].value == "湖北宜昌"


def test_a_newer_phone_wins_over_an_older_one(chosen: Chosen, tmp_path: Path) -> None:
    found = chosen(
        held(tmp_path, "social", "hrss", {"phone": "13800000001", "updated_at": "2016-01-01"}),
        held(tmp_path, "grid", "grid", {"phone": "13800000002", "updated_at": "2026-08-01"}),
    )
    assert (found["phone"].value, found["phone"].dataset) == ("13800000002", "grid")


def test_within_a_source_the_latest_row_speaks(chosen: Chosen, tmp_path: Path) -> None:
    rows = [
        {"id_number": LI, "name": "李明", "marital_status": "20", "updated_at": "2015-01-01"},
        {"id_number": LI, "name": "李明", "marital_status": "40", "updated_at": "2024-01-01"},
    ]
    found = chosen(source(tmp_path, "marriages", rows, department="civil_affairs"))
    assert (found["marital_status"].value, found["marital_status"].of_record) == ("40", "40")


def test_what_nobody_is_sure_of_stays_unresolved(chosen: Chosen, tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    found = chosen(
        held(tmp_path, "a", "market", {"phone": "13800000001", "updated_at": "2026-01-01"}),
        held(tmp_path, "b", "market", {"phone": "13800000002", "updated_at": "2026-01-01"}),
        held(tmp_path, "c", "market", {"phone": "13800000003", "updated_at": "2026-01-01"}),
    )
    assert (found["phone"].value, found["phone"].status, found["phone"].rule) == (None, "unresolved", "R-02-unresolved")
    assert con.execute("SELECT count(*) FROM rivals WHERE element = 'phone'").fetchall() == [(3,)]


def test_every_value_has_its_source_date_and_rule_and_every_other_value_is_a_rival(
    chosen: Chosen, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    chosen(
        held(tmp_path, "hukou", "police", {"ethnicity": "01", "updated_at": "2026-01-02"}),
        held(
            tmp_path,
            "social",
            "hrss",
            {"ethnicity": "15", "phone": "13800000001", "updated_at": "2025-03-04"},
            received_on=date(2026, 9, 1),
        ),
    )
    missing = con.execute(
        "SELECT count(*) FROM golden_values WHERE dataset IS NULL OR record IS NULL OR observed_on IS NULL OR rule IS NULL"
    )
    assert missing.fetchall() == [(0,)]
    assert con.execute("SELECT element, value, dataset, record, observed_on FROM rivals").fetchall() == [
        ("ethnicity", "15", "social", "1", "2025-03-04")
    ]
    assert con.execute("SELECT observed_on, received_on FROM golden_values WHERE element = 'phone'").fetchall() == [
        ("2025-03-04", "2026-09-01")
    ]
