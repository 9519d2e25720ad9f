"""Killed at any moment of its work a door leaves a record of each answer that a client received, no gap, and a tail that is repaired."""

from pathlib import Path

import pytest

from catalog.home import Home
from tests.killed_door import kill_once, make_home

KILLS = 30


@pytest.fixture(scope="module")
def killed_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One home for all kills: its log grows from kill to kill."""
    folder: Path = tmp_path_factory.mktemp("killed") / "home"
    return make_home(folder)


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_killed_door_answered_nothing_without_its_record(killed_home: Home, seed: int) -> None:
    assert kill_once(killed_home, seed).faults == ()
