"""Enterprises: which records are one, ids that stay, and what is written of them."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from catalog.home import Home
from catalog.schema import SnapshotRow
from catalog.store import Store
from golden.engine import open_engine
from golden.enterprises import enterprise_folder, reconcile_enterprises, resolve_enterprises
from golden.explain import Reason, text_of, why_enterprise
from rules.authority import load_survivorship
from rules.credit_codes import check_character, organisation_check_character
from rules.errors import NotFound, Refused
from rules.matching import load_matching
from tests.golden.bureau import NOW, Bureau
from tests.golden.tables import source


def code(order: int) -> str:
    """A valid credit code of the test region 440698."""
    organisation = f"{order:08d}"
    body = f"91440698{organisation}{organisation_check_character(organisation)}"
    return body + check_character(body)


HENGDA, OTHER, BRANCH = code(10_000_001), code(10_000_020), code(10_000_033)
NAME, ADDRESS = "佛山市南海区恒达五金有限公司", "广东省佛山市南海区桂城街道南海大道12号"
REGISTERED = {
    "credit_code": HENGDA,
    "registration_number": "440698000000064",
    "enterprise_name": NAME,
    "legal_representative": "李明",
    "enterprise_address": ADDRESS,
    "established_on": "2012-03-04",
}

Row = Mapping[str, str | None]


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(tmp_path / "spill") as con:
        yield con


def enterprises(
    con: duckdb.DuckDBPyConnection, folder: Path, *rows: Row, raw_codes: Mapping[int, tuple[str, str]] | None = None
) -> list[int]:
    """The enterprise of REGISTERED and of each row of another department, numbered by first appearance.

    raw_codes: what stood in the place of a row's credit code, and the fault that ingest found.
    """
    faults = [(row, "credit_code", fault, raw) for row, (fault, raw) in (raw_codes or {}).items()]
    columns = {name: (name,) for name in REGISTERED}
    empty = dict.fromkeys(REGISTERED)
    sources = [
        source(folder, "register", [REGISTERED], department="market", columns=columns),
        source(folder, "taxpayers", [{**empty, **row} for row in rows], department="tax", columns=columns, faults=faults),
    ]
    resolve_enterprises(con, sources, load_matching("enterprises"), load_survivorship(), None)
    found = con.execute(
        "SELECT res FROM resident_of JOIN records USING (rid) JOIN sources USING (src) ORDER BY dataset, record::INT"
    ).fetchall()
    order = {res: place for place, res in enumerate(dict.fromkeys(row[0] for row in found))}
    return [order[row[0]] for row in found]


@pytest.mark.parametrize(
    "row",
    [
        {"credit_code": HENGDA, "enterprise_name": "恒达五金有限责任公司"},
        {"enterprise_name": "佛山（南海）恒达五金有限公司", "legal_representative": "李明"},
        {"enterprise_name": NAME, "enterprise_address": ADDRESS, "legal_representative": "王秀英"},
        {"registration_number": "440698000000064", "enterprise_name": NAME},
        {"enterprise_name": "佛山市南海区恒鑫五金有限公司", "legal_representative": "李明", "enterprise_address": ADDRESS},
        {
            "enterprise_name": "佛山市南海区旺记五金有限公司",
            "legal_representative": "李明",
            "enterprise_address": ADDRESS,
            "established_on": "2012-03-04",
        },
    ],
    ids=["spelling", "brackets", "new representative", "old licence", "one character", "renamed"],
)
def test_one_enterprise_in_two_departments(con: duckdb.DuckDBPyConnection, tmp_path: Path, row: Row) -> None:
    assert enterprises(con, tmp_path, row) == [0, 0]


@pytest.mark.parametrize(
    ("fault", "raw"),
    [
        ("CREDIT-ORGANISATION", HENGDA[8:16] + "-" + HENGDA[16]),
        ("CREDIT-REGISTRATION", "440698000000064"),
        ("CREDIT-REGISTRATION", HENGDA[2:17]),
        ("CREDIT-LOST", HENGDA[:15] + "000"),
    ],
    ids=["organisation code", "old licence", "taxpayer's number", "cut by a spreadsheet"],
)
def test_what_stands_in_the_place_of_a_code_still_leads_to_its_enterprise(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, fault: str, raw: str
) -> None:
    assert enterprises(con, tmp_path, {"enterprise_name": NAME}, raw_codes={1: (fault, raw)}) == [0, 0]


@pytest.mark.parametrize(
    "row",
    [
        {"enterprise_name": NAME},
        {"credit_code": OTHER, "enterprise_name": NAME, "legal_representative": "李明", "enterprise_address": ADDRESS},
        {"enterprise_name": "佛山市南海区恒达塑料制品有限公司", "legal_representative": "李明", "enterprise_address": ADDRESS},
        {"credit_code": HENGDA, "enterprise_name": "佛山市里水顺达水果店", "legal_representative": "王秀英"},
        {"credit_code": BRANCH, "enterprise_name": f"{NAME}桂城分公司", "legal_representative": "李明", "enterprise_address": ADDRESS},
        {"credit_code": HENGDA, "enterprise_name": f"{NAME}桂城分公司", "legal_representative": "李明", "enterprise_address": ADDRESS},
    ],
    ids=["name alone", "another code", "another of the owner's", "borrowed code", "branch", "branch with its company's code"],
)
def test_two_enterprises_stay_two(con: duckdb.DuckDBPyConnection, tmp_path: Path, row: Row) -> None:
    assert enterprises(con, tmp_path, row) == [0, 1]


def test_a_branch_that_shows_its_companys_code_joins_the_branch(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    own = {"credit_code": BRANCH, "enterprise_name": f"{NAME}桂城分公司", "legal_representative": "王秀英"}
    assert enterprises(con, tmp_path, own, {**own, "credit_code": HENGDA}) == [0, 1, 1]


def test_traders_whose_names_differ_by_a_character_stay_apart(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    shop = {"enterprise_name": "佛山市南海区桂城达记五金店", "legal_representative": "陈强", "enterprise_address": "桂城街道福苑街41号"}
    next_door = {**shop, "enterprise_name": "佛山市南海区桂城达记五金行", "legal_representative": "何伟"}
    assert enterprises(con, tmp_path, shop, next_door) == [0, 1, 2]


def test_the_value_of_record_stands_and_rivals_are_counted(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    enterprises(con, tmp_path, {"credit_code": HENGDA, "enterprise_name": "恒达五金有限责任公司", "legal_representative": "王秀英"})
    values = con.execute("SELECT element, value, rule, sources, status FROM golden_values ORDER BY element").fetchall()
    assert ("legal_representative", "李明", "R-01", 1, "ok") in values
    assert ("enterprise_name", NAME, "R-01", 2, "ok") in values, "another spelling of the name is no other name"
    assert con.execute("SELECT element, value, dataset FROM rivals").fetchall() == [
        ("enterprise_name", "恒达五金有限责任公司", "taxpayers"),
        ("legal_representative", "王秀英", "taxpayers"),
    ]


def test_where_the_register_says_nothing_a_majority_is_no_reason(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Of the scope of business the register says nothing here: two old claims against one of this year."""
    row: dict[str, str | None] = {"credit_code": HENGDA, "enterprise_name": NAME}
    columns = {name: (name,) for name in (*row, "staff_count", "updated_at")}
    said = {"tax": ("12", "2019-03-01"), "customs": ("12", "2019-03-02"), "hrss": ("30", "2026-09-01")}
    sources = [
        source(tmp_path, department, [{**row, "staff_count": value, "updated_at": day}], department=department, columns=columns)
        for department, (value, day) in said.items()
    ]
    resolve_enterprises(con, sources, load_matching("enterprises"), load_survivorship(), None)
    found = con.execute("SELECT value, dataset, rule, sources FROM golden_values WHERE element = 'staff_count'").fetchall()
    assert found == [("30", "hrss", "R-03", 1)]
    assert con.execute("SELECT DISTINCT value FROM rivals WHERE element = 'staff_count'").fetchall() == [("12",)]


def test_two_who_differ_and_are_believed_alike_leave_the_value_open(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    columns = {name: (name,) for name in ("credit_code", "enterprise_name", "legal_representative")}
    rows = [{"credit_code": HENGDA, "enterprise_name": NAME, "legal_representative": name} for name in ("李明", "王秀英")]
    sources = [source(tmp_path, key, [row], department=key, columns=columns) for key, row in zip(("customs", "hrss"), rows, strict=True)]
    resolve_enterprises(con, sources, load_matching("enterprises"), load_survivorship(), None)
    found = con.execute("SELECT value, rule, status FROM golden_values WHERE element = 'legal_representative'").fetchall()
    assert found == [(None, "R-02-unresolved", "unresolved")]


class Enterprises(Bureau):
    """Accepted snapshots about enterprises."""

    def hold(self, dataset: str, rows: Mapping[str, Row]) -> None:
        columns = {name: [row.get(name) for row in rows.values()] for name in REGISTERED}
        self.accept_columns(dataset, "market", {"record": list(rows), **columns})

    def crosswalk(self, version: int) -> dict[str, str]:
        rows = pq.read_table(enterprise_folder(self.lake, version) / "crosswalk.parquet").to_pylist()
        return {f"{row['dataset']}/{row['record']}": row["enterprise_id"] for row in rows}


@pytest.fixture
def bureau(store: Store, home: Home) -> Enterprises:
    return Enterprises(store, home)


def test_ids_stay_from_version_to_version_and_unchanged_inputs_make_none(bureau: Enterprises) -> None:
    bureau.hold("register", {"a": REGISTERED, "b": {"credit_code": OTHER, "enterprise_name": "佛山市盛达物流有限公司"}})
    first = reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW)
    assert (first.version, first.enterprises, first.records, first.new) == (1, 2, 2, 2)
    assert reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW).unchanged
    bureau.hold("insured", {"1": {"credit_code": OTHER, "enterprise_name": "盛达物流有限公司"}, "2": {"enterprise_name": "宏源家具"}})
    second = reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW)
    before, after = bureau.crosswalk(1), bureau.crosswalk(2)
    assert (second.version, second.new, second.merged) == (2, 1, 0)
    assert before.items() <= after.items()
    assert after["insured/1"] == after["register/b"] and after["insured/2"] == "E0000000003"


def test_a_merge_leaves_the_older_id_and_the_other_resolves_to_it(bureau: Enterprises) -> None:
    bureau.hold("register", {"a": REGISTERED})
    bureau.hold("insured", {"1": {"enterprise_name": NAME}})
    reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW)
    before = bureau.crosswalk(1)
    bureau.hold("insured", {"1": {"enterprise_name": NAME, "credit_code": HENGDA}})
    assert reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW).merged == 1
    assert set(bureau.crosswalk(2).values()) == {min(before.values())}
    identities = pq.read_table(enterprise_folder(bureau.lake, 2) / "identities.parquet").to_pylist()
    assert {row["enterprise_id"]: row["superseded_by"] for row in identities}[max(before.values())] == min(before.values())


def test_what_is_sent_again_is_no_newer_than_it_was(bureau: Enterprises) -> None:
    bureau.hold("register", {"a": REGISTERED, "b": {"credit_code": OTHER, "enterprise_name": "佛山市盛达物流有限公司"}})
    with bureau.store.session() as session, session.begin():
        session.execute(sa.update(SnapshotRow).values(received_at=NOW - timedelta(days=40)))
    reconcile_enterprises(bureau.store, bureau.lake, full=True, now=NOW)
    bureau.hold("register", {"a": REGISTERED, "b": {"credit_code": OTHER, "enterprise_name": "佛山市盛达仓储有限公司"}})
    reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW)
    assert {record: _name_of(bureau, enterprise).received_on for record, enterprise in bureau.crosswalk(2).items()} == {
        "register/a": "2026-09-22",
        "register/b": "2026-11-01",
    }


def _name_of(bureau: Enterprises, enterprise: str) -> Reason:
    [reason] = why_enterprise(bureau.store, bureau.lake, enterprise, "enterprise_name").reasons
    return reason


def test_an_enterprise_is_explained_also_by_an_id_that_was_merged(bureau: Enterprises) -> None:
    with pytest.raises(NotFound, match="DOOR-NO-ENTERPRISES"):
        why_enterprise(bureau.store, bureau.lake, "E0000000001")
    bureau.hold("register", {"a": REGISTERED})
    bureau.hold("insured", {"1": {"enterprise_name": NAME}})
    reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW)
    merged = max(bureau.crosswalk(1).values())
    bureau.hold("insured", {"1": {"enterprise_name": NAME, "credit_code": HENGDA, "legal_representative": "王秀英"}})
    reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW)
    found = why_enterprise(bureau.store, bureau.lake, merged)
    assert (found.asked, found.enterprise_id, found.version) == (merged, min(bureau.crosswalk(1).values()), 2)
    assert {(origin.dataset, origin.record) for origin in found.records} == {("register", "a"), ("insured", "1")}
    [representative] = [reason for reason in found.reasons if reason.element == "legal_representative"]
    assert (representative.value, representative.origin is not None) == ("李明", True)
    assert [(rival.value, rival.origin.dataset) for rival in representative.rivals] == [("王秀英", "insured")]
    told = text_of(found)
    assert f"企业 enterprise {found.enterprise_id}" in told and f"{merged} 已并入" in told and "同一企业依据" in told
    for wrong, code in (("E0000000099", "REC-ENTERPRISE"), ("R0000000001", "REC-ENTERPRISE")):
        with pytest.raises(NotFound, match=code):
            why_enterprise(bureau.store, bureau.lake, wrong)


def test_what_a_killed_run_left_is_removed(bureau: Enterprises) -> None:
    bureau.hold("register", {"a": REGISTERED})
    left = enterprise_folder(bureau.lake, 1)
    left.mkdir(parents=True)
    (left / "half.parquet").write_bytes(b"half")
    reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW)
    assert {path.stem for path in left.iterdir()} == {"crosswalk", "enterprises", "values", "rivals", "evidence", "identities", "history"}


def test_nothing_about_enterprises_is_refused_by_name(bureau: Enterprises) -> None:
    with pytest.raises(Refused) as refused:
        reconcile_enterprises(bureau.store, bureau.lake, full=False, now=NOW)
    assert refused.value.code == "REC-NO-ENTERPRISES"
