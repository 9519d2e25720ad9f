"""From the log and the business tables: a ticket explains its department's look, a door check its worker's, nothing another's."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from access.accounts import Role, create_account
from access.readers import Reader
from access.terms import Grant
from audit.events import Event
from catalog.schema import GridWorkerRow, TicketRow
from catalog.snapshots import CHINA
from oversight.facts import read_roster
from oversight.inspecting import Inspection, Means, Period, explain_access, inspect
from rules.clocks import shipped_calendar
from rules.errors import Denied, NotFound, Refused
from rules.oversight import load_yardsticks
from tests.access.conftest import GRID, NOW, Platform
from tests.access.test_door import a_door_check, a_ticket
from tests.oversight.conftest import AUDITOR
from tests.oversight.test_search import OUYANG, WANG, Enter, identities

__all__ = ["identities"]

DAYS = Period(first=date(2026, 11, 1), last=date(2026, 11, 30))
MEANS = Means(yardsticks=load_yardsticks(), calendar=shipped_calendar())


def a_worker(platform: Platform, grid: str) -> None:
    roles = [Role.GRID_WORKER]
    create_account(platform.store, platform.log, by="operator", name="gao", title="高", department="police", roles=roles, now=NOW)
    with platform.store.session() as session, session.begin():
        session.add(GridWorkerRow(grid_code=grid, account="gao", assessor="operator"))


def inspected(platform: Platform, enter: Enter, limit: int = 10) -> Inspection:
    return inspect(enter(), AUDITOR, DAYS, MEANS, limit=limit)


def test_a_ticket_explains_the_look_of_the_department_that_it_is_with(platform: Platform, enter: Enter) -> None:
    create_account(
        platform.store, platform.log, by="operator", name="wu", title="吴", department="police", roles=[Role.DEPARTMENT_HEAD], now=NOW
    )
    ticket = a_ticket(platform)
    seq = platform.door.ticket_items("wu", "核对", ticket, limit=10).seq
    found = explain_access(enter(), AUDITOR, seq, MEANS)
    assert (found.people, found.unexplained) == (1, 0) and set(found.reasons) == {"matter", "client"}
    with platform.store.session() as session, session.begin():
        session.get_one(TicketRow, ticket).closed_on = date(2026, 11, 1)
    assert set(explain_access(enter(), AUDITOR, seq, MEANS).reasons) == {"client"}, "a ticket that was closed before explains nothing"


def test_a_door_check_and_the_own_grid_explain_the_workers_look(platform: Platform, enter: Enter) -> None:
    a_worker(platform, GRID)
    from catalog.schema import DoorCheckRow

    check = a_door_check(platform)
    with platform.store.session() as session, session.begin():
        session.get_one(DoorCheckRow, check).worker = "gao"
    seq = platform.door.door_form("gao", "入户", check).seq
    assert set(explain_access(enter(), AUDITOR, seq, MEANS).reasons) == {"visit", "ward", "client"}


def test_what_nothing_explains_is_left_and_its_account_ranked(platform: Platform, enter: Enter) -> None:
    for resident in (WANG, WANG, WANG, WANG):
        platform.door.why("operator", "好奇", resident, "name")
    found = inspected(platform, enter)
    assert (found.accesses, found.looks, found.unexplained, found.explained) == (4, 4, 4, {})
    assert found.alerts == {"repeated": 4, "unexplained": 4} and found.ranked[0].actor == "operator"
    record = platform.last().record
    assert record.event == "audit:log:read" and record.body["what"] == "inspect" and record.body["found"]["unexplained"] == 4


def test_bulk_answers_are_no_looks_at_somebody(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    granted: Grant = platform.grant()
    seq = platform.door.extract("lin", granted.id, tmp_path / "out.csv", "csv").seq
    assert inspected(platform, enter).accesses == 0
    with pytest.raises(NotFound):
        explain_access(enter(), AUDITOR, seq, MEANS)


def test_an_answer_across_midnight_is_in_one_of_two_periods(platform: Platform, enter: Enter) -> None:
    """Asked on the last day of a month, answered on the first of the next: in that one, and with its actor."""
    midnight = datetime(2026, 12, 1, tzinfo=CHINA)
    platform.clock.now = midnight - timedelta(seconds=1)
    intent = platform.log.append(Event.WHY_INTENT, {"holder": "test", "actor": "operator", "purpose": "好奇"})
    platform.clock.now = midnight + timedelta(seconds=1)
    told = {"intent": intent.seq, "rows": 1, "residents": 1, "digest": "0" * 64, "subjects": ["0" * 32]}
    platform.log.append_sealed(Event.WHY_RESULT, told)
    platform.door.why("operator", "好奇", WANG, "name")
    december = Period(first=date(2026, 12, 1), last=date(2026, 12, 31))
    found = inspect(enter(), AUDITOR, december, MEANS, limit=10)
    assert (inspected(platform, enter).accesses, found.accesses) == (0, 2)
    assert [(one.actor, one.accesses) for one in found.ranked] == [("operator", 2)]


def test_the_personnel_list_says_who_an_account_belongs_to(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(f"account,name,address,resident,left_on\noperator,王大明,,{OUYANG},2026-11-20\n", encoding="utf-8")
    seq = platform.door.why("operator", "好奇", WANG, "name").seq
    means = Means(yardsticks=load_yardsticks(), calendar=shipped_calendar(), roster=read_roster(roster))
    assert explain_access(enter(), AUDITOR, seq, means).alerts == ("left", "namesake", "unexplained")
    for text, where in (("account,name\n", "roster.csv"), ("account,name,address,resident,left_on\nx,,,,gestern\n", "roster.csv:2")):
        roster.write_text(text, encoding="utf-8")
        with pytest.raises(Refused) as refused:
            read_roster(roster)
        assert (refused.value.code, refused.value.where) == ("OVS-ROSTER", where)


def test_only_an_auditor_inspects(platform: Platform, enter: Enter) -> None:
    with pytest.raises(Denied):
        inspect(enter(), Reader(name="operator", purpose="看看"), DAYS, MEANS, limit=1)
