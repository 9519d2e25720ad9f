"""Objections (异议) of the four kinds of law.md §7.2: raised, answered or dismissed, withdrawn, reopened, rated; corrections where alike.

An objection goes to whoever can answer it: a data set's department, or the bureau where it is about golden data, a score, or anything else.
"""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, ensure_department, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from casework.acting import Acting, acting, raising_department, recorded_attempt
from casework.attempts import Act
from casework.bundles import RECONCILIATION, keep_clocks, new_ticket, recount, tell
from casework.corrections import DEPARTMENT
from casework.moves import OBJECTIONS, TOPICS, ItemState, Kind
from casework.published_scores import is_published
from casework.tickets import Ticket, ticket_of
from catalog.schema import DataGrantRow, DatasetRow, GoldenVersionRow, RequestRow, TicketItemRow, TicketRow
from catalog.store import Store, serialise
from rules.departments import BUREAU_DEPARTMENT
from rules.errors import Denied, Refused

JUSTIFIED, DISMISSED = "justified", "dismissed"
VERDICT_TEXTS: Mapping[str, str] = {"": "", JUSTIFIED: "属实 justified", DISMISSED: "驳回 dismissed"}
WORST_RATING, BEST_RATING = 1, 5
RAISING_ROLES = frozenset({Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD, Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER, Role.STEWARD})
REQUEST, GRANT, SCORE = "request", "grant", "score"
CONTESTED_PARTS = 3


def object_to(store: Store, log: Log, *, kind: Kind, topic: str, about: str, act: Act) -> Ticket:
    """Raise an objection; `act.reason` describes it. `about`: a data set's key, `request/N`, `grant/N`, `score/N/METRIC/DEPARTMENT`
    of the published scorecard N.

    Denied TKT-PARTY; Refused TKT-TERMS with all faults at once.
    """
    with recorded_attempt(log, act.by, "object", kind=kind.value), store.session() as session, session.begin():
        serialise(session, "tickets")
        account = load_account(session, act.by)
        if not account.active or not account.roles & RAISING_ROLES:
            raise Denied("TKT-PARTY", what="异议由部门或统筹局人员提出 objections are raised by people of departments or of the bureau")
        department = _answering(session, kind, about)
        if faults := _faults(kind, topic, department, act):
            raise Refused("TKT-TERMS", what="; ".join(faults))
        assert department is not None, "without one there is a fault"
        row = _raise(session, account, department, kind, topic, about, act)
        body = {"actor": act.by, "ticket": row.id, "kind": row.kind, "topic": topic, "about": about, "department": department}
        with log_faults_translated():
            log.append_sealed(Event.TICKET_RAISED, {**body, "why": act.reason})
        return ticket_of(row)


def answer(store: Store, log: Log, *, ticket: int, act: Act) -> Ticket:
    """The objection is justified; the reason says what is done about it."""
    return _answered(store, log, ticket, "answer", JUSTIFIED, act)


def dismiss(store: Store, log: Log, *, ticket: int, act: Act) -> Ticket:
    """The objection is dismissed, with the reason."""
    return _answered(store, log, ticket, "dismiss", DISMISSED, act)


def withdraw(store: Store, log: Log, *, ticket: int, act: Act) -> Ticket:
    """Who raised it takes it back."""
    with acting(store, log, ticket, "withdraw", act) as doing:
        doing.items = _settle_reports(doing)
    return ticket_of(doing.ticket)


def reopen(store: Store, log: Log, *, ticket: int, act: Act) -> Ticket:
    """The answer did not settle it: back to the department, with a new clock. What reconciliation opened comes back by itself."""
    with acting(store, log, ticket, "reopen", act) as doing:
        row = doing.ticket
        if row.origin == RECONCILIATION:
            raise Refused("TKT-MOVE", where=str(ticket), what="对账工单由新数据自动重开 newer data bring it back (R-06)")
        row.reopened, row.accepted_by, row.verdict = row.reopened + 1, None, ""
        row.closed_on, row.rating, row.solved = None, None, None
        doing.items = _reopen_reports(doing)
    return ticket_of(doing.ticket)


def rate(store: Store, log: Log, *, ticket: int, act: Act, rating: int, solved: bool) -> Ticket:
    """Who raised it rates the answer from 1 to 5 and says whether it is solved; that closes it (§7.2)."""
    with acting(store, log, ticket, "rate", act) as doing:
        row = doing.ticket
        if not WORST_RATING <= rating <= BEST_RATING or row.rating is not None:
            raise Refused(
                "TKT-TERMS", where=str(ticket), what=f"评价 {WORST_RATING}–{BEST_RATING}，一次 rate once, {WORST_RATING} to {BEST_RATING}"
            )
        row.rating, row.solved = rating, solved
    return ticket_of(doing.ticket)


def _answered(store: Store, log: Log, ticket: int, move: str, verdict: str, act: Act) -> Ticket:
    with acting(store, log, ticket, move, act) as doing:
        doing.ticket.verdict = verdict
    return ticket_of(doing.ticket)


def _answering(session: Session, kind: Kind, about: str) -> str | None:
    """The department that can answer; None where there is nothing of that name."""
    if kind is Kind.OTHER:
        return BUREAU_DEPARTMENT if _may_be_contested(session, about) else None
    what, _, number = about.partition("/")
    targets = {REQUEST: (RequestRow.target, RequestRow.id), GRANT: (DataGrantRow.target, DataGrantRow.id)}
    if what in targets and number.isdecimal():
        target, key = targets[what]
        found = session.scalar(sa.select(target).where(key == int(number)))
        return None if found is None else _provider(session, found) or BUREAU_DEPARTMENT
    return _provider(session, about) if kind in (Kind.CATALOGUE, Kind.USE) else None


def _may_be_contested(session: Session, about: str) -> bool:
    """`score/N/METRIC/DEPARTMENT` has to be a number of the published scorecard N (F-04); other words are taken as they are."""
    what, *parts = about.split("/")
    if what != SCORE or not parts or not parts[0].isdecimal():
        return True
    return len(parts) == CONTESTED_PARTS and is_published(session, int(parts[0]), *parts[1:])


def _provider(session: Session, dataset: str) -> str | None:
    return session.scalar(sa.select(DatasetRow.department_key).where(DatasetRow.key == dataset))


def _faults(kind: Kind, topic: str, department: str | None, act: Act) -> list[str]:
    topics = TOPICS.get(kind, {})
    checks = {
        "类别应为四种异议之一 one of the four kinds of objection": kind not in OBJECTIONS,
        f"细类 topic: {' | '.join(topics)}": topic not in (topics or {""}),
        "对象不存在，或与类别不符 nothing of that name, or not of this kind": department is None,
    }
    return [fault for fault, wrong in checks.items() if wrong] + reason_faults(act.reason, needed=True)


def _raise(session: Session, account: Account, department: str, kind: Kind, topic: str, about: str, act: Act) -> TicketRow:
    ensure_department(session, department, act.now)
    row = new_ticket(
        session,
        act.now,
        kind=kind,
        topic=topic,
        origin=DEPARTMENT,
        department_key=department,
        about=about,
        description=act.reason,
        raised_by=account.name,
        raised_by_department=raising_department(session, account, act.now),
    )
    keep_clocks(session, [row], act.now)
    tell(session, row, "open", act.now, by=act.by, reason=act.reason)
    session.flush()
    return row


def _settle_reports(doing: Acting) -> int:
    """A report that was taken back is no error any more."""
    version = doing.session.scalar(sa.select(sa.func.max(GoldenVersionRow.version)))
    return _mark(doing, sa.true(), state=ItemState.SETTLED.value, settled_version=version)


def _reopen_reports(doing: Acting) -> int:
    version = doing.session.scalar(sa.select(sa.func.max(GoldenVersionRow.version)))
    changes = {"state": ItemState.OPEN.value, "settled_version": None, "opened_version": version, "answered_snapshot": None}
    marked = _mark(doing, TicketItemRow.state == ItemState.SETTLED, **changes)
    recount(doing.session, [doing.ticket.id], doing.act.now)
    return marked


def _mark(doing: Acting, which: sa.ColumnElement[bool], **changes: object) -> int:
    mine = sa.update(TicketItemRow).where(TicketItemRow.ticket_id == doing.ticket.id, which).values(changes)
    doing.session.flush()
    return doing.session.execute(mine.execution_options(synchronize_session=False)).rowcount  # type: ignore[attr-defined]
