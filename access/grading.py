"""What a grant lets through by the levels as they stand: kept when it is agreed to, so that a re-grading is seen later (G-01, L-24).

A golden element has the highest level of its contributing sources, so that one department's re-grading, a source that comes or goes, or a
new version of the tiers reaches all grants over it. Each question is planned anew in any case; this is how people come to know of it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from access.targets import Target, plan_of
from access.terms import Grant
from catalog.schema import GrantGradingRow
from rules.tiers import TierPolicy


@dataclass(frozen=True, kw_only=True)
class ColumnGrading:
    """A column's level, and its masks for grown-ups and for children."""

    level: str
    mask: str
    minor_mask: str


Grading = Mapping[str, ColumnGrading]


@dataclass(frozen=True, kw_only=True)
class Regraded:
    """A column before and now; None: it was not there, or is no longer."""

    column: str
    before: ColumnGrading | None
    now: ColumnGrading | None


def grading_of(grant: Grant, target: Target, policy: TierPolicy) -> Grading:
    """The granted columns as they would come out now."""
    made = plan_of(grant, target, policy)
    return {
        name: ColumnGrading(level=target.columns[name].facts.level.value, mask=str(column.mask), minor_mask=str(column.minor_mask))
        for name, column in made.items()
    }


def kept_grading(session: Session, grant: int) -> Grading | None:
    """As it was agreed to or last told; None where nobody has looked yet."""
    row = session.get(GrantGradingRow, grant, populate_existing=True)
    return None if row is None else {name: ColumnGrading(**told) for name, told in row.columns.items()}


def keep_grading(session: Session, grant: Grant, grading: Grading, now: datetime, policy_version: int) -> None:
    columns = {name: asdict(column) for name, column in grading.items()}
    session.merge(GrantGradingRow(grant_id=grant.id, columns=columns, policy_version=policy_version, seen_at=now))


def regraded(before: Grading, now: Grading) -> tuple[Regraded, ...]:
    """The columns that differ, by name."""
    names = sorted(before.keys() | now.keys())
    found = (Regraded(column=name, before=before.get(name), now=now.get(name)) for name in names)
    return tuple(one for one in found if one.before != one.now)
