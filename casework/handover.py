"""Handing a golden version's conflicts over to casework (移交): opens, settles and brings back items of correction tickets (R-06, L-25).

One transaction per golden version; its row `handover` is the commit. What was handed over already opens nothing twice, and what a killed
run left undone the next one does, for it compares what stands on tickets with what stands in the version.

Relations made here, beside `conflicts`
  standing(item, ticket, dataset, record, element, kind, state, answered_snapshot, …)    items that are not settled
  fresh, gone, late, decided, changed    what the version says of them: new; no conflict any more; `corrected`, but the newer data say the
                                         same; observed at the door, and still a conflict; now of another resident or against another record
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from casework.bundles import bundle, recount, tell
from casework.conflicts import REPORTED, list_conflicts
from casework.doubtful_sources import follow_doubts
from casework.moves import ItemState
from casework.observations import DATASET as OBSERVATIONS
from casework.reported import list_answered_reports
from catalog.datasets import Dataset, load_datasets
from catalog.lake import Lake
from catalog.schema import GoldenInputRow, GoldenVersionRow, HandoverRow, TicketItemRow, TicketRow
from catalog.store import Store, serialise
from golden.engine import keep, open_engine
from golden.versions import golden_folder, relation
from rules.tickets import load_ticket_rules

WORK = "tickets"
ROWS_AT_ONCE = 20_000


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
    """Bring the tickets in line with the newest golden version; None before the first."""
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
        with store.session() as session, session.begin():
            serialise(session, WORK)
            if (done := session.get(HandoverRow, version)) is not None:
                return _outcome(done, unchanged=True)
            work = _Work(session=session, con=con, lake=lake, version=version, now=now)
            return _outcome(work.bring_in_line(datasets), unchanged=False)


def _outcome(row: HandoverRow, *, unchanged: bool) -> Handover:
    names = ("golden_version", "items_opened", "items_settled", "tickets_opened", "tickets_closed")
    return Handover(**{name: getattr(row, name) for name in names}, unchanged=unchanged)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """The hand-over of one version, in the transaction that commits it."""

    session: Session
    con: duckdb.DuckDBPyConnection
    lake: Lake
    version: int
    now: datetime

    @property
    def folder(self) -> Path:
        return golden_folder(self.lake, self.version)

    def bring_in_line(self, datasets: Sequence[Dataset]) -> HandoverRow:
        before = self.session.scalar(sa.select(sa.func.max(TicketRow.id))) or 0
        self._list_standing()
        self._compare()
        settled = self._mark("gone", "settle", state=ItemState.SETTLED.value, settled_version=self.version)
        self._mark("late", "return", state=ItemState.OPEN.value, answered_snapshot=None)
        self._mark("decided", "decide", state=ItemState.OPEN.value, decided=True)
        self._follow()
        follow_doubts(self.session, self.version, self.now)
        opened = self._open({dataset.key: dataset.department for dataset in datasets})
        tickets = self.session.scalar(sa.select(sa.func.count()).select_from(TicketRow).where(TicketRow.id > before)) or 0
        row = HandoverRow(
            golden_version=self.version,
            items_opened=opened,
            items_settled=sum(settled.values()),
            tickets_opened=tickets,
            tickets_closed=self._closed(settled),
            at=self.now,
        )
        self.session.add(row)
        self.session.flush()
        return row

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
        rows = self.session.execute(sa.select(*(column for column, _ in columns.values())).where(item.settled_version.is_(None))).all()
        cells = list(zip(*rows, strict=True)) or [()] * len(columns)
        table = {name: pa.array(values, kind) for (name, (_, kind)), values in zip(columns.items(), cells, strict=True)}
        keep(self.con, "standing", pa.table(table))
        inputs = self.session.execute(
            sa.select(GoldenInputRow.dataset_key, GoldenInputRow.snapshot_version).where(GoldenInputRow.golden_version == self.version)
        ).all()
        keep(
            self.con,
            "inputs",
            pa.table(
                {"dataset": pa.array([key for key, _ in inputs], pa.string()), "snapshot": pa.array([n for _, n in inputs], pa.int64())}
            ),
        )

    def _compare(self) -> None:
        """What a person reported is no conflict that the files know of: it is settled when its record says something else."""
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
              SELECT s.item, s.ticket FROM standing s JOIN {relation(self.folder, "crosswalk")} w
              ON w.dataset = '{OBSERVATIONS}' AND w.record = s.door_check::VARCHAR
              ANTI JOIN gone USING (item) WHERE s.state = '{ItemState.AT_DOOR}';
            CREATE OR REPLACE TEMP TABLE changed AS
              SELECT s.item AS id, c.resident_id, c.against_dataset, c.against_record FROM standing s JOIN conflicts c ON {same}
              WHERE s.kind <> '{REPORTED}' AND (s.resident_id <> c.resident_id OR s.against_dataset IS DISTINCT FROM c.against_dataset
                AND s.state = '{ItemState.OPEN}' OR s.against_record IS DISTINCT FROM c.against_record AND s.state = '{ItemState.OPEN}')""")

    def _mark(self, relation: str, move: str, **changes: Any) -> Mapping[int, int]:
        """Give the items of a relation another state; returns how many of each ticket."""
        for rows in _batches(self.con, f"SELECT item AS id FROM {relation} ORDER BY item"):
            self.session.execute(sa.update(TicketItemRow), [{**row, **changes} for row in rows])
        counted = self.con.execute(f"SELECT ticket, count(*) FROM {relation} GROUP BY ticket ORDER BY ticket").fetchall()
        touched = dict(counted)
        recount(self.session, list(touched), self.now)
        for ticket in self.session.scalars(sa.select(TicketRow).where(TicketRow.id.in_(touched)).order_by(TicketRow.id)):
            tell(self.session, ticket, move, self.now, items=touched[ticket.id])
        return touched

    def _follow(self) -> None:
        """Records keep their keys whatever becomes of residents: an item follows its record."""
        for rows in _batches(self.con, "FROM changed ORDER BY id"):
            self.session.execute(sa.update(TicketItemRow), rows)

    def _open(self, departments: Mapping[str, str]) -> int:
        """New items on the bundles of their departments; returns how many."""
        held = {"dataset": pa.array(list(departments), pa.string()), "department": pa.array(list(departments.values()), pa.string())}
        keep(self.con, "providers", pa.table(held))
        counted = self.con.execute("""
            SELECT department, element, count(*) FROM fresh JOIN providers USING (dataset) GROUP BY ALL ORDER BY ALL""").fetchall()
        tickets = {(department, element): bundle(self.session, department, element, 1, self.now) for department, element, _ in counted}
        made = {
            "department": pa.array([department for department, _ in tickets], pa.string()),
            "element": pa.array([element for _, element in tickets], pa.string()),
            "ticket_id": pa.array([ticket.id for ticket in tickets.values()], pa.int64()),
        }
        keep(self.con, "bundles", pa.table(made))
        begun = {"state": ItemState.OPEN.value, "decided": False, "opened_version": self.version}
        for rows in _batches(self.con, _FRESH_ITEMS):
            self.session.execute(sa.insert(TicketItemRow), [{**row, **begun} for row in rows])
        recount(self.session, [ticket.id for ticket in tickets.values()], self.now)
        for department, element, number in counted:
            ticket = tickets[department, element]
            ticket.items += number
            tell(self.session, ticket, "open", self.now, items=number)
        return sum(number for *_, number in counted)

    def _closed(self, touched: Mapping[int, int]) -> int:
        closed = sa.select(sa.func.count()).select_from(TicketRow).where(TicketRow.id.in_(touched), TicketRow.standing.is_(False))
        return self.session.scalar(closed) or 0


_FRESH_ITEMS = """
    SELECT ticket_id, kind, resident_id, dataset AS dataset_key, record, element, against_dataset, against_record
    FROM fresh JOIN providers USING (dataset) JOIN bundles USING (department, element) ORDER BY ticket_id, dataset, record"""


def _batches(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[list[dict[str, Any]]]:
    """Rows as the store takes them, some at a time."""
    for batch in con.sql(sql).to_arrow_reader(ROWS_AT_ONCE):
        yield batch.to_pylist()
