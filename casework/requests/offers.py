"""What the catalogue offers of a target (可申请的内容): provider, share and published conditions per column (law.md L-09…L-12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.targets import GOLDEN, load_target
from access.terms import Grant
from catalog.datasets import Dataset, load_dataset
from catalog.entries.attaching import resource_of
from catalog.entries.content import EntryColumn, EntryContent
from catalog.entries.returning import RETURN, returning_entry
from catalog.entries.shelf import load_entry
from catalog.entries.states import ResourceState
from catalog.lake import Lake
from catalog.schema import SnapshotRow
from catalog.terms import DEFAULT_SHARE_CONDITIONS, SHARES
from rules.errors import Refused

UNCONDITIONAL, CONDITIONAL, NONE = "unconditional", "conditional", "none"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """`provider` None: the bureau. `shares` and `conditions` by column; `has_data`: there is something that an extract could read now.

    Golden records are the bureau's own and always `published`; of a data set the entry is asked to which it is attached, of what goes back
    (回流) the entry that the bureau made for it.
    """

    target: str
    title: str
    provider: str | None
    published: bool
    shares: Mapping[str, str]
    conditions: Mapping[str, tuple[str, ...]]
    has_data: bool
    only_for: str | None = None
    """回流: golden values that go back to the department whose data set they belong to, and to no other (L-22)."""

    def share_of(self, columns: Sequence[str]) -> str:
        """C-14: that of the most restrictive column."""
        return max((self.shares.get(column, CONDITIONAL) for column in columns), key=SHARES.index, default=CONDITIONAL)

    def conditions_of(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The published conditions that hold for some columns, each once, in the order of the columns."""
        return tuple(dict.fromkeys(condition for column in columns for condition in self.conditions.get(column, ())))

    def faults_of(self, terms: Grant) -> list[str]:
        """What the catalogue has against the terms."""
        unknown = [c for c in terms.columns if c not in self.shares]
        withheld = [c for c in terms.columns if self.shares.get(c) == NONE]
        own = ["本部门自有数据 the department provides this data itself"] if terms.grantee == self.provider else []
        others = ["回流数据只给持有该数据集的部门 returned values go to the department that holds the data set only (L-22)"]
        return [
            *(others if self.only_for not in (None, terms.grantee) else []),
            *(f"{column}: 数据项不存在 the column does not exist (L-12)" for column in unknown),
            *(f"{column}: 不予共享 the column is not shared (L-09)" for column in withheld),
            *own,
        ]


def offer_of(session: Session, lake: Lake, target: str) -> Offer:
    """NotFound CAT-DATASET for what is not in the catalogue, DOOR-NO-GOLDEN before the first reconciliation."""
    if target.startswith(RETURN):
        return _returned(session, lake, target)
    return _golden(session, lake) if target == GOLDEN else _dataset(session, load_dataset(session, target))


def required_offer(session: Session, lake: Lake, target: str) -> Offer:
    """As `offer_of`; Refused REQ-UNPUBLISHED for what the bureau has not announced (L-12)."""
    offer = offer_of(session, lake, target)
    if not offer.published:
        raise Refused("REQ-UNPUBLISHED", where=target)
    return offer


def _golden(session: Session, lake: Lake) -> Offer:
    columns = load_target(session, lake, GOLDEN).columns
    return Offer(
        target=GOLDEN,
        title="金记录 golden records",
        provider=None,
        published=True,
        shares=dict.fromkeys(columns, CONDITIONAL),
        conditions=dict.fromkeys(columns, (DEFAULT_SHARE_CONDITIONS,)),
        has_data=True,
    )


def _returned(session: Session, lake: Lake, target: str) -> Offer:
    """L-22: what was collected about a department's own residents goes back to it as the entry publishes it."""
    found, key = load_target(session, lake, target), target.removeprefix(RETURN)
    entry = returning_entry(session, key)
    content = entry.published if entry and entry.is_open else None
    return Offer(
        target=target,
        title=content.title if content else f"{load_dataset(session, key).title}：回流 golden values returned",
        provider=None,
        published=content is not None,
        shares={column.name: column.share for column in content.columns if column.name in found.columns} if content else {},
        conditions={column.name: (column.share_conditions,) for column in content.columns if column.share == CONDITIONAL}
        if content
        else {},
        has_data=True,
        only_for=found.returns_to,
    )


def _dataset(session: Session, dataset: Dataset) -> Offer:
    """What its entry has published; before that nothing is offered."""
    content = _published(session, dataset.key)
    columns = content.columns if content else ()
    accepted = sa.select(SnapshotRow.version).where(SnapshotRow.dataset_key == dataset.key, SnapshotRow.state == "accepted").limit(1)
    return Offer(
        target=dataset.key,
        title=content.title if content else dataset.title,
        provider=content.department if content else dataset.department,
        published=content is not None,
        shares={column.name: column.share for column in columns},
        conditions={column.name: _conditions(content, column) for column in columns} if content else {},
        has_data=session.scalar(accepted) is not None,
    )


def _published(session: Session, dataset: str) -> EntryContent | None:
    """The published content of the entry to which a data set is attached."""
    resource = resource_of(session, dataset)
    if resource is None or resource.attached_at is None or resource.state is ResourceState.WITHDRAWN:
        return None
    entry = load_entry(session, resource.entry)
    return entry.published if entry.is_open else None


def _conditions(content: EntryContent, column: EntryColumn) -> tuple[str, ...]:
    """A column's own conditions, else the entry's; unconditional columns have only conditions of use."""
    shared = column.share_conditions or content.items.get("shareConditions")
    named = (shared if column.share == CONDITIONAL else None, content.items.get("useConditions"))
    return tuple(str(text) for text in named if text)
