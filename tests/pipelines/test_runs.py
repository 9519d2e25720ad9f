"""Runs over the real road, in process, on a persistent instance: what the command line does, and what the pages then show."""

import signal
import subprocess
import sys
from collections.abc import Collection

import dagster as dg
import pytest

from pipelines import run
from pipelines.abandoned import close_abandoned
from pipelines.checks import INTAKE_CHECKS
from pipelines.partitions import STAGES
from rules.errors import NotFound, PlatformFault
from tests.pipelines.conftest import ThreeDataSets


def test_a_faulty_data_set_stops_no_other_and_fails_the_check_of_its_stage(three: ThreeDataSets) -> None:
    outcomes = {outcome.dataset: outcome for outcome in run.ingest(three.home, three.keys)}
    assert {key: outcome.error is None for key, outcome in outcomes.items()} == {**dict.fromkeys(three.good, True), three.faulty: False}


@pytest.fixture
def ingested(three: ThreeDataSets) -> ThreeDataSets:
    run.ingest(three.home, three.keys)
    return three


def test_good_data_sets_are_materialised_in_all_stages_and_the_faulty_one_in_none(
    ingested: ThreeDataSets, dagster: dg.DagsterInstance
) -> None:
    assert set(dagster.get_dynamic_partitions("dataset")) == set(ingested.keys)
    assert {stage: _partitions(dagster, stage) for stage in STAGES} == {stage: set(ingested.good) for stage in STAGES}


def test_the_run_of_a_faulty_data_set_succeeds_and_its_checks_say_what_stopped(
    ingested: ThreeDataSets, dagster: dg.DagsterInstance
) -> None:
    (record,) = dagster.get_run_records()
    assert record.dagster_run.status is dg.DagsterRunStatus.SUCCESS
    raw, standard, gate = (_evaluation(dagster, stage, name) for stage, (name, _) in INTAKE_CHECKS.items())
    assert (raw.passed, standard.passed, gate.passed) == (False, True, True)
    assert raw.metadata["which"].value == f"{ingested.faulty} SRC-MISSING"


def test_an_unchanged_source_makes_no_new_snapshot_and_the_run_is_fine(ingested: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    before = _materialisations(dagster)
    outcomes = run.ingest(ingested.home, ingested.good)
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert {outcome.snapshot.version for outcome in outcomes if outcome.snapshot} == {1}
    assert _materialisations(dagster) == before
    assert _statuses(dagster) == ["SUCCESS", "SUCCESS"]


def test_a_changed_source_is_materialised_again_alone(ingested: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    before = _materialisations(dagster)
    ingested.write_source("police_hukou", "q")
    run.ingest(ingested.home, ingested.keys)
    assert _materialisations(dagster) == before + len(STAGES)


def test_a_data_set_that_is_repaired_turns_the_check_green(ingested: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    ingested.write_source(ingested.faulty, "c")
    run.ingest(ingested.home, [ingested.faulty])
    assert _partitions(dagster, "gate") == set(ingested.keys)
    assert _evaluation(dagster, "raw", INTAKE_CHECKS["raw"][0]).passed


def test_the_check_stays_red_for_a_faulty_data_set_that_a_later_run_does_not_touch(
    ingested: ThreeDataSets, dagster: dg.DagsterInstance
) -> None:
    run.ingest(ingested.home, ingested.good)
    assert not _evaluation(dagster, "raw", INTAKE_CHECKS["raw"][0]).passed


def test_reconciliation_materialises_residents_golden_and_serving(ingested: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    outcome = run.reconcile(ingested.home, full=False)
    assert (outcome.records, outcome.version) == (6, 1)
    for key in ("residents", "golden", "serving", "tickets"):
        assert dagster.get_latest_materialization_event(dg.AssetKey(key)) is not None
    assert _evaluation(dagster, "serving", "serves_the_newest_version").passed
    assert run.reconcile(ingested.home, full=False).unchanged


def test_progress_hears_of_each_data_set_as_it_is_finished(three: ThreeDataSets) -> None:
    heard: list[str] = []
    run.ingest(three.home, three.keys, on_done=lambda outcome: heard.append(outcome.dataset))
    assert heard == three.keys


def test_nothing_to_bring_in_makes_no_run(three: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    assert run.ingest(three.home, []) == []
    assert dagster.get_run_records() == []


def test_an_unknown_data_set_is_not_found(three: ThreeDataSets) -> None:
    with pytest.raises(NotFound):
        run.ingest(three.home, ["nobody_knows"])


def test_a_fault_of_the_platform_fails_the_run_without_telling_its_text(
    three: ThreeDataSets, dagster: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("张伟 13800138000")

    monkeypatch.setattr("connectors.intake.ingest", broken)
    with pytest.raises(PlatformFault, match="RUN-FAULT"):
        run.ingest(three.home, three.keys)
    (record,) = dagster.get_run_records()
    assert record.dagster_run.status is dg.DagsterRunStatus.FAILURE
    assert "13800138000" not in "".join(entry.to_json() for entry in dagster.all_logs(record.dagster_run.run_id))


def test_no_value_of_a_row_is_told_to_dagster(ingested: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    run.reconcile(ingested.home, full=False)
    told = "".join(entry.to_json() for record in dagster.get_run_records() for entry in dagster.all_logs(record.dagster_run.run_id))
    for value in ("11010519491231002X", "13800138000", "张伟", "\\u5f20\\u4f1f"):
        assert value not in told


def test_a_run_says_nothing_on_the_console(three: ThreeDataSets, capfd: pytest.CaptureFixture[str]) -> None:
    run.ingest(three.home, three.keys)
    assert capfd.readouterr() == ("", "")


KILLED = """
import os, signal, sys
from pathlib import Path
from catalog.home import Home
from connectors import intake
from pipelines import run
intake.ingest = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
run.ingest(Home(Path(sys.argv[1])), sys.argv[2:])
"""


def test_a_killed_run_is_shown_as_failed_and_the_next_finishes_its_work(three: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, three.home.root, *three.keys], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert _statuses(dagster) == ["STARTED"]
    run.ingest(three.home, three.keys)
    assert sorted(_statuses(dagster)) == ["FAILURE", "SUCCESS"]
    assert _partitions(dagster, "gate") == set(three.good)


def test_a_run_that_is_at_work_is_not_taken_for_a_killed_one(three: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    seen: list[int] = []
    run.ingest(three.home, three.good, on_done=lambda _: seen.append(close_abandoned(three.home, dagster, {})))
    assert seen == [0, 0]


def _partitions(dagster: dg.DagsterInstance, stage: str) -> Collection[str]:
    return dagster.get_materialized_partitions(dg.AssetKey(stage))


def _statuses(dagster: dg.DagsterInstance) -> list[str]:
    return [record.dagster_run.status.value for record in dagster.get_run_records()]


def _materialisations(dagster: dg.DagsterInstance) -> int:
    return sum(len(dagster.fetch_materializations(dg.AssetKey(stage), limit=100).records) for stage in STAGES)


def _evaluation(dagster: dg.DagsterInstance, stage: str, name: str) -> dg.AssetCheckEvaluation:
    key = dg.AssetCheckKey(dg.AssetKey(stage), name)
    (newest,) = dagster.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert newest.event is not None
    evaluation = newest.event.get_dagster_event().event_specific_data
    assert isinstance(evaluation, dg.AssetCheckEvaluation)
    return evaluation
