"""Lights, reminders and explanations of whatever has a clock (红黄绿灯, law.md F-01), and the lights of data sets (F-02).

One page lists all tasks, whether requests, tickets or entries. Reminders go to the handler (经办) of a yellow task, to the head (负责人) of
a red one, to the bureau (主管部门) when it stays red; each once. A red task asks for an explanation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Role, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from casework.acting import department_of, recorded_attempt
from casework.attempts import Act
from casework.clocks import Subject
from casework.tickets import from_place
from catalog.published import calendar_in_force
from catalog.schema import ClockRow, DatasetRow, ExplanationRow, ReminderRow, SnapshotRow
from catalog.snapshots import ACCEPTED, CHINA
from catalog.store import Store, serialise
from golden.decisions import day_of
from rules.clocks import LONGEST_LIMIT_DAYS, WorkingDays
from rules.departments import BUREAU_DEPARTMENT
from rules.errors import Denied, NotFound, Refused
from rules.lights import Light, resource_light
from rules.tickets import LightRules, load_ticket_rules

PAGE_ROWS = 50


class Stage(StrEnum):
    """Who is reminded."""

    HANDLER = "handler"
    HEAD = "head"
    BUREAU = "bureau"


STAGE_TEXTS: Mapping[Stage, str] = {Stage.HANDLER: "经办 handler", Stage.HEAD: "负责人 head", Stage.BUREAU: "主管部门 bureau"}


@dataclass(frozen=True, kw_only=True)
class Task:
    """A case whose clock runs. `owed_by` None: the bureau."""

    clock_id: int
    subject: Subject
    subject_id: int
    clock: str
    owed_by: str | None
    started_on: date
    days: int
    extended_days: int
    due_on: date
    provisional: bool
    light: Light
    explained: bool


@dataclass(frozen=True, kw_only=True)
class TaskPage:
    """Tasks by due date. `next`: give it as `after` for the following page."""

    tasks: tuple[Task, ...]
    next: str | None


@dataclass(frozen=True, kw_only=True)
class ResourceLight:
    """The light of a data set: when it was last brought in against the cycle that it declares."""

    dataset: str
    title: str
    department: str
    frequency: str
    updated_on: date | None
    rows: int
    rows_before: int | None
    light: Light


def list_tasks(
    session: Session,
    today: date,
    *,
    department: str | None = None,
    light: Light | None = None,
    after: str | None = None,
    limit: int = PAGE_ROWS,
) -> TaskPage:
    """A page of running clocks, those due first at the top; `department`: only what it owes, `data_bureau`: what the bureau owes."""
    clock, colour = ClockRow, _light(calendar_in_force(session), load_ticket_rules().lights, today)
    query = sa.select(clock, colour, ExplanationRow.clock_id).outerjoin(ExplanationRow, ExplanationRow.clock_id == clock.id)
    query = query.where(clock.stopped_on.is_(None)).order_by(clock.due_on, clock.id)
    if department is not None:
        query = query.where(clock.owed_by.is_(None) if department == BUREAU_DEPARTMENT else clock.owed_by == department)
    if light is not None:
        query = query.where(_within(calendar_in_force(session), load_ticket_rules().lights, today, light))
    first = _first_due(calendar_in_force(session), load_ticket_rules().lights, today, light)
    query = query.where(*from_place(clock.due_on, clock.id, after, first))
    rows = session.execute(query.limit(limit + 1)).all()
    tasks = tuple(_task(row, Light(shown), explained is not None) for row, shown, explained in rows[:limit])
    return TaskPage(tasks=tasks, next=f"{tasks[-1].due_on.isoformat()}/{tasks[-1].clock_id}" if len(rows) > limit else None)


def count_lights(session: Session, today: date) -> Mapping[str | None, Mapping[Light, int]]:
    """How many running tasks of each colour each department owes; None: the bureau."""
    colour = _light(calendar_in_force(session), load_ticket_rules().lights, today)
    grouped = sa.select(ClockRow.owed_by, colour, sa.func.count()).where(ClockRow.stopped_on.is_(None)).group_by(ClockRow.owed_by, colour)
    found: dict[str | None, dict[Light, int]] = {}
    for department, shown, number in session.execute(grouped):
        found.setdefault(department, {})[Light(shown)] = number
    return found


def remind(session: Session, now: datetime) -> Mapping[Stage, int]:
    """Make the reminders that are due and were not made before; how many of each stage. Safe to repeat, by one at a time."""
    serialise(session, "reminders")
    calendar, rules, today = calendar_in_force(session), load_ticket_rules().lights, day_of(now)
    clock = ClockRow
    late = _back(calendar, today, rules.bureau_after_days)
    due: Mapping[Stage, sa.ColumnElement[bool]] = {
        Stage.HANDLER: clock.due_on <= _yellow_until(calendar, rules, today),
        Stage.HEAD: clock.due_on < today,
        Stage.BUREAU: clock.due_on < late,
    }
    return {stage: _remind(session, stage, which, now) for stage, which in due.items()}


def explain(store: Store, log: Log, *, clock: int, act: Act) -> None:
    """The department that owes a red task says why (F-01). NotFound LGT-NONE; Denied LGT-PARTY; Refused LGT-NOT-RED, TKT-TERMS."""
    with recorded_attempt(log, act.by, "explain", clock=clock), store.session() as session, session.begin():
        row = session.get(ClockRow, clock)
        if row is None or row.stopped_on is not None:
            raise NotFound("LGT-NONE", where=str(clock))
        account = load_account(session, act.by)
        owner = row.owed_by or BUREAU_DEPARTMENT
        if not account.active or department_of(account) != owner or account.roles <= {Role.AUDITOR, Role.GRID_WORKER}:
            raise Denied("LGT-PARTY", where=str(clock))
        if row.due_on >= day_of(act.now):
            raise Refused("LGT-NOT-RED", where=str(clock))
        if faults := reason_faults(act.reason, needed=True):
            raise Refused("TKT-TERMS", where=str(clock), what="; ".join(faults))
        session.merge(ExplanationRow(clock_id=clock, reason=act.reason, by=act.by, at=act.now))
        session.flush()
        with log_faults_translated():
            body = {"actor": act.by, "clock": clock, "subject": row.subject, "number": row.subject_id, "why": act.reason}
            log.append_sealed(Event.TASK_EXPLAINED, body)


def resource_lights(session: Session, today: date, department: str | None = None) -> list[ResourceLight]:
    """The light of every data set, by key (F-02)."""
    newest = accepted_snapshots()
    rows = session.execute(
        sa.select(DatasetRow, newest.c.received_at, newest.c.rows, newest.c.before)
        .outerjoin(newest, sa.and_(newest.c.dataset_key == DatasetRow.key, newest.c.place == 1))
        .where(sa.true() if department is None else DatasetRow.department_key == department)
        .order_by(DatasetRow.key)
    )
    return [_resource(row, received, rows, before, today) for row, received, rows, before in rows]


def accepted_snapshots() -> sa.Subquery:
    """Of each data set its accepted snapshots, the newest in place 1, each with the rows of the one before."""
    snapshot = SnapshotRow
    return (
        sa.select(
            snapshot.dataset_key,
            snapshot.received_at,
            snapshot.rows_standard.label("rows"),
            sa.func.lead(snapshot.rows_standard).over(partition_by=snapshot.dataset_key, order_by=snapshot.version.desc()).label("before"),
            sa.func.row_number().over(partition_by=snapshot.dataset_key, order_by=snapshot.version.desc()).label("place"),
        )
        .where(snapshot.state == ACCEPTED)
        .subquery()
    )


def _resource(row: DatasetRow, received: datetime | None, rows: int | None, before: int | None, today: date) -> ResourceLight:
    updated = None if received is None else received.astimezone(CHINA).date()
    rules = load_ticket_rules().lights
    light = resource_light(today, updated_on=updated, frequency=row.update_frequency, rows=rows or 0, rows_before=before, rules=rules)
    return ResourceLight(
        dataset=row.key,
        title=row.title,
        department=row.department_key,
        frequency=row.update_frequency,
        updated_on=updated,
        rows=rows or 0,
        rows_before=before,
        light=light,
    )


def _task(row: ClockRow, light: Light, explained: bool) -> Task:
    return Task(
        clock_id=row.id,
        subject=Subject(row.subject),
        subject_id=row.subject_id,
        clock=row.clock,
        owed_by=row.owed_by,
        started_on=row.started_on,
        days=row.days,
        extended_days=row.extended_days,
        due_on=row.due_on,
        provisional=row.provisional,
        light=light,
        explained=explained,
    )


def _light(calendar: WorkingDays, rules: LightRules, today: date) -> sa.Case[str]:
    """SQL of `rules.lights.task_light` of a running clock."""
    red, yellow = ClockRow.due_on < today, ClockRow.due_on <= _yellow_until(calendar, rules, today)
    return sa.case((red, Light.RED.value), (yellow, Light.YELLOW.value), else_=Light.GREEN.value)


def _within(calendar: WorkingDays, rules: LightRules, today: date, light: Light) -> sa.ColumnElement[bool]:
    """SQL: has this light, of what is due from `_first_due` on. The plain bound on the due date lets an index end the page."""
    until, due = _yellow_until(calendar, rules, today), ClockRow.due_on
    latest = calendar.after(today, _most_left(rules)).day
    return {
        Light.RED: due < today,
        Light.YELLOW: sa.and_(due <= latest, due <= until),
        Light.GREEN: due > until,
    }[light]


def _first_due(calendar: WorkingDays, rules: LightRules, today: date, light: Light | None) -> date | None:
    """The first due date that a task of this light can have."""
    if light is Light.GREEN:
        return calendar.after(today, rules.yellow_days).day + timedelta(days=1)
    return today if light is Light.YELLOW else None


def _yellow_until(calendar: WorkingDays, rules: LightRules, today: date) -> sa.Case[date]:
    """SQL: what is due up to this day is yellow. So many working days from today as are left when a limit of that length turns yellow."""
    length, most = ClockRow.days * sa.literal(rules.yellow_share), _most_left(rules)
    steps = [(length < left + 1, calendar.after(today, left).day) for left in range(rules.yellow_days, most)]
    return sa.case(*steps, else_=calendar.after(today, most).day)


def _most_left(rules: LightRules) -> int:
    return max(int(LONGEST_LIMIT_DAYS * rules.yellow_share), rules.yellow_days + 1)


def _back(calendar: WorkingDays, today: date, days: int) -> date:
    """What was due before this day has been overdue for more than so many working days."""
    day = today
    while calendar.between(day, today) < days:
        day = date.fromordinal(day.toordinal() - 1)
    return day


def _remind(session: Session, stage: Stage, which: sa.ColumnElement[bool], now: datetime) -> int:
    clock, made = ClockRow, ReminderRow
    known = sa.exists().where(made.clock_id == clock.id, made.stage == stage.value)
    whom = sa.literal(None, type_=made.__table__.c.department_key.type) if stage is Stage.BUREAU else clock.owed_by
    at = sa.literal(now, type_=made.__table__.c.at.type)
    which_now = sa.and_(clock.stopped_on.is_(None), which, ~known)
    number = session.scalar(sa.select(sa.func.count()).select_from(clock).where(which_now)) or 0
    fresh = sa.select(clock.id, sa.literal(stage.value), whom, at).where(which_now)
    session.execute(sa.insert(made).from_select(["clock_id", "stage", "department_key", "at"], fresh))
    return number
