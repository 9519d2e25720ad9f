"""One reconciliation: accepted snapshots in, a new version of the golden records out, committed by its row in the store.

The files are written aside and renamed; only then is the row written. A run that was killed leaves at most a folder that no row names: the
next run removes it. One run at a time, by a lock of the lake that the kernel releases with the process.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lake import Lake
from catalog.schema import GoldenInputRow, GoldenVersionRow, ReconcileRunRow
from catalog.snapshots import AcceptedSnapshot, newest_accepted, sweep
from catalog.store import Store
from golden.engine import MEMORY_LIMIT, open_engine
from golden.resolution import Resolution, golden_columns, resolve
from golden.sources import RecordSource, record_sources
from golden.versions import golden_folder, write_version
from rules.authority import load_survivorship
from rules.errors import Refused, TongchouError
from rules.matching import load_matching
from rules.version import rules_version

LOCK = "golden"
RUNNING, DONE, FAILED, KILLED = "running", "done", "failed", "killed"


@dataclass(frozen=True, kw_only=True)
class ReconcileOutcome:
    """What a reconciliation did. `unchanged`: the inputs were those of `version`, and nothing was made."""

    version: int
    residents: int
    records: int
    new: int
    merged: int
    split: int
    unchanged: bool
    warnings: tuple[str, ...]
    conflicts_by_element: Mapping[str, int]


def reconcile(
    store: Store,
    lake: Lake,
    *,
    full: bool,
    now: datetime,
    told: Callable[[str], None] = lambda step: None,
    memory_limit: str = MEMORY_LIMIT,
) -> ReconcileOutcome:
    """Resolve the newest accepted snapshots. Without `full`, inputs and rules like those of the newest version make no new one.

    Raises Refused REC-EMPTY where no accepted snapshot is about persons.
    """
    with lake.lock(LOCK):
        inputs = _Inputs.read(store, lake)
        last = newest_version(store)
        if last is not None and last.inputs_digest == inputs.digest and not full:
            return _outcome(last, unchanged=True)
        run = _begin(store, full, now)
        try:
            return _outcome(_make(store, lake, inputs, last, run, now, told, memory_limit), unchanged=False)
        except Exception as fault:
            _end(store, run, FAILED, now, fault)
            raise


def newest_version(store: Store) -> GoldenVersionRow | None:
    """The version that stands."""
    with store.session() as session:
        return session.scalar(sa.select(GoldenVersionRow).order_by(GoldenVersionRow.version.desc()).limit(1))


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """The snapshots that go in, and one digest over them and the rules."""

    snapshots: tuple[AcceptedSnapshot, ...]
    sources: tuple[RecordSource, ...]
    digest: str

    @classmethod
    def read(cls, store: Store, lake: Lake) -> "_Inputs":
        with store.session() as session:
            snapshots = newest_accepted(session, lake)
        sources = record_sources(snapshots)
        if not sources:
            raise Refused("REC-EMPTY", where=f"{len(snapshots)} snapshots")
        taking_part = {source.dataset for source in sources}
        return cls(snapshots=tuple(s for s in snapshots if s.dataset.key in taking_part), sources=sources, digest=_digest(sources))


def _digest(sources: Sequence[RecordSource]) -> str:
    said = [
        [s.dataset, s.version, s.department, s.verified, sorted(s.source_of_record), sorted((e, list(c)) for e, c in s.columns.items())]
        for s in sources
    ]
    return hashlib.sha256(json.dumps([rules_version(), said], ensure_ascii=False).encode()).hexdigest()


def _make(
    store: Store,
    lake: Lake,
    inputs: _Inputs,
    last: GoldenVersionRow | None,
    run: int,
    now: datetime,
    told: Callable[[str], None],
    memory_limit: str,
) -> GoldenVersionRow:
    version = 1 if last is None else last.version + 1
    sweep(store, lake)
    _drop_unnamed(lake, version)
    matching = load_matching()
    with open_engine(lake.root / "golden" / "spill", memory_limit=memory_limit) as con:
        found = resolve(
            con,
            inputs.sources,
            matching=matching,
            survivorship=load_survivorship(),
            previous=None if last is None else golden_folder(lake, last.version),
            told=told,
        )
        told("files")
        write_version(con, lake, version, golden_columns(), list(matching.comparisons))
    return _commit(store, inputs, version, run, found, now)


def _drop_unnamed(lake: Lake, version: int) -> None:
    """What a killed run left: folders from `version` on, which no row names."""
    folders = (lake.root / "golden").glob("v[0-9]*")
    for folder in [folder for folder in folders if folder.suffix == "" and int(folder.name[1:]) >= version]:
        shutil.rmtree(folder)


def _begin(store: Store, full: bool, now: datetime) -> int:
    """A row for this run; runs still called running were killed, for the lock is ours."""
    with store.session() as session, session.begin():
        session.execute(sa.update(ReconcileRunRow).where(ReconcileRunRow.state == RUNNING).values(state=KILLED, finished_at=now))
        row = ReconcileRunRow(full=full, state=RUNNING, message="", started_at=now)
        session.add(row)
        session.flush()
        return row.id


def _end(store: Store, run: int, state: str, now: datetime, fault: Exception) -> None:
    code = fault.code if isinstance(fault, TongchouError) else None
    with store.session() as session, session.begin():
        session.execute(
            sa.update(ReconcileRunRow)
            .where(ReconcileRunRow.id == run)
            .values(state=state, code=code, message=type(fault).__name__, finished_at=now)
        )


def _commit(store: Store, inputs: _Inputs, version: int, run: int, found: Resolution, now: datetime) -> GoldenVersionRow:
    row = GoldenVersionRow(
        version=version,
        run_id=run,
        inputs_digest=inputs.digest,
        rules_version=rules_version(),
        residents=found.identities.residents,
        records=found.records,
        counts=_counts(found),
        created_at=now,
    )
    with store.session() as session, session.begin():
        session.add(row)
        session.flush()
        _add_inputs(session, inputs, version)
        session.execute(sa.update(ReconcileRunRow).where(ReconcileRunRow.id == run).values(state=DONE, finished_at=now))
    return row


def _add_inputs(session: Session, inputs: _Inputs, version: int) -> None:
    session.add_all(GoldenInputRow(golden_version=version, dataset_key=s.dataset.key, snapshot_version=s.version) for s in inputs.snapshots)


def _counts(found: Resolution) -> Mapping[str, object]:
    changes = found.identities
    return {
        "new": changes.new,
        "merged": changes.merged,
        "split": changes.split,
        "warnings": list(found.warnings),
        "conflicts_by_element": found.conflicts_by_element,
    }


def _outcome(row: GoldenVersionRow, *, unchanged: bool) -> ReconcileOutcome:
    counts = row.counts
    return ReconcileOutcome(
        version=row.version,
        residents=row.residents,
        records=row.records,
        new=0 if unchanged else counts["new"],
        merged=0 if unchanged else counts["merged"],
        split=0 if unchanged else counts["split"],
        unchanged=unchanged,
        warnings=tuple(counts["warnings"]),
        conflicts_by_element=counts["conflicts_by_element"],
    )
