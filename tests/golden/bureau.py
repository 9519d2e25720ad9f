"""A store and a lake into which accepted snapshots are put as ingest leaves them, for the tests of reconciliation."""

from collections.abc import Sequence
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


class Bureau:
    """A store and a lake, into which accepted snapshots are put as ingest leaves them."""

    def __init__(self, store: Store, home: Home) -> None:
        self.store, self.home, self.lake = store, home, Lake(home.lake_root)

    def accept(self, dataset: str, department: str, rows: Sequence[tuple[str, Row]]) -> None:
        with self.store.session() as session, session.begin():
            if session.get(DatasetRow, dataset) is None:
                self._register(session, dataset, department)
            last = session.scalar(sa.select(sa.func.max(SnapshotRow.version)).filter_by(dataset_key=dataset)) or 0
            self._write(dataset, last + 1, rows)
            counts = {"rows_raw": len(rows), "rows_standard": len(rows), "rows_quarantined": 0, "fault_cells": 0}
            common = {"contract_version": 1, "rules_version": "r", "received_at": NOW, "source_digest": f"{last}"}
            session.add(SnapshotRow(dataset_key=dataset, version=last + 1, state="accepted", **common, **counts))

    def _register(self, session: sa.orm.Session, dataset: str, department: str) -> None:
        if session.get(DepartmentRow, department) is None:
            session.add(DepartmentRow(key=department, title=department, created_at=NOW))
            session.flush()
        kinds = {"share": "conditional", "update_frequency": "每月", "verified": False, "about_persons": True, "source_of_record": []}
        row = {"server": {"type": "local", "base": "."}, "items": {}, "contract_version": 1, "registered_at": NOW, "changed_at": NOW}
        session.add(DatasetRow(key=dataset, title=dataset, department_key=department, **kinds, **row))
        session.flush()
        for position, name in enumerate(COLUMNS, start=1):
            facts = {"level": "L2", "share": "conditional", "logical_type": "string", "required": False, "items": {}}
            names = {"name": name, "physical_name": name, "title": name, "element": name}
            session.add(DatasetColumnRow(dataset_key=dataset, position=position, **names, **facts))

    def _write(self, dataset: str, version: int, rows: Sequence[tuple[str, Row]]) -> None:
        columns = {name: pa.array([row[place] for _, row in rows], pa.string()) for place, name in enumerate(COLUMNS)}
        keys = {"_row": pa.array(range(1, len(rows) + 1), pa.int64()), "_record": pa.array([key for key, _ in rows], pa.string())}
        path = self.lake.path("standard", dataset, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(keys | columns), path)

    def reconcile(self, *, full: bool = False, now: datetime = NOW) -> ReconcileOutcome:
        return reconcile(self.store, self.lake, full=full, now=now)

    def residents(self, version: int) -> dict[str, str]:
        rows = pq.read_table(golden_folder(self.lake, version) / "crosswalk.parquet").to_pylist()
        return {f"{row['dataset']}/{row['record']}": row["resident_id"] for row in rows}
