"""Presence: by what an account is known at the door."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


class ApiKeyRow(Record):
    """An API key (接口密钥) of a system: its SHA-256 and what it reaches, never the key."""

    __tablename__ = "api_key"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    account: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"), index=True)
    title: Mapped[str]
    """Which system holds it."""
    acts: Mapped[list[str]]
    grants: Mapped[list[int]] = mapped_column(JSON())
    plaintext: Mapped[bool]
    """Whether it may be answered in plaintext of level L3 and above, where a person would have to prove himself again."""
    made_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    revoked_at: Mapped[datetime | None]
