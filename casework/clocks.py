"""Running clocks (时限): started when a case is received, extended, stopped; and recomputed when the bureau publishes a calendar.

One table for requests, tickets and every other case, so that a new calendar moves all due dates in one go and lights look in one place.
What a clock is called and how long it runs stands in `rules/clocks.yaml`, or in what the bureau has published since.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.published import calendar_in_force, clocks_in_force
from catalog.schema import ClockChangeRow, ClockRow
from golden.decisions import day_of
from rules.clocks import Due, WorkingDays


class Subject(StrEnum):
    """The kind of case that a clock runs for."""

    REQUEST = "request"
    TICKET = "ticket"
    ENTRY = "entry"
    DOOR_CHECK = "door_check"
    REVIEW = "audit_review"


class Outcome(StrEnum):
    """How a clock ended: what was owed was done, or is owed no longer (a supplement was asked, the case was withdrawn)."""

    DONE = "done"
    VOID = "void"


@dataclass(frozen=True, kw_only=True)
class RunningClock:
    """A clock as it stands. `owed_by` None: the bureau."""

    id: int
    subject: Subject
    subject_id: int
    clock: str
    owed_by: str | None
    started_on: date
    days: int
    extended_days: int
    due: Due
    stopped_on: date | None
    outcome: Outcome | None


@dataclass(frozen=True, kw_only=True)
class Recomputed:
    """What a newer calendar did to the open clocks: how many due dates it moved, and how many it only made certain."""

    moved: int
    made_certain: int


def start(session: Session, subject: Subject, numbers: Sequence[int], clock: str, *, owed_by: str | None, now: datetime) -> Due:
    """A clock for each of some cases that one department (None: the bureau) received at this moment."""
    calendar, days, today = calendar_in_force(session), clocks_in_force(session).days(clock), day_of(now)
    due = calendar.after(today, days)
    fields = {
        "subject": subject.value,
        "clock": clock,
        "owed_by": owed_by,
        "started_at": now,
        "started_on": today,
        "days": days,
        "extended_days": 0,
        "due_on": due.day,
        "provisional": due.provisional,
        "calendar_version": calendar.version,
    }
    session.execute(sa.insert(ClockRow), [{**fields, "subject_id": number} for number in numbers])
    return due


def extend(session: Session, subject: Subject, number: int, clock: str, days: int) -> Due:
    """Give the open clock of a case so many working days more, counted from where it started."""
    row = session.scalars(_open(subject, [number]).where(ClockRow.clock == clock)).one()
    calendar = calendar_in_force(session)
    due = calendar.after(row.started_on, row.days + days)
    row.days, row.extended_days = row.days + days, row.extended_days + days
    row.due_on, row.provisional, row.calendar_version = due.day, due.provisional, calendar.version
    session.flush()
    return due


def stop(session: Session, subject: Subject, numbers: Sequence[int], *, outcome: Outcome, now: datetime, clock: str | None = None) -> int:
    """Stop the open clocks of some cases (only those of one name, if it is given); how many there were."""
    table = ClockRow
    mine = sa.and_(table.subject == subject.value, table.subject_id.in_(numbers), table.stopped_on.is_(None))
    which = mine if clock is None else sa.and_(mine, table.clock == clock)
    stopped = sa.update(table).where(which).values(stopped_at=now, stopped_on=day_of(now), outcome=outcome.value)
    return session.execute(stopped.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]


def clocks_of(session: Session, subject: Subject, number: int) -> list[RunningClock]:
    """All clocks that a case has had, in order."""
    table = ClockRow
    mine = sa.select(table).where(table.subject == subject.value, table.subject_id == number).order_by(table.id)
    return [_running(row) for row in session.scalars(mine.execution_options(populate_existing=True))]


def open_clocks(session: Session, subject: Subject, numbers: Collection[int]) -> list[RunningClock]:
    """The clocks that run for some cases, by case."""
    return [_running(row) for row in session.scalars(_open(subject, numbers).order_by(ClockRow.subject_id, ClockRow.id))]


def recompute(session: Session, calendar: WorkingDays, now: datetime) -> Recomputed:
    """Give every open clock the due date of a newer calendar; what changes leaves a row of `clock_change` (L-37).

    Works on the distinct starts and lengths of the open clocks, of which there are few, however many clocks run.
    """
    table, found = ClockRow, {"moved": 0, "made_certain": 0}
    kinds = sa.select(table.started_on, table.days, table.due_on, table.provisional).where(table.stopped_on.is_(None)).distinct()
    for started_on, days, due_on, provisional in session.execute(kinds).all():
        due = calendar.after(started_on, days)
        if due != Due(day=due_on, provisional=provisional):
            which = sa.and_(
                table.stopped_on.is_(None),
                table.due_on == due_on,
                table.started_on == started_on,
                table.days == days,
                table.provisional == provisional,
            )
            count = _change(session, which, due, calendar.version, now)
            found["made_certain" if due.day == due_on else "moved"] += count
    return Recomputed(**found)


def _change(session: Session, which: sa.ColumnElement[bool], due: Due, version: int, now: datetime) -> int:
    table = ClockRow
    kept = sa.select(
        table.id,
        sa.literal(version),
        table.due_on,
        sa.literal(due.day),
        table.provisional,
        sa.literal(due.provisional),
        sa.literal(now, type_=ClockChangeRow.__table__.c.changed_at.type),
    ).where(which)
    names = ["clock_id", "calendar_version", "due_before", "due_after", "provisional_before", "provisional_after", "changed_at"]
    session.execute(sa.insert(ClockChangeRow).from_select(names, kept))
    values = {"due_on": due.day, "provisional": due.provisional, "calendar_version": version}
    changed = sa.update(table).where(which).values(values).execution_options(synchronize_session=False)
    return session.execute(changed).rowcount  # type: ignore[attr-defined]


def _open(subject: Subject, numbers: Collection[int]) -> sa.Select[ClockRow]:
    table = ClockRow
    mine = (table.subject == subject.value, table.subject_id.in_(numbers), table.stopped_on.is_(None))
    return sa.select(table).where(*mine).execution_options(populate_existing=True)


def _running(row: ClockRow) -> RunningClock:
    return RunningClock(
        id=row.id,
        subject=Subject(row.subject),
        subject_id=row.subject_id,
        clock=row.clock,
        owed_by=row.owed_by,
        started_on=row.started_on,
        days=row.days,
        extended_days=row.extended_days,
        due=Due(day=row.due_on, provisional=row.provisional),
        stopped_on=row.stopped_on,
        outcome=Outcome(row.outcome) if row.outcome else None,
    )
