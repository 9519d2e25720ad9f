"""Lights over all running clocks, reminders, explanations, scorecards and change notices, on both databases."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import product

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from casework import objections
from casework.clocks import Outcome, Subject, extend, start, stop
from casework.door_checks import list_checks
from casework.lights import Stage, Task, count_lights, explain, list_tasks, remind, resource_lights
from casework.moves import Kind
from casework.notices import list_notices, see, tell_users
from casework.scorecards import METRICS, Case, Period, behind, catalogue_sizes, scorecard
from casework.tickets import Wanted, list_tickets
from catalog.published import calendar_in_force
from catalog.schema import ClockRow, DataGrantRow, ReceiptRow, ReminderRow, SnapshotRow
from rules.clocks import shipped_calendar
from rules.errors import Denied, NotFound, Refused, TongchouError
from rules.lights import Light, task_light, yellow_from
from rules.tickets import load_ticket_rules
from tests.beginnings import Begin
from tests.casework.conftest import NOW, at
from tests.casework.desk import AGREED, LI_BIRTH, MODE, Desk, Golden, furnish, opened

TODAY = date(2026, 12, 9)
FILLED = ("entries_in_time", "answers_in_time", "supplies_in_time", "corrections_in_time", "updated", "quality")
PERIOD = Period(first=date(2026, 11, 1), last=date(2026, 12, 31), today=TODAY)


@pytest.fixture
def desk(begin: Begin) -> Iterator[Desk]:
    with opened(begin(furnish)) as desk:
        yield desk


def run_clocks(desk: Desk) -> None:
    """Clocks of several lengths, owners and starts; every third has stopped."""
    with desk.store.session() as session, session.begin():
        names = ("answer_unconditional", "correction", "supply", "entry_extension")
        for n, (name, owner) in enumerate(product(names, ("police", "hrss", None))):
            started = at("2026-11-18") + timedelta(days=n)
            start(session, Subject.TICKET, [n], name, owed_by=owner, now=started)
            if n % 3 == 0:
                stop(session, Subject.TICKET, [n], outcome=Outcome.DONE, now=started + timedelta(days=n))


def pages(session: Session, today: date, department: str | None, light: Light | None) -> list[Task]:
    found: list[Task] = []
    after = None
    while True:
        page = list_tasks(session, today, department=department, light=light, after=after, limit=2)
        found += page.tasks
        if (after := page.next) is None:
            return found


@pytest.mark.parametrize("today", [date(2026, 11, 24), TODAY])
def test_the_list_of_tasks_agrees_with_the_naive_reference(desk: Desk, today: date) -> None:
    run_clocks(desk)
    rules = load_ticket_rules().lights
    with desk.store.session() as session:
        rows = session.scalars(sa.select(ClockRow).where(ClockRow.stopped_on.is_(None))).all()
        colours = {
            row.id: task_light(today, yellow_on=yellow_from(row.started_on, row.days, shipped_calendar(), rules), due_on=row.due_on)
            for row in rows
        }
        for department, light in product([None, "police", "data_bureau"], [None, *Light]):
            owner = {"data_bureau": None}.get(department or "", department)
            fits = [row for row in rows if department is None or row.owed_by == owner]
            fits = [row for row in fits if light in (None, colours[row.id])]
            found = pages(session, today, department, light)
            assert [task.clock_id for task in found] == [row.id for row in sorted(fits, key=lambda row: (row.due_on, row.id))]
            assert {task.clock_id: task.light for task in found} == {row.id: colours[row.id] for row in fits}
        counted = {(owner, light): n for owner, lights in count_lights(session, today).items() for light, n in lights.items()}
        assert counted == Counter((row.owed_by, colours[row.id]) for row in rows)


def test_reminders_go_to_the_handler_then_the_head_then_the_bureau_each_once(desk: Desk) -> None:
    """F-01; due 2026-12-07, yellow from 2026-12-03, red for more than three working days on 2026-12-11."""
    desk.version(LI_BIRTH)

    def made(day: str) -> dict[str, int]:
        with desk.store.session() as session, session.begin():
            return {stage.value: number for stage, number in remind(session, at(day)).items() if number}

    days = ["2026-12-02", "2026-12-03", "2026-12-04", "2026-12-08", "2026-12-10", "2026-12-11", "2026-12-12"]
    assert [made(day) for day in days] == [{}, {"handler": 1}, {}, {"head": 1}, {}, {"bureau": 1}, {}]
    with desk.store.session() as session:
        rows = session.execute(sa.select(ReminderRow.stage, ReminderRow.department_key)).tuples().all()
    assert dict(rows) == {"handler": "hrss", "head": "hrss", "bureau": None}
    assert set(dict(rows)) == set(Stage)


def test_a_red_task_is_explained_by_the_department_that_owes_it(desk: Desk) -> None:
    desk.version(LI_BIRTH)
    with desk.store.session() as session:
        (task,) = list_tasks(session, TODAY).tasks

    def attempt(by: str, code: str) -> None:
        with pytest.raises(TongchouError) as fault:
            explain(desk.store, desk.log, clock=task.clock_id, act=desk.act(by, "系统升级"))
        assert (fault.value.code, desk.office.last().record.body["why"]) == (code, code)

    attempt("hua", "LGT-NOT-RED")
    desk.now = at("2026-12-08")
    attempt("zhou", "LGT-PARTY")
    explain(desk.store, desk.log, clock=task.clock_id, act=desk.act("hua", "系统升级"))
    assert desk.events()[-1] == "casework:task:explained"
    with desk.store.session() as session:
        (red,) = list_tasks(session, TODAY, light=Light.RED).tasks
    assert red.explained
    with pytest.raises(NotFound):
        explain(desk.store, desk.log, clock=999, act=desk.act("hua"))


def test_a_new_calendar_moves_the_due_dates_of_tickets_too(desk: Desk) -> None:
    """L-37: received 2026-12-21, the tenth working day lies in a year that is not announced."""
    from casework.calendar import publish_notices

    desk.now = at("2026-12-21")
    desk.version(LI_BIRTH)
    before = desk.ticket(1)
    notice = {"document": "国办发明电〔2026〕9号", "days_off": NEW_YEAR, "days_worked": []}
    publish_notices(desk.store, desk.log, by="approver", notices={2027: notice}, reason="国务院通知", now=desk.now)
    after = desk.ticket(1)
    with desk.store.session() as session:
        expected = calendar_in_force(session).after(date(2026, 12, 21), 10)
    assert (before.provisional, after.provisional) == (True, False)
    assert (after.due_on, after.due_on > before.due_on) == (expected.day, True)


def test_a_new_calendar_moves_the_yellow_day_where_the_due_date_stays(desk: Desk) -> None:
    """A day off before the eighth working day and a Sunday worked after it."""
    from casework.calendar import publish_notices
    from rules.clocks import shipped_document

    desk.version(LI_BIRTH)
    told = shipped_document("calendar")["notices"]["2026"]
    off, worked = {**told["days_off"], "临时": ["2026-12-02", "2026-12-02"]}, [*told["days_worked"], "2026-12-06"]
    notice = {**told, "days_off": off, "days_worked": worked}
    before = desk.ticket(1)
    publish_notices(desk.store, desk.log, by="approver", notices={2026: notice}, reason="国务院通知", now=desk.now)
    after = desk.ticket(1)
    assert (before.yellow_on, before.due_on) == (date(2026, 12, 3), date(2026, 12, 7))
    assert (after.yellow_on, after.due_on) == (date(2026, 12, 4), date(2026, 12, 7))


NEW_YEAR = {
    "元旦": ["2027-01-01", "2027-01-08"],
    "春节": ["2027-02-05", "2027-02-12"],
    "清明节": ["2027-04-03", "2027-04-05"],
    "劳动节": ["2027-05-01", "2027-05-05"],
    "端午节": ["2027-06-09", "2027-06-09"],
    "中秋节": ["2027-09-15", "2027-09-15"],
    "国庆节": ["2027-10-01", "2027-10-07"],
}


def test_a_rate_is_counted_over_the_list_behind_it_and_extended_cases_by_themselves(desk: Desk) -> None:
    """F-03, F-04. Due: 1–3 in time, late, running late; 4 runs and is not due; 5 is void; 6 was extended and in time."""
    with desk.store.session() as session, session.begin():
        for number in range(1, 7):
            late_start = at("2026-12-08") if number == 4 else NOW
            start(session, Subject.TICKET, [number], "correction", owed_by="hrss", now=late_start)
        stop(session, Subject.TICKET, [1], outcome=Outcome.DONE, now=at("2026-12-07"))
        stop(session, Subject.TICKET, [2], outcome=Outcome.DONE, now=at("2026-12-08"))
        stop(session, Subject.TICKET, [5], outcome=Outcome.VOID, now=at("2026-11-24"))
        extend(session, Subject.TICKET, 6, "correction", 5)
        stop(session, Subject.TICKET, [6], outcome=Outcome.DONE, now=at("2026-12-09"))
        (score,) = scorecard(session, PERIOD, metrics=["corrections_in_time"])
        listed = behind(session, "corrections_in_time", PERIOD, department="hrss")
    assert (score.numerator, score.denominator, score.extended_numerator, score.extended_denominator) == (1, 3, 1, 1)
    assert [(case.case, case.met, case.extended) for case in listed] == [
        ("ticket/2", False, False), ("ticket/3", False, False), ("ticket/1", True, False), ("ticket/6", True, True),
    ]  # fmt: skip


def test_every_metric_counts_what_its_list_holds(desk: Desk) -> None:
    run_clocks(desk)
    desk.version(LI_BIRTH)
    fill_catalogue(desk)
    with desk.store.session() as session:
        for metric in METRICS:
            cases = behind(session, metric, PERIOD)
            counted = Counter((case.department, case.extended) for case in cases)
            met = Counter((case.department, case.extended) for case in cases if case.met)
            scores = scorecard(session, PERIOD, metrics=[metric])
            told = {(s.department, False): (s.numerator, s.denominator) for s in scores if s.denominator}
            told |= {(s.department, True): (s.extended_numerator, s.extended_denominator) for s in scores if s.extended_denominator}
            assert told == {key: (met[key], counted[key]) for key in counted}, metric
            assert [case for page in pages_behind(session, metric) for case in page] == cases, "no case twice, none left out"
        assert all(behind(session, metric, PERIOD) for metric in METRICS if metric in FILLED)
        for list_from in PAGED:
            with pytest.raises(Refused, match="PAGE-PLACE"):
                list_from(session, "hrss/2/0/x")


PAGED: tuple[Callable[[Session, str], object], ...] = (
    lambda session, after: behind(session, "attached", PERIOD, after=after),
    lambda session, after: list_tasks(session, TODAY, after=after),
    lambda session, after: list_tickets(session, Wanted(), TODAY, after=after),
    lambda session, after: list_checks(session, after=after),
)
"""Lists that go by the page."""


def pages_behind(session: Session, metric: str) -> Iterator[list[Case]]:
    """The list behind a number, two cases at a time."""
    after = None
    while page := behind(session, metric, PERIOD, after=after, limit=2):
        yield page
        after = page[-1].place


def test_the_light_of_data_sets_and_the_rate_of_those_up_to_date_agree(desk: Desk) -> None:
    fill_catalogue(desk)
    with desk.store.session() as session:
        lights = {one.dataset: one.light for one in resource_lights(session, TODAY)}
        cases = {case.case: case.met for case in behind(session, "updated", PERIOD)}
        sizes = {size.department: size.datasets for size in catalogue_sizes(session)}
    assert lights == {"hukou": "green", "social": "yellow", "clinic": "red", "grid_survey": "red", "migrants": "red"}
    assert cases == {dataset: light == "green" for dataset, light in lights.items()}
    assert sizes == {"grid": 1, "health": 1, "hrss": 1, "police": 2}


def fill_catalogue(desk: Desk) -> None:
    """Data sets of every month: one new, one late, one very late, one that lost its rows, one that never came; and an entry's clock."""
    counts = {"rows_raw": 1, "rows_quarantined": 0, "fault_cells": 0, "contract_version": 1, "rules_version": "r", "source_digest": "d"}

    def snapshot(key: str, version: int, day: datetime, rows: int) -> SnapshotRow:
        return SnapshotRow(dataset_key=key, version=version, state="accepted", rows_standard=rows, received_at=day, judged_at=day, **counts)

    with desk.store.session() as session, session.begin():
        session.add_all(
            [
                snapshot("hukou", 7, at("2026-12-01"), 100),
                snapshot("social", 7, at("2026-10-30"), 100),
                snapshot("clinic", 7, at("2026-09-01"), 100),
                snapshot("grid_survey", 7, at("2026-12-01"), 100),
                snapshot("grid_survey", 8, at("2026-12-02"), 10),
            ]
        )
        start(session, Subject.ENTRY, [1], "entry_update", owed_by="police", now=NOW)


def test_a_rated_objection_counts_for_satisfaction_and_a_score_can_be_contested(desk: Desk) -> None:
    act = desk.act
    raised = objections.object_to(desk.store, desk.log, kind=Kind.USE, topic="quality", about="social", act=act("lin"))
    desk.take(raised.id, "hua")
    objections.answer(desk.store, desk.log, ticket=raised.id, act=act("song"))
    objections.rate(desk.store, desk.log, ticket=raised.id, act=act("lin"), rating=3, solved=False)
    with desk.store.session() as session:
        (score,) = scorecard(session, PERIOD, metrics=["satisfaction"], department="hrss")
    assert (score.numerator, score.denominator, score.rate) == (0, 1, 0.0)
    about = "score/satisfaction/hrss/2026-11"
    contest = objections.object_to(desk.store, desk.log, kind=Kind.OTHER, topic="score", about=about, act=act("song"))
    assert (contest.department_key, contest.about) == ("data_bureau", about)


PHONE = Golden(who="R0000000001", element="phone", value="甲", rivals={})
OTHER = Golden(who="R0000000002", element="phone", value="乙", at="hukou/b", rivals={})


def hand_out(desk: Desk, *, state: str = "active", masks: dict[str, object] | None = None, target: str = "golden") -> None:
    with desk.store.session() as session, session.begin():
        days = {"valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31), "granted_at": NOW}
        terms = {"purpose": "低保", "legal_basis": "法", "case_number": "", "row_scope": {}, "tier": "T3", **MODE, "state": state}
        given = DataGrantRow(grantee_key="civil_affairs", target=target, columns=["phone", "birth_date"], **terms, **days)
        session.add(given)
        session.flush()
        facts = {"rules_version": "r", "rows": 2, "residents": 2, "format": "csv", "digest": "d", "audit_seq": 1, "masks": masks or {}}
        facts |= {"actor": "lin", "target": target, "target_version": desk.newest, "handed_over_at": NOW}
        who = "resident_id" if target == "golden" else "record"
        session.add(ReceiptRow(grant_id=given.id, columns=[who, "phone", "birth_date"], **facts))


def told(desk: Desk) -> list[tuple[int, dict[str, int]]]:
    tell_users(desk.store, desk.lake, now=desk.now)
    with desk.store.session() as session:
        return [(notice.residents, dict(notice.columns)) for notice in list_notices(session)]


def test_users_are_told_when_a_value_they_were_handed_has_changed(desk: Desk) -> None:
    """R-08; once for each change, in counts."""
    desk.version(PHONE, AGREED, OTHER)
    hand_out(desk)
    assert told(desk) == []
    desk.version(PHONE, AGREED, OTHER)
    assert told(desk) == [], "nothing changed"
    desk.version(Golden(who="R0000000001", element="phone", value="丙", rivals={}), AGREED, OTHER)
    assert told(desk) == [(1, {"phone": 1})]
    desk.version(Golden(who="R0000000001", element="phone", value="丙", rivals={}), AGREED, OTHER)
    assert told(desk) == [(1, {"phone": 1})], "nothing new"
    desk.version(Golden(who="R0000000001", element="phone", value="丙", rivals={}), AGREED)
    assert told(desk)[0] == (2, {"phone": 1}), "a resident is gone"
    with desk.store.session() as session, session.begin():
        with pytest.raises(Denied):
            see(session, 1, by="zhou", department="police", now=NOW)
        see(session, 1, by="lin", department="civil_affairs", now=NOW)
    assert len(told(desk)) == 1


def test_returned_golden_values_that_change_are_told_too_and_only_of_the_departments_own(desk: Desk) -> None:
    """L-22, R-08: `hukou` holds both residents, `social` one of them."""
    held = replace(PHONE, rivals={"social/1": "旧"})
    desk.version(held, OTHER)
    hand_out(desk, target="return:social")
    desk.version(held, replace(OTHER, value="丁"))
    assert told(desk) == [], "of a resident whom the data set does not hold"
    desk.version(replace(held, value="丙"), replace(OTHER, value="丁"))
    assert told(desk) == [(1, {"phone": 1})]


@pytest.mark.parametrize("changes", [{"state": "ended"}, {"masks": {"phone": {"mask": "suppress", "minor_mask": "suppress"}}}])
def test_who_has_disposed_of_it_or_never_saw_the_column_is_not_told(desk: Desk, changes: dict[str, object]) -> None:
    desk.version(PHONE)
    hand_out(desk, **changes)  # type: ignore[arg-type]
    desk.version(Golden(who="R0000000001", element="phone", value="丙", rivals={}))
    assert told(desk) == []
