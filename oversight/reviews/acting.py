"""Acting on a review (办理核查): who may make which move, in one transaction with its records; what is refused leaves one of the attempt.

The log holds of words their digest: what a head answers may name somebody.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from casework import clocks
from casework.attempts import Act, recorded_attempt
from casework.clocks import Subject, open_clocks
from catalog.schema import AccountRow, AuditReviewActRow, AuditReviewRow, RoleGrantRow
from catalog.store import Store, serialise
from golden.decisions import day_of
from oversight.reviews.evidence import digest_of
from oversight.reviews.moves import MOVES, OVERDUE, PARTY_TEXTS, STATE_TEXTS, Party, State, Superior
from oversight.reviews.opening import WORK
from oversight.reviews.review import Review, is_auditor, is_superior, load_row, read_review
from rules.errors import Denied, Refused
from rules.reviews import Outcome, load_review_rules

CLOCK = "review_answer"


@dataclass(kw_only=True)
class Acting:
    """A review while it is acted on."""

    session: Session
    row: AuditReviewRow
    account: Account
    act: Act


def assign(store: Store, log: Log, *, review: int, to: str, act: Act) -> Review:
    """Give it to an auditor, or to another one; never to the accessor."""
    with acting(store, log, review, "assign", act) as doing:
        if not is_auditor(load_account(doing.session, to), doing.row):
            raise Refused("RVW-TERMS", where=str(review), what=f"{to}: 不是可承办的审计员 no auditor who may work on it")
        doing.row.assigned_to = to
        return _read(doing)


def ask(store: Store, log: Log, *, review: int, act: Act) -> Review:
    """Put the question to the accessor's superior, who has the days of the clock to answer; the question is the act's reason."""
    with acting(store, log, review, "ask", act) as doing:
        row = doing.row
        row.answers = _who_answers(doing.session, row)
        owed_by = row.department_key if row.answers == Superior.HEAD else None
        clocks.start(doing.session, Subject.REVIEW, [row.id], CLOCK, owed_by=owed_by, now=act.now)
        return _read(doing)


def answer(store: Store, log: Log, *, review: int, act: Act) -> Review:
    """The superior answers, also after the day; the answer is the act's reason."""
    with acting(store, log, review, "answer", act) as doing:
        clocks.stop(doing.session, Subject.REVIEW, [review], outcome=clocks.Outcome.DONE, now=act.now)
        return _read(doing)


def close(store: Store, log: Log, *, review: int, outcome: str, act: Act) -> Review:
    """Find the outcome. A grave one waits for a second auditor. Refused RVW-MOVE where the outcome does not follow from where it stands."""
    with acting(store, log, review, "close", act, outcome=outcome) as doing:
        row, today = doing.row, day_of(act.now)
        clocks.stop(doing.session, Subject.REVIEW, [review], outcome=clocks.Outcome.VOID, now=act.now)
        row.outcome, row.closed_by = outcome, act.by
        if row.state == State.CLOSED:
            row.closed_at = act.now
        doing.session.flush()
        return read_review(doing.session, row, today)


def confirm(store: Store, log: Log, *, review: int, act: Act) -> Review:
    """The second auditor agrees: the grave outcome stands. Denied RVW-SECOND to the first."""
    with acting(store, log, review, "confirm", act) as doing:
        doing.row.confirmed_by, doing.row.closed_at = act.by, act.now
        return _read(doing)


def give_back(store: Store, log: Log, *, review: int, act: Act) -> Review:
    """The second auditor does not agree: the outcome is taken off, the work goes on."""
    with acting(store, log, review, "return", act) as doing:
        doing.row.outcome = doing.row.closed_by = None
        return _read(doing)


@contextmanager
def acting(store: Store, log: Log, review: int, name: str, act: Act, *, outcome: str | None = None) -> Iterator[Acting]:
    """Check a move and give the review to act on, in its new state.

    NotFound RVW-NONE; Denied RVW-OWN, RVW-PARTY, RVW-SECOND; Refused RVW-MOVE, RVW-STALE, RVW-TERMS: nothing is changed, and the attempt is
    recorded.
    """
    attempt = recorded_attempt(log, Event.AUDIT_REVIEW_REFUSED, actor=act.by, move=name, review=review)
    with attempt, store.session() as session, session.begin():
        serialise(session, WORK)
        row = load_row(session, review, lock=True)
        doing = Acting(session=session, row=row, account=load_account(session, act.by), act=act)
        _check(doing, name)
        found = _outcome(outcome, review)
        if found is not None and stage_of(session, row, act) not in found.after:
            raise Refused("RVW-MOVE", where=str(review), what=f"{found.zh} {found.en}: {STATE_TEXTS[State(row.state)]}")
        row.state = State.PROPOSED if found is not None and found.grave else MOVES[name].steps[State(row.state)]
        row.version += 1
        yield doing
        session.add(AuditReviewActRow(review_id=row.id, move=name, state=row.state, text=act.reason, by=act.by, at=act.now))
        session.flush()
        _record(log, doing, name)


def parties_of(account: Account, row: AuditReviewRow) -> frozenset[Party]:
    """Who an account is to a review."""
    auditor = is_auditor(account, row)
    holds = {
        Party.AUDITOR: auditor,
        Party.ASSIGNEE: auditor and account.name == row.assigned_to,
        Party.SUPERIOR: is_superior(account, row),
    }
    return frozenset(party for party, it_is in holds.items() if it_is)


def stage_of(session: Session, row: AuditReviewRow, act: Act) -> str:
    """Where a review stands, for outcomes: its state, or that its answer is overdue."""
    if row.state == State.ASKED and any(clock.due.day < day_of(act.now) for clock in open_clocks(session, Subject.REVIEW, [row.id])):
        return OVERDUE
    return row.state


def _check(doing: Acting, name: str) -> None:
    move, row, act, state = MOVES[name], doing.row, doing.act, State(doing.row.state)
    told = f"{move.zh} {move.en}"
    if act.by == row.accessor:
        raise Denied("RVW-OWN", where=str(row.id))
    if move.by not in parties_of(doing.account, row):
        raise Denied("RVW-PARTY", where=str(row.id), what=f"{told}: {PARTY_TEXTS[move.by]}")
    if state not in move.steps:
        raise Refused("RVW-MOVE", where=str(row.id), what=f"{told}: {STATE_TEXTS[state]}")
    if move.second and row.closed_by == act.by:
        raise Denied("RVW-SECOND", where=str(row.id), what=told)
    if act.seen is not None and act.seen != row.version:
        raise Refused("RVW-STALE", where=str(row.id), what=f"{act.seen} ≠ {row.version}")
    if faults := reason_faults(act.reason):
        raise Refused("RVW-TERMS", where=str(row.id), what="; ".join(faults))


def _outcome(key: str | None, review: int) -> Outcome | None:
    outcomes = load_review_rules().outcomes
    if key is not None and key not in outcomes:
        raise Refused("RVW-TERMS", where=str(review), what=f"结论 outcome: {' | '.join(outcomes)}")
    return None if key is None else outcomes[key]


def _who_answers(session: Session, row: AuditReviewRow) -> Superior:
    """The head of the accessor's department. Of a head, and where the department has no head who is open, the bureau answers."""
    if row.department_key is None or Role.DEPARTMENT_HEAD in load_account(session, row.accessor).roles:
        return Superior.BUREAU
    names = session.scalars(
        sa.select(AccountRow.name)
        .join(RoleGrantRow, RoleGrantRow.account == AccountRow.name)
        .where(RoleGrantRow.role == Role.DEPARTMENT_HEAD, AccountRow.department_key == row.department_key, AccountRow.active)
    )
    return Superior.HEAD if any(Role.AUDITOR not in load_account(session, name).roles for name in names) else Superior.BUREAU


def _read(doing: Acting) -> Review:
    doing.session.flush()
    return read_review(doing.session, doing.row, day_of(doing.act.now))


def _record(log: Log, doing: Acting, name: str) -> None:
    row, act = doing.row, doing.act
    body = {"actor": act.by, "review": row.id, "move": name, "state": row.state, "account": row.accessor, "outcome": row.outcome}
    with log_faults_translated():
        log.append_sealed(Event.AUDIT_REVIEW_MOVED, {**body, "assigned_to": row.assigned_to, "text": digest_of(act.reason)})
