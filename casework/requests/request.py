"""A request as the rest of the platform sees it: its terms, where it stands, its history and its clocks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casework.clocks import RunningClock, Subject, clocks_of
from casework.requests.moves import State
from casework.requests.terms import RequestTerms, terms_of
from catalog.schema import DataGrantRow, RequestMoveRow, RequestRow
from rules.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Request:
    """`provider` None: the bureau. `answer` is what the provider prepared or gave; `grant` the grant that came of it."""

    id: int
    requester: str
    requested_by: str
    provider: str | None
    terms: RequestTerms
    share: str
    state: State
    version: int
    answer: Mapping[str, Any]
    created_at: datetime
    changed_at: datetime
    received_at: datetime | None
    complete_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """What was done about a request: by whom, when, from which state to which. The requester is told by it (L-17, L-18)."""

    version: int
    move: str
    before: State
    state: State
    actor: str
    at: datetime
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Dossier:
    """All of a request."""

    request: Request
    steps: tuple[Step, ...]
    clocks: tuple[RunningClock, ...]
    grant: int | None


def load_request(session: Session, number: int) -> Request:
    """NotFound REQ-NONE."""
    row = session.get(RequestRow, number, populate_existing=True)
    if row is None:
        raise NotFound("REQ-NONE", where=str(number))
    return request_of(row)


def load_dossier(session: Session, number: int) -> Dossier:
    """A request with everything that was done about it. NotFound REQ-NONE."""
    table = RequestMoveRow
    rows = session.scalars(sa.select(table).where(table.request_id == number).order_by(table.id))
    return Dossier(
        request=load_request(session, number),
        steps=tuple(_step(row) for row in rows),
        clocks=tuple(clocks_of(session, Subject.REQUEST, number)),
        grant=grant_of(session, number),
    )


def grant_of(session: Session, number: int) -> int | None:
    """The grant that agreeing to a request made."""
    return session.scalar(sa.select(DataGrantRow.id).where(DataGrantRow.request_id == number))


def request_of(row: RequestRow) -> Request:
    return Request(
        id=row.id,
        requester=row.requester_key,
        requested_by=row.requested_by,
        provider=row.provider_key,
        terms=terms_of(row),
        share=row.share,
        state=State(row.state),
        version=row.version,
        answer=row.answer,
        created_at=row.created_at,
        changed_at=row.changed_at,
        received_at=row.received_at,
        complete_at=row.complete_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
    )


def _step(row: RequestMoveRow) -> Step:
    return Step(
        version=row.version,
        move=row.move,
        before=State(row.state_before),
        state=State(row.state),
        actor=row.actor,
        at=row.at,
        facts=row.facts,
    )
