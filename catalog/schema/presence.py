"""Presence: by what an account is known at the door, and what it did there in an emergency."""

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


class SessionRow(Record):
    """A session (会话) of a person: the SHA-256 of its token, and until when a second proof holds."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    account: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"), index=True)
    opened_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    proven_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class SignInFailureRow(Record):
    """Failures in a row to sign in under a name, whether anybody has it or not; `name` is its SHA-256."""

    __tablename__ = "sign_in_failure"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)


class EmergencyRow(Record):
    """An emergency (紧急调用): somebody broke the glass, and somebody else owes a review."""

    __tablename__ = "emergency"

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("data_grant.id"), unique=True)
    account: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    department_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"), index=True)
    """The department of who broke the glass: it breaks none again before the review."""
    owner_key: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"), index=True)
    """Whose data it is about, told at once; none: the bureau's own."""
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reviewed_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    reviewed_at: Mapped[datetime | None]
    justified: Mapped[bool | None]
    finding: Mapped[str]
