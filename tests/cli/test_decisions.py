"""The stewards' commands over a reconciled home: decide, list, review."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import ROWS, Command, Prepare, contract, logged, source

DECIDE = ("--as", "mei", "--reason", "核对户口簿原件")


def reconcile(folder: Path, tongchou: Command) -> None:
    assert tongchou("init").code == 0
    for key, domain in (("hukou", "police"), ("shebao", "hrss")):
        contract(folder, key, domain=domain)
        source(folder, key, rows=ROWS if key == "hukou" else ROWS[:1])
    assert tongchou("register", "hukou.yaml", "shebao.yaml").code == 0
    assert tongchou("ingest").code == 0
    assert tongchou("reconcile").code == 0
    assert tongchou("grant", "account", "mei", "--title", "数据管理员", "--role", "steward").code == 0


@pytest.fixture
def home(prepare: Callable[[Prepare], Path]) -> Path:
    """Two data sets of three persons, reconciled, and a steward."""
    return prepare(reconcile)


def test_a_decision_is_made_listed_reconciled_and_revoked(home: Path, tongchou: Command) -> None:
    made = tongchou("decide", "merge", "hukou/1", "hukou/3", *DECIDE, "--json").json()
    assert (made["decision"], made["kind"], made["state"], len(made["residents"])) == (1, "merge", "standing", 2)
    pinned = tongchou("decide", "pin", "hukou/2", "phone", "13900000009", "--until", "2036-01-01", *DECIDE)
    assert pinned.code == 2 and "DEC-TERMS" in pinned.err, "longer than a pin may stand"
    assert "合并 merge" in tongchou("decide", "list").out
    assert tongchou("reconcile", "--json").json()["merged"] == 1
    assert tongchou("decide", "revoke", "1", *DECIDE).code == 0
    assert [row["state"] for row in tongchou("decide", "list", "--json").json()] == ["revoked"]
    assert tongchou("decide", "list", "--stale", "--json").json() == []


REFUSED: tuple[tuple[int, tuple[str, ...]], ...] = (
    (2, ("merge", "hukou/1", "hukou/3", "--as", "mei")),
    (2, ("merge", "hukou/1", "shebao/1", "--as", "mei", "--reason", " ")),
    (2, ("pin", "hukou/1", "birth_date", "1990-02-30", "--until", "2027-01-01", *DECIDE)),
    (2, ("pin", "hukou/1", "phone", "13900000009", *DECIDE)),
    (3, ("merge", "hukou/1", "hukou/3", "--as", "operator", "--reason", "x")),
    (4, ("merge", "hukou/1", "R9999999999", *DECIDE)),
    (4, ("revoke", "7", *DECIDE)),
)


def test_what_is_not_taken_ends_with_the_exit_code_of_the_contract(home: Path, tongchou: Command) -> None:
    for code, arguments in REFUSED:
        done = tongchou("decide", *arguments)
        assert done.code == code and "1990-02-30" not in done.err, arguments
    assert tongchou("decide", "list", "--json").json() == []


def test_the_queue_is_read_through_the_door_and_shows_no_value(home: Path, tongchou: Command) -> None:
    namesake = "9,王小明,,,13800138001,2026-10-01"  # name and phone only: with the sex as well the two would be joined
    source(home, "hukou", rows=(*ROWS, namesake))
    assert tongchou("ingest").code == 0 and tongchou("reconcile").code == 0
    shown = tongchou("review", "--as", "mei", "--json").json()
    assert (shown["total"], shown["rows"][0]["kind"]) == (1, "unjoined")
    plain = tongchou("review", "--as", "mei", "--limit", "1")
    assert plain.code == 0 and "hukou/9" in plain.out
    assert not any(value in plain.out for value in ("王小明", "11010519491231002X", "13800138001"))
    assert tongchou("review", "--as", "nobody").code == 3
    events = [record["event"] for record in logged()]
    assert [e.split(":")[-1] for e in events if e.startswith("access:review")] == ["intent", "result", "intent", "result", "denied"]
    one, other = shown["rows"][0]["residents"]
    assert tongchou("decide", "apart", one, other, *DECIDE).code == 0
    assert tongchou("reconcile").code == 0
    assert tongchou("review", "--as", "mei", "--json").json()["total"] == 0
