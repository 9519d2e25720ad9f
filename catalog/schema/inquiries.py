"""What is kept of inquiries at the door beside their records in the log."""

from datetime import date

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


class DoorCountRow(Record):
    """How often something was asked at the door on a day: under a grant, by an actor, about a subject (its keyed hash)."""

    __tablename__ = "door_count"

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(Key, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    calls: Mapped[int]
