"""Published scorecards with the lists behind their numbers. Rows are never changed."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


class ScorecardRow(Record):
    """A scorecard (考核) of a period as it was published."""

    __tablename__ = "scorecard"
    __table_args__ = (Index(None, "first", "last"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[date]
    last: Mapped[date]
    anew_id: Mapped[int | None] = mapped_column(ForeignKey("scorecard.id"))
    """The one of the same period that it corrects."""
    cases: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    """Of the numbers; the log has it too."""
    catalogue: Mapped[Mapping[str, Any]]
    """Department → how many published entries and data sets it offered."""
    published_by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    published_at: Mapped[datetime]
    reason: Mapped[str]


class ScorecardCaseRow(Record):
    """One case behind a published number."""

    __tablename__ = "scorecard_case"
    __table_args__ = (Index(None, "scorecard_id", "metric", "department_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecard.id"))
    metric: Mapped[str] = mapped_column(String(40))
    department_key: Mapped[str] = mapped_column(Key)
    case: Mapped[str] = mapped_column(Key)
    met: Mapped[bool]
    extended: Mapped[bool]
