"""`tongchou catalog …` as people use it: compile, review, publish, find, and what each of them is refused."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Prepare, contract, logged, source

ITEMS = {
    "abstract": "户籍的基本信息",
    "shareScope": "区级各部门",
    "usePurpose": "核验身份",
    "useConditions": "不得提供给第三方",
    "secrecyAssessment": "评〔2026〕1号",
    "privacyAssessment": "评〔2026〕2号",
    "notSecret": "是",
}
NEEDED = tuple(f"{key}={value}" for key, value in ITEMS.items())


def furnish(folder: Path, tongchou: Command) -> None:
    assert tongchou("init").code == 0
    accounts = (
        ("lin", "police", "department_requester"), ("he", "police", "department_head"),
        ("zhang", "health", "department_requester"), ("chief", None, "bureau_approver"),
    )  # fmt: skip
    for name, department, role in accounts:
        where = ("--department", department) if department else ()
        assert tongchou("grant", "account", name, "--title", name, "--role", role, *where).code == 0
    source(folder, "police_hukou")
    assert tongchou("register", str(contract(folder, "police_hukou"))).code == 0


@pytest.fixture
def office(tongchou: Command, prepare: Callable[[Prepare], Path]) -> Command:
    """A home with one registered data set of the police and people who work on its entry."""
    prepare(furnish)
    return tongchou


def published(office: Command) -> None:
    assert office("catalog", "set", "1", *NEEDED, "--as", "lin").code == 0
    for command, by in (("submit", "lin"), ("approve", "he"), ("publish", "chief")):
        assert office("catalog", command, "1", "--as", by).code == 0


def test_a_registered_data_set_goes_from_draft_to_publication_and_is_found(office: Command) -> None:
    drafts = office("catalog", "entries", "--as", "lin", "--json").json()
    assert [(e["id"], e["title"], e["state"]) for e in drafts] == [(1, "police_hukou 登记表", "draft")]
    assert office("catalog", "entries", "--as", "zhang", "--json").json() == []
    faults = office("catalog", "check", "1", "--as", "lin", "--json")
    assert faults.code == 2 and {"ENT-DECLARATION", "ENT-ASSESSMENT", "ENT-CONDITIONS"} <= {f["code"] for f in faults.json()}
    refused = office("catalog", "submit", "1", "--as", "lin")
    assert refused.code == 2 and "CAT-FAULTS" in refused.err and "信息资源摘要" in refused.err
    assert office("catalog", "search", "djb", "--as", "zhang", "--json").json()["total"] == 0
    published(office)
    found = office("catalog", "search", "手机号", "--as", "zhang", "--json").json()
    assert [(hit["code"], hit["columns"]) for hit in found["hits"]] == [("307001/000001", ["手机号码"])]
    shown = office("catalog", "show", "307001/000001", "--as", "zhang", "--json").json()
    assert shown["content"]["items"]["abstract"] == "户籍的基本信息" and shown["acts"] == []
    assert "发布 published" in office("catalog", "show", "1", "--as", "lin").out
    assert office("catalog", "rates", "--json").json() == {"police": {"attached": 1, "published": 1}}


def test_what_may_not_be_known_is_not_there(office: Command) -> None:
    for command in (("show", "1"), ("check", "1"), ("impact", "1"), ("similar", "1")):
        assert office("catalog", *command, "--as", "zhang").code == 4
    assert office("catalog", "holders", "phone", "--as", "zhang", "--json").json() == []
    assert office("catalog", "search", "x", "--as", "nobody").code == 4


def test_a_change_that_breaks_users_asks_for_notice(office: Command) -> None:
    published(office)
    assert office("ingest").code == 0
    assert office("catalog", "show", "1", "--as", "lin", "--json").json()["resources"][0]["state"] == "running"
    scores = [office("catalog", "show", "1", "--as", by, "--json").json()["resources"][0]["report"]["score"] for by in ("lin", "zhang")]
    assert scores[0] is not None and scores[1] is None
    columns = ("--columns", "phone", "--tier", "T2", "--purpose", "回访", "--basis", "条例", "--to-day", "2099-01-01")
    assert office("grant", "add", "--to", "health", "--over", "police_hukou", *columns).code == 0
    shown = office("catalog", "show", "1", "--as", "zhang", "--json").json()
    assert shown["resources"][0]["report"]["score"] == scores[0]  # who uses a data set sees how good it is
    assert office("catalog", "set", "1", "share=none", "--column", "phone", "--as", "lin", "--note", "上级要求").code == 0
    assert office("catalog", "show", "1", "--as", "zhang", "--json").json()["state"] == "published"
    touched = office("catalog", "impact", "1", "--as", "lin", "--json").json()
    assert [g["grantee"] for g in touched["grants"]] == ["health"] and touched["breaches"][0]["kind"] == "narrower"
    assert "受影响的授权" in office("catalog", "impact", "1", "--as", "lin").out
    assert "ENT-LEGAL-BASIS" in office("catalog", "submit", "1", "--as", "lin").err


def test_wrong_people_and_old_revisions_are_refused(office: Command) -> None:
    foreign = office("catalog", "set", "1", "abstract=x", "--as", "zhang")
    assert foreign.code == 4 and "CAT-ENTRY" in foreign.err, "a draft is its department's business: no other learns that it is there"
    assert office("catalog", "publish", "1", "--as", "chief").code == 2
    assert office("catalog", "set", "1", "abstract=一", "--as", "lin", "--revision", "1").code == 0
    second = office("catalog", "set", "1", "abstract=二", "--as", "lin", "--revision", "1")
    assert second.code == 2 and "CAT-STALE" in second.err


def test_a_form_is_compared_before_it_collects(office: Command, folder: Path) -> None:
    """L-31."""
    published(office)
    form = folder / "登记表.csv"
    form.write_text("姓名,身份证号,联系电话,宠物名称\n", encoding="utf-8")
    refused = office("catalog", "form", str(form), "--as", "zhang")
    assert refused.code == 2 and "CAT-RECOLLECTION" in refused.err and "联系电话: 公安局" in refused.err
    allowed = office("catalog", "form", str(form), "--as", "zhang", "--justification", "需当面核对现用号码", "--json")
    assert {row["header"]: row["verdict"] for row in allowed.json()} == {
        "姓名": "key",
        "身份证号": "key",
        "联系电话": "shared",
        "宠物名称": "new",
    }
    assert logged()[-1]["event"] == "catalog:form:checked"


def test_each_finding_command_prints_a_table(office: Command, folder: Path) -> None:
    published(office)
    assert office("register", str(contract(folder, "health_file", domain="health"))).code == 0
    for command, word in (
        (("duplicates",), "手机号码"),
        (("holders", "手机号"), "公安局"),
        (("similar", "1"), "health_file"),
        (("search",), "2 个目录"),
    ):
        done = office("catalog", *command, "--as", "chief")
        assert done.code == 0 and word in done.out, command
    assert "部门 department: health 1" in office("catalog", "search", "--facet", "department=卫健局", "--as", "chief").out
    assert office("catalog", "search", "--facet", "colour=red", "--as", "chief").code == 2


def test_the_catalogue_goes_out_and_in(office: Command, folder: Path) -> None:
    published(office)
    for form, name, entries in (("xlsx", "a.xlsx", 1), ("dcat", "a.jsonld", 1), ("odcs", "contracts", 1)):
        done = office("catalog", "export", "--format", form, "--out", str(folder / name), "--as", "zhang", "--json")
        assert done.json()["entries"] == entries
    assert office("register", str(folder / "contracts")).code == 0
    for name in ("a.xlsx", "a.jsonld"):
        done = office("catalog", "import", str(folder / name), "--as", "lin", "--json")
        assert (done.code, done.json()["unchanged"], done.json()["faults"]) == (0, [1], []), name
    assert office("catalog", "import", str(folder / "a.xlsx"), "--as", "zhang").code == 2


def test_a_faulty_workbook_is_told_by_row_and_column(office: Command, folder: Path) -> None:
    """TX-30: row and column, in Chinese."""
    assert office("catalog", "export", "--template", "--out", str(folder / "t.xlsx"), "--as", "lin").code == 0
    assert office("catalog", "export", "--out", str(folder / "a.xlsx"), "--as", "lin").code == 0
    done = office("catalog", "import", str(folder / "a.xlsx"), "--as", "lin")
    assert done.code == 2 and re.search("目录![A-Z]+2 ENT-DECLARATION", done.err) and "XLS-FAULTS" in done.err
    assert office("catalog", "import", str(folder / "t.xlsx"), "--as", "lin", "--json").json()["made"] == []
    (folder / "x.jsonld").write_text("{", encoding="utf-8")
    assert "LD-DOCUMENT" in office("catalog", "import", str(folder / "x.jsonld"), "--as", "lin").err


def test_lineage_is_the_bureaus_to_write(office: Command, folder: Path) -> None:
    assert office("catalog", "lineage", "--as", "lin").code == 2
    assert office("catalog", "lineage", "--as", "chief", "--json").json() == []
    assert office("catalog", "lineage", "--as", "chief", "--out", str(folder / "l.jsonl")).code == 0
