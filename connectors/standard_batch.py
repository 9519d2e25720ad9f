"""A row group of raw text → standard rows, faulty cells, rows aside. What is done to it is the same here and in another process."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.datasets import Column, Dataset
from connectors.headers import refuse_missing
from connectors.portions import FILE, ROW
from connectors.raw import QUARANTINE
from connectors.record_keys import record_keys
from rules.addresses import AddressBook
from rules.elements import Element, load_elements
from rules.standardise import standardise

RECORD = "_record"
GRID = "__grid"
FAULTS = pa.schema([(ROW, pa.int64()), *((name, pa.string()) for name in (RECORD, "column", "fault", "raw"))])


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the raw columns of one snapshot become its standard ones.

    `spelt` is each column's header in this source, `regions` are the county codes with which numbers may begin.
    """

    columns: tuple[Column, ...]
    spelt: Mapping[str, str]
    key: tuple[str, ...]
    areas: AddressBook | None
    regions: frozenset[str]
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


def recipe_of(dataset: Dataset, raw: Path, *, areas: AddressBook | None, regions: frozenset[str], today: date) -> Recipe:
    """What to do with each column of the raw file."""
    header = [name for name in pq.read_schema(raw).names if name not in (ROW, FILE)]
    spelt = refuse_missing([column.physical_name for column in dataset.columns], header, where=dataset.key).found
    return Recipe(
        columns=dataset.columns,
        spelt={column.name: spelt[column.physical_name] for column in dataset.columns},
        key=tuple(spelt[column.physical_name] for column in dataset.key_columns),
        areas=areas,
        regions=regions,
        today=today,
    )


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A row group of the raw file; `dropped` are the places of rows that cannot stay, with their `reasons`."""

    group: int
    dropped: np.ndarray
    reasons: np.ndarray


def standardise_stretch(raw: pq.ParquetFile, stretch: Stretch, recipe: Recipe) -> StandardBatch:
    """Read one row group and standardise it."""
    whole = raw.read_row_group(stretch.group).combine_chunks().to_batches()
    batch = whole[0] if whole else pa.RecordBatch.from_pylist([], schema=raw.schema_arrow)
    return standard_batch(batch, recipe, stretch.dropped, stretch.reasons)


def standard_batch(batch: pa.RecordBatch, recipe: Recipe, dropped: np.ndarray, reasons: np.ndarray) -> StandardBatch:
    """Raw rows; `dropped` are the places of those that cannot stay, with their `reasons`."""
    aside = _aside(batch.take(pa.array(dropped)), recipe, reasons)
    keep = np.ones(batch.num_rows, bool)
    keep[dropped] = False
    kept = batch if keep.all() else batch.filter(pa.array(keep))
    rows, faults = _standard(kept, recipe)
    return StandardBatch(rows=rows, faults=faults, aside=aside)


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
    done = standardise(element, raw, code_system=column.code_system, areas=recipe.areas, regions=recipe.regions, today=recipe.today)
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


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=schema)
