"""The tables of the store: everything the platform keeps but the rows of residents themselves.

Times are aware and in UTC. Keys that people see (`dataset.key`, `department.key`, account names) are their own primary keys.
Changes here need a migration in `catalog/migrations`; a test compares the two.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import BigInteger, TypeDecorator

KEY_LENGTH = 120

NEXT_GRANT_CHANGE = literal_column("(SELECT coalesce(max(change), 0) + 1 FROM data_grant)", Integer)
"""Whoever changes grants has `serialise`d it, so that no number is given twice."""

Key = String(KEY_LENGTH)


class Utc(TypeDecorator[datetime]):
    """An aware time, stored in UTC; SQLite has no time zones, so there it is stored without and read back with one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a time without a zone reached the store"
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Record(DeclarativeBase):
    """A row of the store."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Utc(), str: Text(), Mapping[str, Any]: JSON(), list[str]: JSON()}  # noqa: RUF012 (read by SQLAlchemy)


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


class SnapshotRow(Record):
    """A snapshot (快照) of a data set: states raw → standard → accepted | refused. The row is the commit of its files."""

    __tablename__ = "snapshot"
    __table_args__ = (CheckConstraint("state IN ('raw', 'standard', 'accepted', 'refused')", name="state"),)

    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(20))
    source_digest: Mapped[str]
    contract_version: Mapped[int]
    rules_version: Mapped[str] = mapped_column(String(40))
    rows_raw: Mapped[int] = mapped_column(BigInteger)
    rows_standard: Mapped[int | None] = mapped_column(BigInteger)
    rows_quarantined: Mapped[int | None] = mapped_column(BigInteger)
    fault_cells: Mapped[int | None] = mapped_column(BigInteger)
    code: Mapped[str | None] = mapped_column(String(40))
    """Why it was refused."""
    received_at: Mapped[datetime]
    judged_at: Mapped[datetime | None]


class IngestRunRow(Record):
    """One stage of bringing in one data set in one run, with how it ended."""

    __tablename__ = "ingest_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    run: Mapped[str] = mapped_column(Key, index=True)
    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key"), index=True)
    stage: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str]
    snapshot_version: Mapped[int | None]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


def _of_snapshot() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["dataset_key", "snapshot_version"], ["snapshot.dataset_key", "snapshot.version"], ondelete="CASCADE")


class QualityScoreRow(Record):
    """How good a snapshot, or one of its columns, is in one dimension of GB/T 36344. Counts, so that scores can be added up."""

    __tablename__ = "quality_score"
    __table_args__ = (_of_snapshot(),)

    dataset_key: Mapped[str] = mapped_column(Key, primary_key=True)
    snapshot_version: Mapped[int] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(Key, primary_key=True)
    """Empty for the data set as a whole."""
    dimension: Mapped[str] = mapped_column(String(20), primary_key=True)
    element: Mapped[str | None] = mapped_column(Key)
    passed: Mapped[int] = mapped_column(BigInteger)
    checked: Mapped[int] = mapped_column(BigInteger)
    judged_at: Mapped[datetime]


class QuarantineCountRow(Record):
    """Rows of a snapshot kept out, by column and reason."""

    __tablename__ = "quarantine_count"
    __table_args__ = (_of_snapshot(),)

    dataset_key: Mapped[str] = mapped_column(Key, primary_key=True)
    snapshot_version: Mapped[int] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(Key, primary_key=True)
    reason: Mapped[str] = mapped_column(String(40), primary_key=True)
    rows: Mapped[int] = mapped_column(BigInteger)


class FaultCountRow(Record):
    """Cells of a snapshot with a fault, by column and fault."""

    __tablename__ = "fault_count"
    __table_args__ = (_of_snapshot(),)

    dataset_key: Mapped[str] = mapped_column(Key, primary_key=True)
    snapshot_version: Mapped[int] = mapped_column(primary_key=True)
    column_name: Mapped[str] = mapped_column(Key, primary_key=True)
    fault: Mapped[str] = mapped_column(String(40), primary_key=True)
    cells: Mapped[int] = mapped_column(BigInteger)


class ReconcileRunRow(Record):
    """A reconciliation, with how it ended."""

    __tablename__ = "reconcile_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    full: Mapped[bool]
    state: Mapped[str] = mapped_column(String(20))
    code: Mapped[str | None] = mapped_column(String(40))
    message: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class GoldenVersionRow(Record):
    """A version of the golden records (金记录). The row is the commit of its folder in the lake."""

    __tablename__ = "golden_version"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    run_id: Mapped[int] = mapped_column(ForeignKey("reconcile_run.id"))
    inputs_digest: Mapped[str] = mapped_column(String(64))
    rules_version: Mapped[str] = mapped_column(String(40))
    residents: Mapped[int] = mapped_column(BigInteger)
    records: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[Mapping[str, Any]]
    """Further numbers of the run: new, merged, split, conflicts by element …"""
    created_at: Mapped[datetime]


class GoldenInputRow(Record):
    """A snapshot that went into a golden version."""

    __tablename__ = "golden_input"
    __table_args__ = (ForeignKeyConstraint(["dataset_key", "snapshot_version"], ["snapshot.dataset_key", "snapshot.version"]),)

    golden_version: Mapped[int] = mapped_column(ForeignKey("golden_version.version", ondelete="CASCADE"), primary_key=True)
    dataset_key: Mapped[str] = mapped_column(Key, primary_key=True)
    snapshot_version: Mapped[int]


class EnterpriseVersionRow(Record):
    """A version of the golden records of enterprises (企业金记录). The row is the commit of its folder in the lake."""

    __tablename__ = "enterprise_version"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    inputs_digest: Mapped[str] = mapped_column(String(64))
    rules_version: Mapped[str] = mapped_column(String(40))
    enterprises: Mapped[int] = mapped_column(BigInteger)
    records: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[Mapping[str, Any]]
    created_at: Mapped[datetime]


class ServingVersionRow(Record):
    """A serving copy of a golden version; the newest row is the one that answers."""

    __tablename__ = "serving_version"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    golden_version: Mapped[int] = mapped_column(ForeignKey("golden_version.version"))
    location: Mapped[str]
    residents: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]


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


class AccountRow(Record):
    """A person's or a system's account (账号); personal, never shared (law.md A-04)."""

    __tablename__ = "user_account"

    name: Mapped[str] = mapped_column(Key, primary_key=True)
    title: Mapped[str]
    department_key: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"))
    active: Mapped[bool]
    secret_digest: Mapped[str | None]
    created_at: Mapped[datetime]


class RoleGrantRow(Record):
    """A role that an account holds."""

    __tablename__ = "role_grant"

    account: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"), primary_key=True)
    role: Mapped[str] = mapped_column(String(40), primary_key=True)
    granted_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    granted_at: Mapped[datetime]


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


class RequestRow(Record):
    """A department's request (申请) for data: what law.md L-14 asks it to state, and where it stands. `version` counts its changes."""

    __tablename__ = "request"
    __table_args__ = (
        # One for each way of listing, so that no list grows slower with what it does not show.
        Index(None, "requester_key", "id"),
        Index(None, "provider_key", "id"),
        Index(None, "state", "id"),
        Index(None, "requester_key", "state", "id"),
        Index(None, "provider_key", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    requester_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"))
    requested_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    provider_key: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"))
    """The department that answers; none: the bureau, for what it keeps itself."""
    target: Mapped[str] = mapped_column(Key)
    """`golden` or a data set's key."""
    columns: Mapped[list[str]]
    row_scope: Mapped[Mapping[str, Any]]
    tier: Mapped[str] = mapped_column(String(2))
    purpose: Mapped[str]
    scene: Mapped[str]
    """使用场景: where the data is used, a matter or a system."""
    use_scope: Mapped[str]
    """使用范围: which units and posts use it."""
    legal_basis: Mapped[str]
    case_number: Mapped[str]
    mode: Mapped[str] = mapped_column(String(20))
    quotas: Mapped[Mapping[str, Any]]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    responsible: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    """Whose is the requester's copy (L-04)."""
    warranted: Mapped[bool]
    """That the request is true, lawful and necessary (L-14)."""
    widens_grant_id: Mapped[int | None] = mapped_column(ForeignKey("data_grant.id", use_alter=True))
    """The grant that this request would widen (L-23)."""
    share: Mapped[str] = mapped_column(String(20))
    """The share attribute of what is asked for, as published when it was submitted."""
    state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    answer: Mapped[Mapping[str, Any]]
    """The answer that waits for the provider's head, then the one that was given; empty before."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    """When the provider first had it."""
    complete_at: Mapped[datetime | None]
    """When the provider had it complete (L-38)."""
    decided_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    decided_at: Mapped[datetime | None]
    reason: Mapped[str]
    """Why it was refused; empty otherwise."""


class RequestMoveRow(Record):
    """What was done about a request: a move, an edit, a look at its impact. Rows are never changed."""

    __tablename__ = "request_move"
    __table_args__ = (Index(None, "request_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"))
    version: Mapped[int]
    """The version of the request after it."""
    move: Mapped[str] = mapped_column(String(20))
    state_before: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    at: Mapped[datetime]
    facts: Mapped[Mapping[str, Any]]


class DataGrantRow(Record):
    """A grant (授权): the agreed terms, frozen. Only its state changes: active → suspended → active | ended."""

    __tablename__ = "data_grant"
    __table_args__ = (CheckConstraint("state IN ('active', 'suspended', 'ended')", name="state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"), index=True)
    """The request that was agreed to; none: made by the bureau directly."""
    grantee_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"), index=True)
    target: Mapped[str] = mapped_column(Key, index=True)
    columns: Mapped[list[str]]
    row_scope: Mapped[Mapping[str, Any]]
    tier: Mapped[str] = mapped_column(String(2))
    purpose: Mapped[str]
    legal_basis: Mapped[str]
    case_number: Mapped[str]
    """The matter (办件号) that the purpose belongs to; may be empty."""
    mode: Mapped[str] = mapped_column(String(20))
    quotas: Mapped[Mapping[str, Any]]
    conditions: Mapped[list[str]]
    """The published conditions of sharing that hold for it (L-10, L-11)."""
    responsible: Mapped[str | None] = mapped_column(Key)
    """The account that answers for the grantee's copy (L-04)."""
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    state: Mapped[str] = mapped_column(String(20))
    audience: Mapped[str] = mapped_column(String(20), default="department")
    """For whom the answer is opened (开放范围)."""
    named: Mapped[list[str]] = mapped_column(default=list)
    """The accounts that alone may use it, where the audience is named leaders."""
    change: Mapped[int] = mapped_column(default=NEXT_GRANT_CHANGE, index=True)
    """Counts the changes of all grants: what was made or changed last has the highest."""
    granted_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    granted_at: Mapped[datetime]


class ReceiptRow(Record):
    """What was handed over: the receipt (回执) of an extract."""

    __tablename__ = "receipt"

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("data_grant.id"), index=True)
    actor: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    target: Mapped[str] = mapped_column(Key)
    target_version: Mapped[int]
    columns: Mapped[list[str]]
    masks: Mapped[Mapping[str, Any]]
    rules_version: Mapped[str] = mapped_column(String(40))
    rows: Mapped[int] = mapped_column(BigInteger)
    residents: Mapped[int] = mapped_column(BigInteger)
    format: Mapped[str] = mapped_column(String(20))
    digest: Mapped[str] = mapped_column(String(64))
    audit_seq: Mapped[int] = mapped_column(BigInteger)
    handed_over_at: Mapped[datetime]


class DoorCountRow(Record):
    """How often something was asked at the door on a day: under a grant, by an actor, about a subject (its keyed hash)."""

    __tablename__ = "door_count"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(Key, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    calls: Mapped[int]


class StewardDecisionRow(Record):
    """A steward's decision (裁定) about residents. Rows are never deleted: a decision ends by its expiry or by its revocation."""

    __tablename__ = "steward_decision"
    __table_args__ = (CheckConstraint("kind IN ('merge', 'apart', 'pin')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    resident_a: Mapped[str] = mapped_column(String(20))
    """The resident that was shown when it was decided; the decision itself holds of records."""
    resident_b: Mapped[str | None] = mapped_column(String(20))
    element: Mapped[str | None] = mapped_column(Key)
    value: Mapped[str | None]
    overruled: Mapped[list[str]]
    """The other values of the element that were known when it was pinned: they are no news later."""
    reason: Mapped[str]
    until: Mapped[date | None]
    """Of a pin the last day on which it stands; of another the day on which it is to be looked at again."""
    golden_version: Mapped[int]
    decided_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    decided_at: Mapped[datetime]
    revoked_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None]


class DecisionAnchorRow(Record):
    """A record on which a steward's decision holds: records keep their keys, whatever becomes of resident ids."""

    __tablename__ = "decision_anchor"
    __table_args__ = (CheckConstraint("side IN ('a', 'b')", name="side"), Index(None, "dataset_key", "record"))

    decision_id: Mapped[int] = mapped_column(ForeignKey("steward_decision.id"), primary_key=True)
    side: Mapped[str] = mapped_column(String(1), primary_key=True)
    dataset_key: Mapped[str] = mapped_column(Key, primary_key=True)
    record: Mapped[str] = mapped_column(primary_key=True)


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


RUNNING = text("stopped_on IS NULL")


class ClockRow(Record):
    """A clock (时限) that runs, or ran, for a request, a ticket or another case: who owes what by which working day."""

    __tablename__ = "clock"
    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'void')", name="outcome"),
        Index(None, "subject", "subject_id"),
        # Of clocks that run, the first due first: whoever looks for work reads along these, however many clocks have ended.
        Index(None, "due_on", "id", sqlite_where=RUNNING, postgresql_where=RUNNING),
        Index(None, "owed_by", "due_on", "id", sqlite_where=RUNNING, postgresql_where=RUNNING),
        Index(None, "clock", "due_on"),
        Index(None, "clock", "owed_by", "due_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(String(20))
    """The kind of case; its number is `subject_id`."""
    subject_id: Mapped[int]
    clock: Mapped[str] = mapped_column(String(40))
    """A key of `rules/clocks.yaml`."""
    owed_by: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"))
    """The department that has to act; none: the bureau."""
    started_at: Mapped[datetime]
    started_on: Mapped[date]
    """The day of receipt in China; day 1 is the working day after it."""
    days: Mapped[int]
    extended_days: Mapped[int]
    """So many of the days were added with the bureau's consent."""
    due_on: Mapped[date]
    provisional: Mapped[bool]
    """暂定: the due date rests on a year whose days off are not announced."""
    calendar_version: Mapped[int]
    """The calendar that gave the due date."""
    stopped_at: Mapped[datetime | None]
    stopped_on: Mapped[date | None]
    outcome: Mapped[str | None] = mapped_column(String(10))
    """done: what was owed was done; void: it is owed no longer."""


class ClockChangeRow(Record):
    """A due date that a newer calendar moved or made certain."""

    __tablename__ = "clock_change"

    clock_id: Mapped[int] = mapped_column(ForeignKey("clock.id"), primary_key=True)
    calendar_version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    due_before: Mapped[date]
    due_after: Mapped[date]
    provisional_before: Mapped[bool]
    provisional_after: Mapped[bool]
    changed_at: Mapped[datetime]


class TicketRow(Record):
    """A ticket: an error sent back to its source (校核), or an objection (异议). Its numbers of items are kept here, so no list counts."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_standing", "standing", "due_on", "id"),
        Index("ix_ticket_department", "department_key", "standing", "due_on", "id"),
        Index("ix_ticket_department_element", "department_key", "element", "standing", "due_on", "id"),
        Index("ix_ticket_element", "element", "standing", "due_on", "id"),
        Index("ix_ticket_state", "state", "due_on", "id"),
        Index("ix_ticket_department_state", "department_key", "state", "due_on", "id"),
        Index("ix_ticket_kind", "kind", "standing", "due_on", "id"),
        Index("ix_ticket_raiser", "raised_by_department", "standing", "due_on", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    """`correction`, or an objection's: `catalogue`, `request`, `use`, `other` (law.md §7.2)."""
    topic: Mapped[str] = mapped_column(String(20))
    origin: Mapped[str] = mapped_column(String(20))
    """Who found it: `reconciliation`, a `user` of an extract, a `resident`, a `department`."""
    department_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"))
    """With whom it is now."""
    raised_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    raised_by_department: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"))
    element: Mapped[str | None] = mapped_column(Key)
    about: Mapped[str] = mapped_column(Key)
    """What an objection is about: a data set's key, `request/N`, `grant/N`, `score/METRIC`."""
    description: Mapped[str]
    round: Mapped[int]
    """1: with the department whose value deviates; 2: turned round to the other side (R-06)."""
    state: Mapped[str] = mapped_column(String(20))
    standing: Mapped[bool]
    """Not closed and not withdrawn: somebody has to do something."""
    verdict: Mapped[str] = mapped_column(String(20))
    accepted_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    received_on: Mapped[date]
    limit_days: Mapped[int]
    yellow_on: Mapped[date]
    due_on: Mapped[date]
    provisional: Mapped[bool]
    closed_on: Mapped[date | None]
    items: Mapped[int]
    """All that ever stood on it; the other counts are of those that stand on it now."""
    items_open: Mapped[int]
    items_awaiting: Mapped[int]
    items_contested: Mapped[int]
    items_at_door: Mapped[int]
    reroutes: Mapped[int]
    reopened: Mapped[int]
    rating: Mapped[int | None]
    solved: Mapped[bool | None]
    version: Mapped[int]
    """Counts its changes: who acts on an older one is told."""
    created_at: Mapped[datetime]


class TicketItemRow(Record):
    """One record whose value of an element is in question. It moves between tickets as it turns round; settled, it is history."""

    __tablename__ = "ticket_item"
    __table_args__ = (
        Index("ix_ticket_item_ticket", "ticket_id", "id"),
        Index(
            "ux_ticket_item_standing",
            "dataset_key",
            "record",
            "element",
            unique=True,
            sqlite_where=text("settled_version IS NULL"),
            postgresql_where=text("settled_version IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[str] = mapped_column(String(20))
    """`deviates`, `refuted` (a value of record), `shared_number` (重号), `reported` by a person."""
    resident_id: Mapped[str] = mapped_column(String(20))
    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key"))
    record: Mapped[str]
    element: Mapped[str] = mapped_column(Key)
    against_dataset: Mapped[str | None] = mapped_column(Key)
    """The other side: who holds the value that stands against it."""
    against_record: Mapped[str | None]
    state: Mapped[str] = mapped_column(String(20))
    decided: Mapped[bool]
    """A dispute or a door check has decided: it cannot be turned round again."""
    opened_version: Mapped[int]
    answered_snapshot: Mapped[int | None]
    """The data set's snapshot that was in force when `corrected` was answered: a newer one must bring the corrected record."""
    settled_version: Mapped[int | None]
    door_check_id: Mapped[int | None] = mapped_column(index=True)
    """The check at the door that is to settle it."""


class TicketEventRow(Record):
    """What happened to a ticket, in order. `by` is none where the platform itself acted."""

    __tablename__ = "ticket_event"
    __table_args__ = (Index("ix_ticket_event_ticket", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    move: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    department_key: Mapped[str] = mapped_column(Key)
    items: Mapped[int]
    reason: Mapped[str]
    by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    at: Mapped[datetime]


class HandoverRow(Record):
    """A golden version whose conflicts were handed over to casework: what was opened and settled. The row is the commit."""

    __tablename__ = "handover"

    golden_version: Mapped[int] = mapped_column(ForeignKey("golden_version.version"), primary_key=True)
    items_opened: Mapped[int]
    items_settled: Mapped[int]
    tickets_opened: Mapped[int]
    tickets_closed: Mapped[int]
    at: Mapped[datetime]


class ReminderRow(Record):
    """A reminder (提醒) of a task that is yellow or red: to its handler, then the head, then the bureau (F-01); each once."""

    __tablename__ = "reminder"
    __table_args__ = (CheckConstraint("stage IN ('handler', 'head', 'bureau')", name="stage"), Index(None, "department_key", "at"))

    clock_id: Mapped[int] = mapped_column(ForeignKey("clock.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(10), primary_key=True)
    department_key: Mapped[str | None] = mapped_column(Key)
    """Whom it reminds; none: the bureau."""
    at: Mapped[datetime]


class ExplanationRow(Record):
    """What a department says of a task that is red (F-01)."""

    __tablename__ = "explanation"

    clock_id: Mapped[int] = mapped_column(ForeignKey("clock.id"), primary_key=True)
    reason: Mapped[str]
    by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    at: Mapped[datetime]


class ChangeNoticeRow(Record):
    """A golden value that was handed over has changed since (订阅变更, R-08): told to the department that received it, in counts."""

    __tablename__ = "change_notice"
    __table_args__ = (Index(None, "department_key", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"), index=True)
    golden_version: Mapped[int] = mapped_column(ForeignKey("golden_version.version"))
    department_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"))
    residents: Mapped[int]
    """Of those that were handed over, how many differ now in a column that was handed over, or are no residents any more."""
    columns: Mapped[Mapping[str, Any]]
    """Column → residents in whom it differs."""
    seen_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class GridWorkerRow(Record):
    """Who works a grid (网格员), and the one account that assesses the work (单一考核主体)."""

    __tablename__ = "grid_worker"

    grid_code: Mapped[str] = mapped_column(String(20), primary_key=True)
    account: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"), index=True)
    assessor: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))


class DoorCheckRow(Record):
    """A check at the door (入户核查): what a grid worker is to ask, and how it went. What was answered stands in files, not here."""

    __tablename__ = "door_check"
    __table_args__ = (Index(None, "worker", "state", "due_on", "id"), Index(None, "state", "due_on", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    resident_id: Mapped[str] = mapped_column(String(20))
    elements: Mapped[list[str]]
    """What is to be asked."""
    grid_code: Mapped[str] = mapped_column(String(20))
    worker: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    assessor: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    state: Mapped[str] = mapped_column(String(20))
    result: Mapped[str | None] = mapped_column(String(20))
    contact: Mapped[str | None] = mapped_column(String(10))
    evidence: Mapped[str]
    """Number of a photo or a form that is kept elsewhere; never a number of a person."""
    visited_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    rating: Mapped[int | None]
    """By the resident, 1 to 5."""
    due_on: Mapped[date]
    created_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    created_at: Mapped[datetime]


class DisputeRow(Record):
    """A dispute between departments (争议, L-29): negotiation, then coordination by the bureau, then the government's decision."""

    __tablename__ = "dispute"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    level: Mapped[str] = mapped_column(String(20))
    coordinator: Mapped[str] = mapped_column(String(20))
    """Who coordinates: the `bureau` between units of one level, the `superior` bureau across levels or areas."""
    outcome: Mapped[str | None] = mapped_column(String(20))
    """Whose value was found correct: `deviating` or `other`; of an objection `justified` or `dismissed`."""
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class DisputeStepRow(Record):
    """One step of a dispute's chain, with its document."""

    __tablename__ = "dispute_step"
    __table_args__ = (Index(None, "dispute_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("dispute.id"))
    level: Mapped[str] = mapped_column(String(20))
    move: Mapped[str] = mapped_column(String(20))
    document: Mapped[str]
    """Number of the document (文号)."""
    reason: Mapped[str]
    by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    at: Mapped[datetime]
