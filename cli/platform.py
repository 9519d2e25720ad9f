"""The opened platform of one command: where it lives, its store and lake. The only place of the command line that reads the environment."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import click

from catalog.home import Home
from catalog.lake import Lake
from catalog.store import Store, open_store
from rules.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the environment says: `TONGCHOU_HOME` (default `var/`) and `TONGCHOU_DATABASE_URL` (default SQLite under the home)."""

    root: Path
    database_url: str | None

    @classmethod
    def from_environment(cls) -> "Settings":
        root = Path(os.environ.get("TONGCHOU_HOME") or "var").resolve()
        return cls(root=root, database_url=os.environ.get("TONGCHOU_DATABASE_URL") or None)


class Platform:
    """Opens each part when a command first asks for it, so that `--help` costs nothing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def home(self) -> Home:
        return Home(root=self.settings.root, database_url=self.settings.database_url)

    @cached_property
    def store(self) -> Store:
        """The store of an initialised home.

        Raises:
            Refused: CLI-HOME where `tongchou init` has not been run.
        """
        if not self.home.exists():
            raise Refused("CLI-HOME", where=str(self.home.root))
        return open_store(self.home.store_url)

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.home.lake_root)

    @staticmethod
    def now() -> datetime:
        return datetime.now(UTC)


platform = click.make_pass_decorator(Platform)
"""Gives a command the opened platform as its first argument."""
