"""Rule sets that the bureau published (已发布的规则), as versioned rows: the newest is in force, before the first one what ships."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.schema import PublishedRulesRow
from catalog.store import serialise
from rules.clocks import Clocks, WorkingDays, read_calendar, read_clocks, shipped_calendar, shipped_clocks, shipped_document
from rules.errors import Refused


class RuleSet(StrEnum):
    """What can be published; the value names the file in `rules/` that ships."""

    CALENDAR = "calendar"
    CLOCKS = "clocks"


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published version; `document` is without faults, whoever published it has seen to that."""

    kind: str
    version: int
    document: Mapping[str, Any]
    digest: str
    published_by: str
    published_at: datetime
    reason: str


def calendar_in_force(session: Session) -> WorkingDays:
    """The calendar in force."""
    published = newest(session, RuleSet.CALENDAR)
    return shipped_calendar() if published is None else read_calendar(published.document)


def clocks_in_force(session: Session) -> Clocks:
    """The clocks in force; one that ships since the bureau last published runs as it ships."""
    published, shipped = newest(session, RuleSet.CLOCKS), shipped_clocks()
    if published is None:
        return shipped
    known = read_clocks(published.document)
    return replace(known, clocks={**shipped.clocks, **known.clocks})


def document_in_force(session: Session, kind: RuleSet) -> Mapping[str, Any]:
    published = newest(session, kind)
    return shipped_document(kind) if published is None else published.document


def newest(session: Session, kind: RuleSet) -> Published | None:
    table = PublishedRulesRow
    row = session.scalar(sa.select(table).where(table.kind == kind).order_by(table.version.desc()).limit(1))
    return None if row is None else _published(row)


def versions(session: Session, kind: RuleSet) -> list[Published]:
    """All published versions, newest first."""
    table = PublishedRulesRow
    return [_published(row) for row in session.scalars(sa.select(table).where(table.kind == kind).order_by(table.version.desc()))]


def publish(session: Session, kind: RuleSet, document: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> Published:
    """Keep a checked document as the version that is in force from now. Refused RULES-VERSION if another came between."""
    serialise(session, f"publish {kind}")
    if document["version"] != document_in_force(session, kind)["version"] + 1:
        raise Refused("RULES-VERSION", where=kind, what=str(document["version"]))
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    row = PublishedRulesRow(
        kind=kind.value,
        version=document["version"],
        document=document,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        published_by=by,
        published_at=now,
        reason=reason,
    )
    session.add(row)
    session.flush()
    return _published(row)


def _published(row: PublishedRulesRow) -> Published:
    return Published(
        kind=row.kind,
        version=row.version,
        document=row.document,
        digest=row.digest,
        published_by=row.published_by,
        published_at=row.published_at,
        reason=row.reason,
    )
