"""Snapshots: their states, and which one counts."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from catalog.datasets import Dataset, load_datasets
from catalog.lake import Lake
from catalog.registration import register
from catalog.snapshots import (
    ACCEPTED,
    Snapshot,
    add_raw,
    list_snapshots,
    mark_accepted,
    mark_refused,
    mark_standard,
    newest,
    newest_accepted,
    newest_of_all,
    next_version,
)
from catalog.store import Store, StoreSession
from tests.catalog.contracts import good_contract, write

NOW = datetime(2026, 11, 23, 17, 30, tzinfo=UTC)


@pytest.fixture
def datasets(store: Store, tmp_path: Path) -> list[Dataset]:
    register(store, [write(tmp_path, good_contract(id=key)) for key in ("births", "hukou", "schools")], now=NOW)
    with store.session() as session:
        return load_datasets(session)


def received(session: StoreSession, dataset: Dataset) -> Snapshot:
    version = next_version(session, dataset.key)
    return add_raw(session, dataset, version=version, source_digest=f"d{version}", rules_version="r1", rows_raw=10, now=NOW)


def standardised(session: StoreSession, dataset: Dataset) -> Snapshot:
    return mark_standard(session, received(session, dataset), rows_standard=9, rows_quarantined=1, fault_cells=4)


def test_versions_count_from_one_for_each_data_set(store: Store, datasets: list[Dataset]) -> None:
    with store.session() as session, session.begin():
        versions = [received(session, dataset).version for dataset in (datasets[0], datasets[0], datasets[1])]
    assert versions == [1, 2, 1]


def test_a_snapshot_goes_from_raw_to_standard_to_accepted(store: Store, datasets: list[Dataset]) -> None:
    with store.session() as session, session.begin():
        snapshot = mark_accepted(session, standardised(session, datasets[0]), now=NOW)
    with store.session() as session:
        assert newest(session, datasets[0].key) == snapshot
    assert (snapshot.state, snapshot.rows_raw, snapshot.rows_standard, snapshot.rows_quarantined, snapshot.fault_cells) == (
        ACCEPTED,
        10,
        9,
        1,
        4,
    )
    assert (snapshot.received_at, snapshot.judged_at, snapshot.contract_version) == (NOW, NOW, 1)


def test_a_refused_snapshot_leaves_the_last_accepted_one_standing(store: Store, datasets: list[Dataset], tmp_path: Path) -> None:
    with store.session() as session, session.begin():
        mark_accepted(session, standardised(session, datasets[0]), now=NOW)
        refused = mark_refused(session, received(session, datasets[0]), code="GATE-ROWS", now=NOW)
    with store.session() as session:
        accepted = newest_accepted(session, Lake(tmp_path))
        assert newest(session, datasets[0].key) == refused
        assert newest(session, datasets[0].key, ACCEPTED) == list_snapshots(session, datasets[0].key)[0]
        assert {key: s.version for key, s in newest_of_all(session).items()} == {"births": 2}
    assert [(a.dataset.key, a.version) for a in accepted] == [("births", 1)]


def test_the_newest_accepted_snapshots_carry_their_files_and_the_day_in_china(
    store: Store, datasets: list[Dataset], tmp_path: Path
) -> None:
    with store.session() as session, session.begin():
        for dataset in (datasets[1], datasets[0], datasets[1]):
            mark_accepted(session, standardised(session, dataset), now=NOW)
        standardised(session, datasets[2])
    with store.session() as session:
        births, hukou = newest_accepted(session, Lake(tmp_path))
        assert newest_accepted(session, Lake(tmp_path), ["hukou", "schools"]) == [hukou]
    assert (births.version, hukou.version, hukou.rows_standard, hukou.rules_version) == (1, 2, 9, "r1")
    assert hukou.standard_path == tmp_path / "standard/hukou/v000002.parquet"
    assert hukou.faults_path == tmp_path / "faults/hukou/v000002.parquet"
    assert hukou.received_on == date(2026, 11, 24)


def test_a_transition_that_is_none_is_a_bug(store: Store, datasets: list[Dataset]) -> None:
    with store.session() as session, session.begin():
        raw = received(session, datasets[0])
        with pytest.raises(AssertionError, match="is raw"):
            mark_accepted(session, raw, now=NOW)
        accepted = mark_accepted(session, mark_standard(session, raw, rows_standard=1, rows_quarantined=0, fault_cells=0), now=NOW)
        with pytest.raises(AssertionError, match="is accepted"):
            mark_refused(session, accepted, code="GATE-ROWS", now=NOW)


def test_two_snapshots_of_one_version_cannot_both_be_committed(store: Store, datasets: list[Dataset]) -> None:
    with pytest.raises(sa.exc.IntegrityError), store.session() as session, session.begin():
        for _ in range(2):
            add_raw(session, datasets[0], version=1, source_digest="d", rules_version="r", rows_raw=1, now=NOW)
            session.expunge_all()
