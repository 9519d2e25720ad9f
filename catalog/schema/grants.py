"""What stands beside grants: what they let through when people last looked, who was told of a re-grading, epochs, linkage tickets."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


class GrantGradingRow(Record):
    """What a grant lets through, as it was agreed to or as the grantee was last told: per column its level and masks."""

    __tablename__ = "grant_grading"

    grant_id: Mapped[int] = mapped_column(ForeignKey("data_grant.id"), primary_key=True)
    columns: Mapped[Mapping[str, Any]]
    policy_version: Mapped[int]
    seen_at: Mapped[datetime]


class RegradingNoticeRow(Record):
    """A grantee, or the bureau (no department), is told that a re-grading touches an open grant: per column what was and what is."""

    __tablename__ = "regrading_notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("data_grant.id"), index=True)
    department_key: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"))
    columns: Mapped[Mapping[str, Any]]
    created_at: Mapped[datetime]
    seen_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    seen_at: Mapped[datetime | None]


class PseudonymEpochRow(Record):
    """An epoch of a recipient's pseudonyms: from then on all of them are new. Before the first row it is epoch 1 by the policy's digest."""

    __tablename__ = "pseudonym_epoch"

    department_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str]
    begun_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    begun_at: Mapped[datetime]


class LinkageTicketRow(Record):
    """A linkage ticket (关联票): the pseudonyms under two grants may be joined, on this basis and until this day."""

    __tablename__ = "linkage_ticket"

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_a: Mapped[int] = mapped_column(ForeignKey("data_grant.id"))
    grant_b: Mapped[int] = mapped_column(ForeignKey("data_grant.id"))
    legal_basis: Mapped[str]
    case_number: Mapped[str]
    reason: Mapped[str]
    valid_to: Mapped[date]
    approved_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    approved_at: Mapped[datetime]
