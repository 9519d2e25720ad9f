"""Reviews of accesses by auditors, and the draws of what was not flagged."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import BigInteger

from catalog.schema.record import Key, Record


class AuditReviewRow(Record):
    """A review (审计核查) of one access or of one account's accesses of some days, with its frozen evidence."""

    __tablename__ = "audit_review"
    __table_args__ = (
        CheckConstraint("origin IN ('flagged', 'reported', 'drawn')", name="origin"),
        Index(None, "state", "id"),
        Index(None, "assigned_to", "id"),
        Index(None, "department_key", "state", "id"),
        Index(None, "accessor", "id"),
        Index(None, "opened_at"),
        Index(None, "closed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[str] = mapped_column(String(10))
    access_seq: Mapped[int | None] = mapped_column(BigInteger, index=True)
    """The record of the log that it is about; none: it is about the account's accesses from `first` to `last`."""
    first: Mapped[date | None]
    last: Mapped[date | None]
    accessor: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    department_key: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"))
    """Of the accessor; none: the bureau."""
    draw: Mapped[str | None] = mapped_column(String(7), index=True)
    """The month in whose draw it came up."""
    state: Mapped[str] = mapped_column(String(20))
    version: Mapped[int]
    answers: Mapped[str | None] = mapped_column(String(10))
    """Who answers the question that was asked: head (of the department) or bureau."""
    opened_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    opened_at: Mapped[datetime]
    assigned_to: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    outcome: Mapped[str | None] = mapped_column(String(20))
    closed_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    """Who found the outcome; a grave one stands when another has confirmed it."""
    confirmed_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    closed_at: Mapped[datetime | None]
    rules: Mapped[list[str]]
    """The rules that pointed at it when it was opened."""
    evidence: Mapped[str]
    """Canonical JSON: indices, leaf hashes, inclusion proofs, checkpoints, score. Its digest stands in the record of the opening."""
    evidence_digest: Mapped[str] = mapped_column(String(64))
    record: Mapped[int] = mapped_column(BigInteger)
    """The record of the opening."""


class AuditReviewActRow(Record):
    """One act of a review: who did what, and the words that were said. The log holds the digest of the words."""

    __tablename__ = "audit_review_act"
    __table_args__ = (Index(None, "review_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("audit_review.id"))
    move: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    text: Mapped[str]
    by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    at: Mapped[datetime]


class AuditDrawRow(Record):
    """The draw (抽查) of a month out of what no rule pointed at."""

    __tablename__ = "audit_draw"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    checkpoint: Mapped[int] = mapped_column(BigInteger)
    """Size of the signed head whose root is the seed: the first one that holds the whole month."""
    seed: Mapped[str] = mapped_column(String(64))
    accesses: Mapped[int]
    flagged: Mapped[int]
    drawn: Mapped[list[int]]
    passed_over: Mapped[list[int]]
    """Records whose turn it was and that a rule pointed at already."""
    drawn_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    drawn_at: Mapped[datetime]
