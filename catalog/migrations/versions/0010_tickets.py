"""Tickets: corrections and objections, their items and history, and which golden versions were handed over."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=False),
        sa.Column("raised_by", sa.String(length=120), nullable=True),
        sa.Column("raised_by_department", sa.String(length=120), nullable=True),
        sa.Column("element", sa.String(length=120), nullable=True),
        sa.Column("about", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("accepted_by", sa.String(length=120), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("limit_days", sa.Integer(), nullable=False),
        sa.Column("yellow_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("items_open", sa.Integer(), nullable=False),
        sa.Column("items_awaiting", sa.Integer(), nullable=False),
        sa.Column("items_contested", sa.Integer(), nullable=False),
        sa.Column("items_at_door", sa.Integer(), nullable=False),
        sa.Column("reroutes", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ticket"),
        sa.ForeignKeyConstraint(["accepted_by"], ["user_account.name"], name="fk_ticket_accepted_by"),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_ticket_department_key"),
        sa.ForeignKeyConstraint(["raised_by"], ["user_account.name"], name="fk_ticket_raised_by"),
        sa.ForeignKeyConstraint(["raised_by_department"], ["department.key"], name="fk_ticket_raised_by_department"),
    )
    op.create_index("ix_ticket_department", "ticket", ["department_key", "standing", "due_on", "id"])
    op.create_index("ix_ticket_department_element", "ticket", ["department_key", "element", "standing", "due_on", "id"])
    op.create_index("ix_ticket_department_state", "ticket", ["department_key", "state", "due_on", "id"])
    op.create_index("ix_ticket_element", "ticket", ["element", "standing", "due_on", "id"])
    op.create_index("ix_ticket_kind", "ticket", ["kind", "standing", "due_on", "id"])
    op.create_index("ix_ticket_raiser", "ticket", ["raised_by_department", "standing", "due_on", "id"])
    op.create_index("ix_ticket_standing", "ticket", ["standing", "due_on", "id"])
    op.create_index("ix_ticket_state", "ticket", ["state", "due_on", "id"])
    op.create_table(
        "ticket_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("resident_id", sa.String(length=20), nullable=False),
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("element", sa.String(length=120), nullable=False),
        sa.Column("against_dataset", sa.String(length=120), nullable=True),
        sa.Column("against_record", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("decided", sa.Boolean(), nullable=False),
        sa.Column("opened_version", sa.Integer(), nullable=False),
        sa.Column("answered_snapshot", sa.Integer(), nullable=True),
        sa.Column("settled_version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_item"),
        sa.ForeignKeyConstraint(["dataset_key"], ["dataset.key"], name="fk_ticket_item_dataset_key"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_item_ticket_id"),
    )
    op.create_index("ix_ticket_item_ticket", "ticket_item", ["ticket_id", "id"])
    op.create_index(
        "ux_ticket_item_standing",
        "ticket_item",
        ["dataset_key", "record", "element"],
        unique=True,
        sqlite_where=sa.text("settled_version IS NULL"),
        postgresql_where=sa.text("settled_version IS NULL"),
    )
    op.create_table(
        "ticket_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("move", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ticket_event"),
        sa.ForeignKeyConstraint(["by"], ["user_account.name"], name="fk_ticket_event_by"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_ticket_event_ticket_id"),
    )
    op.create_index("ix_ticket_event_ticket", "ticket_event", ["ticket_id", "id"])
    op.create_table(
        "handover",
        sa.Column("golden_version", sa.Integer(), nullable=False),
        sa.Column("items_opened", sa.Integer(), nullable=False),
        sa.Column("items_settled", sa.Integer(), nullable=False),
        sa.Column("tickets_opened", sa.Integer(), nullable=False),
        sa.Column("tickets_closed", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("golden_version", name="pk_handover"),
        sa.ForeignKeyConstraint(["golden_version"], ["golden_version.version"], name="fk_handover_golden_version"),
    )


def downgrade() -> None:
    op.drop_table("handover")
    op.drop_table("ticket_event")
    op.drop_table("ticket_item")
    op.drop_table("ticket")
