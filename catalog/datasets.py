"""Data sets (数据集) as the rest of the platform sees them: what the newest contract says, with defaults filled in."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.schema import ContractRow, DatasetColumnRow, DatasetRow, DepartmentRow
from rules.errors import NotFound


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a data set's rows come from.

    Files: `path` as the contract has it (file, folder or glob), relative to `base`, the contract's folder; `format` csv, xlsx, parquet or
    json; `encoding`, `delimiter`, `header_row` (1-based) and `sheet` only where the contract fixes them. Databases: `url` (SQLAlchemy;
    secrets still as `${ENV}`) and `table` (in `schema`, where given) or `query`.
    """

    type: str
    base: str
    path: str | None = None
    format: str | None = None
    url: str | None = field(default=None, repr=False)
    schema: str | None = None
    table: str | None = None
    query: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    sheet: str | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column (数据项). `name` is ours, `physical_name` the source's header; `element` the data element it carries, if any.

    `key_position` is the place in the record key, from 1. `code_system` is set where the source codes by another table than the element's.
    """

    name: str
    physical_name: str
    title: str
    element: str | None
    key_position: int | None
    level: str
    share: str
    code_system: str | None
    logical_type: str
    required: bool
    items: Mapping[str, Any] = field(default_factory=dict)

    @property
    def primary_key(self) -> bool:
        return self.key_position is not None


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A registered data set. `items` are the catalogue items of law.md §2 by the keys of `catalog.terms`.

    `department` is who provides it; `authority` the kind of department that is, by which the authority table ranks its values.
    """

    key: str
    title: str
    department: str
    department_title: str
    authority: str
    server: Server
    columns: tuple[Column, ...]
    verified: bool
    source_of_record: frozenset[str]
    update_frequency: str
    share: str
    about_persons: bool
    contract_version: int
    items: Mapping[str, Any] = field(default_factory=dict)

    @property
    def contract_id(self) -> str:
        """The `id` of the contract is the key of the data set."""
        return self.key

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the record key, in their order within it."""
        return tuple(sorted((c for c in self.columns if c.key_position is not None), key=lambda c: c.key_position or 0))

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.name == name)


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A version of a data set's contract, word for word."""

    dataset: str
    version: int
    digest: str
    api_version: str
    text: str
    file: str
    registered_at: datetime


def load_datasets(session: Session, keys: Collection[str] | None = None) -> list[Dataset]:
    """Registered data sets by key: all, or those named (NotFound CAT-DATASET names the unknown ones)."""
    wanted = None if keys is None else sorted(set(keys))
    named = sa.true() if wanted is None else DatasetRow.key.in_(wanted)
    rows = session.execute(_DATASETS.where(named).order_by(DatasetRow.key)).all()
    if wanted is not None and len(rows) < len(wanted):
        raise NotFound("CAT-DATASET", where=", ".join(sorted(set(wanted) - {row.DatasetRow.key for row in rows})))
    columns = _columns(session, wanted)
    return [_dataset(row.DatasetRow, row.DepartmentRow, columns[row.DatasetRow.key]) for row in rows]


def load_dataset(session: Session, key: str) -> Dataset:
    """One data set; NotFound CAT-DATASET when there is none."""
    return load_datasets(session, [key])[0]


def load_contracts(session: Session, dataset: str) -> list[Contract]:
    """All versions of a data set's contract, oldest first."""
    rows = session.scalars(sa.select(ContractRow).filter_by(dataset_key=dataset).order_by(ContractRow.version))
    return [
        Contract(
            dataset=row.dataset_key,
            version=row.version,
            digest=row.digest,
            api_version=row.api_version,
            text=row.text,
            file=row.file,
            registered_at=row.registered_at,
        )
        for row in rows
    ]


def server_record(server: Server) -> Mapping[str, Any]:
    """A server as the store keeps it: only what is set."""
    return {name: value for name, value in asdict(server).items() if value is not None}


_DATASETS = sa.select(DatasetRow, DepartmentRow).join(DepartmentRow, DepartmentRow.key == DatasetRow.department_key)


def _columns(session: Session, wanted: Collection[str] | None) -> Mapping[str, list[Column]]:
    table = DatasetColumnRow.__table__
    named = sa.true() if wanted is None else table.c.dataset_key.in_(wanted)
    query = sa.select(table).where(named).order_by(table.c.dataset_key, table.c.position)
    columns: defaultdict[str, list[Column]] = defaultdict(list)
    for row in session.execute(query).mappings():
        columns[row["dataset_key"]].append(Column(**{name: row[name] for name in Column.__dataclass_fields__}))
    return columns


def _dataset(row: DatasetRow, department: DepartmentRow, columns: list[Column]) -> Dataset:
    return Dataset(
        key=row.key,
        title=row.title,
        department=department.key,
        department_title=department.title,
        authority=department.authority,
        server=Server(**row.server),
        columns=tuple(columns),
        verified=row.verified,
        source_of_record=frozenset(row.source_of_record),
        update_frequency=row.update_frequency,
        share=row.share,
        about_persons=row.about_persons,
        contract_version=row.contract_version,
        items=row.items,
    )
