"""Snapshots that the benchmark writes directly are those that an intake of the same district's files would leave."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from bench.accepted import VERSION, write_accepted
from catalog.areas import address_book, load_areas
from catalog.datasets import load_datasets
from catalog.home import Home
from catalog.lake import Lake
from catalog.registration import register
from catalog.schema import FaultCountRow
from catalog.snapshots import ACCEPTED, newest_of_all
from catalog.store import open_store
from connectors.portions import ROW
from connectors.raw import bring_raw
from connectors.standard_rows import standardise_snapshot
from district.build import build
from district.person_sets import load_person_sets

RESIDENTS, SEED = 600, 3
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
OF_EACH_FORM = ("police_hukou", "health_files", "medical_insurance_persons", "tax_persons", "community_visits")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("written")
    home = Home(folder / "home")
    write_accepted(folder / "district", home, residents=RESIDENTS, seed=SEED, now=NOW)
    return home


@pytest.fixture(scope="module")
def brought_in(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The same district by its files: raw and standard, for some data sets, one of each form of file."""
    folder = tmp_path_factory.mktemp("brought_in")
    home = Home(folder / "home")
    build(folder / "district", residents=RESIDENTS, seed=SEED, persons_only=True)
    home.create()
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    with store.session() as session, session.begin():
        load_areas(session, folder / "district" / "areas")
    register(store, [folder / "district" / "contracts"], now=NOW)
    with store.session() as session:
        datasets, areas = load_datasets(session, OF_EACH_FORM), address_book(session)
    for dataset in datasets:
        bring_raw(store, lake, dataset, now=NOW)
        standardise_snapshot(store, lake, dataset, areas=areas, now=NOW)
    return home


def _rows(home: Home, stage: str, dataset: str) -> pa.Table:
    """Without the numbers of the rows, which count a file's lines."""
    table = pq.read_table(Lake(home.lake_root).path(stage, dataset, VERSION)).drop_columns([ROW])
    return table.sort_by([(name, "ascending") for name in table.column_names])


def test_the_data_sets_looked_at_have_all_forms() -> None:
    sets = load_person_sets()
    assert {sets[key].form.format for key in OF_EACH_FORM} == {spec.form.format for spec in sets.values()}


@pytest.mark.parametrize("dataset", OF_EACH_FORM)
def test_standard_rows_are_those_of_an_intake(written: Home, brought_in: Home, dataset: str) -> None:
    rows = _rows(written, "standard", dataset)
    assert rows.num_rows and rows.equals(_rows(brought_in, "standard", dataset))


@pytest.mark.parametrize("dataset", OF_EACH_FORM)
def test_faulty_cells_are_those_of_an_intake(written: Home, brought_in: Home, dataset: str) -> None:
    faults = _rows(written, "faults", dataset)
    assert faults.num_rows and faults.equals(_rows(brought_in, "faults", dataset))


def test_the_store_names_an_accepted_snapshot_of_each_data_set_with_what_its_files_hold(written: Home) -> None:
    lake = Lake(written.lake_root)
    with open_store(written.store_url).session() as session:
        accepted = newest_of_all(session, ACCEPTED)
        counted = dict(
            session.execute(sa.select(FaultCountRow.dataset_key, sa.func.sum(FaultCountRow.cells)).group_by(FaultCountRow.dataset_key))
            .tuples()
            .all()
        )
    assert set(accepted) == set(load_person_sets())
    for key, snapshot in accepted.items():
        assert snapshot.rows_standard == pq.read_metadata(lake.path("standard", key, VERSION)).num_rows
        assert snapshot.fault_cells == pq.read_metadata(lake.path("faults", key, VERSION)).num_rows == counted.get(key, 0)
