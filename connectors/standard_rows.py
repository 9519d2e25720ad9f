"""The second stage of intake: raw text → canonical values by element, with each faulty cell marked and rows without a usable key aside."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.datasets import Column, Dataset
from catalog.lake import Lake
from catalog.schema import FaultCountRow, QuarantineCountRow
from catalog.snapshots import RAW, Snapshot, mark_standard, newest
from catalog.store import Store
from connectors.headers import refuse_missing
from connectors.portions import FILE, ROW
from connectors.raw import QUARANTINE
from connectors.record_keys import KeyFaults, find_key_faults, record_keys
from rules.addresses import AddressBook
from rules.elements import Element, load_elements
from rules.errors import NotFound
from rules.quality import KEY, load_quality
from rules.standardise import standardise

RECORD = "_record"
GRID = "__grid"
STANDARD_ROWS = 100_000
CHINA = timezone(timedelta(hours=8))
FAULTS = pa.schema([(ROW, pa.int64()), *((name, pa.string()) for name in (RECORD, "column", "fault", "raw"))])


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the raw columns of one snapshot become its standard ones. `spelt` is each column's header in this source."""

    columns: tuple[Column, ...]
    spelt: Mapping[str, str]
    key: tuple[str, ...]
    areas: AddressBook | None
    today: date

    @property
    def schema(self) -> pa.Schema:
        names = [ROW, RECORD, *(name for column in self.columns for name in _names(column))]
        return pa.schema([(name, pa.int64() if name == ROW else pa.string()) for name in names])


@dataclass(frozen=True, kw_only=True)
class StandardBatch:
    """One stretch of rows, standardised: its rows, its faulty cells, its rows for the quarantine."""

    rows: pa.RecordBatch
    faults: pa.RecordBatch
    aside: pa.RecordBatch


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
            snapshot = newest(session, dataset.key)
        if snapshot is None:
            raise NotFound("CAT-SNAPSHOT", where=dataset.key)
        if snapshot.state != RAW:
            return snapshot
        raw = lake.path("raw", dataset.key, snapshot.version)
        recipe = recipe_of(dataset, raw, areas=areas, today=snapshot.received_at.astimezone(CHINA).date())
        tally = _write(lake, dataset, snapshot.version, recipe, find_key_faults(raw, recipe.key))
        with store.session() as session, session.begin():
            marked = mark_standard(
                session, snapshot, rows_standard=tally.rows, rows_quarantined=tally.aside.total(), fault_cells=tally.faults.total()
            )
            session.add_all(_count_rows(snapshot, tally))
        return marked


def recipe_of(dataset: Dataset, raw: Path, *, areas: AddressBook | None, today: date) -> Recipe:
    """What to do with each column of the raw file."""
    header = [name for name in pq.read_schema(raw).names if name not in (ROW, FILE)]
    spelt = refuse_missing([column.physical_name for column in dataset.columns], header, where=dataset.key).found
    return Recipe(
        columns=dataset.columns,
        spelt={column.name: spelt[column.physical_name] for column in dataset.columns},
        key=tuple(spelt[column.physical_name] for column in dataset.key_columns),
        areas=areas,
        today=today,
    )


def standard_batch(batch: pa.RecordBatch, recipe: Recipe, dropped: np.ndarray, reasons: np.ndarray) -> StandardBatch:
    """One stretch of raw rows; `dropped` are the places of those that cannot stay, with their `reasons`."""
    aside = _aside(batch.take(pa.array(dropped)), recipe, reasons)
    keep = np.ones(batch.num_rows, bool)
    keep[dropped] = False
    kept = batch if keep.all() else batch.filter(pa.array(keep))
    rows, faults = _standard(kept, recipe)
    return StandardBatch(rows=rows, faults=faults, aside=aside)


def _write(lake: Lake, dataset: Dataset, version: int, recipe: Recipe, key_faults: KeyFaults) -> Tally:
    tally, start = Tally(), 0
    quarantine = lake.path("quarantine", dataset.key, version)
    with (
        lake.writer(lake.path("standard", dataset.key, version), recipe.schema) as rows,
        lake.writer(lake.path("faults", dataset.key, version), FAULTS) as faults,
        lake.writer(quarantine, QUARANTINE) as aside,
    ):
        for unread in _unread(quarantine):
            aside.write_batch(unread)
            tally.aside.update(_pairs(unread, "column", "reason"))
        for batch in pq.ParquetFile(lake.path("raw", dataset.key, version)).iter_batches(STANDARD_ROWS):
            done = standard_batch(batch, recipe, *key_faults.within(start, batch.num_rows))
            start += batch.num_rows
            rows.write_batch(done.rows)
            faults.write_batch(done.faults)
            aside.write_batch(done.aside)
            tally.rows += done.rows.num_rows
            tally.faults.update(_pairs(done.faults, "column", "fault"))
            tally.aside.update(_pairs(done.aside, "column", "reason"))
    return tally


def _unread(quarantine: Path) -> Iterator[pa.RecordBatch]:
    """What reading set aside; a run that was killed may have added rows with key faults, which are found again."""
    of_keys = pa.array([code for code, reason in load_quality().reasons.items() if reason.kind == KEY])
    for batch in pq.ParquetFile(quarantine).iter_batches(STANDARD_ROWS):
        yield batch.filter(pc.invert(pc.is_in(batch.column("reason"), value_set=of_keys)))


def _standard(batch: pa.RecordBatch, recipe: Recipe) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    numbers, records = batch.column(ROW), record_keys(batch, recipe.key)
    arrays: list[pa.Array] = [numbers, records]
    faulty: list[pa.RecordBatch] = []
    for column in recipe.columns:
        raw = batch.column(recipe.spelt[column.name])
        values, fault = _canonical(column, raw, recipe)
        arrays += values
        if fault is not None and fault.null_count < len(fault):
            faulty.append(_fault_rows(column.name, numbers, records, fault, raw))
    faults = pa.Table.from_batches(faulty, FAULTS).combine_chunks().to_batches()
    return pa.RecordBatch.from_arrays(arrays, schema=recipe.schema), faults[0] if faults else _empty(FAULTS)


def _canonical(column: Column, raw: pa.StringArray, recipe: Recipe) -> tuple[list[pa.Array], pa.Array | None]:
    """The standard columns of one raw column, and its faults. A column without an element is kept as it is, trimmed."""
    element = _element(column)
    if element is None:
        trimmed = pc.utf8_trim_whitespace(raw)
        return [pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)], None
    done = standardise(element, raw, code_system=column.code_system, areas=recipe.areas, today=recipe.today)
    values = [done.value]
    if element.kind == "address":
        values.append(done.derived.get("grid_code", pa.nulls(len(raw), pa.string())))
    return values, done.fault


def _fault_rows(column: str, numbers: pa.Array, records: pa.Array, fault: pa.Array, raw: pa.Array) -> pa.RecordBatch:
    mask = pc.is_valid(fault)
    found = fault.filter(mask)
    names = pa.array([column] * len(found), pa.string())
    return pa.RecordBatch.from_arrays([numbers.filter(mask), records.filter(mask), names, found, raw.filter(mask)], schema=FAULTS)


def _aside(batch: pa.RecordBatch, recipe: Recipe, reasons: np.ndarray) -> pa.RecordBatch:
    names = "|".join(column.name for column in sorted(recipe.columns, key=lambda c: c.key_position or 0) if column.primary_key)
    texts = [json.dumps({k: v for k, v in row.items() if k != ROW}, ensure_ascii=False) for row in batch.to_pylist()]
    return pa.RecordBatch.from_arrays(
        [
            batch.column(ROW),
            record_keys(batch, recipe.key),
            pa.array([names] * batch.num_rows, pa.string()),
            pa.array(reasons.tolist(), pa.string()),
            pa.array(texts, pa.string()),
        ],
        schema=QUARANTINE,
    )


def _names(column: Column) -> tuple[str, ...]:
    element = _element(column)
    return (column.name, column.name + GRID) if element is not None and element.kind == "address" else (column.name,)


def _element(column: Column) -> Element | None:
    return load_elements()[column.element] if column.element else None


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


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)
