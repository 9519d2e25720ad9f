"""Readers of the log: only an auditor reads it, and for a stated purpose (law.md A-02, A-07). Who is turned away leaves a record of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from access.accounts import Role, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from catalog.store import Store
from rules.errors import Denied, NotFound, Refused

WHOSE: Mapping[Role, str] = {
    Role.AUDITOR: "审计日志由审计员查阅 the log is read by auditors",
    Role.BUREAU_REGISTRAR: "告知书由登记员在窗口出具 statements are given by registrars at the counter",
}


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who looks into the log, and what for."""

    name: str
    purpose: str


def admit(store: Store, log: Log, reader: Reader, what: str, role: Role = Role.AUDITOR) -> None:
    """Denied DOOR-DENIED for anybody without the role; Refused OVS-PURPOSE where it is not said what for."""
    faults = reason_faults(reader.purpose, missing="未说明用途 no purpose")
    if not _has_role(store, reader.name, {role}):
        _turn_away(log, reader.name, what, "no_role")
        raise Denied("DOOR-DENIED", where=what, what=WHOSE[role])
    if faults:
        _turn_away(log, reader.name, what, "no_purpose")
        raise Refused("OVS-PURPOSE", what="; ".join(faults))


def admit_checker(store: Store, log: Log, name: str, what: str) -> None:
    """Whether the log is whole says nothing of what is in it: the operator may ask, too. Denied DOOR-DENIED for anybody else."""
    if not _has_role(store, name, {Role.AUDITOR, Role.BUREAU_OPERATOR}):
        _turn_away(log, name, what, "no_role")
        raise Denied("DOOR-DENIED", where=what, what="由审计员或操作员核对 checked by auditors and the operator")


def _has_role(store: Store, name: str, roles: set[Role]) -> bool:
    try:
        with store.session() as session:
            account = load_account(session, name)
    except NotFound:
        return False
    return account.active and bool(roles & account.roles)


def _turn_away(log: Log, name: str, what: str, why: str) -> None:
    with log_faults_translated():
        log.append_sealed(Event.LOG_REFUSED, {"actor": name, "what": what, "why": why})
