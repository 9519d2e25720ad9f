"""What Dagster loads: the graph of the road, its jobs, sensors and schedules."""

import ast
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

import pipelines
from catalog.home import Home
from catalog.terms import UPDATE_FREQUENCIES
from pipelines.definitions import build_defs, defs
from pipelines.partitions import DATASETS, STAGES
from pipelines.schedules import CRON, schedules

ASSET_LINES_MAX = 15


@pytest.fixture
def built(home: Home) -> dg.Definitions:
    return build_defs(home)


def test_the_definitions_are_loadable(built: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(built)


def test_the_graph_is_the_road_from_raw_to_serving(built: dg.Definitions) -> None:
    graph = built.resolve_asset_graph()
    parents = {key.to_user_string(): [p.to_user_string() for p in graph.get(key).parent_keys] for key in graph.get_all_asset_keys()}
    road = [*STAGES, "residents", "golden", "serving"]
    assert parents == {"raw": [], **{key: [parent] for parent, key in pairwise(road)}, "tickets": ["golden"]}


def test_raw_standard_and_gate_have_a_partition_per_data_set_and_the_rest_has_none(built: dg.Definitions) -> None:
    graph = built.resolve_asset_graph()
    partitioned = {key.to_user_string() for key in graph.get_all_asset_keys() if graph.get(key).partitions_def == DATASETS}
    assert partitioned == set(STAGES)
    assert all(graph.get(dg.AssetKey(key)).partitions_def is None for key in ("residents", "golden", "serving", "tickets"))


def test_every_asset_has_a_check(built: dg.Definitions) -> None:
    graph = built.resolve_asset_graph()
    assert {check.asset_key for check in graph.asset_check_keys} == set(graph.get_all_asset_keys())


def test_there_is_a_schedule_for_every_update_frequency_that_a_contract_can_name(built: dg.Definitions) -> None:
    assert set(schedules) == set(UPDATE_FREQUENCIES) == set(CRON)
    assert {schedule.name for schedule in built.schedules or []} == {"reminders", *(name for name, _ in CRON.values())}


def test_the_module_level_definitions_read_the_environment_only_when_they_are_loaded(monkeypatch: pytest.MonkeyPatch, home: Home) -> None:
    monkeypatch.setenv("TONGCHOU_HOME", str(home.root))
    monkeypatch.setenv("TONGCHOU_DATABASE_URL", "")
    assert {job.name for job in defs(None).jobs or []} == {"ingest", "reconcile", "casework"}


def test_no_asset_is_longer_than_fifteen_lines() -> None:
    tree = ast.parse((Path(pipelines.__file__).parent / "assets.py").read_text(encoding="utf-8"))
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert {name for name, lines in lengths.items() if lines > ASSET_LINES_MAX} == set(), "move the work into a domain function"
