"""Lists of requests (申请清单), a page at a time: read along an index from where the last page ended; nothing is counted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role
from casework.clocks import RunningClock, Subject, open_clocks
from casework.requests.moves import State
from casework.requests.request import Request, request_of
from catalog.schema import ClockRow, RequestRow
from rules.errors import Denied, Refused

PAGE = 50
LONGEST_PAGE = 200
LARGEST_NUMBER = 2**31 - 1
SEES_ALL = frozenset({Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER, Role.BUREAU_REGISTRAR, Role.AUDITOR})
SEES_OWN = frozenset({Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD})


class Side(StrEnum):
    """As what a department has to do with a request."""

    REQUESTER = "requester"
    PROVIDER = "provider"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A request with the clocks that run for it."""

    request: Request
    clocks: tuple[RunningClock, ...]


@dataclass(frozen=True, kw_only=True)
class Page:
    """`after`: the mark from which the next page goes on; None: there is none."""

    rows: tuple[Listed, ...]
    after: str | None


def newest(
    session: Session,
    viewer: Account,
    *,
    department: str | None = None,
    side: Side | None = None,
    state: State | None = None,
    after: str | None = None,
    limit: int = PAGE,
) -> Page:
    """Requests that the viewer may see, newest first: the bureau and auditors all, a department those it makes or answers."""
    limit = min(limit, LONGEST_PAGE)
    department, sides = _in_view(viewer, department, side)
    below = _mark(after)[1] if after else None
    found: dict[int, RequestRow] = {}
    for column in sides:
        query = _along_index(column, department, state, below).limit(limit + 1)
        found |= {row.id: row for row in session.scalars(query)}
    rows = [found[number] for number in sorted(found, reverse=True)]
    return Page(rows=_listed(session, rows[:limit]), after=str(rows[limit - 1].id) if len(rows) > limit else None)


def due_soonest(
    session: Session, viewer: Account, *, owed_by: str | None = None, bureau: bool = False, after: str | None = None, limit: int = PAGE
) -> Page:
    """Requests for which a clock runs, the first due first. `owed_by` a department, or `bureau`: what the bureau owes."""
    limit, clock = min(limit, LONGEST_PAGE), ClockRow
    mine, _ = _in_view(viewer, owed_by, None)
    running = [clock.stopped_on.is_(None), clock.subject == Subject.REQUEST.value]
    if bureau:
        running.append(clock.owed_by.is_(None))
    elif mine is not None:
        running.append(clock.owed_by == mine)
    if after:
        day, number = _mark(after)
        running.append(sa.tuple_(clock.due_on, clock.id) > sa.tuple_(sa.literal(day), sa.literal(number)))
    query = sa.select(clock.id, clock.due_on, RequestRow).join(RequestRow, RequestRow.id == clock.subject_id)
    found = session.execute(query.where(*running).order_by(clock.due_on, clock.id).limit(limit + 1)).tuples().all()
    last = found[limit - 1] if len(found) > limit else None
    mark = None if last is None else f"{last[1].isoformat()}/{last[0]}"
    return Page(rows=_listed(session, [row for _, _, row in found[:limit]]), after=mark)


def _mark(text: str) -> tuple[date, int]:
    """`DAY/NUMBER`, or a number alone. Refused REQ-PAGE for what no page ended with."""
    day, _, number = text.rpartition("/")
    try:
        return date.fromisoformat(day) if day else date.min, int(number)
    except ValueError as fault:
        raise Refused("REQ-PAGE", where=text[:40]) from fault


def may_see(viewer: Account, request: Request) -> bool:
    """Whether an account may read a request."""
    if not viewer.active:
        return False
    if viewer.department is None:
        return bool(viewer.roles & SEES_ALL)
    return bool(viewer.roles & SEES_OWN) and viewer.department in (request.requester, request.provider)


def _in_view(viewer: Account, department: str | None, side: Side | None) -> tuple[str | None, list[Side | None]]:
    """Whose requests are shown, and along which columns: a department's own people see their own, whatever they ask for."""
    if not viewer.active or not viewer.roles & (SEES_ALL if viewer.department is None else SEES_OWN):
        raise Denied("REQ-PARTY", where=viewer.name)
    if viewer.department is not None:
        if department not in (None, viewer.department):
            raise Denied("REQ-PARTY", where=viewer.name)
        department = viewer.department
    if department is None:
        return None, [None]
    return department, [side] if side else [Side.REQUESTER, Side.PROVIDER]


def _along_index(side: Side | None, department: str | None, state: State | None, below: int | None) -> sa.Select[RequestRow]:
    """Newest first, as one range of the index over what is asked for.

    With plain equalities PostgreSQL would rather walk all requests by number than believe that a department has few in a state.
    """
    table = RequestRow
    columns: list[sa.ColumnElement[Any]] = []
    values: list[sa.ColumnElement[Any]] = []
    if side is not None:
        columns.append(sa.type_coerce(table.requester_key if side is Side.REQUESTER else table.provider_key, sa.String))
        values.append(sa.literal(department))
    if state is not None:
        columns.append(sa.type_coerce(table.state, sa.String))
        values.append(sa.literal(state.value))
    along = sa.tuple_(*columns, table.id)
    last = below if below is not None else LARGEST_NUMBER
    within = (along > sa.tuple_(*values, sa.literal(0)), along < sa.tuple_(*values, sa.literal(last)))
    return sa.select(table).where(*within).order_by(*(column.desc() for column in columns), table.id.desc())


def _listed(session: Session, rows: Collection[RequestRow]) -> tuple[Listed, ...]:
    clocks: dict[int, list[RunningClock]] = {row.id: [] for row in rows}
    for clock in open_clocks(session, Subject.REQUEST, list(clocks)):
        clocks[clock.subject_id].append(clock)
    return tuple(Listed(request=request_of(row), clocks=tuple(clocks[row.id])) for row in rows)
