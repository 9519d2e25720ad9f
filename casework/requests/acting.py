"""Acting on a request (办理): who may make which move, in one transaction with its records; what is refused leaves a record of the attempt.

An act does its own work inside `acting`: the request is locked, party, state, version, reason and the two-person rule are checked; clocks,
history and log are written when the block ends. Where anything is refused, the request stays as it was.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from casework.attempts import Act, recorded_attempt
from casework.clocks import Subject, open_clocks, start, stop
from casework.requests.moves import (
    ANSWER_CLOCK,
    CONFORMITY_CLOCK,
    MOVE_TEXTS,
    PARTY_TEXTS,
    STATE_TEXTS,
    AnswerKind,
    Move,
    Party,
    State,
    find_move,
    parties_that_may,
)
from catalog.published import clocks_in_force
from catalog.schema import RequestMoveRow, RequestRow
from catalog.store import Store
from rules.clocks import Supplement
from rules.errors import Denied, NotFound, Refused

BUREAU_ROLES = frozenset({Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER})


@dataclass(kw_only=True)
class Acting:
    """A request while it is acted on. What is put into `facts` goes into its history and the log: no free text but what was checked."""

    session: Session
    request: RequestRow
    move: Move
    account: Account
    act: Act
    facts: dict[str, Any] = field(default_factory=dict)
    log: Log = field(repr=False)


@contextmanager
def acting(store: Store, log: Log, number: int, name: str, act: Act) -> Iterator[Acting]:
    """Check a move and give the request to act on; the move is made when the block ends.

    NotFound REQ-NONE; Denied REQ-PARTY, REQ-SECOND; Refused REQ-MOVE, REQ-STALE, REQ-TEXT.
    """
    with recorded_attempt(log, Event.REQUEST_REFUSED, actor=act.by, move=name, request=number), store.session() as session, session.begin():
        row = locked(session, number)
        account = load_account(session, act.by)
        doing = Acting(session=session, request=row, move=_checked(session, row, name, account, act), account=account, act=act, log=log)
        yield doing
        _move_on(doing, name)


def locked(session: Session, number: int) -> RequestRow:
    """The request, which nobody else changes until the transaction ends. NotFound REQ-NONE."""
    row = session.get(RequestRow, number, populate_existing=True, with_for_update=True)
    if row is None:
        raise NotFound("REQ-NONE", where=str(number))
    return row


def parties_of(account: Account, row: RequestRow) -> frozenset[Party]:
    """Who an account is to a request. Where the bureau provides, its operator is the clerk and its approver the head."""
    if not account.active:
        return frozenset()
    bureau = account.department is None
    requester, provider = account.department == row.requester_key, account.department == row.provider_key
    clerk_role, head_role = (Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER) if bureau else (Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD)
    holds = {
        Party.CLERK: requester and Role.DEPARTMENT_REQUESTER in account.roles,
        Party.HEAD: requester and Role.DEPARTMENT_HEAD in account.roles,
        Party.BUREAU: bureau and bool(account.roles & BUREAU_ROLES),
        Party.PROVIDER: provider and clerk_role in account.roles,
        Party.PROVIDER_HEAD: provider and head_role in account.roles,
    }
    return frozenset(party for party, held in holds.items() if held)


def check_text(what: str, text: str, *, needed: bool = True) -> None:
    """Refused REQ-TEXT where a text is missing that has to be said, is too long or names a person's number."""
    found = reason_faults(text, needed=needed, missing="未填写 missing")
    if found:
        raise Refused("REQ-TEXT", where=what, what="; ".join(found))


def doers_of(session: Session, number: int, moves: frozenset[str]) -> set[str]:
    """Who has made one of some moves on a request, ever."""
    table = RequestMoveRow
    return set(session.scalars(sa.select(table.actor).where(table.request_id == number, table.move.in_(moves))))


def answer_kind(row: RequestRow) -> AnswerKind | None:
    return AnswerKind(row.answer["kind"]) if row.answer else None


def answer_clock(row: RequestRow) -> str:
    """The clock of the answer by the share attribute of what is asked for (L-15, L-16)."""
    return f"{ANSWER_CLOCK}_{row.share}"


def add_history(session: Session, row: RequestRow, name: str, before: str, by: str, now: datetime, facts: Mapping[str, Any]) -> None:
    session.add(
        RequestMoveRow(
            request_id=row.id, version=row.version, move=name, state_before=before, state=row.state, actor=by, at=now, facts=dict(facts)
        )
    )
    session.flush()


def _checked(session: Session, row: RequestRow, name: str, account: Account, act: Act) -> Move:
    """Party first: whoever has no part in a request learns nothing of where it stands."""
    parties = parties_of(account, row)
    allowed = parties_that_may(name)
    if not parties & allowed:
        raise Denied("REQ-PARTY", where=str(row.id), what=f"{MOVE_TEXTS[name]}: {_told(allowed)}")
    if act.seen is not None and act.seen != row.version:
        raise Refused("REQ-STALE", where=str(row.id), what=f"{act.seen} ≠ {row.version}")
    move = find_move(name, State(row.state), answer_kind(row))
    if move is None:
        raise Refused("REQ-MOVE", where=str(row.id), what=f"{MOVE_TEXTS[name]}: {STATE_TEXTS[State(row.state)]}")
    if not parties & move.by:
        told = f"{MOVE_TEXTS[name]} ({move.rule}), {STATE_TEXTS[State(row.state)]}: {_told(move.by)}"
        raise Denied("REQ-PARTY", where=str(row.id), what=told)
    if move.not_by and act.by in doers_of(session, row.id, move.not_by):
        raise Denied("REQ-SECOND", where=str(row.id), what=f"{MOVE_TEXTS[name]} ({move.rule})")
    check_text("理由 reason", act.reason, needed=move.reason)
    return move


def _told(parties: frozenset[Party]) -> str:
    return "、".join(PARTY_TEXTS[party] for party in Party if party in parties)


def _move_on(doing: Acting, name: str) -> None:
    row, move, act = doing.request, doing.move, doing.act
    before, row.state = row.state, move.after.value
    row.version, row.changed_at = row.version + 1, act.now
    doing.session.flush()
    _turn_clocks(doing)
    facts = {**({"reason": act.reason} if act.reason else {}), **doing.facts}
    add_history(doing.session, row, name, before, act.by, act.now, facts)
    body = {"actor": act.by, "request": row.id, "move": name, "before": before, "state": row.state, "version": row.version}
    with log_faults_translated():
        doing.log.append_sealed(Event.REQUEST_MOVED, {**body, "facts": facts})


def _turn_clocks(doing: Acting) -> None:
    """Stop and start what the move says; the clock of an answer that ran on through a supplement is not started again (L-38)."""
    row, move, session, now = doing.request, doing.move, doing.session, doing.act.now
    if move.stops is not None and (not move.only_restarting or clocks_in_force(session).supplement is Supplement.RESTARTS):
        stop(session, Subject.REQUEST, [row.id], outcome=move.stops, now=now)
    if move.starts is not None and not open_clocks(session, Subject.REQUEST, [row.id]):
        clock = answer_clock(row) if move.starts == ANSWER_CLOCK else move.starts
        owed_by = None if move.starts == CONFORMITY_CLOCK else row.provider_key
        due = start(session, Subject.REQUEST, [row.id], clock, owed_by=owed_by, now=now)
        doing.facts |= {"clock": clock, "due": due.day.isoformat(), "provisional": due.provisional}
