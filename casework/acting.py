"""Acting on a ticket (办理): who may make which move, in one transaction with its records; what is refused leaves a record of the attempt.

An act is a function that does its work inside `acting`: the ticket is locked, the move is looked up in the table, the actor, the state, the
version and the reason are checked, and history and audit log are written. An illegal move leaves the ticket as it was.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, ensure_department, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from casework import attempts
from casework.attempts import Act
from casework.bundles import keep_clocks, set_state, tell
from casework.moves import MOVES, PARTY_TEXTS, STATE_TEXTS, Kind, Move, Party, State
from catalog.schema import DatasetRow, TicketItemRow, TicketRow
from catalog.store import Store, serialise
from rules.departments import BUREAU_DEPARTMENT
from rules.errors import Denied, NotFound, Refused

BUREAU_ROLES = frozenset({Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER, Role.STEWARD})
WORK = "tickets"


@dataclass(kw_only=True)
class Acting:
    """A ticket while it is acted on. `items`: how many items the act was about, for the records."""

    session: Session
    ticket: TicketRow
    move: Move
    account: Account
    act: Act
    items: int = 0
    log: Log = field(repr=False)


@contextmanager
def acting(store: Store, log: Log, ticket: int, name: str, act: Act) -> Iterator[Acting]:
    """Check a move and give the ticket to act on.

    NotFound TKT-NONE; Denied TKT-PARTY; Refused TKT-MOVE, TKT-STALE, TKT-TERMS: nothing is changed, and the attempt is recorded.
    """
    with recorded_attempt(log, act.by, name, ticket=ticket), store.session() as session, session.begin():
        serialise(session, WORK)
        row = session.get(TicketRow, ticket, populate_existing=True, with_for_update=True)
        if row is None:
            raise NotFound("TKT-NONE", where=str(ticket))
        move, account = MOVES[name], load_account(session, act.by)
        _check(session, row, name, account, act)
        doing = Acting(session=session, ticket=row, move=move, account=account, act=act, log=log)
        if move.to is not None:
            set_state(row, move.to, act.now)
        row.version += 1
        yield doing
        keep_clocks(session, [row], act.now, anew=move.anew)
        tell(session, row, name, act.now, by=act.by, reason=act.reason, items=doing.items)
        session.flush()
        _record(doing, name)


def recorded_attempt(log: Log, by: str, move: str, **about: object) -> AbstractContextManager[None]:
    """An attempt on a ticket: what is refused or denied stands in the log."""
    return attempts.recorded_attempt(log, Event.TICKET_REFUSED, actor=by, move=move, **about)


def parties_of(session: Session, account: Account, row: TicketRow) -> frozenset[Party]:
    """Who an account is to a ticket."""
    if not account.active:
        return frozenset()
    department = department_of(account)
    mine, bureau = department == row.department_key, account.department is None and bool(account.roles & BUREAU_ROLES)
    holds = {
        Party.HANDLER: mine and bool(account.roles & {Role.DEPARTMENT_REQUESTER, Role.BUREAU_OPERATOR}),
        Party.HEAD: mine and bool(account.roles & {Role.DEPARTMENT_HEAD, Role.BUREAU_APPROVER}),
        Party.RAISER: _raised(account, department, row),
        Party.OTHER_SIDE: department is not None and not mine and _on_other_side(session, department, row),
        Party.BUREAU: bureau,
    }
    return frozenset(party for party, holds_it in holds.items() if holds_it)


def department_of(account: Account) -> str | None:
    """The department that an account acts for."""
    if account.department is None and account.roles & BUREAU_ROLES:
        return BUREAU_DEPARTMENT
    return account.department


def raising_department(session: Session, account: Account, now: datetime) -> str | None:
    """The department that an account raises a ticket for, with its row."""
    department = department_of(account)
    if department is not None:
        ensure_department(session, department, now)
    return department


def _raised(account: Account, department: str | None, row: TicketRow) -> bool:
    return row.raised_by == account.name or (department is not None and row.raised_by_department == department)


def _on_other_side(session: Session, department: str, row: TicketRow) -> bool:
    """Whether a department holds a value that stands against one on this ticket."""
    item = TicketItemRow
    held = sa.select(DatasetRow.key).where(DatasetRow.department_key == department)
    either = sa.or_(item.dataset_key.in_(held), item.against_dataset.in_(held))
    return bool(session.scalar(sa.select(sa.exists().where(item.ticket_id == row.id, either))))


def _check(session: Session, row: TicketRow, name: str, account: Account, act: Act) -> None:
    move, state = MOVES[name], State(row.state)
    parties = parties_of(session, account, row)
    if not parties & move.by:
        raise Denied("TKT-PARTY", where=str(row.id), what=f"{move.zh} {move.en} ({move.rule}): {_told(move)}")
    if Kind(row.kind) not in move.kinds or state not in move.states:
        raise Refused("TKT-MOVE", where=str(row.id), what=f"{move.zh} {move.en} ({move.rule}): {STATE_TEXTS[state]}")
    if move.second and row.accepted_by == account.name:
        raise Denied("TKT-SECOND", where=str(row.id), what=f"{move.zh} {move.en} ({move.rule})")
    if act.seen is not None and act.seen != row.version:
        raise Refused("TKT-STALE", where=str(row.id), what=f"{act.seen} ≠ {row.version}")
    if faults := reason_faults(act.reason, needed=move.reason):
        raise Refused("TKT-TERMS", where=str(row.id), what="; ".join(faults))


def _told(move: Move) -> str:
    return "、".join(PARTY_TEXTS[party] for party in Party if party in move.by)


def _record(doing: Acting, name: str) -> None:
    row, act = doing.ticket, doing.act
    body = {"actor": act.by, "ticket": row.id, "move": name, "state": row.state, "department": row.department_key, "items": doing.items}
    with log_faults_translated():
        doing.log.append_sealed(Event.TICKET_MOVED, {**body, "why": act.reason})
