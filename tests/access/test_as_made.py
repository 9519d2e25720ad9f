"""A grant that was edited in the database is found when it is used, each of its terms, and is never answered."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from access.as_made import MadeTerms
from access.auditing import compare_grants
from access.grants import change_state, load_grant
from access.terms import Grant, GrantState
from audit.events import Event
from catalog.schema import DataGrantRow
from rules.errors import IntegrityBroken
from tests.access.conftest import Platform

EDITS: dict[str, Any] = {
    "grantee_key": "health",
    "target": "hukou",
    "columns": ["name", "phone", "religion"],
    "row_scope": {"areas": [], "equals": {}},
    "tier": "T4",
    "purpose": "另有用途",
    "legal_basis": "另有依据",
    "case_number": "2026-99",
    "mode": "table",
    "quotas": {"extracts": 99},
    "conditions": ["x"],
    "responsible": "he",
    "valid_from": "2020-01-01",
    "valid_to": "2036-12-31",
    "audience": "public",
    "named": ["he"],
    "masks": {"name": "suppress"},
    "ends_at": "2036-01-01 00:00:00",
    "disputed": "leave_out",
}
NOT_EDITED = {"id", "request_id", "state", "change", "granted_by", "granted_at", "made_seq"}


def edit(platform: Platform, grant: Grant, column: str, value: Any) -> None:
    text = json.dumps(value) if isinstance(value, list | dict) else value
    with platform.store.engine.begin() as connection:
        cast = {"valid_from": "date", "valid_to": "date", "ends_at": "timestamp with time zone"}.get(column)
        cast = cast or ("json" if isinstance(value, list | dict) else "text")
        place = ":value" if platform.store.is_sqlite else f"CAST(:value AS {cast})"
        connection.execute(sa.text(f"UPDATE data_grant SET {column} = {place} WHERE id = :id"), {"value": text, "id": grant.id})


def found(platform: Platform, grant: Grant) -> None:
    with platform.store.session() as session:
        edited = load_grant(session, grant.id)
    assert edited is not None
    MadeTerms(platform.log).require(edited)


@pytest.mark.parametrize("column", EDITS)
def test_each_term_that_is_edited_is_found(platform: Platform, column: str) -> None:
    grant = platform.scoped("440605")
    found(platform, grant)
    edit(platform, grant, column, EDITS[column])
    with pytest.raises(IntegrityBroken, match="DOOR-EDITED"):
        found(platform, grant)
    assert platform.last().record.event is Event.GRANT_FOUND_EDITED


def test_no_term_is_left_out() -> None:
    """A new column of a grant is either a term, and then its edit is found, or stands among those that may change."""
    assert {column.name for column in DataGrantRow.__table__.columns} - NOT_EDITED == set(EDITS)


@pytest.mark.parametrize("seq", [None, 0, 10_000])
def test_pointing_at_another_record_does_not_help(platform: Platform, seq: int | None) -> None:
    grant = platform.scoped("440605")
    edit(platform, grant, "tier", "T4")
    with platform.store.session() as session, session.begin():
        session.get_one(DataGrantRow, grant.id).made_seq = seq
    with pytest.raises(IntegrityBroken, match="DOOR-EDITED"):
        found(platform, grant)


def test_pointing_at_the_record_of_a_wider_grant_does_not_help(platform: Platform) -> None:
    grant, wider = platform.scoped("440605"), platform.grant()
    with platform.store.session() as session, session.begin():
        row, other = session.get_one(DataGrantRow, grant.id), session.get_one(DataGrantRow, wider.id)
        row.made_seq, row.row_scope = other.made_seq, other.row_scope
    with pytest.raises(IntegrityBroken, match="DOOR-EDITED"):
        found(platform, grant)


def test_a_grant_made_before_its_record_was_named_is_looked_for_in_the_log(platform: Platform) -> None:
    grant = platform.grant()
    with platform.store.session() as session, session.begin():
        session.get_one(DataGrantRow, grant.id).made_seq = None
    found(platform, grant)


def test_a_grant_put_into_the_database_is_none(platform: Platform, tmp_path: Path) -> None:
    grant = platform.grant()
    with platform.store.session() as session, session.begin():
        row = session.get_one(DataGrantRow, grant.id)
        columns = {
            column.name: getattr(row, column.name) for column in DataGrantRow.__table__.columns if column.name not in ("id", "change")
        }
        forged = DataGrantRow(**columns)
        session.add(forged)
        session.flush()
        number = forged.id
    with pytest.raises(IntegrityBroken, match="DOOR-EDITED"):
        platform.door.extract("lin", number, tmp_path / "x.csv", "csv")
    assert not (tmp_path / "x.csv").exists()


def test_a_state_that_was_set_by_hand_is_found_beside_the_log(platform: Platform) -> None:
    kept, resumed, ended = (platform.grant() for _ in range(3))

    def differences() -> dict[int, tuple[str, ...]]:
        return {one.grant: one.terms for one in compare_grants(platform.store, platform.log, "operator")}

    for state in (GrantState.SUSPENDED, GrantState.ACTIVE, GrantState.SUSPENDED):
        change_state(platform.store, platform.log, by="operator", grant_id=resumed.id, state=state, why="核实")
    change_state(platform.store, platform.log, by="operator", grant_id=ended.id, state=GrantState.ENDED, why="用毕")
    assert differences() == {}
    edit(platform, resumed, "state", "active")
    edit(platform, ended, "state", "active")
    edit(platform, ended, "tier", "T4")
    assert differences() == {resumed.id: ("state",), ended.id: ("state", "tier")}
    assert platform.last().record.body["differing"] == [resumed.id, ended.id]
    assert kept.state is GrantState.ACTIVE
