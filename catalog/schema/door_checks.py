"""Checks at the door, and who works which grid."""

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


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
