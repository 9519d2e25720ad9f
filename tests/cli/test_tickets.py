"""Tickets on the command line: what reconciliation opened is listed, answered and refused with the exit codes of the contract."""

from pathlib import Path

import pytest

from tests.cli.conftest import ROWS, Command, contract, source

DOMAINS = {"hukou": "police", "social": "hrss", "school": "education", "homes": "housing", "clinic": "health"}


@pytest.fixture
def opened(tongchou: Command, folder: Path) -> Command:
    """Five departments hold Wang, a woman by her number and by four of them; the fifth holds her as a man."""
    assert tongchou("init").code == 0
    for key, domain in DOMAINS.items():
        source(folder, key, rows=(ROWS[0].replace("女", "男"), *ROWS[1:]) if key == "clinic" else ROWS)
        contract(folder, key, domain=domain)
    assert tongchou("register", str(folder)).code == 0
    tongchou("ingest")
    assert tongchou("reconcile").code == 0
    return tongchou


def test_a_ticket_is_listed_shown_and_corrected(opened: Command) -> None:
    page = opened("ticket", "list", "--json").json()
    (ticket,) = page["tickets"]
    assert (ticket["department_key"], ticket["element"], ticket["items"], ticket["light"]) == ("health", "sex", 1, "green")
    shown = opened("ticket", "show", str(ticket["id"]))
    assert "待受理 raised" in shown.out and "建单 opened" in shown.out
    for name, role in (("yi", "department_requester"), ("fang", "department_head")):
        done = opened("grant", "account", name, "--title", name, "--department", "health", "--role", role)
        assert done.code == 0, done.err
    number = str(ticket["id"])
    assert opened("ticket", "accept", number, "--as", "yi").code == 0
    assert opened("ticket", "correct", number, "--as", "operator").code == 3
    assert opened("ticket", "correct", "99", "--as", "yi").code == 4
    assert opened("ticket", "correct", number, "--as", "yi", "--seen", "1").code == 2
    assert opened("ticket", "correct", number, "--as", "yi", "--json").json()["state"] == "awaiting"
    (item,) = opened("ticket", "items", number, "--as", "fang", "--json").json()
    assert (item["value"], item["other_value"], item["record"]) == ("1", "2", "1")
    assert opened("ticket", "items", number, "--as", "stranger").code == 3
    (task,) = opened("ticket", "lights", "--department", "health", "--json").json()["tasks"]
    assert (task["subject"], task["light"], task["clock"]) == ("ticket", "green", "correction")
    assert opened("ticket", "explain", str(task["clock_id"]), "--as", "yi", "--reason", "系统升级").code == 2
    scores = opened("ticket", "scorecard", "--department", "health", "--json").json()["scores"]
    assert ("updated", 1, 1) in {(score["metric"], score["numerator"], score["denominator"]) for score in scores}
    assert (
        opened("ticket", "scorecard", "--metric", "updated", "--department", "health", "--behind", "--json").json()[0]["case"] == "clinic"
    )
    month = ("--from", "2025-01-01", "--to", "2025-01-31")
    assert opened("ticket", "publish-scores", *month, "--as", "operator").code == 3
    assert opened("grant", "account", "shen", "--title", "审批", "--role", "bureau_approver").code == 0
    assert opened("ticket", "publish-scores", *month, "--as", "shen", "--json").json()["number"] == 1
    assert opened("ticket", "published-scores", "1", "--json").json()["whole"] is True
    assert "完整 whole" in opened("ticket", "published-scores", "1").out
    assert opened("ticket", "published-scores", "1", "--metric", "updated", "--json").json()[0]["case"] == "school"
    assert "2025-01-31" in opened("ticket", "published-scores").out and opened("ticket", "published-scores", "2").code == 4
    assert {one["light"] for one in opened("ticket", "resources", "--json").json()} == {"green"}
    assert opened("ticket", "dispute", "open", number, "--as", "fang", "--document", "函1号", "--reason", "不同意").code == 2
    assert opened("ticket", "door-check", "dispatch", number, "--as", "operator", "--reason", "核实").code == 2
    assert opened("ticket", "notices", "--json").json() == []
