"""Quality (质量) over time: scores per snapshot, column and dimension of GB/T 36344, faulty cells, rows in quarantine. Counts only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.datasets import load_dataset
from catalog.schema import FaultCountRow, QualityScoreRow, QuarantineCountRow
from catalog.snapshots import newest

Counted = TypeVar("Counted", FaultCountRow, QuarantineCountRow)


@dataclass(frozen=True, kw_only=True)
class Score:
    """`passed` of `checked` cells (rows, where `column` is empty) of a snapshot hold in a dimension."""

    version: int
    column: str
    element: str | None
    dimension: str
    passed: int
    checked: int
    judged_at: datetime

    @property
    def score(self) -> float:
        """0 to 1; 1 where nothing was there to check."""
        return self.passed / self.checked if self.checked else 1.0


@dataclass(frozen=True, kw_only=True)
class FaultCount:
    """Cells of a column with a fault."""

    column: str
    code: str
    cells: int


@dataclass(frozen=True, kw_only=True)
class QuarantineCount:
    """Rows kept out for a reason."""

    column: str
    reason: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class QualityReport:
    """A data set's scores over all its snapshots, and the faults and quarantined rows of its newest one."""

    dataset: str
    scores: tuple[Score, ...]
    faults: tuple[FaultCount, ...]
    quarantine: tuple[QuarantineCount, ...]


def quality_of(session: Session, dataset: str) -> QualityReport:
    """The quality of a data set; NotFound CAT-DATASET when there is none of that key."""
    load_dataset(session, dataset)
    snapshot = newest(session, dataset)
    version = snapshot.version if snapshot else 0
    rows = session.scalars(
        sa.select(QualityScoreRow)
        .filter_by(dataset_key=dataset)
        .order_by(QualityScoreRow.snapshot_version, QualityScoreRow.column_name, QualityScoreRow.dimension)
    )
    return QualityReport(
        dataset=dataset,
        scores=tuple(_score(row) for row in rows),
        faults=tuple(
            FaultCount(column=row.column_name, code=row.fault, cells=row.cells)
            for row in sorted(_of_version(session, FaultCountRow, dataset, version), key=lambda r: (-r.cells, r.column_name, r.fault))
        ),
        quarantine=tuple(
            QuarantineCount(column=row.column_name, reason=row.reason, rows=row.rows)
            for row in sorted(_of_version(session, QuarantineCountRow, dataset, version), key=lambda r: (-r.rows, r.column_name, r.reason))
        ),
    )


def _score(row: QualityScoreRow) -> Score:
    return Score(
        version=row.snapshot_version,
        column=row.column_name,
        element=row.element,
        dimension=row.dimension,
        passed=row.passed,
        checked=row.checked,
        judged_at=row.judged_at,
    )


def _of_version(session: Session, table: type[Counted], dataset: str, version: int) -> Sequence[Counted]:
    return session.scalars(sa.select(table).filter_by(dataset_key=dataset, snapshot_version=version)).all()
