"""Grants and accounts: terms checked all at once, changes recorded, roles kept apart."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from access.accounts import Role, create_account, ensure_operator, load_account
from access.grants import change_state, list_grants, load_grant
from access.terms import GrantState, RowScope
from audit.events import Event
from rules.errors import Denied, NotFound, Refused
from rules.tiers import Audience, Tier
from tests.access.conftest import NOW, Platform


def test_a_grant_is_kept_as_it_was_agreed_and_recorded(platform: Platform) -> None:
    scope = RowScope(areas=("440605",), equals={"sex": ("1",)})
    leaders = {"audience": Audience.LEADERS, "named": ["lin"], "masks": {"id_number": "encrypted_number"}}
    made = platform.grant(row_scope=scope, case_number="2026-17", **leaders)
    with platform.store.session() as session:
        assert load_grant(session, made.id) == made
        assert list_grants(session) == [made]
    body = platform.last().record.body
    assert platform.last().record.event is Event.GRANT_MADE
    assert (body["audience"], body["named"]) == ("leaders", ["lin"])
    assert body["masks"] == [{"column": "id_number", "mask": "encrypted_number"}]
    assert (body["grant"], body["filters"], body["case_number"]) == (made.id, [{"column": "sex", "values": ["1"]}], "2026-17")


@pytest.mark.parametrize(
    "wrong",
    [
        {"columns": []},
        {"columns": ["sex", "sex"]},
        {"columns": ["sex", "gone"]},
        {"purpose": " "},
        {"purpose": "查990605198001011234"},
        {"legal_basis": ""},
        {"valid_to": date(2025, 1, 1)},
        {"row_scope": RowScope(areas=("4406051",))},
        {"row_scope": RowScope(equals={"name": ("王小明",)})},
        {"row_scope": RowScope(equals={"marital_status": ("10",)})},
        {"target": "enterprises", "columns": ["record"], "row_scope": RowScope(areas=("440605",))},
        {"audience": Audience.PUBLIC, "columns": ["name"]},
        {"audience": Audience.LEADERS},
        {"audience": Audience.LEADERS, "named": ["he"]},
        {"named": ["lin"]},
        {"masks": {"name": "keep"}},
        {"columns": ["sex"], "masks": {"name": "pseudonym"}},
    ],
)
def test_faulty_terms_make_no_grant(platform: Platform, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="DOOR-TERMS"):
        platform.grant(**wrong)
    with platform.store.session() as session:
        assert list_grants(session) == []


def test_all_faults_of_the_terms_are_told_at_once(platform: Platform) -> None:
    with pytest.raises(Refused) as refused:
        platform.grant(columns=["gone", "away"], purpose="", legal_basis="")
    assert refused.value.what.count(";") == 3


def test_only_the_bureau_grants(platform: Platform) -> None:
    with pytest.raises(Denied):
        platform.grant(by="lin")


def test_an_unknown_department_or_target_gets_no_grant(platform: Platform) -> None:
    with pytest.raises(Refused, match="DOOR-DEPARTMENT"):
        platform.grant(grantee="nobody_knows")
    with pytest.raises(NotFound):
        platform.grant(target="nothing")


def test_a_grant_is_suspended_resumed_and_ended_for_good(platform: Platform) -> None:
    made = platform.grant()

    def change(state: GrantState) -> GrantState:
        return change_state(platform.store, platform.log, by="operator", grant_id=made.id, state=state, why="整改").state

    assert [change(GrantState.SUSPENDED), change(GrantState.ACTIVE), change(GrantState.ENDED)] == ["suspended", "active", "ended"]
    assert platform.events()[-3:] == ["grants:grant:suspended", "grants:grant:resumed", "grants:grant:ended"]
    for state in GrantState:
        with pytest.raises(Refused, match="DOOR-STATE"):
            change(state)


def test_the_operator_is_made_once(platform: Platform) -> None:
    assert ensure_operator(platform.store) == ensure_operator(platform.store, NOW)


@pytest.mark.parametrize("pair", [(Role.AUDITOR, Role.BUREAU_OPERATOR), (Role.AUDITOR, Role.SECURITY_ADMINISTRATOR), ()])
def test_the_three_officers_meet_in_no_account(platform: Platform, pair: tuple[Role, ...]) -> None:
    with pytest.raises(Refused, match="DOOR-ROLES"):
        create_account(platform.store, platform.log, by="operator", name="x", title="x", department=None, roles=pair, now=NOW)


def test_an_account_is_recorded_and_its_name_taken_once(platform: Platform) -> None:
    make: dict[str, Any] = {
        "by": "operator",
        "name": "chen",
        "title": "陈",
        "department": "tax",
        "roles": [Role.DEPARTMENT_HEAD],
        "now": NOW,
    }
    made = create_account(platform.store, platform.log, **make)
    assert platform.last().record.event is Event.ACCOUNT_CREATED
    with platform.store.session() as session:
        assert load_account(session, "chen") == made
    with pytest.raises(Refused, match="DOOR-ACCOUNT"):
        create_account(platform.store, platform.log, **make)
    with pytest.raises(Denied):
        create_account(platform.store, platform.log, **{**make, "by": "chen", "name": "li"})


def test_a_regraded_column_reaches_open_grants(platform: Platform, tmp_path: Any) -> None:
    """A source's column graded L4 makes the golden element L4: the next extract under an older grant masks it (G-01, L-24)."""
    import sqlalchemy as sa

    from catalog.schema import DatasetColumnRow
    from tests.access.conftest import in_order, read_parquet

    made = platform.grant(columns=["phone", "birth_date"], tier=Tier.T3)
    platform.door.extract("lin", made.id, tmp_path / "out", "parquet")
    assert in_order(platform, made, read_parquet(tmp_path / "out"))[0]["phone"] == "13800138001"
    with platform.store.session() as session, session.begin():
        session.execute(sa.update(DatasetColumnRow).where(DatasetColumnRow.element == "phone").values(level="L4"))
    platform.door.extract("lin", made.id, tmp_path / "out", "parquet")
    assert in_order(platform, made, read_parquet(tmp_path / "out"))[0]["phone"] == "138****8001"


def test_terms_that_a_change_of_the_policy_made_faulty_are_denied_and_not_answered(platform: Platform, tmp_path: Any) -> None:
    """An open grant filters on a readable column; the column is re-graded: the filter is refused, not evaluated on the mask."""
    import sqlalchemy as sa

    from catalog.schema import DatasetColumnRow

    made = platform.grant(target="hukou", columns=["record", "secret"], tier=Tier.T4)
    with platform.store.session() as session, session.begin():
        session.execute(sa.update(DatasetColumnRow).where(DatasetColumnRow.name == "secret").values(share="none"))
    with pytest.raises(Denied, match="secret"):
        platform.door.extract("lin", made.id, tmp_path / "out", "parquet")
    assert replace(made, state=GrantState.ACTIVE) == made
