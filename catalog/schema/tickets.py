"""Tickets with their items, hand-overs, change notices, disputes."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from catalog.schema.record import Key, Record


class TicketRow(Record):
    """A ticket: an error sent back to its source (校核), or an objection (异议). Its numbers of items are kept here, so no list counts."""

    __tablename__ = "ticket"
    __table_args__ = (
        # `yellow_on` stands last in those that hold much of the table: what is not yellow is passed over in the index, its row unread.
        Index("ix_ticket_standing", "standing", "due_on", "id", "yellow_on"),
        Index("ix_ticket_department", "department_key", "standing", "due_on", "id"),
        Index("ix_ticket_department_element", "department_key", "element", "standing", "due_on", "id"),
        Index("ix_ticket_element", "element", "standing", "due_on", "id", "yellow_on"),
        Index("ix_ticket_state", "state", "due_on", "id", "yellow_on"),
        Index("ix_ticket_department_state", "department_key", "state", "due_on", "id"),
        Index("ix_ticket_kind", "kind", "standing", "due_on", "id", "yellow_on"),
        Index("ix_ticket_raiser", "raised_by_department", "standing", "due_on", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    """`correction`, or an objection's: `catalogue`, `request`, `use`, `other` (law.md §7.2)."""
    topic: Mapped[str] = mapped_column(String(20))
    origin: Mapped[str] = mapped_column(String(20))
    """Who found it: `reconciliation`, a `user` of an extract, a `resident`, a `department`."""
    department_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"))
    """With whom it is now."""
    raised_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    raised_by_department: Mapped[str | None] = mapped_column(Key, ForeignKey("department.key"))
    element: Mapped[str | None] = mapped_column(Key)
    about: Mapped[str] = mapped_column(Key)
    """What an objection is about: a data set's key, `request/N`, `grant/N`, `score/METRIC`."""
    description: Mapped[str]
    round: Mapped[int]
    """1: with the department whose value deviates; 2: turned round to the other side (R-06)."""
    state: Mapped[str] = mapped_column(String(20))
    standing: Mapped[bool]
    """Not closed and not withdrawn: somebody has to do something."""
    verdict: Mapped[str] = mapped_column(String(20))
    accepted_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    received_on: Mapped[date]
    limit_days: Mapped[int]
    yellow_on: Mapped[date]
    due_on: Mapped[date]
    provisional: Mapped[bool]
    closed_on: Mapped[date | None]
    items: Mapped[int]
    """All that ever stood on it; the other counts are of those that stand on it now."""
    items_open: Mapped[int]
    items_awaiting: Mapped[int]
    items_contested: Mapped[int]
    items_at_door: Mapped[int]
    reroutes: Mapped[int]
    reopened: Mapped[int]
    rating: Mapped[int | None]
    solved: Mapped[bool | None]
    version: Mapped[int]
    """Counts its changes: who acts on an older one is told."""
    created_at: Mapped[datetime]


class TicketItemRow(Record):
    """One record whose value of an element is in question. It moves between tickets as it turns round; settled, it is history."""

    __tablename__ = "ticket_item"
    __table_args__ = (
        Index("ix_ticket_item_ticket", "ticket_id", "id"),
        Index(
            "ux_ticket_item_standing",
            "dataset_key",
            "record",
            "element",
            unique=True,
            sqlite_where=text("settled_version IS NULL"),
            postgresql_where=text("settled_version IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    kind: Mapped[str] = mapped_column(String(20))
    """`deviates`, `refuted` (a value of record), `shared_number` (重号), `reported` by a person."""
    resident_id: Mapped[str] = mapped_column(String(20))
    dataset_key: Mapped[str] = mapped_column(Key, ForeignKey("dataset.key"))
    record: Mapped[str]
    element: Mapped[str] = mapped_column(Key)
    against_dataset: Mapped[str | None] = mapped_column(Key)
    """The other side: who holds the value that stands against it."""
    against_record: Mapped[str | None]
    state: Mapped[str] = mapped_column(String(20))
    decided: Mapped[bool]
    """A dispute or a door check has decided: it cannot be turned round again."""
    opened_version: Mapped[int]
    answered_snapshot: Mapped[int | None]
    """The data set's snapshot that was in force when `corrected` was answered: a newer one must bring the corrected record."""
    settled_version: Mapped[int | None]
    door_check_id: Mapped[int | None] = mapped_column(index=True)
    """The check at the door that is to settle it."""


class TicketEventRow(Record):
    """What happened to a ticket, in order. `by` is none where the platform itself acted."""

    __tablename__ = "ticket_event"
    __table_args__ = (Index("ix_ticket_event_ticket", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    move: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    department_key: Mapped[str] = mapped_column(Key)
    items: Mapped[int]
    reason: Mapped[str]
    by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    at: Mapped[datetime]


class HandoverRow(Record):
    """A golden version whose conflicts were handed over to casework: what was opened and settled. The row is the commit."""

    __tablename__ = "handover"

    golden_version: Mapped[int] = mapped_column(ForeignKey("golden_version.version"), primary_key=True)
    items_opened: Mapped[int]
    items_settled: Mapped[int]
    tickets_opened: Mapped[int]
    tickets_closed: Mapped[int]
    at: Mapped[datetime]


class ChangeNoticeRow(Record):
    """A golden value that was handed over has changed since (订阅变更, R-08): told to the department that received it, in counts."""

    __tablename__ = "change_notice"
    __table_args__ = (Index(None, "department_key", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt_id: Mapped[int] = mapped_column(ForeignKey("receipt.id"), index=True)
    golden_version: Mapped[int] = mapped_column(ForeignKey("golden_version.version"))
    department_key: Mapped[str] = mapped_column(Key, ForeignKey("department.key"))
    residents: Mapped[int]
    """Of those that were handed over, how many differ now in a column that was handed over, or are no residents any more."""
    columns: Mapped[Mapping[str, Any]]
    """Column → residents in whom it differs."""
    seen_by: Mapped[str | None] = mapped_column(Key, ForeignKey("user_account.name"))
    seen_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class DisputeRow(Record):
    """A dispute between departments (争议, L-29): negotiation, then coordination by the bureau, then the government's decision."""

    __tablename__ = "dispute"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    level: Mapped[str] = mapped_column(String(20))
    coordinator: Mapped[str] = mapped_column(String(20))
    """Who coordinates: the `bureau` between units of one level, the `superior` bureau across levels or areas."""
    outcome: Mapped[str | None] = mapped_column(String(20))
    """Whose value was found correct: `deviating` or `other`; of an objection `justified` or `dismissed`."""
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class DisputeStepRow(Record):
    """One step of a dispute's chain, with its document."""

    __tablename__ = "dispute_step"
    __table_args__ = (Index(None, "dispute_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dispute_id: Mapped[int] = mapped_column(ForeignKey("dispute.id"))
    level: Mapped[str] = mapped_column(String(20))
    move: Mapped[str] = mapped_column(String(20))
    document: Mapped[str]
    """Number of the document (文号)."""
    reason: Mapped[str]
    by: Mapped[str] = mapped_column(Key, ForeignKey("user_account.name"))
    at: Mapped[datetime]
