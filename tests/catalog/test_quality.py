"""Quality over time."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.datasets import load_dataset
from catalog.quality import FaultCount, QuarantineCount, quality_of
from catalog.registration import register
from catalog.schema import FaultCountRow, QualityScoreRow, QuarantineCountRow
from catalog.snapshots import add_raw
from catalog.store import Store
from rules.errors import NotFound
from tests.catalog.contracts import good_contract, write

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def judged(store: Store, version: int, passed: int) -> None:
    place = {"dataset_key": "police_hukou", "snapshot_version": version}
    with store.session() as session, session.begin():
        dataset = load_dataset(session, "police_hukou")
        add_raw(session, dataset, version=version, source_digest="d", rules_version="r", rows_raw=100, now=NOW)
        score = QualityScoreRow(**place, column_name="xb", element="sex", dimension="validity", passed=passed, checked=100, judged_at=NOW)
        session.add_all([score, FaultCountRow(**place, column_name="xb", fault="STD-CODE", cells=100 - passed)])
        session.add(QuarantineCountRow(**place, column_name="pid", reason="ROW-KEY-REPEATED", rows=version))


def test_scores_are_kept_of_every_snapshot_and_faults_shown_of_the_newest(store: Store, tmp_path: Path) -> None:
    register(store, [write(tmp_path, good_contract())], now=NOW)
    judged(store, 1, 90)
    judged(store, 2, 75)
    with store.session() as session:
        report = quality_of(session, "police_hukou")
    assert [(s.version, s.column, s.element, s.dimension, s.score) for s in report.scores] == [
        (1, "xb", "sex", "validity", 0.9),
        (2, "xb", "sex", "validity", 0.75),
    ]
    assert report.faults == (FaultCount(column="xb", code="STD-CODE", cells=25),)
    assert report.quarantine == (QuarantineCount(column="pid", reason="ROW-KEY-REPEATED", rows=2),)


def test_a_data_set_without_snapshots_has_an_empty_report(store: Store, tmp_path: Path) -> None:
    register(store, [write(tmp_path, good_contract())], now=NOW)
    with store.session() as session:
        assert quality_of(session, "police_hukou").scores == ()


def test_the_quality_of_an_unknown_data_set_is_not_found(store: Store) -> None:
    with store.session() as session, pytest.raises(NotFound, match="CAT-DATASET"):
        quality_of(session, "no_such")
