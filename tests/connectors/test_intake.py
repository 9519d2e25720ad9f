"""raw → standard → gate: what is refused, what is only marked, and what a killed run leaves behind."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sa

from catalog.schema import IngestRunRow, QualityScoreRow, QuarantineCountRow
from catalog.snapshots import list_snapshots, newest_accepted, stages_by_version
from connectors import intake, raw, standard_rows, text
from connectors.record_keys import record_keys
from rules.errors import PlatformFault, load_error_texts
from rules.quality import load_quality
from tests.connectors.conftest import Bench, people

GOOD_ID = "11010519491231002X"


def test_a_file_becomes_raw_standard_and_accepted(bench: Bench) -> None:
    text = f"编号,姓名,身份证号,手机\n A1 , 张三 ,{GOOD_ID.lower()},１３８０００００００１\nA2,无,123,——\n"
    outcome = bench.ingest(bench.csv("people", text))
    assert (outcome.state, outcome.rows, outcome.quarantined, outcome.error) == ("accepted", 2, 0, None)
    assert bench.rows("raw", outcome)[0] == {
        "_row": 2,
        "编号": " A1 ",
        "姓名": " 张三 ",
        "身份证号": GOOD_ID.lower(),
        "手机": "１３８０００００００１",
    }
    standard = bench.rows("standard", outcome)
    assert standard[0] == {"_row": 2, "_record": "A1", "record_no": "A1", "name": "张三", "id_number": GOOD_ID, "phone": "13800000001"}
    assert standard[1] == {"_row": 3, "_record": "A2", "record_no": "A2", "name": None, "id_number": None, "phone": None}
    faults = bench.rows("faults", outcome)
    assert [(f["_row"], f["_record"], f["column"], f["raw"]) for f in faults] == [(3, "A2", "id_number", "123")]


def test_rows_without_a_key_or_with_a_key_again_are_quarantined_and_the_first_stays(bench: Bench) -> None:
    text = people(20) + "R00003,张三3,,13800000003\nR00004,另一人,,\n,无编号,,\n合计,23,,\n"
    outcome = bench.ingest(bench.csv("people", text))
    assert (outcome.state, outcome.rows) == ("accepted", 20)
    aside = {row["_row"]: row for row in bench.rows("quarantine", outcome)}
    assert {number: row["reason"] for number, row in aside.items()} == {
        22: "ROW-DUPLICATE", 23: "ROW-KEY-REPEATED", 24: "ROW-KEY-MISSING", 25: "ROW-TOTAL",
    }  # fmt: skip
    assert json.loads(aside[23]["raw"])["姓名"] == "另一人" and aside[23]["_record"] == "R00004"
    assert len({row["_record"] for row in bench.rows("standard", outcome)}) == 20


def test_a_composite_key_is_joined_by_a_bar_and_missing_when_a_part_is() -> None:
    batch = pa.RecordBatch.from_pydict({"_row": [2, 3, 4, 5], "户号": [" H1", "H1", "", "H2"], "序号": ["1 ", "0", "1", "无"]})
    assert record_keys(batch, ("户号", "序号")).to_pylist() == ["H1|1", "H1|0", None, None]
    assert record_keys(batch, ()).to_pylist() == ["2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (None, "SRC-MISSING", "people.csv"),
        (b"", "SRC-EMPTY", "people.csv"),
        ("编号,姓名,身份证号,手机\n".encode(), "SRC-EMPTY", "people"),
        ("编号,姓名,手机\n1,张三,\n".encode(), "SRC-COLUMNS", "身份证号"),
        ("编号,姓名,证件号码,手机\n1,张三,,\n".encode(), "SRC-COLUMNS", "证件号码"),
        ('编号,姓名,身份证号,手机\n1,张三,,\n2,李四,"'.encode(), "SRC-CUT-OFF", "line 3"),
        (people(50).encode()[:-3] + b",x\n" + b"1,2\n" * 60, "SRC-RAGGED", "61"),
        (("编号,姓名,身份证号,手机\n" + "".join(f"1,张{i},,\n" for i in range(50))).encode(), "GATE-KEY", "1"),
        (("编号,姓名,身份证号,手机\n" + "".join(f",张{i},,\n" for i in range(50))).encode(), "GATE-KEY", "50"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "SRC-COLUMNS", "编号"),
    ],
    ids=["missing", "empty", "header only", "wrong header", "renamed", "cut off", "ragged", "key repeats", "no key", "another format"],
)
def test_bad_input_gets_its_own_code_and_the_last_good_snapshot_stands(bench: Bench, content: bytes | None, code: str, told: str) -> None:
    dataset = bench.csv("people", people(30))
    good = bench.ingest(dataset)
    if content is None:
        (bench.folder / "people.csv").unlink()
    else:
        bench.write("people", content)
    outcome = bench.ingest(dataset)
    assert outcome.error is not None and (outcome.error.code, outcome.error.exit_code) == (code, 2)
    assert told in str(outcome.error) and "→" in str(outcome.error)
    with bench.store.session() as session:
        accepted = newest_accepted(session, bench.lake)
    assert good.snapshot is not None and [a.version for a in accepted] == [good.snapshot.version]
    assert bench.ingest(dataset).error is not None


def test_a_snapshot_half_the_usual_size_is_refused_until_the_contract_says_otherwise(bench: Bench) -> None:
    dataset = bench.csv("people", people(100))
    bench.ingest(dataset)
    bench.write("people", people(50))
    outcome = bench.ingest(dataset)
    assert outcome.error is not None and outcome.error.code == "GATE-COLLAPSED" and "100" in str(outcome.error)
    assert bench.ingest(dataset).error is not None
    raised = bench.csv("people", people(50), version="2.0.0")
    assert bench.ingest(raised).state == "accepted"


def test_a_smaller_drop_is_only_marked(bench: Bench) -> None:
    dataset = bench.csv("people", people(100))
    bench.ingest(dataset)
    bench.write("people", people(65))
    outcome = bench.ingest(dataset)
    assert outcome.state == "accepted" and any("rows_of_last" in mark for mark in outcome.warnings)


def test_an_unchanged_source_makes_no_new_snapshot(bench: Bench) -> None:
    dataset = bench.csv("people", people(10))
    first, second = bench.ingest(dataset), bench.ingest(dataset)
    assert (second.state, second.snapshot) == ("unchanged", first.snapshot)
    bench.write("people", people(11))
    third = bench.ingest(dataset)
    assert third.snapshot is not None and (third.state, third.snapshot.version) == ("accepted", 2)


def test_an_unchanged_table_makes_no_new_snapshot_and_leaves_no_file(bench: Bench) -> None:
    url = f"sqlite:///{bench.folder}/people.db"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE t (编号 TEXT, 姓名 TEXT, 身份证号 TEXT, 手机 TEXT)"))
        connection.execute(sa.text("INSERT INTO t VALUES ('1', '张三', NULL, NULL)"))
    server = {"type": "custom", "customProperties": [{"property": "url", "value": url}, {"property": "table", "value": "t"}]}
    dataset = bench.register("people", server)
    first = bench.ingest(dataset)
    assert first.state == "accepted" and bench.ingest(dataset).snapshot == first.snapshot
    assert len(list((bench.lake.root / "raw" / "people").iterdir())) == 1


@pytest.mark.parametrize("stage", ["raw", "standard", "gate"])
def test_what_a_killed_run_left_half_done_the_next_one_finishes(bench: Bench, monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    dataset = bench.csv("people", people(10) + "R00001,又来,,\n1,2\n" + people(20).split("\n", 11)[11])
    places: dict[str, tuple[Any, str]] = {
        "raw": (raw, "add_raw"),
        "standard": (standard_rows, "mark_standard"),
        "gate": (intake, "judge_snapshot"),
    }

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(*places[stage], killed)
        bench.ingest(dataset)
    with bench.store.session() as session:
        bench.lake.sweep(lambda key: stages_by_version(session, key))
    outcome = bench.ingest(dataset)
    assert (outcome.state, outcome.rows, outcome.quarantined) == ("accepted", 20, 2)
    with bench.store.session() as session:
        assert [(s.version, s.state) for s in list_snapshots(session, "people")] == [(1, "accepted")]
        assert session.scalar(sa.select(sa.func.sum(QuarantineCountRow.rows))) == 2
    assert len(bench.rows("quarantine", outcome)) == 2 and not list(bench.lake.root.rglob("*.tmp"))


def test_a_fault_of_the_platform_is_raised_and_not_an_outcome(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise PlatformFault("LAKE-FULL")

    monkeypatch.setattr(raw, "add_raw", full)
    with pytest.raises(PlatformFault):
        bench.ingest(bench.csv("people", people(3)))


def test_quality_is_kept_by_column_and_dimension(bench: Bench) -> None:
    text = f"编号,姓名,身份证号,手机\n1,张三,{GOOD_ID},13800000001\n2,李四,123,\n3,,,\n"
    bench.ingest(bench.csv("people", text))
    with bench.store.session() as session:
        scores = {(row.column_name, row.dimension): (row.passed, row.checked) for row in session.scalars(sa.select(QualityScoreRow))}
    assert scores["name", "completeness"] == (2, 3)
    assert scores["id_number", "completeness"] == (2, 3) and scores["id_number", "validity"] == (1, 2)
    assert scores["", "uniqueness"] == (3, 3)
    assert scores["", "completeness"] == (5, 9)


def test_every_run_is_on_record_without_values(bench: Bench) -> None:
    dataset = bench.csv("people", people(3))
    bench.ingest(dataset, run="r1")
    bench.write("people", "编号,姓名\n1,张三\n")
    bench.ingest(dataset, run="r2")
    with bench.store.session() as session:
        runs = [(row.run, row.state, row.code) for row in session.scalars(sa.select(IngestRunRow).order_by(IngestRunRow.id))]
    assert runs == [("r1", "accepted", None), ("r2", "unread", "SRC-COLUMNS")]


def test_several_files_make_one_data_set_and_each_row_names_its_file(bench: Bench) -> None:
    folder = bench.folder / "parts"
    folder.mkdir()
    (folder / "a.csv").write_text(people(3), encoding="utf-8")
    (folder / "b.csv").write_bytes(people(2, start=3).replace(",", "\t").encode("gb18030"))
    for path in ("parts", "parts/*.csv"):
        outcome = bench.ingest(bench.register("people", {"type": "local", "path": path, "format": "csv"}))
        assert outcome.rows == 5
        assert [(row["_file"], row["_row"]) for row in bench.rows("raw", outcome)] == [
            ("a.csv", 2),
            ("a.csv", 3),
            ("a.csv", 4),
            ("b.csv", 2),
            ("b.csv", 3),
        ]


def test_great_expectations_is_not_imported_before_a_judgement() -> None:
    code = "import connectors.intake, connectors.proposal, sys; sys.exit('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


def test_every_reason_and_code_that_the_connectors_name_is_explained() -> None:
    import re

    sources = "\n".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "connectors").glob("*.py"))
    assert set(re.findall(r'"(ROW-[A-Z-]+)"', sources)) == set(load_quality().reasons)
    assert set(re.findall(r'"((?:SRC|GATE)-[A-Z-]+)"', sources)) <= set(load_error_texts())


def test_processes_beside_do_what_this_one_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "GROUP_ROWS", 7)
    monkeypatch.setattr(text, "BLOCK_BYTES", 200)
    table = people(60) + "R00003,张三3,,\n,没有编号,,\n"
    alone = bench.ingest(bench.csv("alone", table))
    monkeypatch.setattr(standard_rows, "BIG_ROWS", 1)
    beside = bench.ingest(bench.csv("beside", table))
    for stage in ("standard", "faults", "quarantine"):
        assert bench.rows(stage, alone) == bench.rows(stage, beside)
    assert beside.rows == 60 and beside.quarantined == 2


def test_what_a_dead_worker_left_is_done_here(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard_rows, "BIG_ROWS", 1)
    monkeypatch.setattr("sys.executable", "/bin/true")
    assert bench.ingest(bench.csv("people", people(20))).rows == 20
