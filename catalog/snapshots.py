"""Snapshots (快照): what was received of a data set, version by version, and how far each has come.

raw → standard → accepted | refused. Each transition is the commit of files that stand in the lake already; whoever opened the session
commits it. Versions count from 1 per data set; the caller holds the lake's lock on the data set from choosing a version to committing it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.datasets import Dataset, load_datasets
from catalog.lake import STAGES, Lake
from catalog.schema import SnapshotRow
from catalog.store import Store

CHINA = timezone(timedelta(hours=8))
RAW, STANDARD, ACCEPTED, REFUSED = "raw", "standard", "accepted", "refused"
STATES = (RAW, STANDARD, ACCEPTED, REFUSED)


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One version of a data set. Counts are of rows; `fault_cells` of cells. `code` says why it was refused."""

    dataset: str
    version: int
    state: str
    source_digest: str
    contract_version: int
    rules_version: str
    rows_raw: int
    rows_standard: int | None
    rows_quarantined: int | None
    fault_cells: int | None
    code: str | None
    received_at: datetime
    judged_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class AcceptedSnapshot:
    """What reconciliation reads of a data set. `received_on` is the day in China."""

    dataset: Dataset
    version: int
    rules_version: str
    rows_standard: int
    standard_path: Path
    faults_path: Path
    received_on: date


def add_raw(
    session: Session, dataset: Dataset, *, version: int, source_digest: str, rules_version: str, rows_raw: int, now: datetime
) -> Snapshot:
    """Commit the raw file of version `version` (see `next_version`)."""
    row = SnapshotRow(
        dataset_key=dataset.key,
        version=version,
        state=RAW,
        source_digest=source_digest,
        contract_version=dataset.contract_version,
        rules_version=rules_version,
        rows_raw=rows_raw,
        received_at=now,
    )
    session.add(row)
    session.flush()
    return _snapshot(row)


def mark_standard(session: Session, snapshot: Snapshot, *, rows_standard: int, rows_quarantined: int, fault_cells: int) -> Snapshot:
    """Commit the standard, faults and quarantine files."""
    row = _row(session, snapshot, RAW)
    row.rows_standard, row.rows_quarantined, row.fault_cells = rows_standard, rows_quarantined, fault_cells
    row.state = STANDARD
    session.flush()
    return _snapshot(row)


def mark_accepted(session: Session, snapshot: Snapshot, *, now: datetime) -> Snapshot:
    """The gate has let it through: from now on it is the data set's good version."""
    row = _row(session, snapshot, STANDARD)
    row.state, row.judged_at = ACCEPTED, now
    session.flush()
    return _snapshot(row)


def mark_refused(session: Session, snapshot: Snapshot, *, code: str, now: datetime) -> Snapshot:
    """It cannot be used, for the reason `code`; the last accepted version stands."""
    row = _row(session, snapshot, RAW, STANDARD)
    row.state, row.code, row.judged_at = REFUSED, code, now
    session.flush()
    return _snapshot(row)


def next_version(session: Session, dataset: str) -> int:
    """The version the next snapshot gets."""
    return (session.scalar(sa.select(sa.func.max(SnapshotRow.version)).where(SnapshotRow.dataset_key == dataset)) or 0) + 1


def newest(session: Session, dataset: str, state: str | None = None) -> Snapshot | None:
    """The newest snapshot of a data set, or the newest in a state."""
    found = sa.select(SnapshotRow).where(SnapshotRow.dataset_key == dataset).order_by(SnapshotRow.version.desc()).limit(1)
    row = session.scalar(found if state is None else found.where(SnapshotRow.state == state))
    return None if row is None else _snapshot(row)


def list_snapshots(session: Session, dataset: str) -> list[Snapshot]:
    """All snapshots of a data set, oldest first."""
    return [_snapshot(row) for row in session.scalars(sa.select(SnapshotRow).filter_by(dataset_key=dataset).order_by(SnapshotRow.version))]


def newest_of_all(session: Session, state: str | None = None) -> Mapping[str, Snapshot]:
    """The newest snapshot (or the newest in a state) of each data set that has one."""
    return {row.dataset_key: _snapshot(row) for row in session.scalars(_newest_rows(state))}


def newest_accepted(session: Session, lake: Lake, keys: Collection[str] | None = None) -> list[AcceptedSnapshot]:
    """The newest accepted snapshot of each data set that has one, by key; of all data sets or of `keys`."""
    accepted = newest_of_all(session, ACCEPTED)
    return [_accepted(dataset, accepted[dataset.key], lake) for dataset in load_datasets(session, keys) if dataset.key in accepted]


def accepted_version(session: Session, lake: Lake, key: str, version: int) -> AcceptedSnapshot | None:
    """One version of a data set, if it is there and was accepted."""
    row = session.get(SnapshotRow, (key, version))
    if row is None or row.state != ACCEPTED:
        return None
    return _accepted(load_datasets(session, [key])[0], _snapshot(row), lake)


def stages_by_version(session: Session, dataset: str) -> Mapping[int, frozenset[str]]:
    """Which files of each snapshot are committed: what `Lake.sweep` must leave."""
    snapshots = list_snapshots(session, dataset)
    return {s.version: frozenset(STAGES) if s.rows_standard is not None else frozenset({"raw", "quarantine"}) for s in snapshots}


def sweep(store: Store, lake: Lake) -> list[Path]:
    """Remove from the lake what killed processes left behind; safe while others work. Returns what was removed.

    Each data set is looked up in a transaction of its own, opened after its lock is taken: an older one might not see its newest snapshot.
    """

    def committed(dataset: str) -> Mapping[int, frozenset[str]]:
        with store.session() as session:
            return stages_by_version(session, dataset)

    return lake.sweep(committed)


def _row(session: Session, snapshot: Snapshot, *states: str) -> SnapshotRow:
    row = session.get_one(SnapshotRow, (snapshot.dataset, snapshot.version), populate_existing=True)
    assert row.state in states, f"snapshot {snapshot.dataset} v{snapshot.version} is {row.state}"
    return row


def _newest_rows(state: str | None) -> sa.Select[SnapshotRow]:
    of_state = sa.true() if state is None else SnapshotRow.state == state
    versions = sa.select(SnapshotRow.dataset_key, sa.func.max(SnapshotRow.version).label("version"))
    newest = versions.where(of_state).group_by(SnapshotRow.dataset_key).subquery()
    on = (SnapshotRow.dataset_key == newest.c.dataset_key) & (SnapshotRow.version == newest.c.version)
    return sa.select(SnapshotRow).join(newest, on).order_by(SnapshotRow.dataset_key)


def _snapshot(row: SnapshotRow) -> Snapshot:
    names = (field.name for field in fields(Snapshot) if field.name != "dataset")
    return Snapshot(dataset=row.dataset_key, **{name: getattr(row, name) for name in names})


def _accepted(dataset: Dataset, snapshot: Snapshot, lake: Lake) -> AcceptedSnapshot:
    return AcceptedSnapshot(
        dataset=dataset,
        version=snapshot.version,
        rules_version=snapshot.rules_version,
        rows_standard=snapshot.rows_standard or 0,
        standard_path=lake.path("standard", dataset.key, snapshot.version),
        faults_path=lake.path("faults", dataset.key, snapshot.version),
        received_on=snapshot.received_at.astimezone(CHINA).date(),
    )
