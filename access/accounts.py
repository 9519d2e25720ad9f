"""Accounts (账号): personal ones, the roles they hold, and which roles never meet in one hand (三员分立, law.md A-02, A-04)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from catalog.schema import AccountRow, DepartmentRow, RoleGrantRow
from catalog.store import Store
from rules.departments import load_departments
from rules.errors import Denied, NotFound, Refused

OPERATOR_NAME = "operator"
PLATFORM_NAME = "platform"


class Role(StrEnum):
    """What an account may do at all; a grant says to which data."""

    BUREAU_OPERATOR = "bureau_operator"
    BUREAU_REGISTRAR = "bureau_registrar"
    BUREAU_APPROVER = "bureau_approver"
    STEWARD = "steward"
    DEPARTMENT_REQUESTER = "department_requester"
    DEPARTMENT_HEAD = "department_head"
    GRID_WORKER = "grid_worker"
    AUDITOR = "auditor"
    SECURITY_ADMINISTRATOR = "security_administrator"


THREE_OFFICERS = frozenset({Role.BUREAU_OPERATOR, Role.AUDITOR, Role.SECURITY_ADMINISTRATOR})
"""System, audit and security: no account holds two of these."""


BUREAU_ONLY = THREE_OFFICERS | {Role.BUREAU_REGISTRAR, Role.BUREAU_APPROVER}
"""Held by no account of a department: nobody asks for a department and answers for the bureau."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who asks. `department` is None for the bureau's own people."""

    name: str
    department: str | None
    roles: frozenset[Role]
    active: bool


ACCOUNT_MAKERS = frozenset({Role.BUREAU_OPERATOR, Role.SECURITY_ADMINISTRATOR})


def create_account(
    store: Store, log: Log, *, by: str, name: str, title: str, department: str | None, roles: Collection[Role], now: datetime
) -> Account:
    """Make an account; recorded before it exists. Refused DOOR-ACCOUNT if the name is taken, DOOR-ROLES if the roles may not meet."""
    _check_roles(name, department, roles)
    with store.session() as session, session.begin(), log_faults_translated():
        account_maker(session, by)
        if session.get(AccountRow, name):
            raise Refused("DOOR-ACCOUNT", where=name)
        account = _insert(session, name, title, department, roles, now)
        body = {"actor": by, "account": name, "department": department, "roles": sorted(roles)}
        log.append_sealed(Event.ACCOUNT_CREATED, body)
    return account


def change_roles(store: Store, log: Log, *, by: str, account: str, roles: Collection[Role], why: str, now: datetime) -> Account:
    """Give an account these roles and no others, in effect from its next question.

    Denied DOOR-DENIED where `by` may not, or for one's own account; Refused DOOR-ROLES where they may not meet, DOOR-ROLES-CHANGE else.
    """
    with store.session() as session, session.begin():
        _may_change(session, by, account)
        held = load_account(session, account)
        _check_roles(account, held.department, roles)
        faults = reason_faults(why) + (["角色未变 the roles stay the same"] if held.roles == set(roles) else [])
        if faults:
            raise Refused("DOOR-ROLES-CHANGE", where=account, what="; ".join(faults))
        added, removed = set(roles) - held.roles, held.roles - set(roles)
        session.execute(sa.delete(RoleGrantRow).where(RoleGrantRow.account == account, RoleGrantRow.role.in_(removed)))
        session.add_all(RoleGrantRow(account=account, role=role.value, granted_by=by, granted_at=now) for role in sorted(added))
        session.flush()
        with log_faults_translated():
            for event, changed in ((Event.ROLE_GRANTED, added), (Event.ROLE_REVOKED, removed)):
                if changed:
                    log.append_sealed(event, {"actor": by, "account": account, "roles": sorted(changed), "why": why})
        return load_account(session, account)


def close_account(store: Store, log: Log, *, by: str, account: str, why: str) -> Account:
    """End an account for good: its sessions and keys are refused from the next call, for both ask whether it is open."""
    with store.session() as session, session.begin():
        _may_change(session, by, account)
        held = load_account(session, account)
        faults = reason_faults(why) + ([] if held.active else ["账号已停用 it is closed already"])
        if faults:
            raise Refused("DOOR-ROLES-CHANGE", where=account, what="; ".join(faults))
        session.get_one(AccountRow, account).active = False
        session.flush()
        with log_faults_translated():
            log.append_sealed(Event.ACCOUNT_CLOSED, {"actor": by, "account": account, "why": why})
        return load_account(session, account)


def ensure_operator(store: Store, now: datetime | None = None) -> Account:
    """The bureau's operator account that comes with the platform; made if it is not there. Safe to repeat."""
    with store.session() as session, session.begin():
        if not session.get(AccountRow, OPERATOR_NAME):
            _insert(session, OPERATOR_NAME, "统筹局操作员 Bureau operator", None, [Role.BUREAU_OPERATOR], now or datetime.now(UTC))
        return load_account(session, OPERATOR_NAME)


def ensure_platform(store: Store, now: datetime) -> Account:
    """The account under which the platform itself does what is due by a date; it has no secret. Safe to repeat."""
    with store.session() as session, session.begin():
        if not session.get(AccountRow, PLATFORM_NAME):
            _insert(session, PLATFORM_NAME, "平台自动办理 The platform itself", None, [Role.BUREAU_OPERATOR], now)
        return load_account(session, PLATFORM_NAME)


def load_account(session: Session, name: str) -> Account:
    """NotFound DOOR-NO-ACCOUNT if there is none of that name."""
    row = session.get(AccountRow, name)
    if row is None:
        raise NotFound("DOOR-NO-ACCOUNT", where=name)
    roles = session.scalars(sa.select(RoleGrantRow.role).where(RoleGrantRow.account == name))
    return Account(name=row.name, department=row.department_key, roles=frozenset(Role(role) for role in roles), active=row.active)


def account_maker(session: Session, name: str) -> Account:
    """The account of one who may make and end accounts and keys. Denied DOOR-DENIED for anybody else."""
    maker = load_account(session, name)
    if not maker.active or not maker.roles & ACCOUNT_MAKERS:
        raise Denied("DOOR-DENIED", where=name, what="账号由统筹局建立 accounts are made by the bureau")
    return maker


def ensure_department(session: Session, key: str, now: datetime) -> None:
    """A department that asks need not provide anything: make its row if it is one we know. Refused DOOR-DEPARTMENT otherwise."""
    if session.get(DepartmentRow, key):
        return
    known = load_departments().get(key)
    if known is None:
        raise Refused("DOOR-DEPARTMENT", where=key)
    session.add(DepartmentRow(key=key, title=known.title, created_at=now))
    session.flush()


def _may_change(session: Session, by: str, account: str) -> None:
    account_maker(session, by)
    if by == account:
        raise Denied("DOOR-DENIED", where=by, what="不得变更自己的账号 nobody changes his own account")


def _check_roles(name: str, department: str | None, roles: Collection[Role]) -> None:
    of_bureau = bool(BUREAU_ONLY & set(roles))
    if not roles or len(THREE_OFFICERS & set(roles)) > 1 or (of_bureau and department is not None):
        raise Refused("DOOR-ROLES", where=name, what=", ".join(sorted(roles)))


def _insert(session: Session, name: str, title: str, department: str | None, roles: Collection[Role], now: datetime) -> Account:
    if department is not None:
        ensure_department(session, department, now)
    session.add(AccountRow(name=name, title=title, department_key=department, active=True, created_at=now))
    session.flush()
    session.add_all(RoleGrantRow(account=name, role=role.value, granted_at=now) for role in sorted(roles))
    session.flush()
    return Account(name=name, department=department, roles=frozenset(roles), active=True)
