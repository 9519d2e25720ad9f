"""A district's accepted snapshots written directly: generator → standardisation → lake, without the departments' files in between.

Standard rows, faulty cells and rows of the store are those that an intake of the district's files would leave; only what stands between
the rows of a file (titles, totals, a header once more) never came about, rows are numbered from 1, and there are no raw files.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.areas import address_book, county_codes, load_areas
from catalog.datasets import Dataset, load_datasets
from catalog.home import Home
from catalog.lake import Lake
from catalog.registration import register
from catalog.schema import FaultCountRow
from catalog.snapshots import CHINA, add_raw, mark_accepted, mark_standard
from catalog.store import Store, open_store
from connectors.portions import ROW
from connectors.standard_batch import FAULTS, Recipe, StandardBatch, standard_batch
from district.areas import Areas, lay_out, write_areas
from district.build import make_view
from district.contracts import promise_of, write_contract
from district.forms import write_in_form
from district.person_sets import load_person_sets
from district.plan import Plan, plan
from district.regions import write_test_regions
from district.residents import populate, truth_table
from district.truth import TABLES, TruthFile, patterns_table, records_table
from district.views import Scene, View
from rules.departments import load_departments
from rules.version import rules_version

GROUP_ROWS = 100_000
PROCESSES = 2
VERSION = 1
NOTHING = np.array([], int)


def write_accepted(folder: Path, home: Home, *, residents: int, seed: int, now: datetime) -> int:
    """Make `home` with the accepted snapshots of all data sets about persons; registers and truth stand in `folder`. Returns the rows."""
    district = plan(residents, seed)
    areas = lay_out(district)
    store, datasets = _register(folder, home, district, areas, now), _datasets(home)
    with store.session() as session:
        book, regions = address_book(session), county_codes(session)
    today = now.astimezone(CHINA).date()
    recipes = {
        dataset.key: Recipe(
            columns=dataset.columns,
            spelt={column.name: column.physical_name for column in dataset.columns},
            key=tuple(column.physical_name for column in dataset.key_columns),
            areas=book,
            regions=regions,
            today=today,
        )
        for dataset in datasets
    }
    written = _write(Lake(home.lake_root), folder / "truth", district, areas, recipes)
    _accept(store, datasets, written, now)
    store.close()
    return sum(one.rows for one in written.values())


def _register(folder: Path, home: Home, district: Plan, areas: Areas, now: datetime) -> Store:
    write_areas(areas, folder / "areas")
    write_test_regions(folder / "areas")
    for spec in load_person_sets().values():
        write_contract(promise_of(spec, load_departments()[spec.department].title, spec.form, district.patterns), folder)
    home.create()
    store = open_store(home.store_url)
    with store.session() as session, session.begin():
        load_areas(session, folder / "areas")
    report = register(store, [folder / "contracts"], now=now)
    assert not report.refused, report.refused
    return store


def _datasets(home: Home) -> list[Dataset]:
    store = open_store(home.store_url)
    with store.session() as session:
        found = [dataset for dataset in load_datasets(session) if dataset.about_persons]
    store.close()
    return found


@dataclass(frozen=True, kw_only=True)
class Block:
    """One block of residents as all departments' standard rows, and the truth about it, table by table."""

    batches: Mapping[str, StandardBatch]
    truth: Mapping[str, list[pa.Table]]


def standard_block(district: Plan, areas: Areas, block: int, recipes: Mapping[str, Recipe]) -> Block:
    scene = Scene(residents=populate(district, block, areas), areas=areas)
    batches: dict[str, StandardBatch] = {}
    truth: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
    truth["residents"].append(truth_table(scene.residents))
    for key, spec in load_person_sets().items():
        view = make_view(scene, spec)
        batches[key] = standard_batch(raw_batch(view), recipes[key], NOTHING, NOTHING)
        assert not batches[key].rows.column(1).null_count, f"{key}: the generator's records have keys"
        truth["records"].append(records_table(view))
        truth["patterns"].append(patterns_table(view))
    scene.views.clear()
    return Block(batches=batches, truth=truth)


def raw_batch(view: View) -> pa.RecordBatch:
    """The rows of a view as a reader would hand them on; an empty cell is an empty text."""
    numbers = pa.array(np.arange(1, len(view) + 1))
    cells = {header: pc.fill_null(texts, "") for header, texts in write_in_form(view).items()}
    return pa.table({ROW: numbers} | cells).combine_chunks().to_batches(max_chunksize=None)[0] if len(view) else _no_rows(list(cells))


def _no_rows(headers: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=pa.schema([(ROW, pa.int64()), *((header, pa.string()) for header in headers)]))


@dataclass(kw_only=True)
class Written:
    """One data set's files while they grow; small batches are gathered into row groups of a useful size."""

    standard: pq.ParquetWriter
    faults: pq.ParquetWriter
    rows: int = 0
    fault_cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    waiting: list[pa.RecordBatch] = field(default_factory=list)

    def add(self, batch: StandardBatch) -> None:
        faults = _renumbered(batch.faults, self.rows)
        self.faults.write_batch(faults)
        self.fault_cells.update(_counted(faults))
        self.waiting.append(_renumbered(batch.rows, self.rows))
        self.rows += batch.rows.num_rows
        if sum(waiting.num_rows for waiting in self.waiting) >= GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            self.standard.write_table(pa.Table.from_batches(self.waiting))
            self.waiting.clear()


def _renumbered(batch: pa.RecordBatch, before: int) -> pa.RecordBatch:
    return batch.set_column(0, ROW, pc.add(batch.column(0), before))


def _counted(faults: pa.RecordBatch) -> Counter[tuple[str, str]]:
    groups = pa.Table.from_batches([faults]).group_by(["column", "fault"]).aggregate([([], "count_all")])
    return Counter({(row["column"], row["fault"]): row["count_all"] for row in groups.to_pylist()})


def _write(lake: Lake, truth: Path, district: Plan, areas: Areas, recipes: Mapping[str, Recipe]) -> Mapping[str, Written]:
    told = {name: TruthFile(truth / f"{name}.parquet") for name in TABLES}
    with ExitStack() as files:
        written = {
            key: Written(
                standard=files.enter_context(lake.writer(lake.path("standard", key, VERSION), recipe.schema)),
                faults=files.enter_context(lake.writer(lake.path("faults", key, VERSION), FAULTS)),
            )
            for key, recipe in recipes.items()
        }
        for block in _blocks(district, areas, recipes):
            for key, batch in block.batches.items():
                written[key].add(batch)
            for name, tables in block.truth.items():
                told[name].write(pa.concat_tables(tables))
        for one in written.values():
            one.flush()
    for file in told.values():
        file.close()
    return written


def _blocks(district: Plan, areas: Areas, recipes: Mapping[str, Recipe]) -> Iterator[Block]:
    """All blocks in their order, two at a time in processes of their own; no more than one finished block waits for its turn."""
    if district.blocks == 1:
        yield standard_block(district, areas, 0, recipes)
        return
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn"), initializer=_start, initargs=(district, areas, recipes)) as pool:
        numbers = iter(range(district.blocks))
        ahead: list[Future[Block]] = [pool.submit(_standard_block, block) for block in islice(numbers, PROCESSES + 1)]
        while ahead:
            yield ahead.pop(0).result()
            ahead += [pool.submit(_standard_block, block) for block in islice(numbers, 1)]


_DISTRICT: list[tuple[Plan, Areas, Mapping[str, Recipe]]] = []


def _start(district: Plan, areas: Areas, recipes: Mapping[str, Recipe]) -> None:
    _DISTRICT[:] = [(district, areas, recipes)]


def _standard_block(block: int) -> Block:
    district, areas, recipes = _DISTRICT[0]
    return standard_block(district, areas, block, recipes)


def _accept(store: Store, datasets: list[Dataset], written: Mapping[str, Written], now: datetime) -> None:
    with store.session() as session, session.begin():
        for dataset in datasets:
            one = written[dataset.key]
            made = add_raw(
                session,
                dataset,
                version=VERSION,
                source_digest=f"written directly: {one.rows}",
                rules_version=rules_version(),
                rows_raw=one.rows,
                now=now,
            )
            standard = mark_standard(session, made, rows_standard=one.rows, rows_quarantined=0, fault_cells=one.fault_cells.total())
            mark_accepted(session, standard, now=now)
            session.add_all(
                FaultCountRow(dataset_key=dataset.key, snapshot_version=VERSION, column_name=column, fault=fault, cells=cells)
                for (column, fault), cells in sorted(one.fault_cells.items())
            )
