"""A new log for each test, on each database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit.log import Log, open_log


@pytest.fixture
def log_url(database_url: str | None, tmp_path: Path) -> str:
    return database_url or f"sqlite:///{tmp_path / 'audit.db'}"


@pytest.fixture
def log(log_url: str, tmp_path: Path) -> Iterator[Log]:
    opened = open_log(log_url, tmp_path / "keys")
    yield opened
    opened.close()
