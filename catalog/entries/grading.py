"""What published entries say of the columns of the data sets that keep them (分级, law.md G-01, G-03): whatever is being drafted meanwhile.

An entry that was withdrawn or cancelled still grades what is left of its data sets: a level never falls because a promise ended.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.entries.content import EntryColumn, from_record
from catalog.schema import EntryContentRow, EntryResourceRow, EntryRow

Declared = Mapping[str, Mapping[str, EntryColumn]]
"""Data set → column → what the published entry says of it."""


def declared_columns(session: Session, datasets: Collection[str]) -> Declared:
    """Nothing of a data set whose entry was never published."""
    content = EntryContentRow
    query = (
        sa.select(EntryResourceRow.dataset_key, content.body)
        .join(EntryRow, EntryRow.id == EntryResourceRow.entry_id)
        .join(content, (content.entry_id == EntryRow.id) & (content.number == EntryRow.published_number))
        .where(EntryResourceRow.dataset_key.in_(sorted(set(datasets))))
    )
    return _by_name(session.execute(query).tuples())


def declared_return(session: Session, dataset: str) -> Mapping[str, EntryColumn]:
    """What the published entry of what goes back for a data set (回流) says of its columns."""
    content = EntryContentRow
    query = (
        sa.select(EntryRow.returns_key, content.body)
        .join(content, (content.entry_id == EntryRow.id) & (content.number == EntryRow.published_number))
        .where(EntryRow.returns_key == dataset)
        .order_by(EntryRow.id)
    )
    return _by_name(session.execute(query).tuples()).get(dataset, {})


def _by_name(bodies: Iterable[tuple[str | None, Mapping[str, Any]]]) -> Declared:
    return {key: {column.name: column for column in from_record(body).columns} for key, body in bodies if key is not None}
