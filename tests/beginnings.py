"""What many tests begin with is made once in each worker and on each database; every test gets a copy of its own.

A beginning is a function that fills a home. Copying its files, and its PostgreSQL database as a template, takes some 10 ms, where
filling it takes up to a second.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa

from catalog.home import Home
from tests import postgres

Build = Callable[[Home], None]
"""Fills a home, and closes whatever it opened there: PostgreSQL copies no database that somebody uses."""
Begin = Callable[[Build], Home]

SQLITE, POSTGRESQL = "sqlite", "postgresql"


@dataclass
class Beginnings:
    """The homes that were made so far. `template` is only called once somebody wants PostgreSQL: it may have to start the server."""

    folder: Path
    empty: Home
    template: Callable[[], str]
    made: dict[tuple[Build, str], Home] = field(default_factory=dict)

    def copy(self, build: Build, database: str, root: Path) -> Home:
        """A home of one's own at `root` that begins as `build` left it."""
        begun = self.made.get((build, database)) or self._make(build, database)
        shutil.copytree(begun.root, root)
        return Home(root, create_database(name_of(begun.database_url)) if begun.database_url else None)

    def _make(self, build: Build, database: str) -> Home:
        root = self.folder / f"{len(self.made)}"
        shutil.copytree(self.empty.root, root)
        home = Home(root, create_database(self.template()) if database == POSTGRESQL else None)
        build(home)
        self.made[build, database] = home
        return home


def create_database(template: str) -> str:
    """The URL of a new database that is a copy of another."""
    name = f"test_{uuid4().hex[:12]}"
    # Copying files waits for a checkpoint; on a disk, writing the copy through the log is the shorter wait.
    strategy = "FILE_COPY" if str(postgres.folder()).startswith("/dev/shm/") else "WAL_LOG"
    _administer(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY {strategy}")
    return postgres.url(name)


def drop_database(url: str) -> None:
    _administer(f"DROP DATABASE {name_of(url)} WITH (FORCE)")


def name_of(url: str) -> str:
    return str(sa.make_url(url).database)


def _administer(statement: str) -> None:
    admin = sa.create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(statement))
