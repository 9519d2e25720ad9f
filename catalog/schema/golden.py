"""Reconciliation: its runs and versions, and what stewards decided."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from catalog.schema.record import Key, Record


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
