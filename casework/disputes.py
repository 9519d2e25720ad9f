"""Disputes as a chain (争议, law.md L-29): the departments negotiate; else the bureau coordinates, or across levels and areas the common
superior bureau; else the bureau's own people's government decides. Every step stands in the chain with its document.

What is found decides the ticket: a contested value goes to whoever has to correct it, and can no longer be called correct as it is; an
objection is answered as justified or dismissed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from casework.acting import WORK, acting, parties_of
from casework.attempts import Act, recorded_attempt
from casework.bundles import bundle, keep_clocks, recount, set_state, tell
from casework.moves import ItemState, Kind, Party
from casework.moves import State as TicketState
from casework.objections import DISMISSED, JUSTIFIED
from catalog.schema import DatasetRow, DisputeRow, DisputeStepRow, TicketItemRow, TicketRow
from catalog.store import Store, serialise
from rules.departments import BUREAU_DEPARTMENT
from rules.errors import Denied, NotFound, Refused

MAX_DOCUMENT_CHARACTERS = 60


class Level(StrEnum):
    """Where a dispute stands."""

    NEGOTIATION = "negotiation"
    COORDINATION = "coordination"
    GOVERNMENT = "government"
    CLOSED = "closed"


LEVEL_TEXTS: Mapping[Level, str] = {
    Level.NEGOTIATION: "协商 negotiation",
    Level.COORDINATION: "主管部门协调 coordination",
    Level.GOVERNMENT: "政府决定 decision of the government",
    Level.CLOSED: "已结 closed",
}


class Coordinator(StrEnum):
    """Who coordinates: the bureau between units of one level, else the common superior bureau."""

    BUREAU = "bureau"
    SUPERIOR = "superior"


class Finding(StrEnum):
    """Which value is right, or whether an objection is."""

    DEVIATING = "deviating"
    OTHER = "other"
    JUSTIFIED = JUSTIFIED
    DISMISSED = DISMISSED


FINDING_TEXTS: Mapping[Finding, str] = {
    Finding.DEVIATING: "原值正确，由对方更正 the deviating value is right",
    Finding.OTHER: "对方的值正确，由原部门更正 the other value is right",
    Finding.JUSTIFIED: "异议属实 the objection is justified",
    Finding.DISMISSED: "异议不成立 the objection is dismissed",
}
FINDINGS: Mapping[bool, frozenset[Finding]] = {
    True: frozenset({Finding.DEVIATING, Finding.OTHER}),
    False: frozenset({Finding.JUSTIFIED, Finding.DISMISSED}),
}
"""By whether the ticket is a correction."""

SIDES = frozenset({Party.HANDLER, Party.HEAD, Party.OTHER_SIDE, Party.RAISER})


@dataclass(frozen=True, kw_only=True)
class Move:
    """A line of the table: from which level, by whom, to which; `finding`: it ends the dispute with one."""

    zh: str
    en: str
    level: Level
    to: Level
    by: frozenset[Party]
    finding: bool = False


MOVES: Mapping[str, Move] = {
    "agree": Move(zh="协商一致", en="agree", level=Level.NEGOTIATION, to=Level.CLOSED, by=SIDES, finding=True),
    "coordinate": Move(zh="提请协调", en="ask for coordination", level=Level.NEGOTIATION, to=Level.COORDINATION, by=SIDES),
    "settle": Move(
        zh="协调一致", en="settle", level=Level.COORDINATION, to=Level.CLOSED, by=frozenset({Party.BUREAU}), finding=True
    ),
    "refer": Move(
        zh="报请政府决定", en="refer to the government", level=Level.COORDINATION, to=Level.GOVERNMENT, by=frozenset({Party.BUREAU})
    ),
    "decide": Move(
        zh="政府决定", en="enter the government's decision", level=Level.GOVERNMENT, to=Level.CLOSED, by=frozenset({Party.BUREAU}),
        finding=True,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the chain."""

    level: Level
    move: str
    document: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A dispute with its chain."""

    id: int
    ticket_id: int
    level: Level
    coordinator: Coordinator
    outcome: Finding | None
    opened_at: datetime
    closed_at: datetime | None
    steps: tuple[Step, ...]


def open_dispute(store: Store, log: Log, *, ticket: int, act: Act, document: str, across: bool = False) -> Dispute:
    """A side disputes what was answered. `across`: between levels or areas, so that the superior bureau coordinates. Refused DSP-TERMS."""
    with acting(store, log, ticket, "dispute", act) as doing:
        if faults := _faults_of_document(document):
            raise Refused("DSP-TERMS", where=str(ticket), what="; ".join(faults))
        row = DisputeRow(
            ticket_id=ticket,
            level=Level.NEGOTIATION,
            coordinator=Coordinator.SUPERIOR if across else Coordinator.BUREAU,
            opened_at=act.now,
        )
        doing.session.add(row)
        doing.session.flush()
        doing.items = doing.ticket.items_contested
        _step(doing.session, row, "open", document, act)
        return _dispute(doing.session, row)


def agree(store: Store, log: Log, *, dispute: int, act: Act, document: str, finding: Finding) -> Dispute:
    """The sides have agreed, by a minute of both."""
    return _move(store, log, dispute, "agree", act, document, finding)


def coordinate(store: Store, log: Log, *, dispute: int, act: Act, document: str) -> Dispute:
    """The sides did not agree: one asks the coordinator."""
    return _move(store, log, dispute, "coordinate", act, document, None)


def settle(store: Store, log: Log, *, dispute: int, act: Act, document: str, finding: Finding) -> Dispute:
    """The coordination has led to an agreement."""
    return _move(store, log, dispute, "settle", act, document, finding)


def refer(store: Store, log: Log, *, dispute: int, act: Act, document: str) -> Dispute:
    """Still no agreement: the government decides."""
    return _move(store, log, dispute, "refer", act, document, None)


def decide(store: Store, log: Log, *, dispute: int, act: Act, document: str, finding: Finding) -> Dispute:
    """The government has decided; its document is entered."""
    return _move(store, log, dispute, "decide", act, document, finding)


def load_dispute(session: Session, dispute: int) -> Dispute:
    """NotFound DSP-NONE."""
    row = session.get(DisputeRow, dispute)
    if row is None:
        raise NotFound("DSP-NONE", where=str(dispute))
    return _dispute(session, row)


def disputes_of(session: Session, ticket: int) -> list[Dispute]:
    """All disputes of a ticket, oldest first."""
    rows = session.scalars(sa.select(DisputeRow).filter_by(ticket_id=ticket).order_by(DisputeRow.id))
    return [_dispute(session, row) for row in rows]


def _move(store: Store, log: Log, dispute: int, name: str, act: Act, document: str, finding: Finding | None) -> Dispute:
    with _acting(store, log, dispute, name, act) as (session, row, ticket):
        _check_terms(row, ticket, name, document, finding)
        row.level = MOVES[name].to
        if finding is not None:
            row.outcome, row.closed_at = finding, act.now
            _carry_out(session, ticket, finding, act)
        _step(session, row, name, document, act)
        return _dispute(session, row)


@contextmanager
def _acting(store: Store, log: Log, dispute: int, name: str, act: Act) -> Iterator[tuple[Session, DisputeRow, TicketRow]]:
    """NotFound DSP-NONE; Denied DSP-PARTY; Refused DSP-MOVE, DSP-TERMS: nothing is changed, and the attempt is recorded."""
    attempt = recorded_attempt(log, Event.DISPUTE_REFUSED, actor=act.by, move=name, dispute=dispute)
    with attempt, store.session() as session, session.begin():
        serialise(session, WORK)
        row = session.get(DisputeRow, dispute, populate_existing=True, with_for_update=True)
        if row is None:
            raise NotFound("DSP-NONE", where=str(dispute))
        ticket = session.get_one(TicketRow, row.ticket_id, populate_existing=True, with_for_update=True)
        move = MOVES[name]
        if not parties_of(session, load_account(session, act.by), ticket) & move.by:
            raise Denied("DSP-PARTY", where=str(dispute), what=f"{move.zh} {move.en} (L-29)")
        if row.level != move.level:
            raise Refused("DSP-MOVE", where=str(dispute), what=f"{move.zh} {move.en}: {LEVEL_TEXTS[Level(row.level)]}")
        if faults := reason_faults(act.reason, needed=True):
            raise Refused("DSP-TERMS", where=str(dispute), what="; ".join(faults))
        yield session, row, ticket
        with log_faults_translated():
            body = {"actor": act.by, "dispute": dispute, "ticket": ticket.id, "move": name, "level": row.level, "outcome": row.outcome}
            log.append_sealed(Event.DISPUTE_MOVED, {**body, "why": act.reason})


def _check_terms(row: DisputeRow, ticket: TicketRow, name: str, document: str, finding: Finding | None) -> None:
    fitting = FINDINGS[ticket.kind == Kind.CORRECTION]
    faults = _faults_of_document(document)
    if MOVES[name].finding and finding not in fitting:
        faults.append(f"认定 finding: {' | '.join(sorted(fitting))}")
    if faults:
        raise Refused("DSP-TERMS", where=str(row.id), what="; ".join(faults))


def _faults_of_document(document: str) -> list[str]:
    """Each step is kept with its document (L-29)."""
    wrong = not document.strip() or len(document) > MAX_DOCUMENT_CHARACTERS or bool(reason_faults(document, needed=True))
    return ["文号为空、过长或含个人号码 a document number is missing, too long or names a person's number"] if wrong else []


def _carry_out(session: Session, ticket: TicketRow, finding: Finding, act: Act) -> None:
    if finding in FINDINGS[False]:
        ticket.verdict = finding
        set_state(ticket, TicketState.ANSWERED, act.now)
        keep_clocks(session, [ticket], act.now)
        tell(session, ticket, "decide", act.now, by=act.by, reason=act.reason)
        return
    items = list(
        session.scalars(sa.select(TicketItemRow).filter_by(ticket_id=ticket.id, state=ItemState.CONTESTED).order_by(TicketItemRow.id))
    )
    owners = _who_corrects(session, ticket, items, finding)
    ticket.state = TicketState.CONTESTED
    touched = {ticket.id: 0}
    for item in items:
        department, round_ = owners[item.id]
        target = (
            ticket
            if (department, round_) == (ticket.department_key, ticket.round)
            else bundle(session, department, item.element, round_, act.now)
        )
        if target is not ticket:
            target.items += 1
        item.ticket_id, item.state, item.decided = target.id, ItemState.OPEN, True
        touched[target.id] = touched.get(target.id, 0) + 1
    session.flush()
    recount(session, list(touched), act.now)
    for row in session.scalars(sa.select(TicketRow).where(TicketRow.id.in_(touched)).order_by(TicketRow.id)):
        tell(session, row, "decide", act.now, by=act.by, reason=act.reason, items=touched[row.id])


def _who_corrects(session: Session, ticket: TicketRow, items: list[TicketItemRow], finding: Finding) -> dict[int, tuple[str, int]]:
    """Department and round of the ticket that each item goes to.

    Where the deviating value is right and no department holds the golden one, a steward has to pin it: the item goes to the bureau.
    """
    departments = dict(session.execute(sa.select(DatasetRow.key, DatasetRow.department_key)).tuples().all())
    if finding is Finding.OTHER:
        return {item.id: (departments[item.dataset_key], 1) for item in items}
    if ticket.round != 1:
        return {item.id: (ticket.department_key, ticket.round) for item in items}
    return {item.id: (BUREAU_DEPARTMENT, 2) for item in items}


def _step(session: Session, row: DisputeRow, move: str, document: str, act: Act) -> None:
    session.add(
        DisputeStepRow(dispute_id=row.id, level=row.level, move=move, document=document.strip(), reason=act.reason, by=act.by, at=act.now)
    )
    session.flush()


def _dispute(session: Session, row: DisputeRow) -> Dispute:
    rows = session.scalars(sa.select(DisputeStepRow).filter_by(dispute_id=row.id).order_by(DisputeStepRow.id))
    names = [field.name for field in fields(Step) if field.name != "level"]
    steps = tuple(Step(level=Level(one.level), **{name: getattr(one, name) for name in names}) for one in rows)
    return Dispute(
        id=row.id,
        ticket_id=row.ticket_id,
        level=Level(row.level),
        coordinator=Coordinator(row.coordinator),
        outcome=None if row.outcome is None else Finding(row.outcome),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        steps=steps,
    )
