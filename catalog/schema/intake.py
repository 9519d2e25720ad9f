"""Intake: snapshots, the runs that brought them in, how good they are."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from catalog.schema.record import Key, Record


class SnapshotRow(Record):
    """A snapshot (快照) of a data set: states raw → standard → accepted | refused. The row is the commit of its files."""

    __tablename__ = "snapshot"
    __table_args__ = (CheckConstraint("state IN ('raw', 'standard', 'accepted', 'refused')", name="state"),)

    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    source_digest: Mapped[str]
    contract_version: Mapped[int]
    rules_version: Mapped[str] = mapped_column(String(40))
    rows_raw: Mapped[int] = mapped_column(BigInteger)
    rows_standard: Mapped[int | None] = mapped_column(BigInteger)
    rows_quarantined: Mapped[int | None] = mapped_column(BigInteger)
    fault_cells: Mapped[int | None] = mapped_column(BigInteger)
    code: Mapped[str | None] = mapped_column(String(40))
    """Why it was refused."""
    received_at: Mapped[datetime]
    judged_at: Mapped[datetime | None]


class IngestRunRow(Record):
    """One stage of bringing in one data set in one run, with how it ended."""

    __tablename__ = "ingest_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(Key, index=True)
    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key"), index=True)
    stage: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str]
    snapshot_version: Mapped[int | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


def _of_snapshot() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["dataset_key", "snapshot_version"], ["snapshot.dataset_key", "snapshot.version"], ondelete="CASCADE")


class QualityScoreRow(Record):
    """How good a snapshot, or one of its columns, is in one dimension of GB/T 36344. Counts, so that scores can be added up."""

    __tablename__ = "quality_score"
    __table_args__ = (_of_snapshot(),)

    dataset_key: Mapped[str] = mapped_column(Key, primary_key=True)
    snapshot_version: Mapped[int] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(Key, primary_key=True)
    """Empty for the data set as a whole."""
    dimension: Mapped[str] = mapped_column(String(20), primary_key=True)
    element: Mapped[str | None] = mapped_column(Key)
    passed: Mapped[int] = mapped_column(BigInteger)
    checked: Mapped[int] = mapped_column(BigInteger)
    judged_at: Mapped[datetime]


class QuarantineCountRow(Record):
    """Rows of a snapshot kept out, by column and reason."""

    __tablename__ = "quarantine_count"
    __table_args__ = (_of_snapshot(),)

    dataset_key: Mapped[str] = mapped_column(Key, primary_key=True)
    snapshot_version: Mapped[int] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(Key, primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    rows: Mapped[int] = mapped_column(BigInteger)


class FaultCountRow(Record):
    """Cells of a snapshot with a fault, by column and fault."""

    __tablename__ = "fault_count"
    __table_args__ = (_of_snapshot(),)

    dataset_key: Mapped[str] = mapped_column(Key, primary_key=True)
    snapshot_version: Mapped[int] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(Key, primary_key=True)
    fault: Mapped[str] = mapped_column(String(40), primary_key=True)
    cells: Mapped[int] = mapped_column(BigInteger)
