"""The bureau publishes days off and local limits (发布放假安排、本地时限): a row of the catalogue, a record of the log, new due dates."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from access.accounts import Account, Role, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from audit.events import Event
from audit.log import Log
from casework.attempts import recorded_attempt
from casework.bundles import follow_calendar
from casework.clocks import Recomputed, recompute
from catalog.published import Published, RuleSet, document_in_force, publish
from catalog.store import Store
from rules.clocks import plain, read_calendar, with_limits, with_notices
from rules.errors import Denied, Refused

PUBLISHING_ROLES = frozenset({Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER})


@dataclass(frozen=True, kw_only=True)
class PublishedCalendar:
    """The version that is in force now, and what it did to the open clocks."""

    version: int
    recomputed: Recomputed


def publish_notices(store: Store, log: Log, *, by: str, notices: Mapping[Any, Any], reason: str, now: datetime) -> PublishedCalendar:
    """Add or correct the State Council's arrangement of some years: {year: {document, days_off, days_worked}}.

    Every open clock gets its new due date with a record (L-37). Refused CLK-CALENDAR with all faults at once.
    """
    with _attempt(log, by, RuleSet.CALENDAR), store.session() as session, session.begin():
        _may_publish(session, by, reason)
        document = with_notices(document_in_force(session, RuleSet.CALENDAR), plain(notices))
        published = publish(session, RuleSet.CALENDAR, document, by=by, reason=reason, now=now)
        recomputed = recompute(session, read_calendar(document), now)
        follow_calendar(session)
        _record(log, published)
        body = {"actor": by, "calendar_version": published.version, "moved": recomputed.moved, "made_certain": recomputed.made_certain}
        with log_faults_translated():
            log.append_sealed(Event.CLOCKS_RECOMPUTED, body)
        return PublishedCalendar(version=published.version, recomputed=recomputed)


def publish_limits(
    store: Store, log: Log, *, by: str, days: Mapping[str, Any], reason: str, now: datetime, supplement: str | None = None
) -> Published:
    """Set local limits in working days, {clock: days}: shorter than the law's, never longer (L-21). Clocks that run keep their days."""
    with _attempt(log, by, RuleSet.CLOCKS), store.session() as session, session.begin():
        _may_publish(session, by, reason)
        document = with_limits(document_in_force(session, RuleSet.CLOCKS), days, supplement)
        published = publish(session, RuleSet.CLOCKS, document, by=by, reason=reason, now=now)
        _record(log, published)
        return published


def _attempt(log: Log, by: str, kind: RuleSet) -> AbstractContextManager[None]:
    return recorded_attempt(log, Event.RULES_REFUSED, actor=by, rules=kind.value)


def _may_publish(session: Session, by: str, reason: str) -> Account:
    account = load_account(session, by)
    if not account.active or not account.roles & PUBLISHING_ROLES:
        raise Denied("DOOR-DENIED", where=by, what="日历和时限由统筹局发布 calendar and limits are published by the bureau")
    if reason_faults(reason):
        raise Refused("CLK-REASON")
    return account


def _record(log: Log, published: Published) -> None:
    body = {
        "actor": published.published_by,
        "rules": published.kind,
        "version": published.version,
        "digest": published.digest,
        "why": published.reason,
    }
    with log_faults_translated():
        log.append_sealed(Event.RULES_PUBLISHED, body)
