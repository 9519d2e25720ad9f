"""Intake (归集): a data set's way raw → standard → gate in one call, each stage committed by itself.

Idempotent and safe to kill: the same source, contract and rules make no new snapshot, and what a killed run left half done is finished.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from catalog.datasets import Dataset
from catalog.lake import Lake
from catalog.schema import IngestRunRow
from catalog.snapshots import ACCEPTED, REFUSED, Snapshot
from catalog.store import Store
from connectors.gate import judge_snapshot
from connectors.raw import bring_raw
from connectors.sources import NO_SECRETS
from connectors.standard_rows import standardise_snapshot
from rules.addresses import AddressBook
from rules.errors import Refused, TongchouError

__all__ = ["IngestOutcome", "bring_raw", "ingest", "judge_snapshot", "standardise_snapshot"]

UNCHANGED, UNREAD = "unchanged", "unread"


@dataclass(frozen=True, kw_only=True)
class IngestOutcome:
    """How it went. `state`: accepted, unchanged (the accepted snapshot was up to date), refused (by the gate), unread (the source).

    `rows`, `quarantined`, `faults` (cells) are of `snapshot`, which is None where the source could not be brought in.
    """

    dataset: str
    state: str
    snapshot: Snapshot | None
    error: TongchouError | None
    rows: int
    quarantined: int
    faults: int
    warnings: tuple[str, ...] = ()


def ingest(
    store: Store,
    lake: Lake,
    dataset: Dataset,
    *,
    areas: AddressBook | None,
    now: datetime,
    secrets: Mapping[str, str] = NO_SECRETS,
    run: str = "",
) -> IngestOutcome:
    """Bring one data set in. Its own faults are in the outcome; only faults of the platform are raised. `run` groups the rows of a run."""
    told: list[str] = []
    try:
        raw = bring_raw(store, lake, dataset, now=now, secrets=secrets, told=told)
        standardise_snapshot(store, lake, dataset, areas=areas, now=now)
        done = judge_snapshot(store, lake, dataset, now=now, told=told)
    except Refused as error:
        outcome = IngestOutcome(dataset=dataset.key, state=UNREAD, snapshot=None, error=error, rows=0, quarantined=0, faults=0)
    else:
        outcome = _outcome(dataset, raw, done, tuple(told))
    with store.session() as session, session.begin():
        session.add(_run_row(outcome, run or now.isoformat(), now))
    return outcome


def _outcome(dataset: Dataset, raw: Snapshot, done: Snapshot, told: tuple[str, ...]) -> IngestOutcome:
    error = Refused(done.code or "", where=dataset.key, what="；".join(told)) if done.state == REFUSED else None
    was_done = raw.state == ACCEPTED
    return IngestOutcome(
        dataset=dataset.key,
        state=UNCHANGED if was_done else done.state,
        snapshot=done,
        error=error,
        rows=done.rows_standard or 0,
        quarantined=done.rows_quarantined or 0,
        faults=done.fault_cells or 0,
        warnings=told,
    )


def _run_row(outcome: IngestOutcome, run: str, now: datetime) -> IngestRunRow:
    snapshot = outcome.snapshot
    return IngestRunRow(
        run=run,
        dataset_key=outcome.dataset,
        stage="raw" if snapshot is None else "gate",
        state=outcome.state,
        code=outcome.error.code if outcome.error else None,
        message=str(outcome.error) if outcome.error else "；".join(outcome.warnings),
        snapshot_version=snapshot.version if snapshot else None,
        started_at=now,
        finished_at=now,
    )
