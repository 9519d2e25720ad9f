"""F-01: the lists of each light against a reference that counts working days one by one, on both databases."""

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from casework.lights import list_tasks
from casework.tickets import Wanted, list_tickets
from catalog.schema import ClockRow, TicketRow
from rules.clocks import LONGEST_LIMIT_DAYS, shipped_calendar
from rules.lights import Light, yellow_from
from rules.tickets import load_ticket_rules
from tests.casework.conftest import NOW, Office

FIRST = date(2026, 9, 14)
"""From here a term can hold National Day, New Year and the Spring Festival of 2027, a year that is not announced."""

received = st.integers(0, 130).map(lambda days: FIRST + timedelta(days=days))
terms = st.lists(st.tuples(received, st.integers(1, LONGEST_LIMIT_DAYS)), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=terms, passed=st.integers(0, 60))
def test_the_lists_of_each_light_agree_with_counting_working_days(office: Office, terms: list[tuple[date, int]], passed: int) -> None:
    """What was received by today, however long its limit: page for page, tickets and tasks alike."""
    today = max(day for day, _ in terms) + timedelta(days=passed)
    with office.store.session() as session:
        for number, (day, limit) in enumerate(terms, start=1):
            add(session, number, day, limit)
        session.flush()
        for light in Light:
            fits = sorted((due_after(day, limit), n) for n, (day, limit) in enumerate(terms, start=1) if naive(today, day, limit) is light)
            assert listed_tickets(session, today, light) == [number for _, number in fits]
            assert listed_tasks(session, today, light) == [number for _, number in fits]
        session.rollback()


def naive(today: date, day: date, limit: int) -> Light:
    """Yellow: two working days or a fifth of the limit remain, whichever is more."""
    due = due_after(day, limit)
    remain = sum(shipped_calendar().is_working(today + timedelta(days=n)) for n in range(1, (due - today).days + 1))
    if today > due:
        return Light.RED
    return Light.YELLOW if remain <= 2 or remain * 5 <= limit else Light.GREEN


def due_after(day: date, limit: int) -> date:
    """L-36: the day of receipt does not count."""
    while limit:
        day += timedelta(days=1)
        limit -= shipped_calendar().is_working(day)
    return day


def add(session: Session, number: int, day: date, limit: int) -> None:
    """A ticket and its clock, of the same number."""
    calendar = shipped_calendar()
    due, yellow = calendar.after(day, limit), yellow_from(day, limit, calendar, load_ticket_rules().lights)
    counts = dict.fromkeys(("items", "items_open", "items_awaiting", "items_contested", "items_at_door", "reroutes", "reopened"), 0)
    texts = {"topic": "", "about": "", "description": "", "verdict": "", "kind": "correction", "origin": "reconciliation"}
    dates = {"due_on": due.day, "provisional": due.provisional}
    session.add(
        TicketRow(
            id=number, department_key="police", round=1, state="raised", standing=True, received_on=day, limit_days=limit,
            yellow_on=yellow, version=1, created_at=NOW, **dates, **texts, **counts,
        )
    )  # fmt: skip
    clock = {"subject": "ticket", "subject_id": number, "clock": "correction", "owed_by": "police", "calendar_version": calendar.version}
    session.add(ClockRow(id=number, started_at=NOW, started_on=day, days=limit, extended_days=0, **dates, **clock))


def listed_tickets(session: Session, today: date, light: Light) -> list[int]:
    found, after = [], None
    while True:
        page = list_tickets(session, Wanted(light=light), today, after=after, limit=3)
        found += [ticket.id for ticket in page.tickets]
        if (after := page.next) is None:
            return found


def listed_tasks(session: Session, today: date, light: Light) -> list[int]:
    found, after = [], None
    while True:
        page = list_tasks(session, today, light=light, after=after, limit=3)
        found += [task.subject_id for task in page.tasks]
        if (after := page.next) is None:
            return found
