"""A bureau whose golden versions are written down by the test, with the departments that hold the records, for the tests of casework."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from access.accounts import Role, create_account, ensure_department
from casework import corrections
from casework.attempts import Act
from casework.handover import Handover, hand_over
from casework.tickets import Ticket, Wanted, list_tickets, load_ticket
from catalog.home import Home
from catalog.lake import Lake
from catalog.schema import (
    DatasetColumnRow,
    DatasetRow,
    GoldenInputRow,
    GoldenVersionRow,
    ReconcileRunRow,
    SnapshotRow,
    TicketItemRow,
    TicketRow,
)
from golden.decisions import day_of
from golden.source_checks import Doubt
from golden.versions import golden_folder
from tests.casework.conftest import NOW, Office, staff
from tests.casework.conftest import opened as office_opened

PEOPLE = (
    ("hua", "hrss", (Role.DEPARTMENT_REQUESTER,)),
    ("song", "hrss", (Role.DEPARTMENT_HEAD,)),
    ("mei", None, (Role.STEWARD,)),
)
DATASETS = {"hukou": "police", "social": "hrss", "clinic": "health", "grid_survey": "grid", "migrants": "police"}
ELEMENTS = ("name", "birth_date", "phone", "id_number", "residence_address", "grid_code", "death_date", "pension_state")
MODE = {"mode": "file", "quotas": {}, "conditions": []}
OK, DISPUTED = "ok", "disputed"


@dataclass(frozen=True, kw_only=True)
class Golden:
    """One golden value of a resident. `at`: dataset/record that is shown for it; `rivals`: dataset/record → another value."""

    who: str
    element: str
    value: str
    at: str = "hukou/a"
    rivals: Mapping[str, str]
    confidence: float = 0.999
    status: str = OK
    of_record: str | None = None


LI_BIRTH = Golden(who="R0000000001", element="birth_date", value="1990-05-06", rivals={"social/1": "1991-05-06"})
AGREED = Golden(who="R0000000001", element="birth_date", value="1990-05-06", rivals={})
REFUTED = Golden(
    who="R0000000001", element="name", value="李明", at="social/1", rivals={"hukou/a": "李铭", "clinic/x": "李铭", "migrants/m": "黎明"},
    status=DISPUTED, of_record="李铭",
)  # fmt: skip


class Desk:
    """Writes golden versions, hands them over, and acts on tickets."""

    def __init__(self, office: Office) -> None:
        self.office, self.store, self.log, self.home = office, office.store, office.log, office.home
        self.lake = Lake(office.home.lake_root)
        self.now = NOW
        with self.store.session() as session:
            self.newest = session.scalar(sa.select(sa.func.max(GoldenVersionRow.version))) or 0

    def furnish(self) -> None:
        """The departments that hold the records, with their people."""
        for name, department, roles in PEOPLE:
            self.hire(name, department, *roles)
        with self.store.session() as session, session.begin():
            for key, department in DATASETS.items():
                self._register(session, key, department)

    def hire(self, name: str, department: str | None, *roles: Role) -> None:
        create_account(self.store, self.log, by="operator", name=name, title=name, department=department, roles=roles, now=NOW)

    def version(self, *golden: Golden, snapshots: Mapping[str, int] | None = None, doubts: Sequence[Doubt] = ()) -> Handover:
        """The next golden version, made of these snapshots (1 each where none is named) with these doubts, and handed over."""
        self.reconciled(*golden, snapshots=snapshots, doubts=doubts)
        return self.hand_over()

    def reconciled(self, *golden: Golden, snapshots: Mapping[str, int] | None = None, doubts: Sequence[Doubt] = ()) -> None:
        """The next golden version, not handed over yet."""
        self.newest += 1
        self._write(golden)
        with self.store.session() as session, session.begin():
            run = ReconcileRunRow(full=True, state="done", message="", started_at=self.now)
            session.add(run)
            session.flush()
            counts = {"doubts": {"found": [asdict(doubt) for doubt in doubts]}}
            facts = {"inputs_digest": "0" * 64, "rules_version": "0" * 12, "created_at": self.now}
            numbers = {"residents": len(golden), "records": len(golden)}
            session.add(GoldenVersionRow(version=self.newest, run_id=run.id, counts=counts, **numbers, **facts))
            session.flush()
            for key in DATASETS:
                self._use(session, key, (snapshots or {}).get(key, 1))

    def hand_over(self) -> Handover:
        done = hand_over(self.store, self.lake, now=self.now)
        assert done is not None
        return done

    def next_day(self, days: int = 1) -> None:
        self.now += timedelta(days=days)

    def act(self, by: str, reason: str = "已核对档案", *, seen: int | None = None) -> Act:
        return Act(by=by, now=self.now, reason=reason, seen=seen)

    def take(self, ticket: int, by: str) -> Ticket:
        return corrections.accept(self.store, self.log, ticket=ticket, act=self.act(by))

    def correct(self, ticket: int, by: str = "hua", items: Sequence[int] = ()) -> Ticket:
        return corrections.correct(self.store, self.log, ticket=ticket, act=self.act(by), items=items)

    def uphold(self, ticket: int, by: str = "song", items: Sequence[int] = ()) -> Ticket:
        return corrections.uphold(self.store, self.log, ticket=ticket, act=self.act(by), items=items)

    def ticket(self, number: int) -> Ticket:
        with self.store.session() as session:
            return load_ticket(session, number)

    def tickets(self, **wanted: object) -> list[Ticket]:
        with self.store.session() as session:
            return list(list_tickets(session, Wanted(**wanted), day_of(self.now)).tickets)  # type: ignore[arg-type]

    def told(self) -> list[tuple[str, str | None, int, str, int]]:
        """Department, element, round, state and items of every ticket, in order."""
        with self.store.session() as session:
            rows = session.scalars(sa.select(TicketRow).order_by(TicketRow.id))
            return [(row.department_key, row.element, row.round, row.state, row.items) for row in rows]

    def items(self) -> list[tuple[str, str, str, str]]:
        """Record, element, kind and state of every item, in order."""
        with self.store.session() as session:
            rows = session.scalars(sa.select(TicketItemRow).order_by(TicketItemRow.dataset_key, TicketItemRow.record, TicketItemRow.id))
            return [(f"{row.dataset_key}/{row.record}", row.element, row.kind, row.state) for row in rows]

    def events(self) -> list[str]:
        return self.office.events()

    def _register(self, session: sa.orm.Session, key: str, department: str) -> None:
        ensure_department(session, department, NOW)
        kinds = {"share": "conditional", "update_frequency": "每月", "verified": False, "about_persons": True, "source_of_record": []}
        row = {"server": {"type": "local", "base": "."}, "items": {}, "contract_version": 1, "registered_at": NOW, "changed_at": NOW}
        session.add(DatasetRow(key=key, title=key, department_key=department, **kinds, **row))
        session.flush()
        facts = {"level": "L2", "share": "conditional", "logical_type": "string", "required": False, "items": {}}
        for position, name in enumerate(ELEMENTS, start=1):
            names = {"name": name, "physical_name": name, "title": name, "element": name}
            session.add(DatasetColumnRow(dataset_key=key, position=position, **names, **facts))

    def _use(self, session: sa.orm.Session, key: str, snapshot: int) -> None:
        if session.get(SnapshotRow, (key, snapshot)) is None:
            counts = {"rows_raw": 1, "rows_standard": 1, "rows_quarantined": 0, "fault_cells": 0}
            common = {"contract_version": 1, "rules_version": "r", "received_at": self.now, "source_digest": "d"}
            session.add(SnapshotRow(dataset_key=key, version=snapshot, state="accepted", **common, **counts))
            session.flush()
        session.add(GoldenInputRow(golden_version=self.newest, dataset_key=key, snapshot_version=snapshot))

    def _write(self, golden: Sequence[Golden]) -> None:
        folder = golden_folder(self.lake, self.newest)
        folder.mkdir(parents=True)
        who = sorted({one.who for one in golden})
        records = sorted({(at, one.who) for one in golden for at in (one.at, *one.rivals)})
        texts = {
            "values": [
                {
                    "resident_id": g.who, "element": g.element, "value": g.value, "dataset": g.at.split("/")[0],
                    "record": g.at.split("/")[1],
                    "observed_on": "2026-01-01", "received_on": "2026-01-02", "rule": "R-01", "confidence": g.confidence, "sources": 2,
                    "status": g.status, "value_of_record": g.of_record or g.value,
                }
                for g in golden
            ],
            "rivals": [
                {"resident_id": g.who, "element": g.element, "value": v, "dataset": at.split("/")[0], "record": at.split("/")[1],
                 "observed_on": "2025-01-01"}
                for g in golden for at, v in g.rivals.items()
            ],
            "crosswalk": [{"dataset": at.split("/")[0], "record": at.split("/")[1], "resident_id": one} for at, one in records],
            "identities": [{"resident_id": one, "status": "current", "superseded_by": None} for one in who],
            "residents": [
                {"resident_id": one, **{e: next((g.value for g in golden if (g.who, g.element) == (one, e)), None) for e in ELEMENTS}}
                for one in who
            ],
        }  # fmt: skip
        for name, rows in texts.items():
            pq.write_table(pa.Table.from_pylist(rows, schema=_schema(name)), folder / f"{name}.parquet")


def furnish(home: Home) -> None:
    staff(home)
    with opened(home) as desk:
        desk.furnish()


@contextmanager
def opened(home: Home) -> Iterator[Desk]:
    with office_opened(home) as office:
        yield Desk(office)


def _schema(name: str) -> pa.Schema:
    columns = {
        "values": ["resident_id", "element", "value", "dataset", "record", "observed_on", "received_on", "rule", "confidence", "sources"],
        "rivals": ["resident_id", "element", "value", "dataset", "record", "observed_on"],
        "crosswalk": ["dataset", "record", "resident_id"],
        "identities": ["resident_id", "status", "superseded_by"],
        "residents": ["resident_id", *ELEMENTS],
    }
    columns["values"] += ["status", "value_of_record"]
    kinds = {"confidence": pa.float64(), "sources": pa.int32()}
    return pa.schema([(column, kinds.get(column, pa.string())) for column in columns[name]])
