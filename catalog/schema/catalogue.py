"""The catalogue: departments, data sets and their contracts, areas, entries with their resources."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


class DepartmentRow(Record):
    """A department (部门): who provides, who asks."""

    __tablename__ = "department"

    key: Mapped[str] = mapped_column(Key, primary_key=True)
    title: Mapped[str]
    authority: Mapped[str] = mapped_column(Key, default=lambda context: context.get_current_parameters()["key"])
    """The kind of department by `rules/departments.yaml`, for the authority table: police stations are departments, all `police`."""
    credit_code: Mapped[str | None] = mapped_column(String(18))
    created_at: Mapped[datetime]


class DatasetRow(Record):
    """A registered data set (数据集), as its newest contract describes it."""

    __tablename__ = "dataset"

    key: Mapped[str] = mapped_column(Key, primary_key=True)
    title: Mapped[str]
    department_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"), index=True)
    contract_version: Mapped[int]
    server: Mapped[Mapping[str, Any]]
    share: Mapped[str] = mapped_column(String(20))
    update_frequency: Mapped[str] = mapped_column(String(20))
    verified: Mapped[bool]
    about_persons: Mapped[bool]
    source_of_record: Mapped[list[str]]
    items: Mapped[Mapping[str, Any]]
    """The catalogue items (law.md §2) under the English keys of `catalog.terms`."""
    registered_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class DatasetColumnRow(Record):
    """A column (数据项) of a data set."""

    __tablename__ = "dataset_column"

    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    physical_name: Mapped[str]
    title: Mapped[str]
    element: Mapped[str | None] = mapped_column(Key, index=True)
    key_position: Mapped[int | None]
    """Place in the record key, from 1; none for other columns."""
    level: Mapped[str] = mapped_column(String(2))
    share: Mapped[str] = mapped_column(String(20))
    code_system: Mapped[str | None]
    logical_type: Mapped[str] = mapped_column(String(20))
    required: Mapped[bool]
    items: Mapped[Mapping[str, Any]]


class ContractRow(Record):
    """A version of a data set's contract, word for word."""

    __tablename__ = "contract"

    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    api_version: Mapped[str] = mapped_column(String(20))
    text: Mapped[str]
    file: Mapped[str]
    registered_at: Mapped[datetime]


class AreaRow(Record):
    """An area of the register: district, street, community or grid (网格)."""

    __tablename__ = "area"
    __table_args__ = (CheckConstraint("level IN ('district', 'street', 'community', 'grid')", name="level"),)

    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str]
    level: Mapped[str] = mapped_column(String(20))
    parent_code: Mapped[str | None] = mapped_column(String(20), ForeignKey("area.code"), index=True)
    polygon: Mapped[str | None]
    """GeoJSON geometry, where the register has one."""


class AddressRangeRow(Record):
    """House numbers of a road, or an estate, that belong to a grid."""

    __tablename__ = "address_range"
    __table_args__ = (CheckConstraint("parity IN ('odd', 'even', 'all')", name="parity"), Index(None, "street_code", "road"))

    id: Mapped[int] = mapped_column(primary_key=True)
    grid_code: Mapped[str] = mapped_column(String(20), ForeignKey("area.code"), index=True)
    street_code: Mapped[str] = mapped_column(String(20), ForeignKey("area.code"))
    road: Mapped[str]
    parity: Mapped[str] = mapped_column(String(4))
    from_no: Mapped[int]
    to_no: Mapped[int]
    estate: Mapped[str]


class TestRegionRow(Record):
    """A county code that was never assigned, accepted in identity numbers so that synthetic people need no real person's number."""

    __tablename__ = "test_region"
    __test__ = False  # no test, whatever its name begins with

    code: Mapped[str] = mapped_column(String(6), primary_key=True)
    name: Mapped[str]


class EntryRow(Record):
    """A catalogue entry (目录), apart from the data sets attached to it. `revision` counts its acts: whoever acts names the one he saw."""

    __tablename__ = "catalogue_entry"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft', 'department_review', 'bureau_review', 'published', 'changing', 'withdrawal', 'cancelled')", name="state"
        ),
        Index(None, "department_key", "id"),
        Index(None, "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(String(40), unique=True)
    title: Mapped[str]
    department_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"))
    state: Mapped[str] = mapped_column(String(20))
    revision: Mapped[int]
    content_number: Mapped[int]
    """The newest content, which may be a draft of a change."""
    published_number: Mapped[int | None]
    """The content that holds for users; none before the first publication."""
    version: Mapped[int]
    """How often it was published."""
    share: Mapped[str] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(2))
    column_count: Mapped[int]
    succeeds_id: Mapped[int | None] = mapped_column(ForeignKey("catalogue_entry.id"))
    """The entry of a former owner that this one follows (law.md C-20)."""
    returns_key: Mapped[str | None] = mapped_column(Key, ForeignKey("dataset.key"), index=True)
    """The data set for whose residents golden values go back to its department (回流, law.md L-22); none of any other entry."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    """When the bureau received what it now reviews (law.md L-13)."""
    published_at: Mapped[datetime | None]


class EntryContentRow(Record):
    """A version of an entry's content, with its difference from the one before."""

    __tablename__ = "entry_content"

    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[Mapping[str, Any]]
    differences: Mapped[list[Mapping[str, Any]]] = mapped_column(JSON)
    changed_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    """None where registration wrote it."""
    changed_at: Mapped[datetime]
    reason: Mapped[str]
    version: Mapped[int | None]
    """As which version it was published, if it was."""


class EntryActRow(Record):
    """An act on an entry: who moved it from which state to which, and what had to be said about it. Rows are never changed."""

    __tablename__ = "entry_act"
    __table_args__ = (UniqueConstraint("entry_id", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"))
    revision: Mapped[int]
    act: Mapped[str] = mapped_column(String(20))
    state_before: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    done_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    done_at: Mapped[datetime]
    note: Mapped[str]
    facts: Mapped[Mapping[str, Any]]


class EntryCodeRow(Record):
    """A code ever given (信息资源代码). Never deleted, so never given again (law.md C-20)."""

    __tablename__ = "entry_code"
    __table_args__ = (UniqueConstraint("category", "serial"),)

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    category: Mapped[str] = mapped_column(String(12))
    serial: Mapped[int]
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), unique=True)
    given_at: Mapped[datetime]


class EntryResourceRow(Record):
    """A registered data set as the resource (资源) of an entry, with the report of its last check (law.md C-17)."""

    __tablename__ = "entry_resource"
    __table_args__ = (
        CheckConstraint("state IN ('registered', 'checked', 'attached', 'running', 'abnormal', 'change_filed', 'withdrawn')", name="state"),
    )

    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key"), primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("catalogue_entry.id"), index=True)
    state: Mapped[str] = mapped_column(String(20))
    contract_version: Mapped[int]
    report: Mapped[Mapping[str, Any]]
    checked_at: Mapped[datetime]
    attached_at: Mapped[datetime | None]


class PublishedRulesRow(Record):
    """A version of a rule set that the bureau published: the calendar, the clocks … The newest one is in force; none: what ships."""

    __tablename__ = "published_rules"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[Mapping[str, Any]]
    digest: Mapped[str] = mapped_column(String(64))
    published_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    published_at: Mapped[datetime]
    reason: Mapped[str]
