"""What tests of several packages use: a home, and the store on both databases."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlalchemy as sa
from hypothesis import settings

from catalog.home import Home
from catalog.store import Store, migrate, open_store
from tests import postgres
from tests.beginnings import POSTGRESQL, SQLITE, Begin, Beginnings, Build, create_database, drop_database

TEMPLATE = "tongchou_template"

LONGEST = (
    "golden/test_incremental.py",
    "golden/test_bad_input.py",
    "golden/test_enterprises.py",
    "test_kills.py",
    "golden/test_reconcile.py",
    "golden/test_linking.py",
    "access/test_stewardship.py",
    "pipelines/test_runs.py",
    "pipelines/test_door_answers.py",
    "casework/test_handover.py",
    "golden/test_portions.py",
    "test_nothing_personal.py",
    "golden/test_survivorship.py",
    "access/test_door.py",
    "test_killed_door.py",
    "connectors/test_proposal.py",
    "access/test_extracts.py",
    "casework/test_conflicts.py",
    "district/test_truth.py",
    "casework/requests/test_answering.py",
    "oversight/test_reviews.py",
    "casework/entries/test_publishing.py",
    "cli/test_decisions.py",
    "portal/test_server.py",
    "access/test_killed.py",
    "connectors/test_intake.py",
)
"""Files that take longest, which start first: at the end one worker would wait for the other."""

# The same examples in every run, and no test fails because the machine was busy.
settings.register_profile("tongchou", deadline=None, derandomize=True)
settings.load_profile("tongchou")


def pytest_configure(config: pytest.Config) -> None:
    postgres.prepare()
    # A worker of the suite has one core to itself: DuckDB's second thread made each of thousands of small queries a quarter slower.
    duckdb.connect = partial(_connect_with, duckdb.connect)


def _connect_with(connect: Callable[..., duckdb.DuckDBPyConnection], *args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
    connection = connect(*args, **options)
    connection.execute("SET threads=1")
    return connection


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    order = {config.rootpath / "tests" / name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.stop()


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home as `tongchou init` leaves it; not to be written to, `home` is a copy of it."""
    home = Home(tmp_path_factory.mktemp("empty_home"))
    home.create()
    return home


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """The name of a database at the newest schema, made once by whichever worker comes first."""
    admin = sa.create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(1)"))
        if not connection.scalar(sa.text("SELECT count(*) FROM pg_database WHERE datname = :name"), {"name": TEMPLATE}):
            connection.execute(sa.text(f"CREATE DATABASE {TEMPLATE}"))
            migrate(postgres.url(TEMPLATE))
    admin.dispose()
    return TEMPLATE


@pytest.fixture(scope="session")
def beginnings(tmp_path_factory: pytest.TempPathFactory, empty_home: Home, request: pytest.FixtureRequest) -> Beginnings:
    return Beginnings(tmp_path_factory.mktemp("beginnings"), empty_home, lambda: str(request.getfixturevalue("postgres_template")))


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def database(request: pytest.FixtureRequest) -> str:
    """Runs the test on both databases."""
    return str(request.param)


@pytest.fixture
def begin(beginnings: Beginnings, database: str, tmp_path: Path) -> Iterator[Begin]:
    """Gives a home of one's own that begins as a function filled it, on both databases."""
    homes: list[Home] = []

    def begun(build: Build) -> Home:
        homes.append(beginnings.copy(build, database, tmp_path / f"begun-{len(homes)}"))
        return homes[-1]

    yield begun
    for home in homes:
        if home.database_url:
            drop_database(home.database_url)


@pytest.fixture
def postgres_url(postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database of one's own, at the newest schema."""
    url = create_database(postgres_template)
    yield url
    drop_database(url)


@pytest.fixture
def database_url(database: str, request: pytest.FixtureRequest) -> str | None:
    """Runs the test on both databases: None for SQLite files in the home, or the URL of a PostgreSQL database."""
    return None if database == SQLITE else request.getfixturevalue("postgres_url")


@pytest.fixture
def home(request: pytest.FixtureRequest, tmp_path: Path, empty_home: Home) -> Home:
    """A home of one's own; on both databases when the test also asks for `store` or `database_url`, else on SQLite."""
    shutil.copytree(empty_home.root, tmp_path / "home")
    database_url = request.getfixturevalue("database_url") if "database_url" in request.fixturenames else None
    return Home(tmp_path / "home", database_url)


@pytest.fixture
def store(home: Home, database_url: str | None) -> Iterator[Store]:
    """An open store, on SQLite and on PostgreSQL in turn."""
    store = open_store(home.store_url)
    yield store
    store.close()
