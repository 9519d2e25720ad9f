"""One reconciliation: accepted snapshots in, a new version of the golden records out, committed by its row in the store.

The files are written aside and renamed; only then is the row written. A run that was killed leaves at most a folder that no row names: the
next run removes it. One run at a time, by a lock of the lake that the kernel releases with the process.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.lake import Lake
from catalog.schema import GoldenInputRow, GoldenVersionRow, ReconcileRunRow
from catalog.snapshots import AcceptedSnapshot, newest_accepted, sweep
from catalog.store import Store
from golden.alarms import standing_alarms, tell_alarms
from golden.decisions import DecisionsAtHand, decisions_at
from golden.engine import MEMORY_LIMIT, open_engine
from golden.incremental import Standing, resolve_changes
from golden.model import Model, read_model, recall_model, write_model
from golden.records import rows_in, stamped_at_upload
from golden.resolution import Resolution, golden_columns, resolve
from golden.source_checks import Doubt, check_sources, read_doubts
from golden.sources import RecordSource, record_sources
from golden.state import attached, bring_forward, keep_state, made_by
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
    learn: bool = False,
    told: Callable[[str], None] = lambda step: None,
    memory_limit: str = MEMORY_LIMIT,
) -> ReconcileOutcome:
    """Resolve the newest accepted snapshots. Without `full`, inputs and rules like those of the newest version make no new one, and where
    only some records changed only what they can reach is looked at. The result is the same, as long as the model stands (`golden.model`).

    `learn`: learn the model anew, also where it is not due. Raises Refused REC-EMPTY where no accepted snapshot is about persons.
    """
    with lake.lock(LOCK):
        last = newest_version(store)
        inputs = _Inputs.read(store, lake, now, last)
        if last is not None and last.inputs_digest == inputs.digest and not full and not learn:
            return _outcome(lake, last, unchanged=True)
        run = _begin(store, full, now)
        try:
            checked = _checked(lake, inputs, last, memory_limit)
            work = _Work(store=store, lake=lake, inputs=checked, last=last, run=run, now=now, told=told, memory_limit=memory_limit)
            return _outcome(lake, work.make(full=full, learn=learn), unchanged=False)
        except Exception as fault:
            _end(store, run, FAILED, now, fault)
            raise


def newest_version(store: Store) -> GoldenVersionRow | None:
    """The version that stands."""
    with store.session() as session:
        return session.scalar(sa.select(GoldenVersionRow).order_by(GoldenVersionRow.version.desc()).limit(1))


@dataclass(frozen=True, kw_only=True)
class _Inputs:
    """The snapshots and the stewards' decisions that go in, and one digest over them and the rules."""

    snapshots: tuple[AcceptedSnapshot, ...]
    sources: tuple[RecordSource, ...]
    decisions: DecisionsAtHand
    digest: str
    doubts: tuple[Doubt, ...] = ()
    looked_at: Mapping[str, list[Any]] = field(default_factory=dict)
    """By data set what the doubts are about: the code that found them, the snapshot, how it is read."""

    @classmethod
    def read(cls, store: Store, lake: Lake, now: datetime, last: GoldenVersionRow | None) -> "_Inputs":
        with store.session() as session:
            snapshots = newest_accepted(session, lake)
            decisions = decisions_at(session, now, None if last is None else last.created_at)
        sources = record_sources(snapshots)
        if not sources:
            raise Refused("REC-EMPTY", where=f"{len(snapshots)} snapshots")
        taking_part = {source.dataset for source in sources}
        return cls(
            snapshots=tuple(s for s in snapshots if s.dataset.key in taking_part),
            sources=sources,
            decisions=decisions,
            digest=_digest(sources, decisions),
        )


def _digest(sources: Sequence[RecordSource], decisions: DecisionsAtHand) -> str:
    said = [[s.dataset, s.version, _understood(s)] for s in sources]
    return hashlib.sha256(json.dumps([rules_version(), said, list(decisions.ids)], ensure_ascii=False).encode()).hexdigest()


def _understood(source: RecordSource) -> str:
    """A digest of how a data set is read and what its values count for: what its contract says of it beside the rows."""
    columns = sorted((element, list(names)) for element, names in source.columns.items())
    said = [source.department, source.verified, sorted(source.source_of_record), columns]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:12]


def _checked(lake: Lake, inputs: _Inputs, last: GoldenVersionRow | None, memory_limit: str) -> _Inputs:
    """The inputs without what a source cannot be right about. What was found of a snapshot stands until there is a newer one."""
    known = {} if last is None else last.counts.get("doubts", {})
    looked_at = {s.dataset: [made_by(), s.version, _understood(s)] for s in inputs.sources}
    unchanged = frozenset(dataset for dataset, said in looked_at.items() if known.get("looked_at", {}).get(dataset) == said)
    with open_engine(lake.root / "golden" / "spill", memory_limit=memory_limit) as con:
        sources, doubts = check_sources(
            con, inputs.sources, load_matching(), known=read_doubts(known.get("found", ())), unchanged=unchanged
        )
    return replace(inputs, sources=sources, doubts=doubts, looked_at=looked_at)


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One run, from the inputs to the row that commits it."""

    store: Store
    lake: Lake
    inputs: _Inputs
    last: GoldenVersionRow | None
    run: int
    now: datetime
    told: Callable[[str], None]
    memory_limit: str

    @property
    def version(self) -> int:
        return 1 if self.last is None else self.last.version + 1

    @property
    def folder(self) -> Path:
        return self.lake.root / "golden"

    @property
    def previous(self) -> Path | None:
        return None if self.last is None else golden_folder(self.lake, self.last.version)

    def make(self, *, full: bool, learn: bool) -> GoldenVersionRow:
        sweep(self.store, self.lake)
        _drop_unnamed(self.lake, self.version)
        with open_engine(self.folder / "spill", memory_limit=self.memory_limit) as con:
            learnt_with = None if self.last is None else self.last.counts.get("model")
            model = None if learn else read_model(self.lake, learnt_with)
            rows = sum(rows_in(con, self.inputs.sources))
            if model is not None and model.due(rows, [source.dataset for source in self.inputs.sources]):
                model = None
            found = None if full or model is None else self._bring_forward(con, model)
            if found is not None:
                return self._commit(found, learnt_with)
        with open_engine(self.folder / "spill", memory_limit=self.memory_limit) as con:
            return self._commit(self._make_whole(con, model), self.version if model is None else learnt_with)

    def _make_whole(self, con: duckdb.DuckDBPyConnection, model: Model | None) -> Resolution:
        matching = load_matching()
        if model is not None and self.last is not None:
            recall_model(con, self.lake, self.last.counts["model"])
        found = resolve(
            con,
            self.inputs.sources,
            matching=matching,
            survivorship=load_survivorship(),
            previous=self.previous,
            weights=None if model is None else model.weights,
            decisions=self.inputs.decisions,
            told=self.told,
        )
        self.told("files")
        learnt_with = self.version if model is None or self.last is None else self.last.counts["model"]
        write_version(con, self.lake, self.version, golden_columns(), list(matching.comparisons), learnt_with=learnt_with)
        self.told("state")
        keep_state(con, self.folder, matching, self.version)
        if model is None:
            datasets = tuple(source.dataset for source in self.inputs.sources)
            learnt = Model(made_by=made_by(), weights=found.weights, records=found.records, datasets=datasets)
            write_model(con, self.lake, self.version, learnt)
        return found

    def _bring_forward(self, con: duckdb.DuckDBPyConnection, model: Model) -> Resolution | None:
        """None where only a full run will do."""
        matching = load_matching()
        if self.last is None or self.previous is None or not self._comparable():
            return None
        with attached(con, self.folder, self.last.version) as fits:
            if not fits:
                return None
            recall_model(con, self.lake, self.last.counts["model"])
            found = resolve_changes(
                con,
                self.inputs.sources,
                stamped=stamped_at_upload(con, self.inputs.sources),
                matching=matching,
                survivorship=load_survivorship(),
                standing=self._standing(self.last, self.previous),
                weights=model.weights,
                decisions=self.inputs.decisions,
                spill=self.folder,
                told=self.told,
            )
            if found is not None:
                self.told("files")
                learnt_with = self.last.counts["model"]
                levels = list(matching.comparisons)
                write_version(con, self.lake, self.version, golden_columns(), levels, on=self.previous, learnt_with=learnt_with)
                self.told("state")
                bring_forward(con, self.folder, matching, self.version)
            return found

    def _comparable(self) -> bool:
        """Whether the same data sets are read in the same way as last time, so that only their rows can differ."""
        assert self.last is not None
        return self.last.counts.get("understood") == {s.dataset: _understood(s) for s in self.inputs.sources}

    def _standing(self, last: GoldenVersionRow, folder: Path) -> Standing:
        with self.store.session() as session:
            rows = session.execute(
                sa.select(GoldenInputRow.dataset_key, GoldenInputRow.snapshot_version).where(GoldenInputRow.golden_version == last.version)
            )
            snapshots = {row.dataset_key: row.snapshot_version for row in rows}
        return Standing(
            folder=folder,
            snapshots=snapshots,
            residents=last.residents,
            records=last.records,
            warnings=tuple(last.counts["warnings"]),
            conflicts_by_element=dict(last.counts["conflicts_by_element"]),
            decisions=tuple(last.counts.get("decisions", ())),
        )

    def _commit(self, found: Resolution, learnt_with: int | None) -> GoldenVersionRow:
        row = GoldenVersionRow(
            version=self.version,
            run_id=self.run,
            inputs_digest=self.inputs.digest,
            rules_version=rules_version(),
            residents=found.identities.residents,
            records=found.records,
            counts={
                **_counts(found),
                "model": learnt_with,
                "decisions": list(self.inputs.decisions.ids),
                "doubts": {"looked_at": self.inputs.looked_at, "found": [asdict(doubt) for doubt in self.inputs.doubts]},
                "understood": {source.dataset: _understood(source) for source in self.inputs.sources},
            },
            created_at=self.now,
        )
        with self.store.session() as session, session.begin():
            session.add(row)
            session.flush()
            _add_inputs(session, self.inputs, self.version)
            session.execute(sa.update(ReconcileRunRow).where(ReconcileRunRow.id == self.run).values(state=DONE, finished_at=self.now))
        return row


def _drop_unnamed(lake: Lake, version: int) -> None:
    """What a killed run left: folders from `version` on, which no row names."""
    folders = [*(lake.root / "golden").glob("v[0-9]*"), *(lake.root / "golden" / "models").glob("v[0-9]*")]
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


def _outcome(lake: Lake, row: GoldenVersionRow, *, unchanged: bool) -> ReconcileOutcome:
    counts = row.counts
    doubts = [doubt.told() for doubt in read_doubts(counts.get("doubts", {}).get("found", ()))]
    return ReconcileOutcome(
        version=row.version,
        residents=row.residents,
        records=row.records,
        new=0 if unchanged else counts["new"],
        merged=0 if unchanged else counts["merged"],
        split=0 if unchanged else counts["split"],
        unchanged=unchanged,
        warnings=(*doubts, *counts["warnings"], *tell_alarms(standing_alarms(golden_folder(lake, row.version)))),
        conflicts_by_element=counts["conflicts_by_element"],
    )
