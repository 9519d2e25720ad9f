"""Whom a change of an entry reaches: the grants that rest on its data sets, on what goes back by it, or on golden records (L-28, TX-27)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.entries.changes import Breach
from catalog.entries.content import EntryContent
from catalog.entries.returning import RETURN
from catalog.schema import DataGrantRow, DepartmentRow, EntryResourceRow, EntryRow

GOLDEN = "golden"
STANDING = ("active", "suspended")


@dataclass(frozen=True, kw_only=True)
class TouchedGrant:
    """A standing grant that a change reaches. `via` is `golden` where it reaches only an element of the golden records."""

    grant: int
    grantee: str
    grantee_title: str
    target: str
    state: str
    columns: tuple[str, ...]
    via: str


def touched_grants(session: Session, entry: int, content: EntryContent, breaches: Sequence[Breach]) -> list[TouchedGrant]:
    """The standing grants on the entry's resources, or on golden elements that they carry, whose columns the breaches name."""
    if not breaches:
        return []
    named = {breach.column for breach in breaches}
    columns = {c.name for c in content.columns} if "" in named else named
    elements = {c.element for c in content.columns if c.name in columns and c.element}
    resources = set(session.scalars(_targets(entry)))
    query = (
        sa.select(DataGrantRow, DepartmentRow.title)
        .join(DepartmentRow, DepartmentRow.key == DataGrantRow.grantee_key)
        .where(DataGrantRow.state.in_(STANDING), DataGrantRow.target.in_([*sorted(resources), GOLDEN]))
        .order_by(DataGrantRow.id)
    )
    found = [_touched(row, title, elements if row.target == GOLDEN else columns) for row, title in session.execute(query).tuples()]
    return [grant for grant in found if grant.columns]


def standing_grants(session: Session, entry: int, dataset: str | None = None) -> list[int]:
    """The standing grants on the entry's resources themselves, or on one of them."""
    one = sa.true() if dataset is None else DataGrantRow.target == dataset
    query = sa.select(DataGrantRow.id).where(DataGrantRow.state.in_(STANDING), DataGrantRow.target.in_(_targets(entry)), one)
    return list(session.scalars(query.order_by(DataGrantRow.id)))


def _targets(entry: int) -> sa.CompoundSelect[Any]:
    """What a grant names that rests on an entry: its resources, or what goes back by it (回流)."""
    own = sa.select(EntryResourceRow.dataset_key).where(EntryResourceRow.entry_id == entry)
    back = sa.select(sa.literal(RETURN) + EntryRow.returns_key).where(EntryRow.id == entry, EntryRow.returns_key.is_not(None))
    return own.union_all(back)


def _touched(row: DataGrantRow, title: str, names: Collection[str]) -> TouchedGrant:
    return TouchedGrant(
        grant=row.id,
        grantee=row.grantee_key,
        grantee_title=title,
        target=row.target,
        state=row.state,
        columns=tuple(column for column in row.columns if column in names),
        via=GOLDEN if row.target == GOLDEN else "",
    )
