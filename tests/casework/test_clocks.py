"""Running clocks and what a newer calendar does to them, on both databases (law.md L-17, L-21, L-37; TX-02)."""

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from casework.calendar import publish_limits, publish_notices
from casework.clocks import Outcome, Subject, clocks_of, extend, open_clocks, start, stop
from catalog.published import RuleSet, calendar_in_force, clocks_in_force, newest, publish, versions
from catalog.schema import ClockChangeRow
from rules.clocks import Due, shipped_document
from rules.errors import Denied, Refused
from tests.casework.conftest import NOW, Office, at
from tests.rules.test_clocks import NOTICE_2027


def publish_2027(office: Office, **changes: Any) -> Any:
    terms = {"by": "approver", "notices": {2027: NOTICE_2027}, "reason": "国务院办公厅通知", "now": NOW, **changes}
    return publish_notices(office.store, office.log, **terms)


def started(office: Office, numbers: list[int], clock: str, day: str) -> Due:
    with office.store.session() as session, session.begin():
        return start(session, Subject.REQUEST, numbers, clock, owed_by="police", now=at(day))


def test_a_clock_runs_from_the_day_of_receipt_in_china(office: Office) -> None:
    with office.store.session() as session, session.begin():
        due = start(session, Subject.TICKET, [7], "correction", owed_by=None, now=at("2026-11-23", hour=1))
    assert due == Due(day=date(2026, 12, 7), provisional=False)
    with office.store.session() as session:
        clock = clocks_of(session, Subject.TICKET, 7)[0]
        assert (clock.started_on, clock.days, clock.due, clock.owed_by) == (date(2026, 11, 23), 10, due, None)
        assert open_clocks(session, Subject.REQUEST, [7]) == []


def test_an_extension_counts_on_from_where_the_clock_started(office: Office) -> None:
    started(office, [1, 2], "answer_conditional", "2026-11-23")
    with office.store.session() as session, session.begin():
        assert extend(session, Subject.REQUEST, 1, "answer_conditional", 10) == Due(day=date(2026, 12, 21), provisional=False)
        one, other = open_clocks(session, Subject.REQUEST, [1, 2])
        assert (one.days, one.extended_days, other.days) == (20, 10, 10)


def test_a_stopped_clock_is_open_no_longer_and_keeps_its_day(office: Office) -> None:
    started(office, [1, 2], "supply", "2026-11-23")
    with office.store.session() as session, session.begin():
        assert stop(session, Subject.REQUEST, [1], outcome=Outcome.DONE, now=at("2026-12-01"), clock="supply") == 1
        assert stop(session, Subject.REQUEST, [1], outcome=Outcome.VOID, now=at("2026-12-02")) == 0
        (first,) = clocks_of(session, Subject.REQUEST, 1)
        assert (first.stopped_on, first.outcome) == (date(2026, 12, 1), Outcome.DONE)
        assert [clock.subject_id for clock in open_clocks(session, Subject.REQUEST, [1, 2])] == [2]


def test_a_provisional_due_date_is_recomputed_with_a_record_when_the_year_is_announced(office: Office) -> None:
    """TX-02; also a clock due in December moves where the notice makes a December Sunday a working day; a stopped one does not."""
    assert started(office, [1, 2, 3], "supply", "2026-12-21") == Due(day=date(2027, 1, 19), provisional=True)
    assert started(office, [4], "conformity_check", "2026-12-25") == Due(day=date(2026, 12, 29), provisional=False)
    assert started(office, [5], "conformity_check", "2026-12-01") == Due(day=date(2026, 12, 3), provisional=False)
    assert started(office, [6], "answer_conditional", "2027-01-04") == Due(day=date(2027, 1, 18), provisional=True)
    with office.store.session() as session, session.begin():
        stop(session, Subject.REQUEST, [3], outcome=Outcome.DONE, now=at("2026-12-22"))
    done = publish_2027(office)
    assert (done.version, done.recomputed.moved, done.recomputed.made_certain) == (2, 3, 1)
    with office.store.session() as session:
        found = {clock.subject_id: clock.due for clock in open_clocks(session, Subject.REQUEST, range(7))}
        assert found == {
            1: Due(day=date(2027, 1, 18), provisional=False),
            2: Due(day=date(2027, 1, 18), provisional=False),
            4: Due(day=date(2026, 12, 28), provisional=False),
            5: Due(day=date(2026, 12, 3), provisional=False),
            6: Due(day=date(2027, 1, 18), provisional=False),
        }
        table = ClockChangeRow
        changes = session.execute(sa.select(table.due_before, table.due_after, table.provisional_before).order_by(table.clock_id)).all()
        assert [tuple(change) for change in changes] == [
            (date(2027, 1, 19), date(2027, 1, 18), True),
            (date(2027, 1, 19), date(2027, 1, 18), True),
            (date(2026, 12, 29), date(2026, 12, 28), False),
            (date(2027, 1, 18), date(2027, 1, 18), True),
        ]
    assert office.events()[-2:] == ["rules:version:published", "casework:clocks:recomputed"]
    assert office.last().record.body == {"actor": "approver", "calendar_version": 2, "moved": 3, "made_certain": 1}
    assert started(office, [8], "supply", "2026-12-21") == Due(day=date(2027, 1, 18), provisional=False)


def test_published_versions_stand_in_the_catalogue_and_are_corrected_by_newer_ones(office: Office) -> None:
    publish_2027(office)
    corrected = {**NOTICE_2027, "days_worked": []}
    assert publish_2027(office, notices={2027: corrected}, reason="更正").version == 3
    with office.store.session() as session:
        assert [(one.version, one.reason) for one in versions(session, RuleSet.CALENDAR)] == [(3, "更正"), (2, "国务院办公厅通知")]
        assert calendar_in_force(session).version == 3
        assert not calendar_in_force(session).is_working(date(2026, 12, 27))
        kept = newest(session, RuleSet.CALENDAR)
        assert kept is not None and (kept.published_by, kept.published_at, len(kept.digest)) == ("approver", NOW, 64)


def test_a_refused_calendar_changes_nothing(office: Office) -> None:
    started(office, [1], "supply", "2026-12-21")
    before = office.events()
    for wrong, kind in (
        ({"notices": {2027: {**NOTICE_2027, "days_worked": ["2027-02-15"]}}}, Refused),
        ({"reason": " "}, Refused),
        ({"reason": "13800138000"}, Refused),
        ({"by": "lin"}, Denied),
        ({"by": "auditor"}, Denied),
    ):
        with pytest.raises(kind):
            publish_2027(office, **wrong)
    with office.store.session() as session:
        assert newest(session, RuleSet.CALENDAR) is None
        assert open_clocks(session, Subject.REQUEST, [1])[0].due.provisional
    assert office.events() == before + ["rules:version:refused"] * 5
    assert office.last().record.body == {"actor": "auditor", "rules": "calendar", "why": "DOOR-DENIED"}


def test_of_two_publications_on_the_same_version_the_later_is_refused(office: Office) -> None:
    stale = {**shipped_document("calendar"), "version": 2}
    publish_2027(office)
    with pytest.raises(Refused, match="RULES-VERSION"), office.store.session() as session, session.begin():
        publish(session, RuleSet.CALENDAR, stale, by="approver", reason="x", now=NOW)


def test_local_limits_hold_for_clocks_that_start_later(office: Office) -> None:
    """山西高平: conditional data answered in 5 working days (L-21)."""
    started(office, [1], "answer_conditional", "2026-11-23")
    publish_limits(office.store, office.log, by="operator", days={"answer_conditional": 5}, reason="市办法", now=NOW)
    assert started(office, [2], "answer_conditional", "2026-11-23").day == date(2026, 11, 30)
    with office.store.session() as session:
        assert [clock.days for clock in open_clocks(session, Subject.REQUEST, [1, 2])] == [10, 5]
        assert clocks_in_force(session).days("supply") == 20
    with pytest.raises(Refused, match="CLK-LIMITS"):
        publish_limits(office.store, office.log, by="operator", days={"supply": 21}, reason="市办法", now=NOW)
    assert office.last().record.body["rules"] == "clocks"
