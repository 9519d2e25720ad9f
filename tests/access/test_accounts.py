"""Changes of accounts: by the bureau, never one's own, with a reason, recorded; and what never meets in one hand."""

from typing import Any

import pytest

from access.accounts import BUREAU_ONLY, THREE_OFFICERS, Account, Role, change_roles, close_account, create_account, load_account
from audit.events import Event
from rules.errors import Denied, Refused
from tests.access.conftest import NOW, Platform


def change(platform: Platform, *roles: Role, **changes: Any) -> Account:
    return change_roles(
        platform.store, platform.log, **{"by": "operator", "account": "lin", "roles": roles, "why": "任职", "now": NOW, **changes}
    )


def account(platform: Platform, name: str) -> Account:
    with platform.store.session() as session:
        return load_account(session, name)


def test_a_change_of_roles_is_recorded_with_who_and_why(platform: Platform) -> None:
    assert change(platform, Role.DEPARTMENT_HEAD, Role.GRID_WORKER).roles == {Role.DEPARTMENT_HEAD, Role.GRID_WORKER}
    granted, revoked = list(platform.log.entries())[-2:]
    assert (granted.record.event, revoked.record.event) == (Event.ROLE_GRANTED, Event.ROLE_REVOKED)
    assert granted.record.body == {"actor": "operator", "account": "lin", "roles": ["department_head", "grid_worker"], "why": "任职"}
    assert revoked.record.body["roles"] == ["department_requester"]


@pytest.mark.parametrize("held", sorted(THREE_OFFICERS))
@pytest.mark.parametrize("added", sorted(THREE_OFFICERS))
def test_the_three_officers_do_not_meet_through_a_change_either(platform: Platform, held: Role, added: Role) -> None:
    create_account(platform.store, platform.log, by="operator", name="wei", title="x", department=None, roles=[held], now=NOW)
    if held is added:
        return
    with pytest.raises(Refused, match="DOOR-ROLES"):
        change(platform, held, added, account="wei")
    assert account(platform, "wei").roles == {held}


@pytest.mark.parametrize("role", sorted(BUREAU_ONLY))
def test_no_account_of_a_department_answers_for_the_bureau(platform: Platform, role: Role) -> None:
    """Or one hand could ask for the department and approve for the bureau."""
    with pytest.raises(Refused, match="DOOR-ROLES"):
        change(platform, Role.DEPARTMENT_REQUESTER, role)
    with pytest.raises(Refused, match="DOOR-ROLES"):
        create_account(platform.store, platform.log, by="operator", name="x", title="x", department="health", roles=[role], now=NOW)


@pytest.mark.parametrize("by", ["lin", "auditor", "operator"])
def test_nobody_changes_or_closes_his_own_account_and_only_the_bureau_others(platform: Platform, by: str) -> None:
    mine = by if by == "operator" else "he"
    size = platform.log.size()
    with pytest.raises(Denied, match="DOOR-DENIED"):
        change(platform, Role.BUREAU_APPROVER, by=by, account=mine)
    with pytest.raises(Denied, match="DOOR-DENIED"):
        close_account(platform.store, platform.log, by=by, account=mine, why="调离")
    assert platform.log.size() == size and account(platform, mine).active


def test_a_change_needs_a_reason_and_must_change_something(platform: Platform) -> None:
    with pytest.raises(Refused, match="DOOR-ROLES-CHANGE") as refused:
        change(platform, Role.DEPARTMENT_REQUESTER, why="")
    assert refused.value.what.count(";") == 1
    with pytest.raises(Refused, match="DOOR-ROLES"):
        change(platform)


def test_a_closed_account_may_do_nothing_and_is_closed_once(platform: Platform) -> None:
    create_account(
        platform.store, platform.log, by="operator", name="wei", title="x", department=None, roles=[Role.SECURITY_ADMINISTRATOR], now=NOW
    )
    closed = close_account(platform.store, platform.log, by="operator", account="wei", why="调离")
    assert not closed.active and platform.last().record.body == {"actor": "operator", "account": "wei", "why": "调离"}
    with pytest.raises(Denied, match="DOOR-DENIED"):
        change(platform, Role.DEPARTMENT_HEAD, by="wei")
    with pytest.raises(Refused, match="DOOR-ROLES-CHANGE"):
        close_account(platform.store, platform.log, by="operator", account="wei", why="调离")
