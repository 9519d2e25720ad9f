"""A store and a lake into which accepted snapshots are put as ingest leaves them, for the tests of reconciliation."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from catalog.home import Home
from catalog.lake import Lake
from catalog.schema import DatasetColumnRow, DatasetRow, DepartmentRow, SnapshotRow
from catalog.store import Store
from golden.reconcile import ReconcileOutcome, reconcile
from golden.versions import golden_folder
from tests.golden.tables import number

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
LATER = datetime(2027, 3, 1, 8, tzinfo=UTC)
COLUMNS = ("id_number", "name", "birth_date", "phone", "residence_address")
LI, WANG = number("1990-05-06", 11), number("1985-01-02", 24)
LI_ROW = (LI, "李明", "1990-05-06", "13800000001", "佛山市南海区桂城街道南海大道12号")
WANG_ROW = (WANG, "王秀英", "1985-01-02", "13800000002", "佛山市南海区桂城街道桂平路5号")

Row = tuple[str | None, ...]
Columns = dict[str, list[str | None]]


class Bureau:
    """A store and a lake, into which accepted snapshots are put as ingest leaves them."""

    def __init__(self, store: Store, home: Home) -> None:
        self.store, self.home, self.lake = store, home, Lake(home.lake_root)

    def accept(self, dataset: str, department: str, rows: Sequence[tuple[str, Row]]) -> None:
        """The next snapshot of a data set that has COLUMNS."""
        columns: Columns = {name: [row[place] for _, row in rows] for place, name in enumerate(COLUMNS)}
        self.accept_columns(dataset, department, {"record": [key for key, _ in rows], **columns})

    def accept_columns(self, dataset: str, department: str, columns: Columns) -> None:
        """The next snapshot of a data set whose columns are called after their elements; `record` holds the keys."""
        with self.store.session() as session, session.begin():
            if session.get(DatasetRow, dataset) is None:
                self._register(session, dataset, department, [name for name in columns if name != "record"])
            last = self._newest(session, dataset)
            self._write(dataset, last + 1, columns)
            rows = len(columns["record"])
            counts = {"rows_raw": rows, "rows_standard": rows, "rows_quarantined": 0, "fault_cells": 0}
            common = {"contract_version": 1, "rules_version": "r", "received_at": NOW, "source_digest": f"{last}"}
            session.add(SnapshotRow(dataset_key=dataset, version=last + 1, state="accepted", **common, **counts))

    def find_faults(self, dataset: str, faults: Mapping[str, str]) -> None:
        """As if ingest had found one and the same fault in every cell of these columns of the newest snapshot."""
        with self.store.session() as session:
            version = self._newest(session, dataset)
        keys = pq.read_table(self.lake.path("standard", dataset, version), columns=["_row", "_record"])
        found = [
            keys.append_column("column", pa.array([column] * len(keys)))
            .append_column("fault", pa.array([fault] * len(keys)))
            .append_column("raw", pa.array(["x"] * len(keys)))
            for column, fault in faults.items()
        ]
        path = self.lake.path("faults", dataset, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.concat_tables(found), path)

    def _newest(self, session: sa.orm.Session, dataset: str) -> int:
        return session.scalar(sa.select(sa.func.max(SnapshotRow.version)).filter_by(dataset_key=dataset)) or 0

    def _register(self, session: sa.orm.Session, dataset: str, department: str, elements: Sequence[str]) -> None:
        if session.get(DepartmentRow, department) is None:
            session.add(DepartmentRow(key=department, title=department, created_at=NOW))
            session.flush()
        kinds = {"share": "conditional", "update_frequency": "每月", "verified": False, "about_persons": True, "source_of_record": []}
        row = {"server": {"type": "local", "base": "."}, "items": {}, "contract_version": 1, "registered_at": NOW, "changed_at": NOW}
        session.add(DatasetRow(key=dataset, title=dataset, department_key=department, **kinds, **row))
        session.flush()
        for position, name in enumerate(elements, start=1):
            facts = {"level": "L2", "share": "conditional", "logical_type": "string", "required": False, "items": {}}
            names = {"name": name, "physical_name": name, "title": name, "element": name}
            session.add(DatasetColumnRow(dataset_key=dataset, position=position, **names, **facts))

    def _write(self, dataset: str, version: int, columns: Columns) -> None:
        stated = {name: pa.array(values, pa.string()) for name, values in columns.items() if name != "record"}
        rows = len(columns["record"])
        keys = {"_row": pa.array(range(1, rows + 1), pa.int64()), "_record": pa.array(columns["record"], pa.string())}
        path = self.lake.path("standard", dataset, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(keys | stated), path)

    def reconcile(self, *, full: bool = False, now: datetime = NOW) -> ReconcileOutcome:
        return reconcile(self.store, self.lake, full=full, now=now)

    def residents(self, version: int) -> dict[str, str]:
        rows = pq.read_table(golden_folder(self.lake, version) / "crosswalk.parquet").to_pylist()
        return {f"{row['dataset']}/{row['record']}": row["resident_id"] for row in rows}
