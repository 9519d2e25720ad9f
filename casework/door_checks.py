"""Checks at the door (入户核查, law.md §7.3-5): dispatched to the grid's worker, visited, reviewed by his one assessor, observed.

派单 dispatched → 入户 visited {在住 | 搬离 | 查无此人 | 拒访 | 信息更新} → 考核人审核 → 回写 accepted, or 退回 dispatched again. What was
observed comes in by the normal road (`casework.observations`); an item is decided when it has arrived. Where what was asked could not be
answered, the items are contested again.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, load_account
from access.casefiles import Form
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from access.stewardship import canonical_value
from access.targets import GoldenFiles, required_golden
from audit.events import Event
from audit.log import Log
from casework.acting import BUREAU_ROLES, Acting, acting
from casework.attempts import Act, recorded_attempt
from casework.bundles import recount
from casework.clocks import Outcome, Subject, start, stop
from casework.moves import ItemState
from casework.observations import ACCEPTED, askable, drop_draft, release, write_draft
from casework.tickets import Ticket, place_of, ticket_of
from catalog.home import Home
from catalog.lake import Lake
from catalog.published import calendar_in_force, clocks_in_force
from catalog.schema import DoorCheckRow, GridWorkerRow, TicketItemRow
from catalog.snapshots import CHINA
from catalog.store import Store, serialise
from golden.decisions import day_of
from golden.engine import keep
from golden.versions import relation
from rules.errors import Denied, NotFound, Refused

WORK = "door checks"
CLOCK = "door_check"
GRID_COLUMN = "grid_code"
WORST_RATING, BEST_RATING = 1, 5
LISTED_MOST = 200


class State(StrEnum):
    """Where a door check stands."""

    DISPATCHED = "dispatched"
    VISITED = "visited"
    ACCEPTED = ACCEPTED


STATE_TEXTS: Mapping[State, str] = {
    State.DISPATCHED: "已派单 dispatched",
    State.VISITED: "待审核 visited, to be reviewed",
    State.ACCEPTED: "已回写 accepted",
}


class Result(StrEnum):
    """What the worker found; the first two are observations of what was asked."""

    LIVING = "living"
    UPDATED = "updated"
    MOVED = "moved"
    UNKNOWN = "unknown"
    REFUSED = "refused"


RESULT_TEXTS: Mapping[Result, str] = {
    Result.LIVING: "在住，信息无误 living there, as prefilled",
    Result.UPDATED: "信息更新 living there, updated",
    Result.MOVED: "搬离 moved away",
    Result.UNKNOWN: "查无此人 nobody of that name",
    Result.REFUSED: "拒访 refused to answer",
}
OBSERVED = frozenset({Result.LIVING, Result.UPDATED})
LIVES_THERE: Mapping[Result, str] = {Result.LIVING: "1", Result.UPDATED: "1", Result.MOVED: "2"}
"""What the result says of 在住状态, by the code table `residence-state`; of the others nothing was observed."""

CONTACTS = ("home", "phone")


class Party(StrEnum):
    """Who an account is to a door check."""

    WORKER = "worker"
    ASSESSOR = "assessor"
    BUREAU = "bureau"


@dataclass(frozen=True, kw_only=True)
class Move:
    """A line of the table: from which state, by whom, into which."""

    zh: str
    en: str
    state: State
    to: State | None
    by: frozenset[Party]


MOVES: Mapping[str, Move] = {
    "visit": Move(zh="填报结果", en="report", state=State.DISPATCHED, to=State.VISITED, by=frozenset({Party.WORKER})),
    "accept": Move(zh="审核通过", en="accept", state=State.VISITED, to=State.ACCEPTED, by=frozenset({Party.ASSESSOR})),
    "return": Move(zh="退回重查", en="send back", state=State.VISITED, to=State.DISPATCHED, by=frozenset({Party.ASSESSOR})),
    "reassign": Move(zh="改派", en="reassign", state=State.DISPATCHED, to=State.DISPATCHED, by=frozenset({Party.BUREAU})),
    "rate": Move(zh="居民评价", en="rating by the resident", state=State.ACCEPTED, to=None, by=frozenset({Party.ASSESSOR, Party.BUREAU})),
}


@dataclass(frozen=True, kw_only=True)
class DoorCheck:
    """A check without what was answered."""

    id: int
    resident_id: str
    elements: tuple[str, ...]
    grid_code: str
    worker: str
    assessor: str
    state: State
    result: Result | None
    contact: str | None
    visited_at: datetime | None
    reviewed_at: datetime | None
    rating: int | None
    due_on: date


@dataclass(frozen=True, kw_only=True)
class WorkerScore:
    """A grid worker's work by result and by the residents' rating (F-03); one account assesses it."""

    worker: str
    assessor: str
    done: int
    in_time: int
    observed: int
    results: Mapping[str, int]
    ratings: int
    rating_sum: int

    @property
    def rating(self) -> float | None:
        return self.rating_sum / self.ratings if self.ratings else None


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What the worker reports. `values` by element, for what is observed; `contact`: at home or by phone."""

    result: Result
    contact: str
    values: Mapping[str, str]
    evidence: str = ""


def appoint(store: Store, log: Log, *, grid: str, worker: str, assessor: str, act: Act) -> None:
    """Say who works a grid and who alone assesses the work (单一考核主体). Denied DCK-PARTY; Refused DCK-TERMS with all faults."""
    with recorded_attempt(log, Event.DOOR_CHECK_REFUSED, actor=act.by, move="appoint"), store.session() as session, session.begin():
        _require_bureau(load_account(session, act.by))
        people = {name: load_account(session, name) for name in (worker, assessor)}
        known = set(
            session.scalars(sa.select(GridWorkerRow.assessor).where(GridWorkerRow.account == worker, GridWorkerRow.grid_code != grid))
        )
        checks = {
            "网格员账号须有网格员角色 the worker's account needs that role": Role.GRID_WORKER not in people[worker].roles,
            "考核人不得是本人 nobody assesses himself": worker == assessor,
            "考核人账号已停用 the assessor's account is closed": not people[assessor].active,
            "一名网格员只有一个考核主体 a worker has one assessor": bool(known - {assessor}),
            "网格代码 grid code": not grid.isdecimal(),
        }
        if faults := [fault for fault, wrong in checks.items() if wrong]:
            raise Refused("DCK-TERMS", what="; ".join(faults))
        session.merge(GridWorkerRow(grid_code=grid, account=worker, assessor=assessor))
        session.flush()
        with log_faults_translated():
            body = {"actor": act.by, "grid": grid, "worker": worker, "assessor": assessor, "why": act.reason}
            log.append_sealed(Event.GRID_WORKER_APPOINTED, body)


def dispatch(store: Store, lake: Lake, log: Log, *, ticket: int, act: Act, items: Collection[int] = ()) -> Ticket:
    """Send items of a ticket to the door: one check per resident, to the worker of the resident's grid.

    Refused DCK-ELEMENT for what cannot be asked, DCK-NO-WORKER where a grid is not known or has no worker.
    """
    with acting(store, log, ticket, "door", act) as doing:
        found = _to_be_asked(doing, items)
        golden = required_golden(doing.session, lake)
        workers = _workers(doing.session, golden, sorted({item.resident_id for item in found}))
        missing = {item.resident_id for item in found} - workers.keys()
        if missing:
            raise Refused("DCK-NO-WORKER", where=str(ticket), what=f"{len(missing)} 名居民 residents")
        checks = {resident: _new_check(doing, resident, workers[resident], found) for resident in sorted(workers)}
        for item in found:
            item.state, item.door_check_id = ItemState.AT_DOOR, checks[item.resident_id].id
        start(doing.session, Subject.DOOR_CHECK, [check.id for check in checks.values()], CLOCK, owed_by=None, now=act.now)
        doing.items = len(found)
        doing.session.flush()
        recount(doing.session, [ticket], act.now)
    return ticket_of(doing.ticket)


def visit(store: Store, home: Home, log: Log, *, form: Form, visit: Visit, act: Act) -> DoorCheck:
    """The worker reports, on the form that the door gave him. Refused DCK-TERMS with all faults, DEC-VALUE for what is no value."""
    with _acting(store, log, form.check, "visit", act) as (session, row):
        faults = _faults_of(row, visit)
        if faults:
            raise Refused("DCK-TERMS", where=str(row.id), what="; ".join(faults))
        values = _observed(session, form, visit, act.now)
        row.result, row.contact, row.evidence, row.visited_at = visit.result, visit.contact, visit.evidence, act.now
        session.flush()
        if visit.result in LIVES_THERE:
            write_draft(home, row.id, values)
        else:
            drop_draft(home, row.id)
    return _check_of(row)


def review(store: Store, home: Home, log: Log, *, check: int, accept: bool, act: Act) -> DoorCheck:
    """The assessor accepts what the worker reported, or sends it back. Accepted observations join the data set's files."""
    with _acting(store, log, check, "accept" if accept else "return", act) as (session, row):
        if accept:
            row.reviewed_at = act.now
            stop(session, Subject.DOOR_CHECK, [check], outcome=Outcome.DONE, now=act.now)
            if Result(row.result or "") not in OBSERVED:
                _give_back(session, check, act.now)
    release(store, home, now=act.now)
    return _check_of(row)


def reassign(store: Store, log: Log, *, check: int, worker: str, act: Act) -> DoorCheck:
    """The bureau gives a check to another worker; his assessor reviews it."""
    with _acting(store, log, check, "reassign", act) as (session, row):
        assessor = session.scalar(sa.select(GridWorkerRow.assessor).where(GridWorkerRow.account == worker).limit(1))
        if assessor is None:
            raise Refused("DCK-NO-WORKER", where=str(check))
        row.worker, row.assessor = worker, assessor
    return _check_of(row)


def rate(store: Store, log: Log, *, check: int, rating: int, act: Act) -> DoorCheck:
    """What the resident thinks of the visit, 1 to 5, once; entered by the assessor or the bureau, never by the worker."""
    with _acting(store, log, check, "rate", act) as (_, row):
        if not WORST_RATING <= rating <= BEST_RATING or row.rating is not None:
            raise Refused("DCK-TERMS", where=str(check), what=f"评价 {WORST_RATING}–{BEST_RATING}，一次 once")
        row.rating = rating
    return _check_of(row)


def list_checks(session: Session, *, worker: str | None = None, state: State | None = None, after: str | None = None) -> list[DoorCheck]:
    """Door checks, those due first at the top; `after`: due date and number of the last one seen, `2026-11-30/7`."""
    row = DoorCheckRow
    query = sa.select(row).order_by(row.due_on, row.id).limit(LISTED_MOST)
    wanted = [column == value for column, value in ((row.worker, worker), (row.state, state)) if value is not None]
    if after is not None:
        wanted.append(sa.tuple_(row.due_on, row.id) > sa.tuple_(*place_of(after)))
    return [_check_of(one) for one in session.scalars(query.where(*wanted))]


def list_answers(session: Session) -> list[tuple[int, str, date]]:
    """Of each accepted answer its number, what was asked about, and the day of the visit."""
    row = DoorCheckRow
    wanted = (row.state == State.ACCEPTED, row.result.in_([result.value for result in OBSERVED]))
    rows = session.execute(sa.select(row.id, row.elements, row.visited_at).where(*wanted).order_by(row.id)).tuples()
    return [(check, element, day_of(visited_at)) for check, elements, visited_at in rows if visited_at for element in elements]


def worker_scores(session: Session, first: date, last: date) -> list[WorkerScore]:
    """The work of each grid worker that was accepted in a period, counted by result."""
    row = DoorCheckRow
    begin, end = (datetime(day.year, day.month, day.day, tzinfo=CHINA) for day in (first, last + timedelta(days=1)))
    rows = session.execute(
        sa.select(row.worker, row.assessor, row.result, row.visited_at, row.due_on, row.rating)
        .where(row.state == State.ACCEPTED, row.reviewed_at >= begin, row.reviewed_at < end)
        .order_by(row.worker, row.assessor, row.id)
    ).all()
    by_worker: dict[tuple[str, str], list[_Done]] = {}
    for worker, assessor, result, visited_at, due_on, rating in rows:
        assert result is not None and visited_at is not None, "an accepted check was visited"
        done = _Done(result=result, visited_at=visited_at, due_on=due_on, rating=rating)
        by_worker.setdefault((worker, assessor), []).append(done)
    return [_score(worker, assessor, done) for (worker, assessor), done in sorted(by_worker.items())]


class _Done(NamedTuple):
    """One accepted check."""

    result: str
    visited_at: datetime
    due_on: date
    rating: int | None


def _score(worker: str, assessor: str, checks: Sequence[_Done]) -> WorkerScore:
    rated = [check.rating for check in checks if check.rating is not None]
    results = [Result(check.result) for check in checks]
    return WorkerScore(
        worker=worker,
        assessor=assessor,
        done=len(checks),
        in_time=sum(day_of(check.visited_at) <= check.due_on for check in checks),
        observed=sum(result in OBSERVED for result in results),
        results={result.value: results.count(result) for result in Result if result in results},
        ratings=len(rated),
        rating_sum=sum(rated),
    )


@contextmanager
def _acting(store: Store, log: Log, check: int, name: str, act: Act) -> Iterator[tuple[Session, DoorCheckRow]]:
    """A move on a check, with its records. NotFound DCK-NONE; Denied DCK-PARTY; Refused DCK-MOVE, DCK-TERMS."""
    attempt = recorded_attempt(log, Event.DOOR_CHECK_REFUSED, actor=act.by, move=name, door_check=check)
    with attempt, store.session() as session, session.begin():
        serialise(session, WORK)
        row = session.get(DoorCheckRow, check, populate_existing=True, with_for_update=True)
        if row is None:
            raise NotFound("DCK-NONE", where=str(check))
        move = MOVES[name]
        if not _parties(load_account(session, act.by), row) & move.by:
            raise Denied("DCK-PARTY", where=str(check), what=f"{move.zh} {move.en}")
        if row.state != move.state:
            raise Refused("DCK-MOVE", where=str(check), what=f"{move.zh} {move.en}: {STATE_TEXTS[State(row.state)]}")
        if faults := reason_faults(act.reason, needed=name == "return"):
            raise Refused("DCK-TERMS", where=str(check), what="; ".join(faults))
        if move.to is not None:
            row.state = move.to
        yield session, row
        session.flush()
        with log_faults_translated():
            body = {"actor": act.by, "door_check": check, "move": name, "state": row.state, "result": row.result, "why": act.reason}
            log.append_sealed(Event.DOOR_CHECK_MOVED, body)


def _parties(account: Account, row: DoorCheckRow) -> frozenset[Party]:
    if not account.active:
        return frozenset()
    holds = {
        Party.WORKER: account.name == row.worker and Role.GRID_WORKER in account.roles,
        Party.ASSESSOR: account.name == row.assessor and account.name != row.worker,
        Party.BUREAU: account.department is None and bool(account.roles & BUREAU_ROLES) and account.name != row.worker,
    }
    return frozenset(party for party, holds_it in holds.items() if holds_it)


def _require_bureau(account: Account) -> None:
    if not account.active or account.department is not None or not account.roles & BUREAU_ROLES:
        raise Denied("DCK-PARTY", what="网格员由统筹局指定 grid workers are appointed by the bureau")


def _to_be_asked(doing: Acting, wanted: Collection[int]) -> list[TicketItemRow]:
    item = TicketItemRow
    states = (ItemState.OPEN, ItemState.CONTESTED)
    mine = sa.select(item).where(item.ticket_id == doing.ticket.id, item.state.in_(states)).order_by(item.id)
    found = list(doing.session.scalars(mine.where(item.id.in_(wanted)) if wanted else mine))
    if not found or len(found) < len(set(wanted)):
        raise Refused("TKT-ITEM", where=str(doing.ticket.id))
    if not askable(doing.ticket.element or ""):
        raise Refused("DCK-ELEMENT", where=str(doing.ticket.id), what=doing.ticket.element or "")
    return found


def _workers(session: Session, golden: GoldenFiles, residents: list[str]) -> Mapping[str, GridWorkerRow]:
    """The worker of each resident's grid, as far as both are known. Where a resident lives routes the check; it is nobody's answer."""
    with duckdb.connect() as con:
        keep(con, "wanted", pa.table({"resident_id": pa.array(residents, pa.string())}))
        rows = con.execute(
            f"SELECT resident_id, value FROM {relation(golden.folder, 'values')} SEMI JOIN wanted USING (resident_id) "
            f"WHERE element = '{GRID_COLUMN}' AND value IS NOT NULL"
        ).fetchall()
    grids = dict(rows)
    known = session.scalars(sa.select(GridWorkerRow).where(GridWorkerRow.grid_code.in_(set(grids.values()))))
    by_grid = {row.grid_code: row for row in known}
    return {resident: by_grid[grid] for resident, grid in grids.items() if grid in by_grid}


def _new_check(doing: Acting, resident: str, worker: GridWorkerRow, items: list[TicketItemRow]) -> DoorCheckRow:
    session, act = doing.session, doing.act
    row = DoorCheckRow(
        resident_id=resident,
        elements=sorted({item.element for item in items if item.resident_id == resident}),
        grid_code=worker.grid_code,
        worker=worker.account,
        assessor=worker.assessor,
        state=State.DISPATCHED,
        evidence="",
        due_on=calendar_in_force(session).after(day_of(act.now), clocks_in_force(session).days(CLOCK)).day,
        created_by=act.by,
        created_at=act.now,
    )
    session.add(row)
    session.flush()
    return row


def _faults_of(row: DoorCheckRow, visit: Visit) -> list[str]:
    given, asked = set(visit.values), set(row.elements)
    checks = {
        f"方式 contact: {' | '.join(CONTACTS)}": visit.contact not in CONTACTS,
        "未询问的数据元 elements that were not asked": bool(given - asked),
        "信息更新须填写取值 an update needs a value": visit.result is Result.UPDATED and not given,
        "此结果不填取值 this result has no values": visit.result is not Result.UPDATED and bool(given),
    }
    return [fault for fault, wrong in checks.items() if wrong] + reason_faults(visit.evidence, needed=False)


def _observed(session: Session, form: Form, visit: Visit, now: datetime) -> Mapping[str, str]:
    """Who was met, and what was found: as prefilled where nothing else is said."""
    today = day_of(now)
    said = {element: canonical_value(session, element, value, today) for element, value in visit.values.items()}
    prefilled = {asked.element: asked.prefilled for asked in form.asked} if visit.result in OBSERVED else {}
    state = {"residence_state": LIVES_THERE[visit.result]} if visit.result in LIVES_THERE else {}
    known = {"name": form.name, "id_number": form.id_number, **state, **prefilled, **said, "updated_at": today.isoformat()}
    return {element: value for element, value in known.items() if value is not None}


def _give_back(session: Session, check: int, now: datetime) -> None:
    """Nobody could be asked: the items are contested again."""
    item = TicketItemRow
    items = list(session.scalars(sa.select(item).where(item.door_check_id == check, item.state == ItemState.AT_DOOR)))
    for one in items:
        one.state, one.door_check_id = ItemState.CONTESTED, None
    session.flush()
    recount(session, sorted({one.ticket_id for one in items}), now)


def _check_of(row: DoorCheckRow) -> DoorCheck:
    values = {field.name: getattr(row, field.name) for field in fields(DoorCheck)}
    result = None if row.result is None else Result(row.result)
    return DoorCheck(**{**values, "elements": tuple(row.elements), "state": State(row.state), "result": result})
