"""Grants (授权) in the store: made, read, suspended, ended (law.md L-14, L-23, L-27). Each change is a record of the log first.

The terms of a grant never change: wider terms are a new grant.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, ensure_department, load_account
from access.acts import Act
from access.grading import grading_of, keep_grading
from access.log_faults import log_faults_translated
from access.objections import column_objections
from access.questions import Question
from access.targets import Target, load_target, plan_of
from access.terms import FORMS, Disputed, Grant, GrantState, Mode, Quota, RowScope, malformed_areas
from audit.events import Event
from audit.log import Log
from audit.records import names_a_person
from catalog.lake import Lake
from catalog.schema import NEXT_GRANT_CHANGE, AccountRow, DataGrantRow
from catalog.store import Store, serialise
from masking.plan import plan_warnings
from rules.errors import Denied, Refused
from rules.tiers import Audience, Tier, TierPolicy, load_tier_policy

CHANGING = "grants"
"""What is done one transaction at a time, so that changes are numbered in the order in which they can be seen."""

GRANTING_ROLES = frozenset({Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER})
CHANGES: Mapping[GrantState, tuple[frozenset[GrantState], Event]] = {
    GrantState.SUSPENDED: (frozenset({GrantState.ACTIVE}), Event.GRANT_SUSPENDED),
    GrantState.ACTIVE: (frozenset({GrantState.SUSPENDED}), Event.GRANT_RESUMED),
    GrantState.ENDED: (frozenset({GrantState.ACTIVE, GrantState.SUSPENDED}), Event.GRANT_ENDED),
}
"""To a state: from which states, and the event that records it."""


def grant(
    store: Store,
    lake: Lake,
    log: Log,
    *,
    by: str,
    grantee: str,
    target: str,
    columns: Sequence[str],
    tier: Tier,
    purpose: str,
    legal_basis: str,
    valid_from: date,
    valid_to: date,
    now: datetime,
    row_scope: RowScope | None = None,
    case_number: str = "",
    audience: Audience = Audience.DEPARTMENT,
    named: Sequence[str] = (),
    masks: Mapping[str, str] | None = None,
    disputed: Disputed = Disputed.KEEP,
    mode: Mode = Mode.FILE,
    quotas: Mapping[Quota, int] | None = None,
) -> Grant:
    """Make a grant. Refused DOOR-TERMS names every fault of the terms at once; Denied DOOR-DENIED if `by` may not grant."""
    terms = Grant(
        id=0,
        grantee=grantee,
        target=target,
        columns=tuple(columns),
        row_scope=row_scope or RowScope(),
        tier=tier,
        purpose=purpose,
        legal_basis=legal_basis,
        case_number=case_number,
        valid_from=valid_from,
        valid_to=valid_to,
        state=GrantState.ACTIVE,
        audience=audience,
        named=tuple(named),
        masks=dict(masks or {}),
        disputed=disputed,
        mode=mode,
        quotas=quotas or {},
    )
    with store.session() as session, session.begin():
        account = _may_grant(session, by)
        found = load_target(session, lake, target)
        faults = faults_of(terms, found, account, load_tier_policy()) + faults_of_named(session, terms)
        if faults:
            raise Refused("DOOR-TERMS", where=target, what="; ".join(faults))
        ensure_department(session, grantee, now)
        return add_grant(session, log, terms, by=by, now=now, target=found)


def add_grant(session: Session, log: Log, terms: Grant, *, by: str, now: datetime, target: Target | None = None) -> Grant:
    """Keep terms that were checked and agreed to as a grant. Whoever calls it has seen to it that `by` may.

    `target`: as it stood when it was agreed to, so that a later re-grading is seen against it; None where there is no data yet.
    """
    serialise(session, CHANGING)
    row = _row(terms, by, now)
    session.add(row)
    session.flush()
    with log_faults_translated():
        row.made_seq = log.append_sealed(Event.GRANT_MADE, {"actor": by, "grant": row.id, **recorded_terms(terms)}).seq
    session.flush()
    made = _grant(row)
    if target is not None:
        policy = load_tier_policy()
        keep_grading(session, made, grading_of(made, target, policy), now, policy.version)
    return made


def grant_warnings(terms: Grant, target: Target, policy: TierPolicy) -> list[str]:
    """What the approver should know before making this grant."""
    return plan_warnings([target.columns[name].facts for name in terms.columns], plan_of(terms, target, policy))


def open_grants(session: Session) -> list[Grant]:
    """Grants that have not ended, oldest first."""
    rows = session.scalars(sa.select(DataGrantRow).where(DataGrantRow.state != GrantState.ENDED).order_by(DataGrantRow.id))
    return [_grant(row) for row in rows]


def load_grant(session: Session, grant_id: int) -> Grant | None:
    row = session.get(DataGrantRow, grant_id)
    return None if row is None else _grant(row)


def list_grants(session: Session) -> list[Grant]:
    """All grants, oldest first."""
    return [_grant(row) for row in session.scalars(sa.select(DataGrantRow).order_by(DataGrantRow.id))]


def newest_change(session: Session) -> int:
    """The number of the last change to any grant; 0 before the first grant."""
    return session.scalar(sa.select(sa.func.max(DataGrantRow.change))) or 0


def grants_changed_since(session: Session, change: int) -> list[Grant]:
    """Grants made or changed after a change."""
    return [_grant(row) for row in session.scalars(sa.select(DataGrantRow).where(DataGrantRow.change > change).order_by(DataGrantRow.id))]


def change_state(store: Store, log: Log, *, by: str, grant_id: int, state: GrantState, why: str) -> Grant:
    """Suspend, resume or end a grant that the bureau made directly, in effect from the next look at it.

    Refused DOOR-STATE where it cannot pass into that state, DOOR-REQUESTED where it came from a request, which is then what to act on.
    """
    with store.session() as session, session.begin():
        _may_grant(session, by)
        row = session.get(DataGrantRow, grant_id)
        if row is not None and row.request_id is not None:
            raise Refused("DOOR-REQUESTED", where=str(grant_id), what=str(row.request_id))
        return set_state(session, log, by=by, grant_id=grant_id, state=state, why=why)


def set_state(session: Session, log: Log, *, by: str, grant_id: int, state: GrantState, why: str) -> Grant:
    """Bring a grant into a state. Whoever calls it has seen to it that `by` may. Refused DOOR-STATE."""
    allowed_from, event = CHANGES[state]
    serialise(session, CHANGING)
    row = session.get(DataGrantRow, grant_id, populate_existing=True)
    if row is None or GrantState(row.state) not in allowed_from:
        raise Refused("DOOR-STATE", where=str(grant_id), what=state.value)
    row.state, row.change = state.value, NEXT_GRANT_CHANGE
    session.flush()
    with log_faults_translated():
        log.append_sealed(event, {"actor": by, "grant": grant_id, "why": why})
    return _grant(row)


def faults_of(terms: Grant, target: Target, account: Account, policy: TierPolicy) -> list[str]:
    """Everything that is wrong with the terms, with column names and no values."""
    question = Question(
        act=Act.EXTRACT, account=account, purpose=terms.purpose, today=terms.valid_from, policy=policy, grant=terms, target=target
    )
    scope = terms.row_scope
    checks = {
        "未列数据项 no columns": not terms.columns,
        "脱敏方法所列数据项不在授权内 a mask is named for a column that is not granted": not set(terms.masks) <= set(terms.columns),
        "数据项重复 a column stands twice": len(set(terms.columns)) < len(terms.columns),
        "未说明用途 no purpose": not terms.purpose.strip(),
        "未说明依据 no legal basis": not terms.legal_basis.strip(),
        "用途、依据或办件号含有证件号或手机号 purpose, basis or case names a person's number": _names_person(terms),
        "止期早于起期 the end lies before the beginning": terms.valid_to < terms.valid_from,
        "区域代码应为 6、9、12 或 15 位 an area code has 6, 9, 12 or 15 digits": bool(malformed_areas(terms.row_scope)),
        "回流数据只给持有该数据集的部门 returned values go to the department that holds the data set only": target.returns_to
        not in (None, terms.grantee),
        f"共享方式与开放层级不符 mode {terms.mode} and tier {terms.tier} do not fit": policy.tiers[terms.tier].answer
        not in FORMS[terms.mode],
        "限额应为正整数 a quota is a whole number from 1": any(number < 1 for number in terms.quotas.values()),
        "目标数据没有证件号 the target has no number for a list of clients": scope.clients is not None and not target.has_numbers,
        "目标数据没有所属区域 the target has no area": bool(terms.row_scope.areas) and target.area_column is None,
    }
    columns = [f"{column}: {reason.value}" for column, reasons in column_objections(question).items() for reason in reasons]
    return [fault for fault, wrong in checks.items() if wrong] + columns


def faults_of_named(session: Session, terms: Grant) -> list[str]:
    """Leaders are named, each with an account of the grantee's; nobody is named for a wider audience."""
    own = sa.select(AccountRow.name).where(AccountRow.name.in_(terms.named), AccountRow.department_key == terms.grantee, AccountRow.active)
    leaders = terms.audience is Audience.LEADERS
    checks = {
        "指定领导须列明账号 a grant for named leaders names them": leaders and not terms.named,
        "列名仅用于指定领导 names are for named leaders only": not leaders and bool(terms.named),
        "所列账号须为需求部门在用账号 a named account is an open one of the grantee": set(session.scalars(own)) != set(terms.named),
    }
    return [fault for fault, wrong in checks.items() if wrong]


def _names_person(terms: Grant) -> bool:
    return any(names_a_person(text) for text in (terms.purpose, terms.legal_basis, terms.case_number))


def _may_grant(session: Session, name: str) -> Account:
    account = load_account(session, name)
    if not account.active or not account.roles & GRANTING_ROLES:
        raise Denied("DOOR-DENIED", where=name, what="授权须由统筹局审批 grants are made by the bureau")
    return account


def _row(terms: Grant, by: str, now: datetime) -> DataGrantRow:
    return DataGrantRow(
        grantee_key=terms.grantee,
        target=terms.target,
        columns=list(terms.columns),
        row_scope=terms.row_scope.as_json(),
        tier=terms.tier.value,
        purpose=terms.purpose,
        legal_basis=terms.legal_basis,
        case_number=terms.case_number,
        mode=terms.mode.value,
        quotas={quota.value: number for quota, number in terms.quotas.items()},
        conditions=list(terms.conditions),
        responsible=terms.responsible,
        request_id=terms.request,
        valid_from=terms.valid_from,
        valid_to=terms.valid_to,
        ends_at=terms.ends_at,
        state=terms.state.value,
        audience=terms.audience.value,
        named=list(terms.named),
        masks=dict(terms.masks),
        disputed=terms.disputed.value,
        granted_by=by,
        granted_at=now,
    )


def _grant(row: DataGrantRow) -> Grant:
    return Grant(
        id=row.id,
        grantee=row.grantee_key,
        target=row.target,
        columns=tuple(row.columns),
        row_scope=RowScope.from_json(row.row_scope),
        tier=Tier(row.tier),
        purpose=row.purpose,
        legal_basis=row.legal_basis,
        case_number=row.case_number,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        state=GrantState(row.state),
        mode=Mode(row.mode),
        quotas={Quota(quota): number for quota, number in row.quotas.items()},
        conditions=tuple(row.conditions),
        responsible=row.responsible,
        request=row.request_id,
        audience=Audience(row.audience),
        named=tuple(row.named),
        ends_at=row.ends_at,
        made_seq=row.made_seq,
        masks=dict(row.masks),
        disputed=Disputed(row.disputed),
    )


def recorded_terms(terms: Grant) -> dict[str, object]:
    """The terms as the log keeps them; filter values are codes, never numbers of persons."""
    return {
        "grantee": terms.grantee,
        "target": terms.target,
        "columns": list(terms.columns),
        "areas": list(terms.row_scope.areas),
        "clients": terms.row_scope.clients.as_json() if terms.row_scope.clients else None,
        "filters": [{"column": column, "values": list(values)} for column, values in sorted(terms.row_scope.equals.items())],
        "tier": terms.tier.value,
        "purpose": terms.purpose,
        "legal_basis": terms.legal_basis,
        "case_number": terms.case_number,
        "mode": terms.mode.value,
        "quotas": {quota.value: number for quota, number in terms.quotas.items()},
        "conditions": list(terms.conditions),
        "responsible": terms.responsible,
        "request": terms.request,
        "audience": terms.audience.value,
        "named": list(terms.named),
        "masks": [{"column": column, "mask": mask} for column, mask in sorted(terms.masks.items())],
        "disputed": terms.disputed.value,
        "valid_from": terms.valid_from.isoformat(),
        "valid_to": terms.valid_to.isoformat(),
        "ends_at": terms.ends_at and terms.ends_at.isoformat(),
    }
