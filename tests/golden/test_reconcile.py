"""Reconciliation over a real store and lake: versions, ids that stay, what a kill leaves, serving, why."""

import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from catalog.home import Home
from catalog.schema import GoldenVersionRow, ReconcileRunRow
from catalog.store import Store
from golden.explain import text_of, why
from golden.serving import newest_serving, publish, serving_file
from golden.versions import golden_folder
from rules.errors import NotFound, Refused
from tests.golden.bureau import LATER, LI, LI_ROW, NOW, WANG_ROW, Bureau


@pytest.fixture
def bureau(store: Store, home: Home) -> Bureau:
    return Bureau(store, home)


@pytest.fixture
def started(bureau: Bureau) -> Bureau:
    bureau.accept("hukou", "police", [("a", LI_ROW), ("b", WANG_ROW)])
    bureau.accept("social", "hrss", [("1", LI_ROW)])
    return bureau


def test_the_first_run_makes_a_version_with_all_files(started: Bureau) -> None:
    outcome = started.reconcile()
    assert (outcome.version, outcome.residents, outcome.records, outcome.new, outcome.unchanged) == (1, 2, 3, 2, False)
    names = {path.stem for path in golden_folder(started.lake, 1).iterdir()}
    assert names == {"crosswalk", "reliability", "residents", "values", "rivals", "evidence", "identities", "history", "alarms", "review"}
    assert set(started.residents(1).values()) == {"R0000000001", "R0000000002"}


def test_unchanged_inputs_make_no_new_version(started: Bureau) -> None:
    started.reconcile()
    again = started.reconcile(now=LATER)
    assert (again.version, again.unchanged, again.new) == (1, True, 0)


def test_full_on_unchanged_inputs_changes_no_id_and_no_value_whatever_the_date(started: Bureau) -> None:
    started.reconcile()
    assert started.reconcile(full=True, now=LATER).new == 0
    for name in ("crosswalk", "residents", "values", "rivals", "evidence", "identities", "history"):
        old, new = (pq.read_table(golden_folder(started.lake, version) / f"{name}.parquet") for version in (1, 2))
        assert old.equals(new), name


def test_a_merge_keeps_the_older_id_and_the_other_resolves_to_it(started: Bureau) -> None:
    started.accept("social", "hrss", [("1", (None, "李明", None, None, None))])
    started.reconcile()
    before = started.residents(1)
    started.accept("social", "hrss", [("1", LI_ROW)])
    outcome = started.reconcile()
    after = started.residents(2)
    assert (outcome.merged, outcome.new) == (1, 0)
    assert after["social/1"] == after["hukou/a"] == min(before["social/1"], before["hukou/a"])
    loser = max(before["social/1"], before["hukou/a"])
    assert why(started.store, started.lake, loser).resident_id == after["hukou/a"]


def test_a_split_gives_the_smaller_part_a_new_id_and_no_id_comes_back(started: Bureau) -> None:
    started.accept("grid", "grid", [("g", LI_ROW)])
    started.reconcile()
    kept = started.residents(1)["hukou/a"]
    started.accept("social", "hrss", [("1", (None, "赵六", "1970-01-01", None, None))])
    outcome = started.reconcile()
    after = started.residents(2)
    assert (outcome.split, outcome.new) == (1, 1)
    assert after["hukou/a"] == after["grid/g"] == kept
    assert after["social/1"] == "R0000000003"


def test_a_record_that_comes_back_comes_back_to_its_resident(started: Bureau) -> None:
    started.reconcile()
    gone = started.residents(1)["hukou/b"]
    started.accept("hukou", "police", [("a", LI_ROW)])
    started.reconcile()
    with pytest.raises(NotFound):
        why(started.store, started.lake, gone)
    started.accept("hukou", "police", [("a", LI_ROW), ("b", WANG_ROW)])
    started.reconcile()
    assert started.residents(3)["hukou/b"] == gone


def test_what_a_killed_run_left_is_removed_and_done_again(started: Bureau) -> None:
    started.reconcile()
    half = golden_folder(started.lake, 2)
    shutil.copytree(golden_folder(started.lake, 1), half)
    (half / "values.parquet").write_bytes(b"half")
    with started.store.session() as session, session.begin():
        session.add(ReconcileRunRow(full=True, state="running", message="", started_at=NOW))
    outcome = started.reconcile(full=True)
    assert outcome.version == 2
    assert pq.read_table(half / "values.parquet").num_rows > 0
    with started.store.session() as session:
        assert session.scalars(sa.select(ReconcileRunRow.state).order_by(ReconcileRunRow.id)).all() == ["done", "killed", "done"]
        assert session.scalars(sa.select(GoldenVersionRow.version)).all() == [1, 2]


def test_nothing_accepted_is_refused_by_name(bureau: Bureau) -> None:
    with pytest.raises(Refused) as refused:
        bureau.reconcile()
    assert refused.value.code == "REC-EMPTY"


def test_serving_holds_every_resident_and_the_last_two_copies_stay(started: Bureau) -> None:
    started.reconcile()
    for version in (1, 2, 3):
        serving = publish(started.store, started.home, version, now=NOW)
        assert (serving.golden_version, serving.residents) == (version, 2)
        assert publish(started.store, started.home, version, now=NOW) == serving
        started.reconcile(full=True)
    standing = newest_serving(started.store)
    assert standing is not None
    if started.store.is_sqlite:
        assert sorted(p.name for p in started.home.serving_dir.glob("*.db")) == ["serving-2.db", "serving-3.db"]
        engine = sa.create_engine(f"sqlite:///{serving_file(started.home, standing)}")
        table = "resident"
    else:
        engine, table = started.store.engine, f"{standing.location}.resident"
    with engine.connect() as connection:
        rows = connection.execute(sa.text(f"SELECT resident_id, name, disputed FROM {table} WHERE id_number = :n"), {"n": LI}).all()
        if not started.store.is_sqlite:
            counted = connection.scalar(sa.text("SELECT reltuples FROM pg_class WHERE oid = CAST(:table AS regclass)"), {"table": table})
            assert counted == 2, "the planner knows the copy from the first question on"
    assert [(row.name, row.disputed) for row in rows] == [("李明", None)]


def test_why_tells_values_sources_rules_rivals_and_what_holds_the_records_together(started: Bureau) -> None:
    started.accept("social", "hrss", [("1", (None, "李明", "1990-05-06", "13800000001", "佛山市南海区桂城街道桂平路8号"))])
    started.reconcile()
    explained = why(started.store, started.lake, started.residents(1)["hukou/a"])
    told = text_of(explained)
    assert {origin.dataset for origin in explained.records} == {"hukou", "social"}
    assert explained.weakest_bridge is not None
    assert {"最弱连接", "数源部门的值", "R-01"} <= {word for word in ("最弱连接", "数源部门的值", "R-01") if word in told}
    assert [rival.value for reason in explained.reasons if reason.element == "residence_address" for rival in reason.rivals]
    assert "李明" not in repr(explained)


def test_all_records_stand_once_in_the_crosswalk(started: Bureau, tmp_path: Path) -> None:
    started.reconcile()
    with duckdb.connect() as con:
        path = golden_folder(started.lake, 1) / "crosswalk.parquet"
        assert con.execute(f"SELECT count(*), count(DISTINCT (dataset, record)) FROM '{path}'").fetchall() == [(3, 3)]
