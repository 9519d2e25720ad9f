"""Lights, notices, door checks and disputes: reminders and explanations of tasks, changes of what was handed over, L-29 as a chain."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.batch_alter_table("ticket") as ticket:
        ticket.drop_column("explained_at")
    op.create_index("ix_clock_clock_due_on", "clock", ["clock", "due_on"])
    op.create_table(
        "reminder",
        sa.Column("clock_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("clock_id", "stage", name="pk_reminder"),
        sa.ForeignKeyConstraint(["clock_id"], ["clock.id"], name="fk_reminder_clock_id"),
        sa.CheckConstraint("stage IN ('handler', 'head', 'bureau')", name="ck_reminder_ck_reminder_stage"),
    )
    op.create_index("ix_reminder_department_key_at", "reminder", ["department_key", "at"])
    op.create_table(
        "explanation",
        sa.Column("clock_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("clock_id", name="pk_explanation"),
        sa.ForeignKeyConstraint(["by"], ["user_account.name"], name="fk_explanation_by"),
        sa.ForeignKeyConstraint(["clock_id"], ["clock.id"], name="fk_explanation_clock_id"),
    )
    op.create_table(
        "change_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receipt_id", sa.Integer(), nullable=False),
        sa.Column("golden_version", sa.Integer(), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=False),
        sa.Column("residents", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("seen_by", sa.String(length=120), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_change_notice"),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_change_notice_department_key"),
        sa.ForeignKeyConstraint(["golden_version"], ["golden_version.version"], name="fk_change_notice_golden_version"),
        sa.ForeignKeyConstraint(["receipt_id"], ["receipt.id"], name="fk_change_notice_receipt_id"),
        sa.ForeignKeyConstraint(["seen_by"], ["user_account.name"], name="fk_change_notice_seen_by"),
    )
    op.create_index("ix_change_notice_department_key_id", "change_notice", ["department_key", "id"])
    op.create_index("ix_change_notice_receipt_id", "change_notice", ["receipt_id"])
    op.create_table(
        "grid_worker",
        sa.Column("grid_code", sa.String(length=20), nullable=False),
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("assessor", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("grid_code", name="pk_grid_worker"),
        sa.ForeignKeyConstraint(["account"], ["user_account.name"], name="fk_grid_worker_account"),
        sa.ForeignKeyConstraint(["assessor"], ["user_account.name"], name="fk_grid_worker_assessor"),
    )
    op.create_index("ix_grid_worker_account", "grid_worker", ["account"])
    op.create_table(
        "door_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=True),
        sa.Column("resident_id", sa.String(length=20), nullable=False),
        sa.Column("elements", sa.JSON(), nullable=False),
        sa.Column("grid_code", sa.String(length=20), nullable=False),
        sa.Column("worker", sa.String(length=120), nullable=False),
        sa.Column("assessor", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("result", sa.String(length=20), nullable=True),
        sa.Column("contact", sa.String(length=10), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("visited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_door_check"),
        sa.ForeignKeyConstraint(["assessor"], ["user_account.name"], name="fk_door_check_assessor"),
        sa.ForeignKeyConstraint(["created_by"], ["user_account.name"], name="fk_door_check_created_by"),
        sa.ForeignKeyConstraint(["item_id"], ["ticket_item.id"], name="fk_door_check_item_id"),
        sa.ForeignKeyConstraint(["worker"], ["user_account.name"], name="fk_door_check_worker"),
    )
    op.create_index("ix_door_check_item_id", "door_check", ["item_id"])
    op.create_index("ix_door_check_state_due_on_id", "door_check", ["state", "due_on", "id"])
    op.create_index("ix_door_check_worker_state_due_on_id", "door_check", ["worker", "state", "due_on", "id"])
    op.create_table(
        "dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("coordinator", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_dispute"),
        sa.ForeignKeyConstraint(["ticket_id"], ["ticket.id"], name="fk_dispute_ticket_id"),
    )
    op.create_index("ix_dispute_ticket_id", "dispute", ["ticket_id"])
    op.create_table(
        "dispute_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dispute_id", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("move", sa.String(length=20), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dispute_step"),
        sa.ForeignKeyConstraint(["by"], ["user_account.name"], name="fk_dispute_step_by"),
        sa.ForeignKeyConstraint(["dispute_id"], ["dispute.id"], name="fk_dispute_step_dispute_id"),
    )
    op.create_index("ix_dispute_step_dispute_id_id", "dispute_step", ["dispute_id", "id"])


def downgrade() -> None:
    op.drop_table("dispute_step")
    op.drop_table("dispute")
    op.drop_table("door_check")
    op.drop_table("grid_worker")
    op.drop_table("change_notice")
    op.drop_table("explanation")
    op.drop_table("reminder")
    op.drop_index("ix_clock_clock_due_on", "clock")
    with op.batch_alter_table("ticket") as ticket:
        ticket.add_column(sa.Column("explained_at", sa.DateTime(timezone=True), nullable=True))
