"""Access: accounts, roles, grants, receipts."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String, literal_column
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from catalog.schema.record import Key, Record

NEXT_GRANT_CHANGE = literal_column("(SELECT coalesce(max(change), 0) + 1 FROM data_grant)", Integer)
"""Whoever changes grants has `serialise`d it, so that no number is given twice."""


class AccountRow(Record):
    """A person's or a system's account (账号); personal, never shared (law.md A-04)."""

    __tablename__ = "user_account"

    name: Mapped[str] = mapped_column(Key, primary_key=True)
    title: Mapped[str]
    department_key: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"))
    active: Mapped[bool]
    secret_digest: Mapped[str | None]
    """Its password's argon2id; none: nobody signs in to it."""
    secret_provisional: Mapped[bool] = mapped_column(default=False)
    """Set by the bureau; serves to choose one's own and for nothing else."""
    secret_set_at: Mapped[datetime | None]
    """Sessions opened before are void."""
    created_at: Mapped[datetime]


class RoleGrantRow(Record):
    """A role that an account holds."""

    __tablename__ = "role_grant"

    account: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"), primary_key=True)
    role: Mapped[str] = mapped_column(String(40), primary_key=True)
    granted_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    granted_at: Mapped[datetime]


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
    ends_at: Mapped[datetime | None]
    """The minute at which an emergency's grant is over; none for all others."""
    state: Mapped[str] = mapped_column(String(20))
    audience: Mapped[str] = mapped_column(String(20), default="department")
    """For whom the answer is opened (开放范围)."""
    named: Mapped[list[str]] = mapped_column(default=list)
    """The accounts that alone may use it, where the audience is named leaders."""
    disputed: Mapped[str] = mapped_column(String(20), default="keep")
    """What becomes of values in dispute (存疑): left out, marked or kept."""
    masks: Mapped[Mapping[str, Any]] = mapped_column(default=dict)
    """A column's mask where it is not the usual one."""
    change: Mapped[int] = mapped_column(default=NEXT_GRANT_CHANGE, index=True)
    """Counts the changes of all grants: what was made or changed last has the highest."""
    granted_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    granted_at: Mapped[datetime]
    made_seq: Mapped[int | None] = mapped_column(BigInteger)
    """The record of the log that holds the terms as they were made."""


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
    population: Mapped[str | None] = mapped_column(String(64))
    """The digest that the bitmap of its residents is named by; none of what was handed over before there were any."""
    groups: Mapped[str | None] = mapped_column(String(64))
    """Of a statistic the digest of its groups with their residents."""
    fingerprint: Mapped[str | None] = mapped_column(String(32))
    """Which copy it is (指纹); none: not markable."""
    effect_level: Mapped[int | None]
    """去标识化效果分级 (law.md I-02)."""
    audit_seq: Mapped[int] = mapped_column(BigInteger)
    handed_over_at: Mapped[datetime]
