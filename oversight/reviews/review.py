"""A review (核查案件) as it is read: by number, or in pages, newest first. The accessor sees nothing of his own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, load_account
from access.log_faults import log_faults_translated
from audit.events import Event
from audit.log import Log
from casework.clocks import RunningClock, Subject, clocks_of, open_clocks
from catalog.schema import AuditReviewActRow, AuditReviewRow
from catalog.store import Store
from golden.decisions import day_of
from oversight.reviews.evidence import Frozen, Score, faults_of_evidence, frozen_records, frozen_score
from oversight.reviews.moves import Origin, State, Superior
from rules.errors import Denied, NotFound

PAGE_ROWS = 50
BUREAU_SUPERIORS = frozenset({Role.BUREAU_APPROVER, Role.SECURITY_ADMINISTRATOR})


@dataclass(frozen=True, kw_only=True)
class Review:
    """A review. `due_on`: of the answer that is owed; `overdue`: by the day it was read."""

    id: int
    origin: Origin
    access: int | None
    first: date | None
    last: date | None
    accessor: str
    department: str | None
    draw: str | None
    state: State
    version: int
    answers: Superior | None
    opened_by: str
    opened_at: datetime
    assigned_to: str | None
    outcome: str | None
    closed_by: str | None
    confirmed_by: str | None
    closed_at: datetime | None
    rules: tuple[str, ...]
    evidence_digest: str
    record: int
    due_on: date | None
    overdue: bool


@dataclass(frozen=True, kw_only=True)
class ReviewAct:
    """One act of a review, with its words."""

    move: str
    state: State
    text: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A review whole. To a superior: without the score, and without what auditors said to each other."""

    review: Review
    acts: tuple[ReviewAct, ...]
    accesses: tuple[Frozen, ...]
    score: Score | None
    faults: tuple[str, ...]
    """What does not hold any more of the evidence."""


@dataclass(frozen=True, kw_only=True)
class ReviewPage:
    """Reviews, newest first; `before` asks for the next page."""

    reviews: tuple[Review, ...]
    before: int | None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which reviews; None: any."""

    state: State | None = None
    origin: Origin | None = None
    assigned_to: str | None = None
    accessor: str | None = None
    outcome: str | None = None
    draw: str | None = None


def show_review(store: Store, log: Log, *, review: int, by: str, now: datetime) -> Shown:
    """NotFound RVW-NONE; Denied RVW-PARTY for who is neither an auditor nor owes the answer, the accessor among them. Recorded (A-07)."""
    with store.session() as session:
        row, account = load_row(session, review), load_account(session, by)
        auditor = is_auditor(account, row)
        if not auditor and not (row.state == State.ASKED and is_superior(account, row)):
            _refuse(log, by, review)
        with log_faults_translated():
            faults = faults_of_evidence(log, row.evidence, digest=row.evidence_digest, review=row.id, record=row.record)
            log.append_sealed(Event.AUDIT_REVIEW_READ, {"actor": by, "review": review, "what": "show", "faults": len(faults)})
        acts, shown = _acts(session, row.id), read_review(session, row, day_of(now))
        return Shown(
            review=shown if auditor else replace(shown, rules=()),
            acts=acts if auditor else tuple(act for act in acts if act.move in ("ask", "answer")),
            accesses=tuple(frozen_records(row.evidence)),
            score=frozen_score(row.evidence) if auditor else None,
            faults=tuple(faults),
        )


def list_reviews(
    store: Store, log: Log, *, by: str, now: datetime, wanted: Wanted, before: int | None = None, limit: int = PAGE_ROWS
) -> ReviewPage:
    """A page of what an account may see: an auditor all but those about himself; a superior those that wait for his answer. Recorded."""
    with store.session() as session:
        account, row = load_account(session, by), AuditReviewRow
        query = sa.select(row).where(row.accessor != by, _visible(account), *_filters(wanted)).order_by(row.id.desc())
        found = list(session.scalars(query.where(sa.true() if before is None else row.id < before).limit(limit + 1)))
        page = read_reviews(session, found[:limit], day_of(now))
    if Role.AUDITOR not in account.roles:
        page = tuple(replace(review, rules=()) for review in page)
    with log_faults_translated():
        log.append_sealed(Event.AUDIT_REVIEW_READ, {"actor": by, "what": "list", "found": len(page)})
    return ReviewPage(reviews=page, before=page[-1].id if len(found) > limit else None)


def load_row(session: Session, review: int, *, lock: bool = False) -> AuditReviewRow:
    """NotFound RVW-NONE."""
    row = session.get(AuditReviewRow, review, populate_existing=True, with_for_update=lock or None)
    if row is None:
        raise NotFound("RVW-NONE", where=str(review))
    return row


def read_review(session: Session, row: AuditReviewRow, today: date) -> Review:
    return read_reviews(session, [row], today)[0]


def read_reviews(session: Session, rows: list[AuditReviewRow], today: date) -> tuple[Review, ...]:
    clocks = {clock.subject_id: clock for clock in open_clocks(session, Subject.REVIEW, [row.id for row in rows])}
    return tuple(_review(row, clocks.get(row.id), today) for row in rows)


def is_auditor(account: Account, row: AuditReviewRow) -> bool:
    """Who may work on a review: an auditor, but never the accessor."""
    return account.active and Role.AUDITOR in account.roles and account.name != row.accessor


def is_superior(account: Account, row: AuditReviewRow) -> bool:
    """Who answers for the accessor: never himself, nor somebody who audits."""
    if not account.active or account.name == row.accessor or Role.AUDITOR in account.roles:
        return False
    if row.answers == Superior.HEAD:
        return account.department == row.department_key and Role.DEPARTMENT_HEAD in account.roles
    return row.answers == Superior.BUREAU and account.department is None and bool(account.roles & BUREAU_SUPERIORS)


def answer_clocks(session: Session, review: int) -> list[RunningClock]:
    """The clocks of the questions that were asked, in order."""
    return clocks_of(session, Subject.REVIEW, review)


def _visible(account: Account) -> sa.ColumnElement[bool]:
    row = AuditReviewRow
    if not account.active:
        return sa.false()
    if Role.AUDITOR in account.roles:
        return sa.true()
    asked = row.state == State.ASKED
    if account.department is not None and Role.DEPARTMENT_HEAD in account.roles:
        return sa.and_(asked, row.answers == Superior.HEAD, row.department_key == account.department)
    if account.department is None and account.roles & BUREAU_SUPERIORS:
        return sa.and_(asked, row.answers == Superior.BUREAU)
    return sa.false()


def _filters(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    return [getattr(AuditReviewRow, name) == value for name, value in vars(wanted).items() if value is not None]


def _refuse(log: Log, by: str, review: int) -> None:
    with log_faults_translated():
        log.append_sealed(Event.AUDIT_REVIEW_REFUSED, {"actor": by, "review": review, "move": "show", "why": "RVW-PARTY"})
    raise Denied("RVW-PARTY", where=str(review))


def _acts(session: Session, review: int) -> tuple[ReviewAct, ...]:
    rows = session.scalars(sa.select(AuditReviewActRow).filter_by(review_id=review).order_by(AuditReviewActRow.id))
    return tuple(ReviewAct(move=row.move, state=State(row.state), text=row.text, by=row.by, at=row.at) for row in rows)


def _review(row: AuditReviewRow, clock: RunningClock | None, today: date) -> Review:
    told: Mapping[str, Any] = {
        name: getattr(row, name)
        for name in ("id", "first", "last", "accessor", "draw", "version", "opened_by", "opened_at", "assigned_to", "outcome")
    }
    return Review(
        **told,
        origin=Origin(row.origin),
        access=row.access_seq,
        department=row.department_key,
        state=State(row.state),
        answers=None if row.answers is None else Superior(row.answers),
        closed_by=row.closed_by,
        confirmed_by=row.confirmed_by,
        closed_at=row.closed_at,
        rules=tuple(row.rules),
        evidence_digest=row.evidence_digest,
        record=row.record,
        due_on=None if clock is None else clock.due.day,
        overdue=clock is not None and clock.due.day < today,
    )
