"""The first stage of intake: the source as it came, verbatim, as an immutable raw snapshot; what could not be read goes into quarantine."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from catalog.datasets import Dataset
from catalog.lake import Lake
from catalog.snapshots import Snapshot, add_raw, newest, next_version
from catalog.store import Store
from connectors.portions import AsideRow, Portion
from connectors.sources import NO_SECRETS, Source, files_digest, open_source, source_files
from rules.errors import Refused
from rules.quality import UNREADABLE, load_quality
from rules.version import rules_version

QUARANTINE = pa.schema([("_row", pa.int64()), *((name, pa.string()) for name in ("_record", "column", "reason", "raw"))])
GROUP_ROWS = 100_000


@dataclass(kw_only=True)
class Received:
    """What one pass over a source brought."""

    rows: int = 0
    aside: Counter[str] = field(default_factory=Counter)

    @property
    def unreadable(self) -> int:
        reasons = load_quality().reasons
        return sum(count for code, count in self.aside.items() if reasons[code].kind == UNREADABLE)


def bring_raw(
    store: Store, lake: Lake, dataset: Dataset, *, now: datetime, secrets: Mapping[str, str] = NO_SECRETS, told: list[str] | None = None
) -> Snapshot:
    """Bring the source in as a new raw snapshot, or return the newest one where source, contract and rules are what they were.

    Refused with a SRC- code when the source is not there, cannot be read or has other columns. `told` receives warnings.
    """
    with lake.lock(dataset.key):
        with store.session() as session:
            last, version = newest(session, dataset.key), next_version(session, dataset.key)
        files = source_files(dataset.server)
        if last is not None and files and _is_same(last, files_digest(files), dataset):
            return last
        source = open_source(dataset, secrets=secrets)
        return _receive(store, lake, dataset, source, last, version, now, told if told is not None else [])


def _receive(
    store: Store, lake: Lake, dataset: Dataset, source: Source, last: Snapshot | None, version: int, now: datetime, told: list[str]
) -> Snapshot:
    try:
        with (
            lake.writer(lake.path("quarantine", dataset.key, version), QUARANTINE) as aside,
            lake.writer(lake.path("raw", dataset.key, version), source.schema) as rows,
        ):
            received = _copy(source, rows, aside)
            _check(received, dataset)
            if last is not None and _is_same(last, source.digest(), dataset):
                raise _Unchanged
    except _Unchanged:
        assert last is not None
        return last
    told += source.warnings
    with store.session() as session, session.begin():
        return add_raw(
            session, dataset, version=version, source_digest=source.digest(), rules_version=rules_version(), rows_raw=received.rows, now=now
        )


class _Unchanged(Exception):
    """A table, read to its end, holds what the last snapshot holds."""


def _is_same(last: Snapshot, digest: str, dataset: Dataset) -> bool:
    held = (last.source_digest, last.contract_version, last.rules_version)
    return held == (digest, dataset.contract_version, rules_version())


def _copy(source: Source, rows: pq.ParquetWriter, aside: pq.ParquetWriter) -> Received:
    """Write all portions, small ones gathered into row groups of a useful size."""
    received, waiting, count = Received(), list[pa.RecordBatch](), 0
    for portion in source.portions():
        received.rows += portion.rows.num_rows
        received.aside.update(row.reason for row in portion.aside)
        _write_aside(aside, portion)
        waiting.append(portion.rows)
        count += portion.rows.num_rows
        if count >= GROUP_ROWS:
            rows.write_table(pa.Table.from_batches(waiting, source.schema))
            waiting, count = [], 0
    rows.write_table(pa.Table.from_batches(waiting, source.schema))
    return received


def _write_aside(aside: pq.ParquetWriter, portion: Portion) -> None:
    if portion.aside:
        aside.write_batch(quarantined(portion.aside))


def quarantined(rows: Sequence[AsideRow]) -> pa.RecordBatch:
    """Rows that never became records, in the columns of the quarantine."""
    nothing = pa.nulls(len(rows), pa.string())
    return pa.RecordBatch.from_arrays(
        [
            pa.array([row.row for row in rows], pa.int64()),
            nothing,
            nothing,
            pa.array([row.reason for row in rows], pa.string()),
            pa.array([row.text for row in rows], pa.string()),
        ],
        schema=QUARANTINE,
    )


def _check(received: Received, dataset: Dataset) -> None:
    if received.unreadable > load_quality().refuse.unreadable_rows * (received.rows + received.unreadable):
        raise Refused("SRC-RAGGED", where=dataset.key, what=f"读不出 unreadable {received.unreadable:,} / 可读 readable {received.rows:,}")
    if not received.rows:
        raise Refused("SRC-EMPTY", where=dataset.key)
