"""Attack: approve one's own request through a second role, given at the start or in between (law.md L-02, TX-08)."""

import pytest

from access.accounts import Role, change_roles, create_account
from rules.errors import Refused
from tests.beginnings import SQLITE
from tests.casework.requests.conftest import CLERK, DAY, HEAD, Desk, desk, platform

__all__ = ["desk", "platform"]


@pytest.fixture
def database() -> str:
    """On SQLite, as all attacks."""
    return SQLITE


def promote(desk: Desk, *roles: Role) -> None:
    p = desk.platform
    change_roles(p.store, p.log, by="operator", account=CLERK, roles=roles, why="任职", now=DAY)


def test_who_asked_and_was_made_head_since_does_not_approve(desk: Desk) -> None:
    number = desk.draft()
    desk.do("submit", number)
    promote(desk, Role.DEPARTMENT_HEAD)
    desk.refused("REQ-SECOND", lambda: desk.do("approve", number, by=CLERK), number)
    desk.do("approve", number, by=HEAD)


def test_who_asked_does_not_approve_with_both_roles_at_once(desk: Desk) -> None:
    promote(desk, Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD)
    number = desk.draft()
    desk.do("submit", number)
    desk.refused("REQ-SECOND", lambda: desk.do("approve", number, by=CLERK), number)


def test_who_asked_comes_to_no_role_of_the_bureau(desk: Desk) -> None:
    p = desk.platform
    for role in (Role.BUREAU_APPROVER, Role.BUREAU_OPERATOR, Role.BUREAU_REGISTRAR):
        with pytest.raises(Refused, match="DOOR-ROLES"):
            promote(desk, Role.DEPARTMENT_REQUESTER, role)
        with pytest.raises(Refused, match="DOOR-ROLES"):
            create_account(p.store, p.log, by="operator", name=f"x{role}", title="x", department="civil_affairs", roles=[role], now=DAY)


def test_the_bureau_s_approver_does_not_approve_for_the_department(desk: Desk) -> None:
    number = desk.draft()
    desk.do("submit", number)
    desk.refused("REQ-PARTY", lambda: desk.do("approve", number, by="approver"), number)
