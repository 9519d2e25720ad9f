"""What the catalogue offers of a target (可申请的内容): provider, share and published conditions per column (law.md L-09…L-12)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.targets import GOLDEN, load_target
from access.terms import Grant
from catalog.datasets import Column, Dataset, load_dataset
from catalog.lake import Lake
from catalog.schema import GoldenVersionRow, SnapshotRow
from catalog.terms import DEFAULT_SHARE_CONDITIONS, SHARES

CONDITIONAL, NONE = "conditional", "none"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """`provider` None: the bureau. `shares` and `conditions` by column; `has_data`: there is something that an extract could read now."""

    target: str
    title: str
    provider: str | None
    shares: Mapping[str, str]
    conditions: Mapping[str, tuple[str, ...]]
    has_data: bool

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
        return [
            *(f"{column}: 数据项不存在 the column does not exist (L-12)" for column in unknown),
            *(f"{column}: 不予共享 the column is not shared (L-09)" for column in withheld),
            *own,
        ]


def offer_of(session: Session, lake: Lake, target: str) -> Offer:
    """NotFound CAT-DATASET for what is not in the catalogue, DOOR-NO-GOLDEN before the first reconciliation."""
    return _golden(session, lake) if target == GOLDEN else _dataset(session, load_dataset(session, target))


def _golden(session: Session, lake: Lake) -> Offer:
    columns = load_target(session, lake, GOLDEN).columns
    return Offer(
        target=GOLDEN,
        title="金记录 golden records",
        provider=None,
        shares=dict.fromkeys(columns, CONDITIONAL),
        conditions=dict.fromkeys(columns, (DEFAULT_SHARE_CONDITIONS,)),
        has_data=session.scalar(sa.select(sa.func.max(GoldenVersionRow.version))) is not None,
    )


def _dataset(session: Session, dataset: Dataset) -> Offer:
    accepted = sa.select(SnapshotRow.version).where(SnapshotRow.dataset_key == dataset.key, SnapshotRow.state == "accepted").limit(1)
    return Offer(
        target=dataset.key,
        title=dataset.title,
        provider=dataset.department,
        shares={column.name: column.share for column in dataset.columns},
        conditions={column.name: _conditions(dataset, column) for column in dataset.columns},
        has_data=session.scalar(accepted) is not None,
    )


def _conditions(dataset: Dataset, column: Column) -> tuple[str, ...]:
    """A column's own conditions, else the data set's; unconditional columns have only conditions of use."""
    shared = column.items.get("shareConditions") or dataset.items.get("shareConditions")
    named = (shared if column.share == CONDITIONAL else None, dataset.items.get("useConditions"))
    return tuple(str(text) for text in named if text)
