"""The gate (质量闸门): a standard snapshot is accepted, with or without marks, or refused with the last good one left standing.

What refuses is in the contract with the outside: a row count that collapsed, or a key that cannot be used. All else is only marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.datasets import Dataset
from catalog.lake import Lake
from catalog.schema import FaultCountRow, QualityScoreRow, QuarantineCountRow
from catalog.snapshots import ACCEPTED, CHINA, STANDARD, Snapshot, mark_accepted, mark_refused, newest
from catalog.store import Store
from connectors.expectations import Expectation, unmet
from connectors.figures import WHOLE, Figure, measure
from rules.errors import NotFound
from rules.quality import load_quality

ROWS_OF_LAST, USABLE_KEYS = "rows_of_last", "usable_keys"
REFUSALS: Mapping[str, str] = {USABLE_KEYS: "GATE-KEY", ROWS_OF_LAST: "GATE-COLLAPSED"}
"""Hard expectation → error code, the gravest first."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What the gate decided: `code` is None for an accepted snapshot; `detail` and `marks` hold names and counts, never values."""

    code: str | None
    detail: str
    marks: tuple[str, ...]


def judge_snapshot(store: Store, lake: Lake, dataset: Dataset, *, now: datetime, told: list[str] | None = None) -> Snapshot:
    """Judge the newest snapshot if it is standard and not judged yet; any other is returned as it is. `told` receives marks."""
    with lake.lock(dataset.key):
        with store.session() as session:
            snapshot = newest(session, dataset.key)
            if snapshot is None:
                raise NotFound("CAT-SNAPSHOT", where=dataset.key)
            if snapshot.state != STANDARD:
                return snapshot
            last = _last_of_contract(session, snapshot)
            faults, aside = _fault_counts(session, snapshot), _aside_counts(session, snapshot)
        received_on = snapshot.received_at.astimezone(CHINA).date()
        figures = measure(
            dataset, lake.path("standard", dataset.key, snapshot.version), faults=faults, aside=aside, received_on=received_on
        )
        judgement = judge(expectations_of(dataset, snapshot, figures, last=last, aside=aside), snapshot, last)
        if told is not None:
            told += [*judgement.marks, *([judgement.detail] if judgement.code else [])]
        with store.session() as session, session.begin():
            session.add_all(_scores(snapshot, figures, now))
            if judgement.code is None:
                return mark_accepted(session, snapshot, now=now)
            return mark_refused(session, snapshot, code=judgement.code, now=now)


def expectations_of(
    dataset: Dataset, snapshot: Snapshot, figures: Sequence[Figure], *, last: Snapshot | None, aside: Mapping[str, int]
) -> list[Expectation]:
    """What the contract and the elements expect of this snapshot."""
    refuse, mark = load_quality().refuse, load_quality().mark
    rows = snapshot.rows_standard or 0
    key_faults = aside.get("ROW-KEY-MISSING", 0) + aside.get("ROW-KEY-REPEATED", 0)
    hard = {USABLE_KEYS: (rows / max(1, rows + key_faults), 1 - refuse.key_faults)}
    soft: dict[str, tuple[float, float]] = {}
    if last is not None and last.rows_standard:
        hard[ROWS_OF_LAST] = (rows / last.rows_standard, refuse.rows_of_last)
        soft[ROWS_OF_LAST] = (rows / last.rows_standard, mark.rows_of_last)
    required = {column.name for column in dataset.columns if column.required or column.primary_key}
    for figure in figures:
        if figure.column != WHOLE or figure.dimension == "uniqueness":
            stricter = "completeness_required" if figure.dimension == "completeness" and figure.column in required else figure.dimension
            soft[f"{figure.column or dataset.key}.{figure.dimension}"] = (figure.share, getattr(mark, stricter))
    return [
        *(Expectation(name=name, value=value, least=least, hard=True) for name, (value, least) in hard.items()),
        *(Expectation(name=name, value=value, least=least, hard=False) for name, (value, least) in soft.items() if least > 0),
    ]


def judge(expectations: Sequence[Expectation], snapshot: Snapshot, last: Snapshot | None) -> Judgement:
    """Refused for the gravest hard expectation that is not met; every other one is a mark."""
    failed = unmet(expectations)
    broken = {e.name for e in failed if e.hard}
    code = next((code for name, code in REFUSALS.items() if name in broken), None)
    marks = tuple(f"{e.name} {e.value:.1%} < {e.least:.1%}" for e in failed if not e.hard and e.name not in broken)
    return Judgement(code=code, detail=_detail(snapshot, last), marks=marks)


def _detail(snapshot: Snapshot, last: Snapshot | None) -> str:
    before = f"，上次 last {last.rows_standard:,}" if last is not None and last.rows_standard else ""
    return f"可用 usable {snapshot.rows_standard or 0:,} 行 rows，隔离 quarantined {snapshot.rows_quarantined or 0:,}{before}"


def _last_of_contract(session: Session, snapshot: Snapshot) -> Snapshot | None:
    """The last accepted snapshot under the same contract: with a new version of the contract a data set may change its size."""
    last = newest(session, snapshot.dataset, ACCEPTED)
    return last if last is not None and last.contract_version == snapshot.contract_version else None


def _fault_counts(session: Session, snapshot: Snapshot) -> Mapping[tuple[str, str], int]:
    rows = session.scalars(sa.select(FaultCountRow).filter_by(dataset_key=snapshot.dataset, snapshot_version=snapshot.version))
    return {(row.column_name, row.fault): row.cells for row in rows}


def _aside_counts(session: Session, snapshot: Snapshot) -> Mapping[str, int]:
    rows = session.scalars(sa.select(QuarantineCountRow).filter_by(dataset_key=snapshot.dataset, snapshot_version=snapshot.version))
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.reason] = counts.get(row.reason, 0) + row.rows
    return counts


def _scores(snapshot: Snapshot, figures: Sequence[Figure], now: datetime) -> list[QualityScoreRow]:
    return [
        QualityScoreRow(
            dataset_key=snapshot.dataset,
            snapshot_version=snapshot.version,
            column_name=figure.column,
            dimension=figure.dimension,
            element=figure.element,
            passed=figure.passed,
            checked=figure.checked,
            judged_at=now,
        )
        for figure in figures
    ]
