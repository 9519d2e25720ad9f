"""Table exchange: what was sealed comes into a department's table whole or not at all, on SQLite and on PostgreSQL."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from access import loading
from access.grants import change_state
from access.loading import Destination, destination
from access.terms import GrantState, Mode
from rules.errors import Denied, Refused
from rules.tiers import Tier
from tests import postgres
from tests.access.conftest import RESIDENTS, Platform

TERMS: dict[str, Any] = {"mode": Mode.TABLE, "tier": Tier.T4, "columns": ["name", "sex"]}


@pytest.fixture(params=["sqlite", "postgresql"])
def department(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A department's database, in which an older table stands."""
    name = f"department_{uuid.uuid4().hex[:8]}"
    if request.param == "postgresql":
        admin = sa.create_engine(postgres.url("postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        admin.dispose()
    engine = sa.create_engine(postgres.url(name) if request.param == "postgresql" else f"sqlite:///{tmp_path / 'department.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE people (older TEXT)"))
        connection.execute(sa.text("INSERT INTO people VALUES ('before')"))
    yield engine
    engine.dispose()


def into(department: sa.Engine, table: str = "people") -> Destination:
    url = department.url.render_as_string(hide_password=False)
    return destination("${DEPARTMENT_URL}", table, {"DEPARTMENT_URL": url})


def rows(department: sa.Engine, table: str = "people") -> list[tuple[Any, ...]]:
    with department.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {table}"))]


def tables(department: sa.Engine) -> list[str]:
    return sa.inspect(department).get_table_names()


def test_the_new_rows_replace_the_old_and_the_receipt_proves_them(platform: Platform, tmp_path: Path, department: sa.Engine) -> None:
    answer = platform.door.load("lin", platform.grant(**TERMS).id, into(department), tmp_path / "receipt.json")
    assert sorted(name for name, _ in rows(department)) == sorted(str(name) for name in RESIDENTS["name"])
    assert tables(department) == ["people"]
    told = json.loads((tmp_path / "receipt.json").read_text(encoding="utf-8"))
    assert (told["rows"], told["sha256"], told["grant"]["mode"]) == (6, answer.digest, "table")


def test_a_table_that_is_not_there_yet_is_made(platform: Platform, tmp_path: Path, department: sa.Engine) -> None:
    platform.door.load("lin", platform.grant(**TERMS).id, into(department, "newcomers"), tmp_path / "receipt.json")
    assert len(rows(department, "newcomers")) == 6
    assert rows(department) == [("before",)]


def test_nobody_sees_half_and_a_suspended_grant_leaves_the_old_table(
    platform: Platform, tmp_path: Path, department: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "ROWS_A_CHUNK", 2)
    granted = platform.grant(**TERMS)
    insert, seen = sa.Table.insert, []

    def suspended_after_the_first_chunk(table: sa.Table) -> Any:
        seen.append(rows(department))
        if len(seen) == 2:
            change_state(platform.store, platform.log, by="operator", grant_id=granted.id, state=GrantState.SUSPENDED, why="违规")
        return insert(table)

    monkeypatch.setattr(sa.Table, "insert", suspended_after_the_first_chunk)
    with pytest.raises(Denied, match="DOOR-STOPPED"):
        platform.door.load("lin", granted.id, into(department), tmp_path / "receipt.json")
    assert seen == [[("before",)]] * 2
    assert (rows(department), tables(department)) == ([("before",)], ["people"])
    assert platform.last().record.event.value == "access:extract:withheld"
    assert not (tmp_path / "receipt.json").exists()


def test_a_database_that_takes_nothing_is_told_by_kind_and_recorded(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "no_database").write_text("not a database, " * 100)
    nowhere = destination(f"sqlite:///{tmp_path / 'no_database'}", "people", {})
    with pytest.raises(Refused, match="DOOR-TABLE") as refused:
        platform.door.load("lin", platform.grant(**TERMS).id, nowhere, tmp_path / "receipt.json")
    assert "no_database" not in refused.value.message()
    assert platform.last().record.event.value == "access:extract:withheld"
    assert not (tmp_path / "receipt.json").exists()


def test_only_a_grant_for_table_exchange_is_loaded(platform: Platform, tmp_path: Path, department: sa.Engine) -> None:
    with pytest.raises(Denied, match="DOOR-MODE"):
        platform.door.load("lin", platform.grant(columns=["sex"]).id, into(department), tmp_path / "receipt.json")
    assert platform.last().record.event.value == "access:extract:denied"
    assert rows(department) == [("before",)]


@pytest.mark.parametrize("table", ["", "a b", "x;DROP TABLE people", '"people"', "1st", "people--", "x" * 41, "../people"])
def test_what_is_no_name_of_a_table_is_refused(table: str) -> None:
    with pytest.raises(Refused, match="DOOR-TABLE"):
        destination("sqlite://", table, {})


def test_a_secret_that_is_not_there_is_named_and_none_is_shown() -> None:
    with pytest.raises(Refused, match="SRC-SECRET"):
        destination("${NOT_THERE}", "people", {})
    assert "hidden" not in repr(destination("postgresql://user:hidden@host/db", "people", {}))
