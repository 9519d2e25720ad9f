"""The commands of requests and of the calendar over a reconciled home."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import yaml

from cli.platform import Platform
from rules.errors import load_error_texts
from tests.casework.conftest import NOW, at
from tests.cli.conftest import ROWS, Command, Prepare, contract, logged, source
from tests.rules.test_clocks import NOTICE_2027

ACCOUNTS = (
    ("lin", "civil_affairs", "department_requester"),
    ("fang", "civil_affairs", "department_head"),
    ("approver", None, "bureau_approver"),
)
DRAFT: tuple[str, ...] = ("--over", "golden")
DRAFT += ("--columns", "name,sex", "--purpose", "低保核查", "--scene", "低保审批", "--use-scope", "社会救助科")
DRAFT += ("--basis", "《社会救助暂行办法》第十一条", "--from", "2020-01-01", "--to-day", "2099-12-31")


def reconcile(folder: Path, tongchou: Command) -> None:
    assert tongchou("init").code == 0
    contract(folder, "hukou")
    source(folder, "hukou", rows=ROWS)
    for command in (("register", "hukou.yaml"), ("ingest",), ("reconcile",)):
        assert tongchou(*command).code == 0
    for name, department, role in ACCOUNTS:
        where = ("--department", department) if department else ()
        assert tongchou("grant", "account", name, "--title", name, "--role", role, *where).code == 0


@pytest.fixture
def home(prepare: Callable[[Prepare], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """On the day of `NOW`, whenever the test runs."""
    monkeypatch.setattr(Platform, "now", staticmethod(lambda: NOW))
    return prepare(reconcile)


def test_a_request_runs_its_road_from_the_command_line(home: Path, tongchou: Command) -> None:
    made = tongchou("request", "draft", *DRAFT, "--quota", "extracts=2", "--as", "lin", "--json").json()
    assert (made["id"], made["state"], made["terms"]["quotas"]) == (1, "draft", {"extracts": 2})
    refused = tongchou("request", "submit", "1", "--as", "lin")
    assert refused.code == 2 and "REQ-TERMS" in refused.err and "L-14" in refused.err, "the warranty and the period are missing"
    assert tongchou("request", "edit", "1", "--warrant", "--from", "2026-11-01", "--to-day", "2027-10-31", "--as", "lin").code == 0
    for move, by in (("submit", "lin"), ("approve", "fang"), ("check", "approver")):
        done = tongchou("request", move, "1", "--as", by)
        assert done.code == 0, done.err
    assert "with the provider" in done.out
    assert tongchou("request", "answer", "1", "--agree", "--as", "operator").code == 0
    blind = tongchou("request", "confirm", "1", "--as", "approver")
    assert blind.code == 2 and "REQ-IMPACT" in blind.err
    shown = tongchou("request", "impact", "1", "--as", "approver")
    assert shown.code == 0 and "3 名居民 residents" in shown.out and "王小明" not in shown.out
    assert tongchou("request", "confirm", "1", "--as", "approver", "--json").json()["state"] == "supplying"
    assert tongchou("extract", "1", "--as", "lin", "--out", "out.csv").code == 0
    assert tongchou("request", "supply", "1", "--as", "operator").code == 0
    use = ("--scene", "低保审批", "--process", "每月比对", "--effect", "核减 12 户", "--storage", "加密")
    assert tongchou("request", "report-use", "1", *use, "--as", "lin").code == 0
    assert "核减 12 户" in tongchou("request", "uses", "1", "--as", "operator").out, "the bureau inspects (L-30)"
    assert tongchou("request", "uses", "1", "--as", "fang", "--json").json()[0]["report"]["effect"] == "核减 12 户"
    assert tongchou("grant", "suspend", "1", "--why", "x").code == 2, "it goes with its request"
    assert tongchou("request", "suspend", "1", "--as", "approver", "--reason", "超范围", "--rectify-by", "2099-01-01").code == 0
    assert tongchou("extract", "1", "--as", "lin", "--out", "out.csv").code == 3
    assert tongchou("request", "end", "1", "--as", "lin", "--reason", "已完成").code == 0
    gone = ("--what", "名单", "--where", "服务器", "--how", "覆写", "--who", "社会救助科", "--on", "2026-01-01")
    assert tongchou("request", "dispose", "1", *gone, "--as", "lin").code == 0
    assert tongchou("request", "archive", "1", "--as", "approver").code == 0
    dossier = tongchou("request", "show", "1", "--as", "lin", "--json").json()
    assert (dossier["request"]["state"], dossier["grant"], len(dossier["clocks"])) == ("archived", 1, 3)
    assert "归档 archived" in tongchou("request", "show", "1", "--as", "fang").out
    listed = tongchou("request", "list", "--as", "lin", "--json").json()
    assert ([row["request"] for row in listed["requests"]], listed["next"]) == ([1], None)


def test_what_is_not_taken_ends_with_the_exit_code_of_the_contract(home: Path, tongchou: Command) -> None:
    assert tongchou("request", "draft", *DRAFT, "--as", "lin").code == 0
    refused = (
        (2, ("draft", "--as", "lin")),
        (2, ("draft", *DRAFT, "--quota", "meals=3", "--as", "lin")),
        (3, ("draft", *DRAFT, "--as", "operator")),
        (4, ("draft", "--over", "nothing", "--columns", "a", "--to-day", "2027-01-01", "--as", "lin")),
        (2, ("confirm", "1", "--as", "approver")),
        (3, ("approve", "1", "--as", "lin")),
        (2, ("submit", "1", "--seen", "7", "--as", "lin")),
        (2, ("answer", "1", "--agree", "--refuse", "other", "--as", "operator")),
        (4, ("show", "9", "--as", "lin")),
        (4, ("submit", "9", "--as", "lin")),
        (2, ("list", "--after", "x", "--as", "lin")),
        (3, ("list", "--department", "health", "--as", "lin")),
    )
    for code, arguments in refused:
        done = tongchou("request", *arguments)
        assert done.code == code, (arguments, done.err)
    assert tongchou("request", "show", "1", "--as", "lin", "--json").json()["request"]["version"] == 1


def attempts() -> int:
    return sum(row["event"] == "casework:request:refused" for row in logged())


@pytest.mark.parametrize(
    ("code", "rule", "day", "arguments"),
    [
        ("REQ-MOVE", "§7.3-3", NOW, ("confirm", "1", "--as", "approver")),
        ("REQ-STALE", "§7.3-3", NOW, ("approve", "1", "--seen", "1", "--as", "fang")),
        ("REQ-SECOND", "L-02", NOW, ("approve", "1", "--as", "boss")),
        ("CLK-YEAR", "L-37", at("2035-12-31"), ("approve", "1", "--as", "fang")),
    ],
)
def test_what_is_not_lawful_is_refused_in_both_languages_with_its_rule_and_on_record(
    home: Path, tongchou: Command, monkeypatch: pytest.MonkeyPatch, code: str, rule: str, day: datetime, arguments: tuple[str, ...]
) -> None:
    """A move out of its turn, two people at once, a head who is also the applicant, a due date in a year that nobody knows."""
    both = ("--role", "department_requester", "--role", "department_head", "--department", "civil_affairs")
    assert tongchou("grant", "account", "boss", "--title", "boss", *both).code == 0
    draft = ("--warrant", "--from", "2035-12-01", "--to-day", "2036-06-30")
    assert tongchou("request", "draft", *DRAFT, "--as", "boss").code == 0
    assert tongchou("request", "edit", "1", *draft, "--as", "boss").code == 0
    assert tongchou("request", "submit", "1", "--as", "boss").code == 0
    before, known = tongchou("request", "show", "1", "--as", "boss", "--json").json(), attempts()
    monkeypatch.setattr(Platform, "now", staticmethod(lambda: day))
    refused = tongchou("request", *arguments)
    monkeypatch.setattr(Platform, "now", staticmethod(lambda: NOW))
    assert refused.code in (2, 3) and code in refused.err
    text = load_error_texts()[code]
    assert rule in text.zh and rule in text.en, (text.zh, text.en)
    assert tongchou("request", "show", "1", "--as", "boss", "--json").json() == before
    assert attempts() == known + 1


def test_a_due_date_across_a_year_that_is_not_announced_is_provisional_and_says_so(
    home: Path, tongchou: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TX-02, L-37."""
    monkeypatch.setattr(Platform, "now", staticmethod(lambda: at("2026-12-30")))
    assert tongchou("request", "draft", *DRAFT, "--warrant", "--as", "lin").code == 0
    assert tongchou("request", "edit", "1", "--from", "2026-12-30", "--to-day", "2027-10-31", "--as", "lin").code == 0
    for move, by in (("submit", "lin"), ("approve", "fang")):
        assert tongchou("request", move, "1", "--as", by).code == 0
    assert "暂定" in tongchou("request", "show", "1", "--as", "lin").out


def test_the_calendar_is_shown_published_and_moves_due_dates(home: Path, tongchou: Command) -> None:
    shown = tongchou("calendar", "show", "--json").json()
    assert shown["years"][2] == {"year": 2027, "notice": None} and shown["calendar_version"] == 1
    (home / "2027.yaml").write_text(yaml.safe_dump({2027: NOTICE_2027}, allow_unicode=True), encoding="utf-8")
    done = tongchou("calendar", "publish", "2027.yaml", "--reason", "国办通知", "--json").json()
    assert done == {"version": 2, "recomputed": {"moved": 0, "made_certain": 0}}
    assert "N号" in tongchou("calendar", "show").out
    (home / "bad.yaml").write_text("2028: [", encoding="utf-8")
    assert tongchou("calendar", "publish", "bad.yaml", "--reason", "x").code == 2
    assert tongchou("calendar", "limits", "--set", "answer_conditional=5", "--reason", "市办法").code == 0
    long = tongchou("calendar", "limits", "--set", "supply=21", "--set", "x=y", "--reason", "市办法")
    assert long.code == 2 and "L-19" in long.err
    assert tongchou("calendar", "limits", "--set", "supply=5", "--reason", "市办法", "--as", "lin").code == 3


def test_what_goes_back_is_found_in_the_catalogue_by_its_own_department_and_asked_for(home: Path, tongchou: Command) -> None:
    """L-22."""
    assert tongchou("grant", "account", "zhou", "--title", "周", "--department", "police", "--role", "department_requester").code == 0
    assert tongchou("grant", "account", "registrar", "--title", "录", "--role", "bureau_registrar").code == 0
    assert tongchou("catalog", "offer-returns", "hukou", "--as", "registrar").code == 2, "L-01, L-07"
    assessed = ("--secrecy-assessment", "密评9号", "--privacy-assessment", "影评9号", "--not-secret")
    (made,) = tongchou("catalog", "offer-returns", "hukou", *assessed, "--as", "registrar", "--json").json()
    published = tongchou("catalog", "publish", str(made["entry"]), "--as", "approver", "--json").json()
    assert (published["code"], published["state"], made["state"]) == (made["code"], "published", "bureau_review")
    assert "return:hukou" in tongchou("catalog", "show", made["code"], "--as", "zhou").out
    (back,) = tongchou("catalog", "returns", "--as", "zhou", "--json").json()
    assert (back["target"], back["department"], "record" in back["columns"]) == ("return:hukou", "police", True)
    assert tongchou("catalog", "returns", "--as", "lin", "--json").json() == []
    assert [one["target"] for one in tongchou("catalog", "returns", "--as", "operator", "--json").json()] == ["return:hukou"]
    assert "回流" in tongchou("catalog", "search", "--as", "zhou").out and "回流" not in tongchou("catalog", "search", "--as", "lin").out
    terms = ("--over", back["target"], *DRAFT[2:], "--to-day", "2027-06-30", "--as", "zhou", "--json")
    assert tongchou("request", "draft", *terms).json()["terms"]["target"] == "return:hukou"
