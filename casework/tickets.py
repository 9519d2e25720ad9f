"""Tickets as they are listed and looked at (工单清单): pages by key, never a count over the table; no value and no record of a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casework.moves import MOVES, ItemState, Kind, State
from catalog.schema import DepartmentRow, TicketEventRow, TicketItemRow, TicketRow
from rules.errors import NotFound, Refused
from rules.lights import Light, task_light

PAGE_ROWS = 50
MOST_PAGE_ROWS = 500
EVENTS_SHOWN = 200


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A ticket; its item counts are of those that stand on it now, `items` of all that ever did."""

    id: int
    kind: Kind
    topic: str
    origin: str
    department_key: str
    raised_by: str | None
    raised_by_department: str | None
    element: str | None
    about: str
    description: str
    round: int
    state: State
    standing: bool
    verdict: str
    accepted_by: str | None
    received_on: date
    limit_days: int
    yellow_on: date
    due_on: date
    provisional: bool
    closed_on: date | None
    items: int
    items_open: int
    items_awaiting: int
    items_contested: int
    items_at_door: int
    reroutes: int
    reopened: int
    rating: int | None
    solved: bool | None
    version: int
    created_at: datetime

    def light(self, today: date) -> Light:
        """F-01."""
        return task_light(today, yellow_on=self.yellow_on, due_on=self.due_on, done_on=self.closed_on)


@dataclass(frozen=True, kw_only=True)
class TicketEvent:
    """An entry of a ticket's history."""

    move: str
    state: State
    department_key: str
    items: int
    reason: str
    by: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which tickets to list; what is None does not matter. Standing ones unless `ended`, or a state is named."""

    department: str | None = None
    raised_by_department: str | None = None
    element: str | None = None
    kind: Kind | None = None
    state: State | None = None
    light: Light | None = None
    ended: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """Tickets by due date. `next`: give it as `after` for the following page; None at the end."""

    tickets: tuple[Ticket, ...]
    next: str | None


@dataclass(frozen=True, kw_only=True)
class OpenTickets:
    """What a department has to answer."""

    department: str
    title: str
    tickets: int
    items: int


def ticket_of(row: TicketRow) -> Ticket:
    values = {field.name: getattr(row, field.name) for field in fields(Ticket)}
    return Ticket(**{**values, "kind": Kind(row.kind), "state": State(row.state)})


def load_ticket(session: Session, ticket: int) -> Ticket:
    """NotFound TKT-NONE."""
    row = session.get(TicketRow, ticket)
    if row is None:
        raise NotFound("TKT-NONE", where=str(ticket))
    return ticket_of(row)


def list_tickets(session: Session, wanted: Wanted, today: date, *, after: str | None = None, limit: int = PAGE_ROWS) -> Page:
    """A page of tickets, those due first at the top."""
    query = sa.select(TicketRow).where(*_conditions(wanted, today)).order_by(TicketRow.due_on, TicketRow.id)
    first = None if wanted.light is None else _FIRST_DUE[wanted.light](today)
    query = query.where(*from_place(TicketRow.due_on, TicketRow.id, after, first))
    rows = session.scalars(query.limit(min(limit, MOST_PAGE_ROWS) + 1)).all()
    shown = rows[: min(limit, MOST_PAGE_ROWS)]
    more = f"{shown[-1].due_on.isoformat()}/{shown[-1].id}" if len(rows) > len(shown) else None
    return Page(tickets=tuple(ticket_of(row) for row in shown), next=more)


def list_events(session: Session, ticket: int) -> list[TicketEvent]:
    """The history of a ticket, oldest first; of a long one the newest part."""
    newest = sa.select(TicketEventRow).filter_by(ticket_id=ticket).order_by(TicketEventRow.id.desc()).limit(EVENTS_SHOWN)
    names = [field.name for field in fields(TicketEvent)]
    rows = [{name: getattr(row, name) for name in names} for row in session.scalars(newest)]
    return [TicketEvent(**{**row, "state": State(row["state"])}) for row in reversed(rows)]


def items_by_dataset(session: Session, ticket: int) -> Sequence[tuple[str, str, ItemState, int]]:
    """Data set, kind, state and number of the items that stand on a ticket or were settled on it."""
    item = TicketItemRow
    found = session.execute(
        sa.select(item.dataset_key, item.kind, item.state, sa.func.count())
        .where(item.ticket_id == ticket)
        .group_by(item.dataset_key, item.kind, item.state)
        .order_by(item.dataset_key, item.kind, item.state)
    )
    return [(dataset, kind, ItemState(state), number) for dataset, kind, state, number in found]


def open_by_department(session: Session) -> list[OpenTickets]:
    """The departments that have correction tickets to answer, by key."""
    row = TicketRow
    found = session.execute(
        sa.select(DepartmentRow.key, DepartmentRow.title, sa.func.count(), sa.func.sum(row.items_open))
        .join(DepartmentRow, DepartmentRow.key == row.department_key)
        .where(row.standing, row.kind == Kind.CORRECTION)
        .group_by(DepartmentRow.key, DepartmentRow.title)
        .order_by(DepartmentRow.key)
    )
    return [OpenTickets(department=key, title=title, tickets=tickets, items=int(items)) for key, title, tickets, items in found]


def possible_moves(ticket: Ticket) -> Mapping[str, str]:
    """What the state allows, with who may do it."""
    return {name: f"{move.zh} {move.en}" for name, move in MOVES.items() if ticket.state in move.states and ticket.kind in move.kinds}


def from_place(due_on: Any, number: Any, after: str | None, first: date | None) -> list[sa.ColumnElement[bool]]:
    """SQL of where a page begins: after the last one seen (`2026-11-30/7`), or at the first due date that the list can hold.

    Only the later of the two, for an index is entered at one place. Refused PAGE-PLACE.
    """
    seen = None if after is None else place_of(after)
    if seen is not None and (first is None or seen[0] >= first):
        return [sa.tuple_(due_on, number) > sa.tuple_(*seen)]
    return [] if first is None else [due_on >= first]


def place_of(after: str) -> tuple[date, int]:
    """Due date and number of the last one of a page. Refused PAGE-PLACE."""
    due, _, last = after.partition("/")
    try:
        return date.fromisoformat(due), int(last)
    except ValueError:
        raise Refused("PAGE-PLACE", where=after[:60]) from None


def _conditions(wanted: Wanted, today: date) -> list[sa.ColumnElement[bool]]:
    row = TicketRow
    equal = {
        row.department_key: wanted.department,
        row.raised_by_department: wanted.raised_by_department,
        row.element: wanted.element,
        row.kind: wanted.kind,
        row.state: wanted.state,
    }
    found: list[sa.ColumnElement[bool]] = [column == value for column, value in equal.items() if value is not None]
    if wanted.state is None:
        found.append(row.standing.is_(not wanted.ended))
    return found + (_LIGHTS[wanted.light](today) if wanted.light is not None else [])


_LIGHTS = {
    Light.RED: lambda today: [TicketRow.due_on < today],
    Light.YELLOW: lambda today: [TicketRow.yellow_on <= today],
    Light.GREEN: lambda today: [TicketRow.yellow_on > today],
}
"""As `rules.lights.task_light` says, of tickets that stand, with the first due date that a light can have."""

_FIRST_DUE = {Light.RED: lambda today: None, Light.YELLOW: lambda today: today, Light.GREEN: lambda today: today + timedelta(days=1)}
