"""What extracts under way hold."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


class ExtractPlaceRow(Record):
    """One of the extracts that a grant is limited to, taken (占用) by an extract under way: it becomes a receipt or is given back."""

    __tablename__ = "extract_place"

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("data_grant.id"), index=True)
    holder: Mapped[str] = mapped_column(Key)
    """The door that took it; where that has died, the place is free."""
    taken_at: Mapped[datetime]
