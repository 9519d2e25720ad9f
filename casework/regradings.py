"""Re-gradings (重新分级): the grantee and the bureau are told which open grants a changed level or mask touches. law.md G-01, L-24, L-28.

Looked for after each registration and each reconciliation, and whenever the bureau asks; what was told is kept, so nothing is told twice.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.grading import Regraded, grading_of, keep_grading, kept_grading, regraded
from access.grants import open_grants
from access.log_faults import log_faults_translated
from access.targets import Target, load_target
from access.terms import Grant
from audit.events import Event
from audit.log import Log
from casework.notices import noted
from catalog.lake import Lake
from catalog.schema import RegradingNoticeRow
from catalog.store import Store, serialise
from rules.errors import NotFound
from rules.tiers import TierPolicy, load_tier_policy

WORK = "regradings"
LISTED_MOST = 200


@dataclass(frozen=True, kw_only=True)
class RegradingNotice:
    """What somebody is told of one grant. `department` None: the bureau. `columns`: per column what was and what is."""

    id: int
    grant: int
    department: str | None
    columns: Mapping[str, Any]
    seen_by: str | None
    created_at: datetime


def tell_regraded(store: Store, lake: Lake, log: Log, *, now: datetime) -> int:
    """Look at all open grants; how many are touched. Safe to repeat. A grant that nobody has looked at yet is only noted."""
    policy = load_tier_policy()
    with store.session() as session, session.begin():
        serialise(session, WORK)
        grants = open_grants(session)
        targets = {key: _target(session, lake, key) for key in {grant.target for grant in grants}}
        return sum(_look(session, log, grant, found, policy, now) for grant in grants if (found := targets[grant.target]))


def list_regradings(session: Session, department: str | None = None, *, unseen: bool = True) -> list[RegradingNotice]:
    """What a department, or the bureau (None), was told; newest first."""
    row = RegradingNoticeRow
    query = sa.select(row).where(row.department_key == department if department else row.department_key.is_(None))
    open_ones = query.where(row.seen_at.is_(None)) if unseen else query
    return [_notice(found) for found in session.scalars(open_ones.order_by(row.id.desc()).limit(LISTED_MOST))]


def see_regrading(session: Session, notice: int, *, by: str, department: str | None, now: datetime) -> RegradingNotice:
    """Whoever was told has taken note. NotFound TKT-NOTICE; Denied TKT-PARTY for another's."""
    return _notice(noted(session, RegradingNoticeRow, notice, by=by, department=department, now=now))


def _target(session: Session, lake: Lake, key: str) -> Target | None:
    try:
        return load_target(session, lake, key)
    except NotFound:
        return None


def _look(session: Session, log: Log, grant: Grant, target: Target, policy: TierPolicy, now: datetime) -> bool:
    standing, kept = grading_of(grant, target, policy), kept_grading(session, grant.id)
    changed = () if kept is None else regraded(kept, standing)
    if kept is None or changed:
        keep_grading(session, grant, standing, now, policy.version)
    if changed:
        _tell(session, log, grant, changed, policy, now)
    return bool(changed)


def _tell(session: Session, log: Log, grant: Grant, changed: tuple[Regraded, ...], policy: TierPolicy, now: datetime) -> None:
    columns = {one.column: {key: side and asdict(side) for key, side in (("before", one.before), ("now", one.now))} for one in changed}
    for department in (grant.grantee, None):
        session.add(RegradingNoticeRow(grant_id=grant.id, department_key=department, columns=columns, created_at=now))
    session.flush()
    body = {"grant": grant.id, "grantee": grant.grantee, "target": grant.target, "policy_version": policy.version}
    listed = [{"column": column, **sides} for column, sides in columns.items()]
    with log_faults_translated():
        log.append_sealed(Event.GRANT_REGRADED, {**body, "columns": listed})


def _notice(row: RegradingNoticeRow) -> RegradingNotice:
    return RegradingNotice(
        id=row.id,
        grant=row.grant_id,
        department=row.department_key,
        columns=row.columns,
        seen_by=row.seen_by,
        created_at=row.created_at,
    )
