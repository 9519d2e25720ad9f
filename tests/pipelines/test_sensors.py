"""What starts runs by itself: changed files, due schedules, a finished ingest."""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assets import INTAKE
from pipelines.changes import Look, changed
from pipelines.run import ingest
from pipelines.schedules import schedules
from pipelines.sensors import SETTLED_S, changed_sources
from tests.pipelines.conftest import ThreeDataSets

LONG_AGO = time.time() - 10 * SETTLED_S


def _tick(three: ThreeDataSets, dagster: dg.DagsterInstance, cursor: str | None) -> tuple[list[str], str | None]:
    """The data sets that one look of the sensor asks for, and the cursor for the next."""
    context = dg.build_sensor_context(instance=dagster, cursor=cursor, resources={"road": three.road()})
    result = changed_sources(context)
    assert isinstance(result, dg.SensorResult)
    keys = [key for request in result.run_requests or [] for key in request.run_config["ops"][INTAKE]["config"]["datasets"]]
    return keys, result.cursor


def _age(path: Path, seconds: float = 0) -> None:
    os.utime(path, (LONG_AGO + seconds, LONG_AGO + seconds))


@pytest.fixture
def aged(three: ThreeDataSets) -> ThreeDataSets:
    for key in three.good:
        _age(three.source(key))
    return three


def test_files_never_brought_in_are_asked_for_once(aged: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    keys, cursor = _tick(aged, dagster, None)
    assert keys == sorted(aged.good)
    assert _tick(aged, dagster, cursor) == ([], cursor)


def test_only_the_data_set_of_a_changed_file_is_asked_for(aged: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    _, cursor = _tick(aged, dagster, None)
    _age(aged.source("health_archive"), seconds=1)
    assert _tick(aged, dagster, cursor)[0] == ["health_archive"]


def test_a_file_that_arrives_later_is_asked_for_alone(aged: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    _, cursor = _tick(aged, dagster, None)
    aged.write_source(aged.faulty, "c")
    _age(aged.source(aged.faulty))
    assert _tick(aged, dagster, cursor)[0] == [aged.faulty]


def test_a_file_that_is_still_being_copied_is_left_alone(three: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    assert _tick(three, dagster, None)[0] == []


def test_what_the_command_line_has_brought_in_is_not_asked_for_again(aged: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    ingest(aged.home, aged.good)
    assert _tick(aged, dagster, None)[0] == []


def test_the_sensor_makes_a_partition_for_every_registered_data_set(aged: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    result = changed_sources(dg.build_sensor_context(instance=dagster, resources={"road": aged.road()}))
    assert isinstance(result, dg.SensorResult)
    (request,) = result.dynamic_partitions_requests or []
    assert sorted(request.partition_keys) == aged.keys


def test_a_schedule_asks_for_the_data_sets_of_its_frequency_or_says_that_there_are_none(
    aged: ThreeDataSets, dagster: dg.DagsterInstance
) -> None:
    asked = {}
    for frequency, schedule in schedules.items():
        asked[frequency] = schedule(dg.build_schedule_context(instance=dagster, resources={"road": aged.road()}))
    daily = asked.pop("每日")
    assert isinstance(daily, dg.RunRequest)
    assert daily.run_config["ops"][INTAKE]["config"]["datasets"] == aged.keys
    assert all(isinstance(answer, dg.SkipReason) for answer in asked.values())


NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seen", "received", "expected"),
    [
        pytest.param({}, {}, ["a"], id="never seen, never brought in"),
        pytest.param({}, {"a": NOW + timedelta(seconds=1)}, [], id="never seen, brought in after it was written"),
        pytest.param({}, {"a": NOW - timedelta(seconds=1)}, ["a"], id="never seen, written since it was brought in"),
        pytest.param({"a": "new"}, {}, [], id="seen just so, even where it could not be brought in"),
        pytest.param({"a": "old"}, {"a": NOW + timedelta(days=1)}, ["a"], id="seen otherwise, whatever its times say"),
    ],
)
def test_what_counts_as_changed(seen: dict[str, str], received: dict[str, datetime], expected: list[str]) -> None:
    assert changed({"a": Look(fingerprint="new", touched=NOW.timestamp())}, seen, received) == expected


def test_the_cursor_is_small_enough_for_a_thousand_data_sets(aged: ThreeDataSets, dagster: dg.DagsterInstance) -> None:
    _, cursor = _tick(aged, dagster, None)
    assert cursor is not None
    assert len(cursor) / len(json.loads(cursor)) < 150  # bytes a data set; keys are up to 120
