"""Tickets as rows (工单): bundles, one per department, element and day of receipt, with any number of items (R-06, L-25); and of each
ticket its counts, its state and its clock.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casework.clocks import Outcome, Subject, open_clocks, start, stop
from casework.moves import ENDED, OWED, ItemState, Kind, Party, State, state_by_items
from catalog.published import calendar_in_force, clocks_in_force
from catalog.schema import ClockRow, TicketEventRow, TicketItemRow, TicketRow
from golden.decisions import day_of
from rules.departments import BUREAU_DEPARTMENT
from rules.lights import yellow_from
from rules.tickets import load_ticket_rules

RECONCILIATION = "reconciliation"

Owed = tuple[str, str | None]
"""Which clock runs, and the department that it runs for; none: the bureau."""


def bundle(session: Session, department: str, element: str, round_: int, now: datetime) -> TicketRow:
    """The bundle of a department and an element that was received today; made where there is none that stands. Its clock: `recount`."""
    standing = session.scalar(
        sa.select(TicketRow)
        .filter_by(department_key=department, element=element, standing=True, kind=Kind.CORRECTION, origin=RECONCILIATION)
        .filter_by(round=round_, received_on=day_of(now))
        .limit(1)
    )
    return standing or new_ticket(
        session, now, kind=Kind.CORRECTION, origin=RECONCILIATION, department_key=department, element=element, round=round_
    )


def new_ticket(session: Session, now: datetime, **facts: Any) -> TicketRow:
    """A ticket as it begins. Its clock starts with `keep_clocks`."""
    blank: dict[str, Any] = {"topic": "", "about": "", "description": "", "verdict": "", "round": 1}
    counts = dict.fromkeys(("items", "items_open", "items_awaiting", "items_contested", "items_at_door", "reroutes", "reopened"), 0)
    today = day_of(now)
    row = TicketRow(
        **blank | facts,
        **counts,
        state=State.RAISED,
        standing=True,
        received_on=today,
        limit_days=0,
        yellow_on=today,
        due_on=today,
        provisional=False,
        version=1,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def recount(session: Session, tickets: Collection[int], now: datetime) -> None:
    """Bring counts, states and clocks of correction tickets in line with the items that stand on them."""
    if not tickets:
        return
    counts = _counts(session, tickets)
    rows = list(session.scalars(sa.select(TicketRow).where(TicketRow.id.in_(tickets), TicketRow.kind == Kind.CORRECTION)))
    for row in rows:
        items = counts[row.id]
        row.items_open, row.items_awaiting = items[ItemState.OPEN], items[ItemState.AWAITING]
        row.items_contested, row.items_at_door = items[ItemState.CONTESTED], items[ItemState.AT_DOOR]
        row.version += 1
        disputed = row.state == State.DISPUTED
        set_state(row, state_by_items(items, accepted=row.accepted_by is not None, disputed=disputed), now)
    keep_clocks(session, rows, now)


def set_state(row: TicketRow, state: State, now: datetime) -> None:
    row.state, row.standing = state, state not in ENDED
    row.closed_on = None if row.standing else (row.closed_on or day_of(now))


def keep_clocks(session: Session, rows: Sequence[TicketRow], now: datetime, *, anew: bool = False) -> None:
    """Stop the clock of what is no longer owed and start that of what is (`moves.OWED`); `anew`: also where the same is owed by the same.

    The ticket holds a copy of its clock's dates, by which it is listed.
    """
    running = {clock.subject_id: (clock.clock, clock.owed_by) for clock in open_clocks(session, Subject.TICKET, [row.id for row in rows])}
    owed = {row.id: _owed(row) for row in rows}
    changed = [row for row in rows if anew or owed[row.id] != running.get(row.id)]
    void = {row.id for row in changed if anew or row.state == State.WITHDRAWN} & running.keys()
    done = {row.id for row in changed} & running.keys() - void
    for ended, outcome in ((void, Outcome.VOID), (done, Outcome.DONE)):
        if ended:
            stop(session, Subject.TICKET, sorted(ended), outcome=outcome, now=now)
    starting: defaultdict[Owed, list[TicketRow]] = defaultdict(list)
    for row in changed:
        if (what := owed[row.id]) is not None:
            starting[what].append(row)
    calendar, days = calendar_in_force(session), clocks_in_force(session)
    for (clock, by), some in starting.items():
        due = start(session, Subject.TICKET, [row.id for row in some], clock, owed_by=by, now=now)
        for row in some:
            row.received_on, row.limit_days = day_of(now), days.days(clock)
            row.due_on, row.provisional = due.day, due.provisional
            row.yellow_on = yellow_from(row.received_on, row.limit_days, calendar, load_ticket_rules().lights)
    session.flush()


def follow_calendar(session: Session) -> None:
    """After a calendar was published and the clocks were recomputed: the tickets' copies of their dates (L-37).

    The day from which one is yellow can move where the due date stays. As in `clocks.recompute`, distinct dates are few.
    """
    calendar, clock, row = calendar_in_force(session), ClockRow, TicketRow
    mine = sa.and_(clock.subject == Subject.TICKET, clock.subject_id == row.id, clock.stopped_on.is_(None))
    copied = (row.received_on, row.limit_days, row.due_on, row.provisional, row.yellow_on)
    kinds = sa.select(*copied, clock.due_on, clock.provisional).join(clock, mine).where(row.standing).distinct()
    for received_on, limit_days, due_before, provisional_before, yellow_before, due_on, provisional in session.execute(kinds).all():
        before = {"due_on": due_before, "provisional": provisional_before, "yellow_on": yellow_before}
        yellow = yellow_from(received_on, limit_days, calendar, load_ticket_rules().lights)
        changes = {"due_on": due_on, "provisional": provisional, "yellow_on": yellow}
        if changes != before:
            same = {"received_on": received_on, "limit_days": limit_days, **before}
            session.execute(sa.update(row).filter_by(standing=True, **same).values(changes).execution_options(synchronize_session=False))


def _owed(row: TicketRow) -> Owed | None:
    owed = OWED.get(State(row.state))
    if owed is None:
        return None
    by_department = owed.by is Party.HANDLER and row.department_key != BUREAU_DEPARTMENT
    return owed.clock, row.department_key if by_department else None


def tell(session: Session, row: TicketRow, move: str, at: datetime, *, by: str | None = None, reason: str = "", items: int = 0) -> None:
    """An entry of the ticket's history."""
    session.add(
        TicketEventRow(
            ticket_id=row.id, move=move, state=row.state, department_key=row.department_key, items=items, reason=reason, by=by, at=at
        )
    )


def tell_on(session: Session, row: TicketRow, move: str, at: datetime, *, items: int) -> None:
    """An entry of what the platform does to a ticket in several steps: the steps of one moment are one entry."""
    last = session.scalar(sa.select(TicketEventRow).filter_by(ticket_id=row.id).order_by(TicketEventRow.id.desc()).limit(1))
    if last is not None and (last.move, last.at, last.by) == (move, at, None):
        last.items, last.state = last.items + items, row.state
    else:
        tell(session, row, move, at, items=items)


def _counts(session: Session, tickets: Collection[int]) -> Mapping[int, Mapping[ItemState, int]]:
    item = TicketItemRow
    found = session.execute(
        sa.select(item.ticket_id, item.state, sa.func.count()).where(item.ticket_id.in_(tickets)).group_by(item.ticket_id, item.state)
    )
    counts: defaultdict[int, dict[ItemState, int]] = defaultdict(lambda: dict.fromkeys(ItemState, 0))
    for ticket, state, number in found:
        counts[ticket][ItemState(state)] = number
    return counts
