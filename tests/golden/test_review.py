"""The review queue: what stands on it, in which order, with what evidence, and what takes it off."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from catalog.home import Home
from catalog.store import open_store
from golden.decisions import Anchor, DecisionsAtHand, Kind, StewardDecision
from golden.resolution import resolve
from golden.review import Queue, list_review, read_queue
from golden.versions import golden_folder
from rules.authority import load_survivorship
from rules.matching import load_matching
from tests.golden.bureau import Bureau, Row
from tests.golden.tables import number, source

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
CHEN, ZHOU = number("1990-05-06", 11), number("1985-01-02", 24)
ROAD = "佛山市南海区桂城街道南海大道{}号"


def person(num: str | None, name: str, birth: str | None, phone: str | None = None, house: str | None = None) -> Row:
    return num, name, birth, phone, None if house is None else ROAD.format(house)


PLANTED = [
    ("hukou", "police", [("chen", person(CHEN, "陈志强", "1990-05-06", "13800000001", "12"))]),
    ("grid", "grid", [("chen", person(CHEN, "陈志强", "1990-05-06", "13800000001", "12"))]),
    ("school", "education", [("zhou", person(CHEN, "周丽华", "1990-05-06", "13800000003", "7"))]),
]
"""One number that two names carry: 重号, or borrowed."""


@pytest.fixture
def bureau(empty_home: Home, tmp_path: Path) -> Bureau:
    import shutil

    shutil.copytree(empty_home.root, tmp_path / "home")
    home = Home(tmp_path / "home")
    return Bureau(open_store(home.store_url), home)


def queue(bureau: Bureau, version: int, limit: int = 100) -> Queue:
    return read_queue(golden_folder(bureau.lake, version), version, list(load_matching().comparisons), limit)


def plant(bureau: Bureau) -> None:
    for dataset, department, rows in PLANTED:
        bureau.accept(dataset, department, rows)


def test_a_number_with_two_names_stands_on_the_queue_with_its_evidence_and_no_value(bureau: Bureau) -> None:
    plant(bureau)
    found = queue(bureau, bureau.reconcile().version)
    (row,) = found.rows
    assert (found.total, row.rank, row.kind, len(row.residents)) == (1, 1, "shared_number", 2)
    assert {row.dataset_a, row.dataset_b} >= {"school"}
    assert row.levels["number"][0] == "equal" and row.levels["number"][1] > 0
    assert row.levels["name"][0] == "else" and row.levels["name"][1] < 0
    assert row.records == 1, "the smaller side has one record"
    assert row.elements == 3, "name, phone and address differ"
    assert not any(value in repr(found) for value in ("陈志强", "周丽华", CHEN, "13800000001"))


def test_the_bits_of_the_comparisons_and_of_the_prior_are_the_weight(bureau: Bureau) -> None:
    plant(bureau)
    (row,) = queue(bureau, bureau.reconcile().version).rows
    assert row.bits - sum(bits for _, bits in row.levels.values()) == pytest.approx(prior(bureau), abs=0.02)


def prior(bureau: Bureau) -> float:
    from golden.model import read_model

    model = read_model(bureau.lake, 1)
    assert model is not None
    return model.weights.prior_bits / 100


def made(number: int, kind: Kind, a: Anchor, b: Anchor) -> StewardDecision:
    return StewardDecision(
        id=number, kind=kind, residents=("R0000000001", "R0000000002"), side_a=(a,), side_b=(b,), element=None, value=None, overruled=(),
        reason="x", until=None, golden_version=1, decided_by="mei", decided_at=NOW, revoked_by=None, revoked_at=None, revoke_reason=None,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [Kind.MERGE, Kind.APART])
def test_what_a_steward_decided_is_off_the_queue(tmp_path: Path, kind: Kind) -> None:
    people = [dict(zip(("id_number", "name", "birth_date"), row[:3], strict=True)) for *_, ((_, row),) in PLANTED]
    sources = [source(tmp_path, name, [row]) for name, row in zip(("a", "b", "c"), people, strict=True)]
    decision = made(1, kind, Anchor(dataset="a", record="1"), Anchor(dataset="c", record="1"))

    def doubts(decisions: Sequence[StewardDecision]) -> int:
        with duckdb.connect() as con:
            resolve(
                con,
                sources,
                matching=load_matching(),
                survivorship=load_survivorship(),
                previous=None,
                decisions=DecisionsAtHand(standing=tuple(decisions)),
            )
            return con.execute("SELECT count(*) FROM review_pairs").fetchall()[0][0]

    assert doubts([]) == 1
    assert doubts([decision]) == 0


UNITS = "(1, 11, NULL, 5), (2, 12, NULL, 4), (3, 13, NULL, 1), (4, 14, NULL, 1), (5, 15, NULL, 1), (6, 16, NULL, 1), (7, 17, NULL, 2)"


def planted_doubts(con: duckdb.DuckDBPyConnection) -> None:
    """Seven residents of one unit each (the seventh of two records in two units) and what the machine made of their pairs."""
    con.execute(f"CREATE TABLE unit_rows AS FROM (VALUES {UNITS}) t(unit, res, number, records)")
    con.execute("INSERT INTO unit_rows VALUES (8, 17, NULL, 2)")
    con.execute("CREATE TABLE units AS SELECT unit, number::VARCHAR AS number, records::INT AS records FROM unit_rows")
    con.execute("CREATE TABLE unit_of AS SELECT unit * 100 + unnest(range(records)) AS rid, unit FROM unit_rows")
    con.execute("CREATE TABLE resident_of AS SELECT rid, res FROM unit_of JOIN unit_rows USING (unit)")
    con.execute("CREATE TABLE merged_records (rid BIGINT, component BIGINT)")
    con.execute("CREATE TABLE decided_pairs (a BIGINT, b BIGINT, together BOOLEAN)")
    con.execute("CREATE TABLE number_conflicts (number VARCHAR, units BIGINT)")
    con.execute("""
        CREATE TABLE scored AS FROM (VALUES (1, 2, 0, true, NULL), (3, 4, 0, true, NULL), (5, 6, -300, false, NULL),
          (1, 5, -900, false, NULL), (2, 6, 3000, true, 'twins'), (3, 6, 3000, false, 'twins')) t(a, b, bits, eligible, barred)""")
    con.execute("CREATE TABLE evidence AS SELECT 7 AS cluster, 7 AS a, 8 AS b, 100 AS bits, true AS bridge")
    con.execute("CREATE TABLE smallest_cuts (cluster BIGINT, bits BIGINT, units INT, side BIGINT[])")
    con.execute("""
        CREATE TABLE golden_values AS FROM (VALUES (11, 'phone', '1'), (12, 'phone', '2'), (11, 'sex', '1'), (12, 'sex', '1'))
        t(res, element, value)""")
    con.execute("CREATE TABLE rivals AS SELECT 17 AS res, 'phone' AS element, '3' AS value")


def test_the_queue_begins_with_what_is_most_uncertain_and_would_change_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("golden.review.weighed_levels", lambda *_: "SELECT pair FROM review_pairs")
    with duckdb.connect() as con:
        planted_doubts(con)
        list_review(con, load_matching(), None)  # type: ignore[arg-type]
        rows = con.execute("SELECT kind, a, b, records, elements, weight FROM review_pairs ORDER BY weight DESC, a, b").fetchall()
    assert rows == [
        ("unjoined", 1, 2, 4, 1, 5.0),  # even odds, four records and a phone
        ("bridge", 7, 8, 2, 1, 2.0),  # one bit holds two records: wrong by 1/3, twice that is the doubt
        ("unjoined", 3, 4, 1, 0, 1.0),  # even odds, one record
        ("unjoined", 5, 6, 1, 0, 0.2222),  # three bits against
        ("barred", 2, 6, 1, 0, 0.05),  # the weights are sure, the rule says never
    ]


def test_an_incremental_run_leaves_the_queue_of_a_full_one(bureau: Bureau) -> None:
    plant(bureau)
    others = [(f"p{i}", person(number(f"19{60 + i}-03-0{1 + i % 9}", 30 + i), f"何{'甲乙丙丁戊己庚辛'[i % 8]}文", None)) for i in range(12)]
    bureau.accept("tax", "tax", others)
    bureau.reconcile()
    bureau.accept("school", "education", [("zhou", person(CHEN, "周丽华", "1990-05-06", "13900000009", "9"))])
    changed = bureau.reconcile(now=NOW).version
    full = bureau.reconcile(now=NOW, full=True).version
    assert queue(bureau, changed).rows == queue(bureau, full).rows != ()
    assert (golden_folder(bureau.lake, changed) / "parts.json").exists()
    bureau.accept("school", "education", [("zhou", person(ZHOU, "周丽华", "1985-01-02", "13900000009", "9"))])
    assert queue(bureau, bureau.reconcile(now=NOW).version).total == 0
