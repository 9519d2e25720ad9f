"""Department scorecards (考核, law.md F-03, F-04, L-32): each metric with numerator, denominator and the list behind it.

A metric is one query that lists its cases: of which department, which case, whether it was met, and whether its time had been extended. The
figures are counts over that list, so that whoever doubts a number reads the list, and contests it with an objection (`score/METRIC/…`).
Extended cases count by themselves. What runs and is not yet due counts for nobody. Refusing is no way to a better number: an answer counts
whatever it says, and the size of the catalogue stands beside the rates.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casework.clocks import Outcome
from casework.lights import accepted_snapshots
from casework.moves import OBJECTIONS
from casework.requests.using import USE_REPORT
from catalog.schema import (
    ClockRow,
    DataGrantRow,
    DatasetRow,
    DepartmentRow,
    EntryResourceRow,
    EntryRow,
    RequestMoveRow,
    RequestRow,
    SnapshotRow,
    TicketRow,
)
from catalog.snapshots import ACCEPTED, CHINA, REFUSED
from rules.departments import BUREAU_DEPARTMENT
from rules.errors import Refused
from rules.tickets import load_ticket_rules

LISTED_MOST = 1_000
SATISFIED_FROM = 4
PLACE = re.compile(r"([^/]+)/([01])/([01])/(.+)")
PUBLISHED = ("published", "changing")
ATTACHED = ("attached", "running", "abnormal", "change_filed")


@dataclass(frozen=True, kw_only=True)
class Period:
    """From and to, both days included; `today` is the day on which it is reckoned."""

    first: date
    last: date
    today: date

    @property
    def until(self) -> date:
        """What is due later may still be done in time."""
        return min(self.last, self.today)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case behind a number. `case`: `ticket/N`, `request/N`, a data set's key …"""

    department: str
    case: str
    met: bool
    extended: bool

    @property
    def place(self) -> str:
        """Where the next page goes on."""
        return f"{self.department}/{self.met:d}/{self.extended:d}/{self.case}"


@dataclass(frozen=True, kw_only=True)
class Score:
    """A number of a department; the extended cases are not among the others."""

    department: str
    metric: str
    numerator: int
    denominator: int
    extended_numerator: int
    extended_denominator: int

    @property
    def rate(self) -> float | None:
        return self.numerator / self.denominator if self.denominator else None


Cases = Callable[[Period, str | None], sa.Select[Any]]
"""A query of the cases of a period, of one department or of all: department, case, met, extended."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What is counted, and the query that lists it."""

    zh: str
    en: str
    rule: str
    cases: Cases


def scorecard(session: Session, period: Period, *, department: str | None = None, metrics: Sequence[str] = ()) -> list[Score]:
    """The numbers of a department, or of all that have cases, by metric and department."""
    return [score for name in metrics or list(METRICS) for score in _scores(session, name, period, department)]


def behind(
    session: Session,
    metric: str,
    period: Period,
    *,
    department: str | None = None,
    after: str | None = None,
    limit: int = LISTED_MOST,
) -> list[Case]:
    """A page of the list behind a number (F-04), those not met first; `after`: the `place` of the last one seen. Refused PAGE-PLACE."""
    cases = _of(METRICS[metric].cases(period, department), department).c
    order = (cases.department, cases.met, cases.extended, cases.case)
    rows = session.execute(sa.select(*order).where(beyond(order, after)).order_by(*order).limit(min(limit, LISTED_MOST)))
    return [Case(department=row.department, case=row.case, met=bool(row.met), extended=bool(row.extended)) for row in rows]


def beyond(order: Sequence[Any], after: str | None) -> Any:
    """What comes after the place of a case, in the order department, met, extended, case."""
    if after is None:
        return sa.true()
    found = PLACE.fullmatch(after)
    if found is None:
        raise Refused("PAGE-PLACE", where=after[:60])
    department, met, extended, case = found.groups()
    kinds = (sa.String, sa.Boolean, sa.Boolean, sa.String)
    told = (department, met == "1", extended == "1", case)
    bounds = [sa.literal(value, kind()) for value, kind in zip(told, kinds, strict=True)]
    return sa.tuple_(*order) > sa.tuple_(*bounds)


def _scores(session: Session, metric: str, period: Period, department: str | None) -> list[Score]:
    cases = _of(METRICS[metric].cases(period, department), department)
    figures = counted(cases.c.department, cases.c.met, cases.c.extended)
    rows = session.execute(figures.group_by(cases.c.department).order_by(cases.c.department))
    return [
        Score(department=d, metric=metric, numerator=n, denominator=m, extended_numerator=e, extended_denominator=f)
        for d, n, m, e, f in rows
    ]


def counted(department: Any, met: Any, extended: Any, *more: Any) -> sa.Select[Any]:
    """The four figures of a score over a list of cases; grouped by whoever asks."""
    conditions = (sa.and_(~extended, met), ~extended, sa.and_(extended, met), extended)
    return sa.select(department, *(sa.func.count().filter(condition) for condition in conditions), *more)


def _of(cases: sa.Select[Any], department: str | None) -> sa.Subquery:
    found = cases.subquery()
    return found if department is None else sa.select(found).where(found.c.department == department).subquery()


def _listed(department: Any, case: Any, met: Any, extended: Any = None) -> sa.Select[Any]:
    not_extended = sa.false() if extended is None else extended
    return sa.select(
        department.label("department"), case.label("case"), sa.type_coerce(met, sa.Boolean).label("met"), not_extended.label("extended")
    )


def _in_time(*clocks: str) -> Cases:
    """Cases whose clock was due in the period: met where it stopped in time. Void clocks are nobody's case."""

    def cases(period: Period, department: str | None) -> sa.Select[Any]:
        clock = ClockRow
        met = sa.and_(clock.stopped_on.is_not(None), clock.stopped_on <= clock.due_on)
        case = clock.subject + "/" + sa.cast(clock.subject_id, sa.Text)
        known = sa.or_(clock.outcome == Outcome.DONE, sa.and_(clock.outcome.is_(None), clock.due_on < period.today))
        owner = clock.owed_by.is_(None) if department == BUREAU_DEPARTMENT else clock.owed_by == department
        mine = sa.true() if department is None else owner
        due = (clock.clock.in_(clocks), mine, clock.due_on >= period.first, clock.due_on <= period.last, known)
        return _listed(sa.func.coalesce(clock.owed_by, BUREAU_DEPARTMENT), case, met, clock.extended_days > 0).where(*due)

    return cases


def _attached(_period: Period, _department: str | None) -> sa.Select[Any]:
    """Published entries with a resource that gives data (C-17); what goes back (回流) has the golden records for one."""
    gives = sa.exists().where(EntryResourceRow.entry_id == EntryRow.id, EntryResourceRow.state.in_(ATTACHED))
    entry = sa.literal("entry/") + sa.cast(EntryRow.id, sa.Text)
    return _listed(EntryRow.department_key, entry, gives).where(EntryRow.state.in_(PUBLISHED), EntryRow.returns_key.is_(None))


def _updated(period: Period, _department: str | None) -> sa.Select[Any]:
    """Data sets that are green at the end of the period (F-02): updated within the cycle that they declare, no rows lost."""
    rules, newest = load_ticket_rules().lights, accepted_snapshots()
    fresh = [
        sa.and_(DatasetRow.update_frequency == frequency, newest.c.received_at >= _begin_of(period.until - timedelta(days=days)))
        for frequency, days in rules.cycle_days.items()
    ]
    whole = sa.or_(newest.c.before.is_(None), newest.c.rows >= (1 - rules.rows_lost) * newest.c.before)
    met = sa.func.coalesce(sa.and_(sa.or_(*fresh), whole), sa.false())
    on = sa.and_(newest.c.dataset_key == DatasetRow.key, newest.c.place == 1)
    return _listed(DatasetRow.department_key, DatasetRow.key, met).outerjoin(newest, on)


def _quality(period: Period, _department: str | None) -> sa.Select[Any]:
    """Snapshots judged in the period that the gate accepted."""
    snapshot = SnapshotRow
    judged = (snapshot.judged_at >= _begin_of(period.first), snapshot.judged_at < _begin_of(period.last + timedelta(days=1)))
    case = snapshot.dataset_key + " v" + sa.cast(snapshot.version, sa.Text)
    listed = _listed(DatasetRow.department_key, case, snapshot.state == ACCEPTED).where(snapshot.state.in_((ACCEPTED, REFUSED)), *judged)
    return listed.join_from(DatasetRow, snapshot, DatasetRow.key == snapshot.dataset_key)


def _satisfaction(period: Period, _department: str | None) -> sa.Select[Any]:
    """Rated objections: met where solved, or rated 4 or better."""
    row = TicketRow
    met = sa.or_(row.solved.is_(True), row.rating >= SATISFIED_FROM)
    rated = (row.kind.in_(OBJECTIONS), row.rating.is_not(None), row.closed_on >= period.first, row.closed_on <= period.last)
    return _listed(row.department_key, sa.literal("ticket/") + sa.cast(row.id, sa.Text), met).where(*rated)


def _demand(period: Period, _department: str | None) -> sa.Select[Any]:
    """Requests answered in the period: met where a grant came of it. Whoever refuses is in time, but meets no demand (F-03)."""
    granted = sa.exists().where(DataGrantRow.request_id == RequestRow.id)
    decided = (RequestRow.decided_at >= _begin_of(period.first), RequestRow.decided_at < _begin_of(period.last + timedelta(days=1)))
    provider = sa.func.coalesce(RequestRow.provider_key, BUREAU_DEPARTMENT)
    return _listed(provider, sa.literal("request/") + sa.cast(RequestRow.id, sa.Text), granted).where(*decided)


def _lawful_use(period: Period, _department: str | None) -> sa.Select[Any]:
    """Requests that gave data, by who uses it: met where their use was not suspended in the period (L-27). Violations: those not met."""
    move = RequestMoveRow
    suspended = sa.exists().where(
        move.request_id == RequestRow.id,
        move.move == "suspend",
        move.at >= _begin_of(period.first),
        move.at < _begin_of(period.last + timedelta(days=1)),
    )
    granted = sa.exists().where(DataGrantRow.request_id == RequestRow.id, DataGrantRow.valid_from <= period.last)
    request = sa.literal("request/") + sa.cast(RequestRow.id, sa.Text)
    return _listed(RequestRow.requester_key, request, ~suspended).where(granted)


def _use_reports(period: Period, _department: str | None) -> sa.Select[Any]:
    """Requests whose data was in use in the period, supplied long enough ago: met where a use report holds at its end (L-30)."""
    rules, over = load_ticket_rules(), period.until + timedelta(days=1)
    supplied = _moved("supply") & (RequestMoveRow.at < _begin_of(over - timedelta(days=rules.use_report_due_after_days)))
    ended_before = _moved("end", "expire") & (RequestMoveRow.at < _begin_of(period.first))
    holds_from = _begin_of(over - timedelta(days=rules.use_report_holds_days))
    reported = sa.and_(_moved(USE_REPORT), RequestMoveRow.at >= holds_from, RequestMoveRow.at < _begin_of(over))
    request = sa.literal("request/") + sa.cast(RequestRow.id, sa.Text)
    met = sa.exists().where(reported)
    return _listed(RequestRow.requester_key, request, met).where(sa.exists().where(supplied), ~sa.exists().where(ended_before))


def _moved(*moves: str) -> sa.ColumnElement[bool]:
    return sa.and_(RequestMoveRow.request_id == RequestRow.id, RequestMoveRow.move.in_(moves))


def _begin_of(day: date) -> datetime:
    """The first moment of a day in China."""
    return datetime.combine(day, time(0), tzinfo=CHINA)


METRICS: Mapping[str, Metric] = {
    "entries_in_time": Metric(zh="目录按期更新率", en="catalogue entries updated in time", rule="L-13", cases=_in_time("entry_update")),
    "attached": Metric(zh="挂接率", en="entries with data attached", rule="C-17", cases=_attached),
    "answers_in_time": Metric(
        zh="按时答复率", en="requests answered in time", rule="L-15, L-16", cases=_in_time("answer_unconditional", "answer_conditional")
    ),
    "supplies_in_time": Metric(zh="按时供数率", en="data supplied in time", rule="L-19", cases=_in_time("supply")),
    "corrections_in_time": Metric(zh="校核按时办结率", en="tickets dealt with in time", rule="L-25", cases=_in_time("correction")),
    "updated": Metric(zh="数据更新及时率", en="data sets up to date", rule="F-02", cases=_updated),
    "quality": Metric(zh="质量合格率", en="snapshots that the gate accepted", rule="F-03", cases=_quality),
    "demand": Metric(zh="需求满足率", en="requests that came to a grant", rule="F-03", cases=_demand),
    "lawful_use": Metric(zh="使用无违规率", en="uses without a suspension", rule="L-27", cases=_lawful_use),
    "use_reports": Metric(zh="成效填报率", en="uses with a report of their effect", rule="L-30, F-03", cases=_use_reports),
    "satisfaction": Metric(zh="异议满意度", en="objections solved or rated 4 and better", rule="§7.2", cases=_satisfaction),
}


@dataclass(frozen=True, kw_only=True)
class CatalogueSize:
    """How much a department offers, beside its rates: emptying the catalogue must not look like doing well (F-03)."""

    department: str
    title: str
    entries: int
    datasets: int


def catalogue_sizes(session: Session) -> list[CatalogueSize]:
    """Of every department that offers something, by key."""
    entries = sa.select(EntryRow.department_key, sa.func.count().label("n")).where(EntryRow.state.in_(PUBLISHED))
    published = entries.group_by(EntryRow.department_key).subquery()
    datasets = sa.select(DatasetRow.department_key, sa.func.count().label("n")).group_by(DatasetRow.department_key).subquery()
    rows = session.execute(
        sa.select(DepartmentRow.key, DepartmentRow.title, published.c.n, datasets.c.n)
        .outerjoin(published, published.c.department_key == DepartmentRow.key)
        .outerjoin(datasets, datasets.c.department_key == DepartmentRow.key)
        .where(sa.or_(published.c.n > 0, datasets.c.n > 0))
        .order_by(DepartmentRow.key)
    )
    return [CatalogueSize(department=key, title=title, entries=n or 0, datasets=m or 0) for key, title, n, m in rows]
