"""Killed at any moment, the next run finishes the work: no duplicate, no half-written snapshot, no answer without its record."""

from pathlib import Path

import pytest

from tests.kills import Prepared, prepare, try_once

KILLS = 12
"""Of commands; a door at work is killed 30 times (test_killed_door), both by the thousand in the soak."""
DATASETS = ("police_hukou", "hrss_social_insurance", "grid_survey")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(tmp_path_factory.mktemp("kills"), residents=1_000, datasets=DATASETS)


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_command_is_finished_by_the_next_run(prepared: Prepared, tmp_path: Path, seed: int) -> None:
    assert try_once(prepared, tmp_path, seed).faults == ()
