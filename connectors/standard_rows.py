"""The second stage of intake: raw text → canonical values by element, with each faulty cell marked and rows without a usable key aside."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.areas import county_codes
from catalog.datasets import Dataset
from catalog.lake import Lake
from catalog.schema import FaultCountRow, QuarantineCountRow
from catalog.snapshots import CHINA, RAW, Snapshot, mark_standard, newest
from catalog.store import Store
from connectors.raw import QUARANTINE
from connectors.record_keys import KeyFaults, find_key_faults
from connectors.standard_batch import FAULTS, Recipe, StandardBatch, Stretch, recipe_of, standardise_stretch
from connectors.standard_worker import standardise_beside
from rules.addresses import AddressBook
from rules.errors import NotFound
from rules.quality import KEY, load_quality

BIG_ROWS = 500_000
"""From here on two processes of their own standardise: starting them costs a few seconds."""

QUARANTINE_ROWS = 100_000


@dataclass(kw_only=True)
class Tally:
    """What is counted on the way: cells by column and fault, rows aside by column and reason."""

    rows: int = 0
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    aside: Counter[tuple[str, str]] = field(default_factory=Counter)


def standardise_snapshot(store: Store, lake: Lake, dataset: Dataset, *, areas: AddressBook | None, now: datetime) -> Snapshot:
    """Standardise the newest snapshot if it is still raw; any other is returned as it is."""
    with lake.lock(dataset.key):
        with store.session() as session:
            snapshot, regions = newest(session, dataset.key), county_codes(session)
        if snapshot is None:
            raise NotFound("CAT-SNAPSHOT", where=dataset.key)
        if snapshot.state != RAW:
            return snapshot
        raw = lake.path("raw", dataset.key, snapshot.version)
        recipe = recipe_of(dataset, raw, areas=areas, regions=regions, today=snapshot.received_at.astimezone(CHINA).date())
        tally = _write(lake, dataset, snapshot.version, recipe, find_key_faults(raw, recipe.key))
        with store.session() as session, session.begin():
            marked = mark_standard(
                session, snapshot, rows_standard=tally.rows, rows_quarantined=tally.aside.total(), fault_cells=tally.faults.total()
            )
            session.add_all(_count_rows(snapshot, tally))
        return marked


def _write(lake: Lake, dataset: Dataset, version: int, recipe: Recipe, key_faults: KeyFaults) -> Tally:
    tally = Tally()
    quarantine = lake.path("quarantine", dataset.key, version)
    with (
        lake.writer(lake.path("standard", dataset.key, version), recipe.schema) as rows,
        lake.writer(lake.path("faults", dataset.key, version), FAULTS) as faults,
        lake.writer(quarantine, QUARANTINE) as aside,
    ):
        for unread in _unread(quarantine):
            aside.write_batch(unread)
            tally.aside.update(_pairs(unread, "column", "reason"))
        for done in _standardised(lake.path("raw", dataset.key, version), recipe, key_faults):
            rows.write_batch(done.rows)
            faults.write_batch(done.faults)
            aside.write_batch(done.aside)
            tally.rows += done.rows.num_rows
            tally.faults.update(_pairs(done.faults, "column", "fault"))
            tally.aside.update(_pairs(done.aside, "column", "reason"))
    return tally


def _standardised(raw: Path, recipe: Recipe, key_faults: KeyFaults) -> Iterator[StandardBatch]:
    """All row groups in their order."""
    with pq.ParquetFile(raw) as file:
        stretches = _stretches(file, key_faults)
        if file.metadata.num_rows >= BIG_ROWS:
            yield from standardise_beside(raw, recipe, stretches)
            return
        for stretch in stretches:
            yield standardise_stretch(file, stretch, recipe)


def _stretches(file: pq.ParquetFile, key_faults: KeyFaults) -> list[Stretch]:
    stretches, start = [], 0
    for group in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        dropped, reasons = key_faults.within(start, rows)
        stretches.append(Stretch(group=group, dropped=dropped, reasons=reasons))
        start += rows
    return stretches


def _unread(quarantine: Path) -> Iterator[pa.RecordBatch]:
    """What reading set aside; a run that was killed may have added rows with key faults, which are found again."""
    of_keys = pa.array([code for code, reason in load_quality().reasons.items() if reason.kind == KEY])
    for batch in pq.ParquetFile(quarantine).iter_batches(QUARANTINE_ROWS):
        yield batch.filter(pc.invert(pc.is_in(batch.column("reason"), value_set=of_keys)))


def _pairs(table: pa.RecordBatch | pa.Table, one: str, other: str) -> Counter[tuple[str, str]]:
    if not table.num_rows:
        return Counter()
    counted = (
        pa.table({"a": pc.fill_null(table.column(one), ""), "b": table.column(other)}).group_by(["a", "b"]).aggregate([([], "count_all")])
    )
    return Counter({(row["a"], row["b"]): row["count_all"] for row in counted.to_pylist()})


def _count_rows(snapshot: Snapshot, tally: Tally) -> Sequence[FaultCountRow | QuarantineCountRow]:
    place = {"dataset_key": snapshot.dataset, "snapshot_version": snapshot.version}
    faults = [FaultCountRow(**place, column_name=c, fault=f, cells=n) for (c, f), n in sorted(tally.faults.items())]
    aside = [QuarantineCountRow(**place, column_name=c, reason=r, rows=n) for (c, r), n in sorted(tally.aside.items())]
    return [*faults, *aside]
