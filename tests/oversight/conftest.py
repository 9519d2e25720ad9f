"""The small platform of the door's tests, with an auditor in the reading room."""

from collections.abc import Callable, Iterator

import pytest

from access.accounts import Role, create_account
from access.readers import Reader
from oversight.reading_room import ReadingRoom
from tests.access.conftest import NOW, Platform, platform

__all__ = ["platform"]

AUDITOR = Reader(name="auditor", purpose="例行审计")


@pytest.fixture
def enter(platform: Platform) -> Iterator[Callable[[], ReadingRoom]]:
    """A reading room that has caught up with what has happened until it is entered."""
    create_account(platform.store, platform.log, by="operator", name="second", title="二", department=None, roles=[Role.AUDITOR], now=NOW)
    rooms: list[ReadingRoom] = []

    def entered() -> ReadingRoom:
        rooms.append(ReadingRoom(platform.store, platform.home, platform.log, platform.clock))
        return rooms[-1]

    yield entered
    for room in rooms:
        room.__exit__()
