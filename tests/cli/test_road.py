"""The contract's commands in order, on small files: from contract to masked extract, with every exit code on the way."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import ROWS, Command, Prepare, contract, logged, source


def rows(sql: str) -> list[tuple]:
    with duckdb.connect() as con:
        return con.execute(sql).fetchall()


def register(folder: Path, tongchou: Command) -> None:
    assert tongchou("init").code == 0
    for key, domain in (("hukou", "police"), ("shebao", "hrss")):
        source(folder, key)
        contract(folder, key, domain=domain)
    assert tongchou("register", str(folder)).code == 0


def reconcile(folder: Path, tongchou: Command) -> None:
    register(folder, tongchou)
    assert tongchou("ingest").code == 0
    assert tongchou("reconcile").code == 0


@pytest.fixture
def registered(prepare: Callable[[Prepare], Path]) -> Path:
    """Two data sets of the same three people, registered."""
    return prepare(register)


@pytest.fixture
def reconciled(prepare: Callable[[Prepare], Path]) -> Path:
    return prepare(reconcile)


def test_init_may_be_repeated(tongchou: Command) -> None:
    assert [tongchou("init").code for _ in range(2)] == [0, 0]


def test_a_contract_with_faults_is_refused_and_the_good_one_is_registered(folder: Path, tongchou: Command) -> None:
    tongchou("init")
    contract(folder, "good")
    contract(folder, "Bad-Key", schema=[])
    done = tongchou("register", "--json", str(folder))
    assert done.code == 2
    assert done.json()["registered"] == ["good"]
    assert len(done.json()["refused"]) >= 2


def test_one_faulty_data_set_does_not_stop_the_others(registered: Path, tongchou: Command) -> None:
    (registered / "shebao.csv").unlink()
    done = tongchou("ingest", "--json")
    states = {outcome["dataset"]: outcome["state"] for outcome in done.json()}
    assert (done.code, states) == (2, {"hukou": "accepted", "shebao": "unread"})


def test_an_unchanged_source_makes_no_new_snapshot(registered: Path, tongchou: Command) -> None:
    tongchou("ingest")
    again = tongchou("ingest", "--json")
    assert {outcome["state"] for outcome in again.json()} == {"unchanged"}


def test_the_exports_hold_every_record_and_every_resident_once(reconciled: Path, tongchou: Command) -> None:
    for what in ("crosswalk", "golden"):
        assert tongchou("export", what, "--out", f"{what}.parquet").code == 0
    crosswalk = rows("SELECT dataset, record FROM 'crosswalk.parquet' ORDER BY ALL")
    assert crosswalk == [(dataset, str(n)) for dataset in ("hukou", "shebao") for n in (1, 2, 3)]
    names = rows("SELECT name FROM 'golden.parquet' ORDER BY name")
    assert names[:2] == [("欧阳明月",), ("王小明",)]
    assert {name for (name,) in names[2:]} == {"阿依古丽·买买提"}  # without a number: perhaps not yet linked, never lost


def test_reliabilities_are_shown_and_exported_with_the_version_they_were_learnt_with(reconciled: Path, tongchou: Command) -> None:
    assert tongchou("reconcile", "--full").code == 0
    shown = tongchou("reliability", "--json", "name").json()
    assert (shown["version"], shown["learnt_version"]) == (2, 1)
    assert {source["dataset"] for source in shown["elements"][0]["sources"]} == {"hukou", "shebao"}
    assert "可靠度学习于第 1 版" in tongchou("reliability").out
    assert tongchou("reliability", "no_such_element").code == 4
    assert tongchou("export", "reliability", "--out", "reliability.parquet").code == 0
    outside = rows("SELECT count(*) FROM 'reliability.parquet' WHERE NOT p::DOUBLE BETWEEN low::DOUBLE AND high::DOUBLE")
    assert outside == [(0,)]
    assert rows("SELECT DISTINCT learnt_version, element IS NULL FROM 'reliability.parquet'") == [("1", False)]


def test_full_reconciliation_of_the_same_data_changes_no_id_and_no_value(reconciled: Path, tongchou: Command) -> None:
    tongchou("export", "golden", "--out", "before.parquet")
    assert tongchou("reconcile", "--full").code == 0
    tongchou("export", "golden", "--out", "after.parquet")
    assert rows("SELECT * FROM 'before.parquet' EXCEPT SELECT * FROM 'after.parquet'") == []


def test_nothing_to_reconcile_says_so(reconciled: Path, tongchou: Command) -> None:
    assert tongchou("reconcile", "--json").json()["unchanged"] is True


def test_a_grant_gives_a_masked_extract_and_everything_is_in_the_log(reconciled: Path, tongchou: Command) -> None:
    account = ("grant", "account", "minzheng", "--title", "民政局", "--department", "民政局", "--role", "department_requester")
    assert tongchou(*account).code == 0
    terms = ("--columns", "resident_id,name,id_number", "--purpose", "低保复核", "--basis", "社会救助暂行办法 第十三条")
    assert tongchou("grant", "add", "--to", "民政局", *terms, "--to-day", "2099-01-01").code == 0
    asked = ("--to", "民政局", "--columns", "name,id_number", "--purpose", "低保复核")
    assert tongchou("grant", "find", *asked, "--json").json()["id"] == 1
    assert tongchou("grant", "find", *asked, "--mode", "verify").code == 4
    assert tongchou("grant", "regraded", "--json").json() == []
    assert tongchou("extract", "1", "--as", "minzheng", "--out", "extract.csv").code == 0
    text = Path("extract.csv").read_text(encoding="utf-8-sig")
    shown = text.splitlines()[1].split(",")[0].strip('"')
    reversed_ = tongchou("pseudonyms", "reverse", "1", "resident_id", shown, "--why", "举报核查", "--json").json()
    assert reversed_["found"][0][0] == shown and reversed_["found"][0][1].startswith("R")
    assert tongchou("pseudonyms", "begin-epoch", "民政局", "--why", "例行更换", "--json").json()["number"] == 2
    assert "王**" in text and "王小明" not in text and "11010519491231002X" not in text
    other = ("grant", "account", "jiaoyu", "--title", "教育局", "--department", "教育局", "--role", "department_requester")
    assert tongchou(*other).code == 0
    assert tongchou("extract", "1", "--as", "jiaoyu", "--out", "other.csv").code == 3
    assert not Path("other.csv").exists()
    events = [record["event"] for record in logged()]
    assert [e.split(":")[-1] for e in events if e.startswith("access:extract")] == ["intent", "result", "denied"]
    assert tongchou("audit", "verify").code == 0


def test_why_names_sources_and_rule_and_ends_with_4_for_nobody(reconciled: Path, tongchou: Command) -> None:
    (resident,) = rows("SELECT resident_id FROM 'home/lake/golden/v000001/crosswalk.parquet' WHERE record = '1' LIMIT 1")[0]
    done = tongchou("why", resident, "name")
    assert done.code == 0 and "hukou" in done.out and "R-01" in done.out
    assert tongchou("why", "R9999999999").code == 4


def test_a_changed_record_in_the_log_is_named_by_its_index(reconciled: Path, tongchou: Command) -> None:
    import sqlite3

    tongchou("export", "golden", "--out", "golden.parquet")
    with sqlite3.connect("home/audit.db") as db:
        db.execute("UPDATE entry SET record = replace(record, 'parquet', 'parquex') WHERE seq = (SELECT max(seq) FROM entry)")
        (last,) = db.execute("SELECT max(seq) FROM entry").fetchone()
    done = tongchou("audit", "verify")
    assert done.code == 5 and f"[{last}]" in done.err


def test_proposing_a_contract_gives_one_that_can_be_registered(registered: Path, tongchou: Command) -> None:
    source(registered, "xuesheng", rows=tuple(row.replace("2026", "2025") for row in ROWS))
    assert tongchou("propose", "xuesheng.csv", "--domain", "education", "--out", "xuesheng.yaml").code == 0
    assert tongchou("register", "xuesheng.yaml").code == 0


def test_enterprises_are_reconciled_and_their_crosswalk_leaves_through_the_door(folder: Path, tongchou: Command) -> None:
    tongchou("init")
    properties: list[dict[str, object]] = [
        {"name": e, "physicalName": header, "logicalType": "string", "customProperties": [{"property": "element", "value": e}]}
        for e, header in (("credit_code", "信用代码"), ("enterprise_name", "单位名称"))
    ]
    properties[0]["primaryKey"] = True
    schema = [{"name": "enterprises", "logicalType": "object", "properties": properties}]
    for key, name in (("market", "佛山市南海区恒达五金有限公司"), ("tax", "恒达五金有限责任公司")):
        (folder / f"{key}.csv").write_text(f"信用代码,单位名称\n91350100M000100Y43,{name}\n", encoding="utf-8")
        contract(folder, key, domain=key, schema=schema)
    assert tongchou("register", str(folder)).code == 0
    assert tongchou("ingest").code == 0
    made = tongchou("reconcile", "--entity", "enterprises", "--json")
    assert (made.code, made.json()["enterprises"], made.json()["records"]) == (0, 1, 2)
    out = folder / "crosswalk.parquet"
    answer = tongchou("export", "crosswalk", "--entity", "enterprises", "--out", str(out), "--json").json()
    assert (answer["rows"], answer["residents"]) == (2, 0)
    assert rows(f"SELECT DISTINCT enterprise_id FROM '{out}'") == [("E0000000001",)]
    told = tongchou("why", "E0000000001", "enterprise_name").out
    assert "企业 enterprise E0000000001" in told and "佛山市南海区恒达五金有限公司" in told and "R-01" in told
    assert "另有 rival: 恒达五金有限责任公司" in told and "同一企业依据 why one enterprise" in told
    asked = [record for record in logged() if record["event"] == "access:why:intent"]
    assert len(asked) == 1 and "E0000000001" not in str(asked)
    assert (tongchou("why", "E0000000009").code, tongchou("why", "E0000000001", "--as-of", "2026-11-01").code) == (4, 2)
