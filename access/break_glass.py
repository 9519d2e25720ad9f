"""Break-glass (紧急调用): data now, the question afterwards. For an hour, under terms of its own, told to the owner at once.

Who breaks the glass gets a grant that nobody was asked for: for himself alone, over one target, until the minute it ends. Somebody else, of
the department whose data it is or of the bureau, owes a review; until it is done nobody of the same department breaks the glass again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, load_account
from access.grants import add_grant, faults_of
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from access.targets import Target, load_target
from access.terms import Grant, GrantState, Mode, RowScope
from audit.events import Event
from audit.log import Log
from catalog.lake import Lake
from catalog.schema import DatasetRow, EmergencyRow
from catalog.snapshots import CHINA
from catalog.store import Store, serialise
from rules.errors import Denied, NotFound, Refused
from rules.tiers import Audience, Tier, load_tier_policy

EMERGENCY_LASTS = timedelta(minutes=60)
SHORTEST_REASON_CHARACTERS = 10
MAY_BREAK = frozenset({Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD})
MAY_REVIEW_FOR_OWNER = frozenset({Role.DEPARTMENT_HEAD})
MAY_REVIEW_FOR_BUREAU = frozenset({Role.BUREAU_APPROVER, Role.SECURITY_ADMINISTRATOR})
BASIS = "《个人信息保护法》第十三条第一款第四项 紧急情况"
"""PIPL 13(4): to protect life, health and property in an emergency."""


@dataclass(frozen=True, kw_only=True)
class Emergency:
    """One broken glass. `owner` is the department whose data it is about, None the bureau."""

    id: int
    grant: int
    account: str
    department: str
    owner: str | None
    reason: str
    opened_at: datetime
    ends_at: datetime
    reviewed_by: str | None
    justified: bool | None


def break_glass(
    store: Store,
    lake: Lake,
    log: Log,
    *,
    by: str,
    target: str,
    columns: Sequence[str],
    reason: str,
    now: datetime,
    mode: Mode = Mode.LOOKUP,
    tier: Tier = Tier.T3,
    row_scope: RowScope | None = None,
) -> Emergency:
    """Open an emergency. Denied GLASS-OWED while a review is owed, DOOR-DENIED for whom it is not; Refused GLASS-TERMS with all faults."""
    try:
        with store.session() as session, session.begin():
            account = _breaker(session, by)
            serialise(session, f"emergency {account.department}")
            _owes_nothing(session, account)
            found = load_target(session, lake, target)
            terms = _terms(account, found, columns, mode, tier, row_scope or RowScope(), reason, now)
            if faults := _faults(terms, found, account, reason):
                raise Refused("GLASS-TERMS", where=target, what="; ".join(faults))
            return _open(session, log, add_grant(session, log, terms, by=by, now=now, target=found), account, reason, now)
    except (Denied, Refused) as fault:
        with log_faults_translated():
            log.append_sealed(Event.EMERGENCY_REFUSED, {"actor": by, "why": fault.code})
        raise


def review_emergency(store: Store, log: Log, *, by: str, emergency: int, justified: bool, finding: str, now: datetime) -> Emergency:
    """The review that is owed: by the owner's head, or the bureau's approver or security administrator, never by the same department."""
    with store.session() as session, session.begin():
        row = session.get(EmergencyRow, emergency, populate_existing=True)
        _may_review(load_account(session, by), row)
        if row is None:
            raise NotFound("GLASS-NONE", where=str(emergency))
        if faults := reason_faults(finding, missing="未说明复核意见 no finding"):
            raise Refused("GLASS-TERMS", where=str(emergency), what="; ".join(faults))
        if row.reviewed_at is not None:
            raise Refused("GLASS-STATE", where=str(emergency))
        row.reviewed_by, row.reviewed_at, row.justified, row.finding = by, now, justified, finding
        session.flush()
        body = {"actor": by, "emergency": row.id, "grant": row.grant_id, "justified": justified, "finding": finding}
        with log_faults_translated():
            log.append_sealed(Event.EMERGENCY_REVIEWED, body)
        return _emergency(row)


def emergencies_told(session: Session, account: Account) -> list[Emergency]:
    """The emergencies that an account is told of, newest first: those about its department's data or by its department; the bureau: all."""
    query = sa.select(EmergencyRow).order_by(EmergencyRow.id.desc())
    if not account.active:
        return []
    if account.department is not None:
        query = query.where(sa.or_(EmergencyRow.owner_key == account.department, EmergencyRow.department_key == account.department))
    return [_emergency(row) for row in session.scalars(query)]


def _breaker(session: Session, by: str) -> Account:
    account = load_account(session, by)
    if not account.active or account.department is None or not account.roles & MAY_BREAK:
        raise Denied("DOOR-DENIED", where=by, what="紧急调用须由部门经办或负责人 a department's clerk or head breaks the glass")
    return account


def _owes_nothing(session: Session, account: Account) -> None:
    owed = session.scalar(
        sa.select(sa.func.min(EmergencyRow.id)).where(EmergencyRow.department_key == account.department, EmergencyRow.reviewed_at.is_(None))
    )
    if owed is not None:
        raise Denied("GLASS-OWED", where=str(owed))


def _terms(
    account: Account, target: Target, columns: Sequence[str], mode: Mode, tier: Tier, row_scope: RowScope, reason: str, now: datetime
) -> Grant:
    assert account.department is not None
    ends_at = now + EMERGENCY_LASTS
    return Grant(
        id=0,
        grantee=account.department,
        target=target.key,
        columns=tuple(columns),
        row_scope=row_scope,
        tier=tier,
        purpose=reason,
        legal_basis=BASIS,
        case_number="",
        valid_from=now.astimezone(CHINA).date(),
        valid_to=ends_at.astimezone(CHINA).date(),
        state=GrantState.ACTIVE,
        mode=mode,
        responsible=account.name,
        audience=Audience.LEADERS,
        named=(account.name,),
        ends_at=ends_at,
    )


def _faults(terms: Grant, target: Target, account: Account, reason: str) -> list[str]:
    short = f"理由少于 {SHORTEST_REASON_CHARACTERS} 字 the reason has fewer than {SHORTEST_REASON_CHARACTERS} characters"
    told = [short] if len(reason.strip()) < SHORTEST_REASON_CHARACTERS else []
    return told + reason_faults(reason) + faults_of(terms, target, account, load_tier_policy())


def _open(session: Session, log: Log, grant: Grant, account: Account, reason: str, now: datetime) -> Emergency:
    owner = session.scalar(sa.select(DatasetRow.department_key).where(DatasetRow.key == grant.target))
    row = EmergencyRow(
        grant_id=grant.id,
        account=account.name,
        department_key=grant.grantee,
        owner_key=owner,
        reason=reason,
        opened_at=now,
        ends_at=grant.ends_at,
        finding="",
    )
    session.add(row)
    session.flush()
    body = {"actor": account.name, "emergency": row.id, "grant": grant.id, "told": owner, "why": reason, "ends_at": row.ends_at.isoformat()}
    with log_faults_translated():
        log.append_sealed(Event.EMERGENCY_OPENED, body)
    return _emergency(row)


def _may_review(account: Account, row: EmergencyRow | None) -> None:
    """A department that may not know of an emergency is told the same whether there is one or not."""
    owner = row is not None and row.owner_key is not None and account.department == row.owner_key
    own = row is not None and account.department == row.department_key
    for_owner = owner and bool(account.roles & MAY_REVIEW_FOR_OWNER)
    for_bureau = account.department is None and bool(account.roles & MAY_REVIEW_FOR_BUREAU)
    if not account.active or own or not (for_owner or for_bureau):
        raise Denied("DOOR-DENIED", where=account.name, what="须由数据提供部门负责人或统筹局复核 the owner's head or the bureau reviews")


def _emergency(row: EmergencyRow) -> Emergency:
    return Emergency(
        id=row.id,
        grant=row.grant_id,
        account=row.account,
        department=row.department_key,
        owner=row.owner_key,
        reason=row.reason,
        opened_at=row.opened_at,
        ends_at=row.ends_at,
        reviewed_by=row.reviewed_by,
        justified=row.justified,
    )
