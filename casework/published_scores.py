"""Published scorecards (公布的考核, law.md F-03, F-04, L-32): the numbers of a period as they were, with the lists behind them.

Published once the period is over. What is published never changes when data change later: the list of cases is kept, not the query. A
department contests a number with an objection about `score/N/METRIC/DEPARTMENT`; where it is right, the bureau publishes the period anew
with the reason, and both stand.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Role, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from casework.attempts import Act, recorded_attempt
from casework.scorecards import LISTED_MOST, METRICS, Case, Period, Score, beyond, catalogue_sizes, counted
from catalog.schema import ScorecardCaseRow, ScorecardRow, TicketRow
from catalog.store import Store, serialise
from golden.decisions import day_of
from rules.errors import Denied, NotFound, Refused

WORK = "scorecards"
SHOWN_MOST = 100


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A published scorecard. `anew`: the one of the same period that it corrects."""

    number: int
    first: date
    last: date
    anew: int | None
    cases: int
    digest: str
    published_by: str
    published_at: datetime
    reason: str
    catalogue: Mapping[str, Sequence[int]]
    """By department, how many entries and data sets it offered."""


def publish_scores(store: Store, log: Log, *, first: date, last: date, act: Act) -> Publication:
    """Freeze the numbers of a period that is over. Denied SCO-PARTY; Refused SCO-PERIOD, SCO-REASON where it was published before."""
    attempt = recorded_attempt(log, Event.SCORECARD_REFUSED, actor=act.by, first=first.isoformat(), last=last.isoformat())
    with attempt, store.session() as session, session.begin():
        serialise(session, WORK)
        _require_approver(session, act.by)
        today = day_of(act.now)
        if not first <= last < today:
            raise Refused("SCO-PERIOD", where=f"{first}/{last}", what=today.isoformat())
        before = session.scalar(sa.select(sa.func.max(ScorecardRow.id)).filter_by(first=first, last=last))
        if faults := reason_faults(act.reason, needed=before is not None):
            raise Refused("SCO-REASON", where=f"{first}/{last}", what="; ".join(faults))
        row = _freeze(session, Period(first=first, last=last, today=today), before, act)
        with log_faults_translated():
            body = {"actor": act.by, "scorecard": row.id, "first": first.isoformat(), "last": last.isoformat(), "cases": row.cases}
            log.append_sealed(Event.SCORECARD_PUBLISHED, {**body, "digest": row.digest, "anew": before, "why": act.reason})
        return _publication(row)


def load_publication(session: Session, number: int) -> Publication:
    """NotFound SCO-NONE."""
    row = session.get(ScorecardRow, number)
    if row is None:
        raise NotFound("SCO-NONE", where=str(number))
    return _publication(row)


def list_publications(session: Session) -> list[Publication]:
    """Published scorecards, the newest first."""
    return [_publication(row) for row in session.scalars(sa.select(ScorecardRow).order_by(ScorecardRow.id.desc()).limit(SHOWN_MOST))]


def published_scores(session: Session, number: int, *, department: str | None = None) -> list[Score]:
    """The numbers of a published scorecard, counted over its kept lists, by metric and department. NotFound SCO-NONE."""
    load_publication(session, number)
    case = ScorecardCaseRow
    mine = sa.true() if department is None else case.department_key == department
    query = counted(case.department_key, case.met, case.extended, case.metric).where(case.scorecard_id == number, mine)
    rows = session.execute(query.group_by(case.metric, case.department_key)).all()
    scores = [
        Score(department=d, metric=m, numerator=n, denominator=of, extended_numerator=e, extended_denominator=f)
        for d, n, of, e, f, m in rows
    ]
    return sorted(scores, key=lambda score: (list(METRICS).index(score.metric), score.department))


def published_behind(
    session: Session, number: int, metric: str, *, department: str | None = None, after: str | None = None, limit: int = LISTED_MOST
) -> list[Case]:
    """A page of the kept list behind a published number (F-04), those not met first; `after` as in `behind`."""
    case = ScorecardCaseRow
    order = (case.department_key, case.met, case.extended, case.case)
    query = sa.select(case).where(case.scorecard_id == number, case.metric == metric, beyond(order, after))
    mine = query if department is None else query.where(case.department_key == department)
    rows = session.scalars(mine.order_by(*order).limit(min(limit, LISTED_MOST)))
    return [Case(department=row.department_key, case=row.case, met=row.met, extended=row.extended) for row in rows]


def contests(session: Session, number: int) -> Mapping[str, list[int]]:
    """`METRIC/DEPARTMENT` → the tickets that contest this number of a published scorecard."""
    about = f"score/{number}/"
    rows = session.execute(
        sa.select(TicketRow.about, TicketRow.id).where(sa.func.substr(TicketRow.about, 1, len(about)) == about).order_by(TicketRow.id)
    )
    found: dict[str, list[int]] = {}
    for text, ticket in rows:
        found.setdefault(text.removeprefix(about), []).append(ticket)
    return found


def is_whole(session: Session, publication: Publication) -> bool:
    """Whether the kept numbers still give the digest that the log has recorded."""
    return _digest(published_scores(session, publication.number)) == publication.digest


def is_published(session: Session, number: int, metric: str, department: str) -> bool:
    """Whether a published scorecard has this number."""
    case = ScorecardCaseRow
    mine = sa.exists().where(case.scorecard_id == number, case.metric == metric, case.department_key == department)
    return bool(session.scalar(sa.select(mine)))


def _require_approver(session: Session, by: str) -> None:
    account = load_account(session, by)
    if not account.active or account.department is not None or Role.BUREAU_APPROVER not in account.roles:
        raise Denied("SCO-PARTY", where=by, what=Role.BUREAU_APPROVER.value)


def _freeze(session: Session, period: Period, before: int | None, act: Act) -> ScorecardRow:
    sizes = {size.department: [size.entries, size.datasets] for size in catalogue_sizes(session)}
    facts = {"catalogue": sizes, "published_by": act.by, "published_at": act.now, "reason": act.reason}
    row = ScorecardRow(first=period.first, last=period.last, anew_id=before, cases=0, digest="", **facts)
    session.add(row)
    session.flush()
    for metric, what in METRICS.items():
        cases = what.cases(period, None).subquery()
        listed = sa.select(sa.literal(row.id), sa.literal(metric), cases.c.department, cases.c.case, cases.c.met, cases.c.extended)
        names = ["scorecard_id", "metric", "department_key", "case", "met", "extended"]
        session.execute(sa.insert(ScorecardCaseRow).from_select(names, listed))
    row.cases = session.scalar(sa.select(sa.func.count()).select_from(ScorecardCaseRow).filter_by(scorecard_id=row.id)) or 0
    row.digest = _digest(published_scores(session, row.id))
    session.flush()
    return row


def _digest(scores: Sequence[Score]) -> str:
    numbers = [[s.metric, s.department, s.numerator, s.denominator, s.extended_numerator, s.extended_denominator] for s in scores]
    return hashlib.sha256(json.dumps(numbers, ensure_ascii=False).encode()).hexdigest()


def _publication(row: ScorecardRow) -> Publication:
    return Publication(
        number=row.id,
        first=row.first,
        last=row.last,
        anew=row.anew_id,
        cases=row.cases,
        digest=row.digest,
        published_by=row.published_by,
        published_at=row.published_at,
        reason=row.reason,
        catalogue=row.catalogue,
    )
