"""Handing a golden version's conflicts over to casework (移交): opens, settles and brings back items of correction tickets (R-06, L-25).

Many small transactions per version, so that nobody who acts on a ticket waits long; its row `handover`, the last of them, is the
commit. What was handed over already opens nothing twice, and what a killed run left undone the next one does: it compares what stands on
tickets with what stands in the version.

Relations made here, beside `conflicts`
  standing(item, ticket, dataset, record, element, kind, state, answered_snapshot, …)    items that are not settled
  providers(dataset, department)
  fresh, gone, late, decided, changed    what the version says of them: new; no conflict any more; `corrected`, but the newer data say the
                                         same; observed at the door, and still a conflict; now of another resident or against another record
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casework.bundles import RECONCILIATION, bundle, recount, tell_on
from casework.conflicts import REPORTED, list_conflicts
from casework.door_answers import follow_answers
from casework.door_checks import list_answers
from casework.doubtful_sources import follow_doubts
from casework.moves import ItemState
from casework.observations import DATASET as OBSERVATIONS
from casework.reported import list_answered_reports
from catalog.datasets import Dataset, load_datasets
from catalog.lake import Lake
from catalog.locks import hold
from catalog.schema import GoldenInputRow, GoldenVersionRow, HandoverRow, TicketItemRow, TicketRow
from catalog.store import Store, serialise
from golden.engine import keep, open_engine
from golden.versions import golden_folder, relation
from rules.tickets import load_ticket_rules

WORK = "tickets"
ROWS_AT_ONCE = 10_000
"""Rows of a transaction: a third of a second of SQLite's write lock."""

PAUSE_S = 0.11
"""Between two of them: whoever waits for SQLite's lock looks again every tenth of a second, and would find it taken each time."""

ATTEMPTS = 3


@dataclass(frozen=True, kw_only=True)
class Handover:
    """What a golden version opened and settled. `unchanged`: it was handed over before."""

    golden_version: int
    items_opened: int
    items_settled: int
    tickets_opened: int
    tickets_closed: int
    unchanged: bool


def hand_over(store: Store, lake: Lake, *, now: datetime) -> Handover | None:
    """Bring the tickets in line with the newest golden version; None before the first. One at a time; others wait."""
    with hold(lake.root / "golden" / "handover.lock"):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _hand_over(store, lake, now)
            except IntegrityError:  # somebody has just reported one of these records himself; what was done stands
                if attempt == ATTEMPTS:
                    raise
    raise AssertionError("an attempt returns or raises")


def _hand_over(store: Store, lake: Lake, now: datetime) -> Handover | None:
    with store.session() as session:
        version = session.scalar(sa.select(sa.func.max(GoldenVersionRow.version)))
        done = None if version is None else session.get(HandoverRow, version)
        datasets = load_datasets(session)
    if version is None:
        return None
    if done is not None:
        return _outcome(done, unchanged=True)
    with open_engine(lake.root / "golden" / "spill-casework") as con:
        list_conflicts(con, golden_folder(lake, version), datasets, load_ticket_rules())
        work = _Work(store=store, con=con, lake=lake, version=version, now=now)
        return _outcome(work.bring_in_line(datasets), unchanged=False)


def _outcome(row: HandoverRow, *, unchanged: bool) -> Handover:
    names = ("golden_version", "items_opened", "items_settled", "tickets_opened", "tickets_closed")
    return Handover(**{name: getattr(row, name) for name in names}, unchanged=unchanged)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """The hand-over of one version, in transactions that each leave tickets and items in line with one another."""

    store: Store
    con: duckdb.DuckDBPyConnection
    lake: Lake
    version: int
    now: datetime

    @property
    def folder(self) -> Path:
        return golden_folder(self.lake, self.version)

    def bring_in_line(self, datasets: Sequence[Dataset]) -> HandoverRow:
        self._list_providers(datasets)
        self._list_standing()
        self._compare()
        self._mark("gone", "settle", state=ItemState.SETTLED.value, settled_version=self.version)
        self._mark("late", "return", state=ItemState.OPEN.value, answered_snapshot=None)
        self._decide()
        self._follow()
        self._open()
        return self._finish()

    @contextmanager
    def _step(self) -> Iterator[Session]:
        """A transaction of its own: nobody waits for more than one."""
        with self.store.session() as session, session.begin():
            serialise(session, WORK)
            yield session

    def _list_providers(self, datasets: Sequence[Dataset]) -> None:
        """providers(dataset, department)"""
        held = {"dataset": [one.key for one in datasets], "department": [one.department for one in datasets]}
        keep(self.con, "providers", pa.table({name: pa.array(values, pa.string()) for name, values in held.items()}))

    def _list_standing(self) -> None:
        item = TicketItemRow
        columns = {
            "item": (item.id, pa.int64()),
            "ticket": (item.ticket_id, pa.int64()),
            "dataset": (item.dataset_key, pa.string()),
            "record": (item.record, pa.string()),
            "element": (item.element, pa.string()),
            "resident_id": (item.resident_id, pa.string()),
            "against_dataset": (item.against_dataset, pa.string()),
            "against_record": (item.against_record, pa.string()),
            "kind": (item.kind, pa.string()),
            "state": (item.state, pa.string()),
            "opened_version": (item.opened_version, pa.int64()),
            "answered_snapshot": (item.answered_snapshot, pa.int64()),
            "door_check": (item.door_check_id, pa.int64()),
        }
        mine = sa.select(*(column for column, _ in columns.values())).where(item.settled_version.is_(None))
        used = sa.select(GoldenInputRow.dataset_key, GoldenInputRow.snapshot_version).where(GoldenInputRow.golden_version == self.version)
        with self.store.session() as session:
            rows, inputs = session.execute(mine).all(), session.execute(used).all()
        cells = list(zip(*rows, strict=True)) or [()] * len(columns)
        table = {name: pa.array(values, kind) for (name, (_, kind)), values in zip(columns.items(), cells, strict=True)}
        keep(self.con, "standing", pa.table(table))
        keep(
            self.con,
            "inputs",
            pa.table(
                {"dataset": pa.array([key for key, _ in inputs], pa.string()), "snapshot": pa.array([n for _, n in inputs], pa.int64())}
            ),
        )

    def _list_answers(self) -> None:
        """answers(record, element, visited_on)"""
        with self.store.session() as session:
            found = [(str(check), element, day.isoformat()) for check, element, day in list_answers(session)]
        columns = zip(*found, strict=True) if found else [(), (), ()]
        names = ("record", "element", "visited_on")
        keep(self.con, "answers", pa.table({name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}))

    def _compare(self) -> None:
        """What a person reported is no conflict that the files know of: it is settled when its record says something else."""
        self.con.execute("CREATE OR REPLACE TEMP VIEW asked AS SELECT dataset, record, element FROM standing WHERE door_check IS NOT NULL")
        self._list_answers()
        follow_answers(self.con, self.folder, OBSERVATIONS, load_ticket_rules().door_never_decides)
        list_answered_reports(self.con, self.lake, self.folder)
        same = "c.dataset = s.dataset AND c.record = s.record AND c.element = s.element"
        self.con.execute(f"""
            CREATE OR REPLACE TEMP TABLE fresh AS SELECT c.* FROM conflicts c ANTI JOIN standing s ON {same};
            CREATE OR REPLACE TEMP TABLE gone AS
              SELECT s.item, s.ticket FROM standing s ANTI JOIN conflicts c ON {same} WHERE s.kind <> '{REPORTED}'
              UNION ALL SELECT item, ticket FROM answered_reports;
            CREATE OR REPLACE TEMP TABLE late AS
              SELECT s.item, s.ticket FROM standing s JOIN inputs i ON i.dataset = s.dataset ANTI JOIN gone USING (item)
              WHERE s.state = '{ItemState.AWAITING}' AND i.snapshot > s.answered_snapshot;
            CREATE OR REPLACE TEMP TABLE decided AS
              SELECT s.item, s.ticket, s.dataset, s.element FROM standing s JOIN {relation(self.folder, "crosswalk")} w
              ON w.dataset = '{OBSERVATIONS}' AND w.record = s.door_check::VARCHAR
              ANTI JOIN gone USING (item) WHERE s.state = '{ItemState.AT_DOOR}';
            CREATE OR REPLACE TEMP TABLE changed AS
              SELECT s.item AS id, c.resident_id, c.against_dataset, c.against_record FROM standing s JOIN conflicts c ON {same}
              WHERE s.kind <> '{REPORTED}' AND (s.resident_id <> c.resident_id
                OR (s.against_dataset, s.against_record) IS DISTINCT FROM (c.against_dataset, c.against_record)
                AND (s.state = '{ItemState.OPEN}' OR s.item IN (SELECT item FROM decided)))""")

    def _mark(self, relation: str, move: str, **changes: Any) -> None:
        """Give the items of a relation another state."""
        for rows in _batches(self.con, f"SELECT item, ticket FROM {relation} ORDER BY ticket, item"):
            touched = Counter(row["ticket"] for row in rows)
            with self._step() as session:
                session.execute(sa.update(TicketItemRow), [{"id": row["item"], **changes} for row in rows])
                recount(session, list(touched), self.now)
                for ticket in session.scalars(sa.select(TicketRow).where(TicketRow.id.in_(touched)).order_by(TicketRow.id)):
                    tell_on(session, ticket, move, self.now, items=touched[ticket.id])

    def _decide(self) -> None:
        """What was found at the door binds both sides: who still holds another value corrects it, wherever the item is now (R-06)."""
        for rows in _batches(self.con, _DECIDED_ITEMS):
            with self._step() as session:
                self._decide_some(session, rows)

    def _decide_some(self, session: Session, rows: Sequence[dict[str, Any]]) -> None:
        turned = set(session.scalars(sa.select(TicketRow.id).where(TicketRow.id.in_({row["ticket"] for row in rows}), TicketRow.round > 1)))
        away = Counter((row["department"], row["element"]) for row in rows if row["ticket"] in turned)
        back = {place: bundle(session, *place, 1, self.now) for place in away}
        for place, ticket in back.items():
            ticket.items += away[place]
        goes_to = [back[row["department"], row["element"]].id if row["ticket"] in turned else row["ticket"] for row in rows]
        begun = {"state": ItemState.OPEN.value, "decided": True}
        changes = [{"id": row["item"], "ticket_id": ticket, **begun} for row, ticket in zip(rows, goes_to, strict=True)]
        session.execute(sa.update(TicketItemRow), changes)
        touched = Counter([row["ticket"] for row in rows]) | Counter(goes_to)
        recount(session, list(touched), self.now)
        for ticket in session.scalars(sa.select(TicketRow).where(TicketRow.id.in_(touched)).order_by(TicketRow.id)):
            tell_on(session, ticket, "decide", self.now, items=touched[ticket.id])

    def _follow(self) -> None:
        """Records keep their keys whatever becomes of residents: an item follows its record."""
        for rows in _batches(self.con, "FROM changed ORDER BY id"):
            with self._step() as session:
                session.execute(sa.update(TicketItemRow), rows)

    def _open(self) -> None:
        """New items on the bundles of their departments."""
        for rows in _batches(self.con, _FRESH_ITEMS):
            with self._step() as session:
                self._open_some(session, rows)

    def _open_some(self, session: Session, rows: Sequence[dict[str, Any]]) -> None:
        counted = Counter((row["department"], row["element"]) for row in rows)
        tickets = {place: bundle(session, *place, 1, self.now) for place in counted}
        begun = {"state": ItemState.OPEN.value, "decided": False, "opened_version": self.version}
        items = [{**row, **begun, "ticket_id": tickets[row.pop("department"), row["element"]].id} for row in rows]
        session.execute(sa.insert(TicketItemRow), items)
        recount(session, [ticket.id for ticket in tickets.values()], self.now)
        for place, ticket in tickets.items():
            ticket.items += counted[place]
            tell_on(session, ticket, "open", self.now, items=counted[place])

    def _finish(self) -> HandoverRow:
        """What the version did, counted over the items, so that a run that was killed and repeated says the same."""
        with self.store.session() as session:
            counts = self._counts(session)
        with self._step() as session:
            follow_doubts(session, self.version, self.now)
            row = HandoverRow(golden_version=self.version, **counts, at=self.now)
            session.add(row)
        return row

    def _counts(self, session: Session) -> Mapping[str, int]:
        item, ticket = TicketItemRow, TicketRow
        opened = sa.and_(item.opened_version == self.version, item.kind != REPORTED)
        settled = item.settled_version == self.version
        new = sa.select(item.ticket_id).group_by(item.ticket_id).having(sa.func.min(item.opened_version) == self.version).subquery()
        by_us = sa.and_(ticket.origin == RECONCILIATION, ticket.round == 1)
        closed = sa.and_(ticket.standing.is_(False), ticket.id.in_(sa.select(item.ticket_id).where(settled)))
        queries = {
            "items_opened": sa.select(sa.func.count()).select_from(item).where(opened),
            "items_settled": sa.select(sa.func.count()).select_from(item).where(settled),
            "tickets_opened": sa.select(sa.func.count()).select_from(ticket).join(new, new.c.ticket_id == ticket.id).where(by_us),
            "tickets_closed": sa.select(sa.func.count()).select_from(ticket).where(closed),
        }
        return {name: session.scalar(query) or 0 for name, query in queries.items()}


_FRESH_ITEMS = """
    SELECT department, kind, resident_id, dataset AS dataset_key, record, element, against_dataset, against_record
    FROM fresh JOIN providers USING (dataset) ORDER BY department, element, dataset, record"""

_DECIDED_ITEMS = """
    SELECT item, ticket, department, element FROM decided JOIN providers USING (dataset) ORDER BY department, element, ticket, item"""


def _batches(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[list[dict[str, Any]]]:
    """Rows as the store takes them, some at a time, with a pause in which others come to their turn."""
    for number, batch in enumerate(con.sql(sql).to_arrow_reader(ROWS_AT_ONCE)):
        if number:
            time.sleep(PAUSE_S)
        yield batch.to_pylist()
