"""Requests for data, and what was done about them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


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
    disputed: Mapped[str] = mapped_column(String(20), default="keep")
    audience: Mapped[str] = mapped_column(String(20), default="department")
    """For whom the answer is to be opened (开放范围)."""
    named: Mapped[list[str]] = mapped_column(default=list)
    """The accounts that alone are to use it, where the audience is named leaders."""
    tier_reason: Mapped[str] = mapped_column(default="")
    """Why a tier above the lowest sufficient one is necessary (I-07)."""
    masks: Mapped[Mapping[str, Any]] = mapped_column(default=dict)
    """A column's mask where it is not to be the usual one."""
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
