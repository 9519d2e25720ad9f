"""Clocks, reminders, and what departments say of red ones."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record

RUNNING = text("stopped_on IS NULL")


class ClockRow(Record):
    """A clock (时限) that runs, or ran, for a request, a ticket or another case: who owes what by which working day."""

    __tablename__ = "clock"
    __table_args__ = (
        CheckConstraint("outcome IN ('done', 'void')", name="outcome"),
        Index(None, "subject", "subject_id"),
        # Of clocks that run, the first due first: whoever looks for work reads along these, however many clocks have ended.
        # `days` says what is yellow (F-01): what is not is passed over in the index, its row unread.
        Index(None, "due_on", "id", "days", sqlite_where=RUNNING, postgresql_where=RUNNING),
        Index(None, "owed_by", "due_on", "id", "days", sqlite_where=RUNNING, postgresql_where=RUNNING),
        Index(None, "clock", "due_on"),
        # The cases behind a department's number (F-04) are read and sorted from this index alone, their rows unread.
        Index("ix_clock_cases", "clock", "owed_by", "due_on", "stopped_on", "outcome", "extended_days", "subject", "subject_id"),
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
