"""Published rule sets, running clocks, and what a newer calendar did to their due dates."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "published_rules",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("published_by", sa.String(length=120), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "version", name="pk_published_rules"),
        sa.ForeignKeyConstraint(["published_by"], ["user_account.name"], name="fk_published_rules_published_by"),
    )
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("clock", sa.String(length=40), nullable=False),
        sa.Column("owed_by", sa.String(length=120), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("extended_days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("calendar_version", sa.Integer(), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_on", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=10), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_clock"),
        sa.ForeignKeyConstraint(["owed_by"], ["department.key"], name="fk_clock_owed_by"),
        sa.CheckConstraint("outcome IN ('done', 'void')", name="ck_clock_outcome"),
    )
    op.create_index("ix_clock_owed_by", "clock", ["owed_by"])
    op.create_index("ix_clock_subject_subject_id", "clock", ["subject", "subject_id"])
    op.create_index("ix_clock_stopped_on_due_on_id", "clock", ["stopped_on", "due_on", "id"])
    op.create_table(
        "clock_change",
        sa.Column("clock_id", sa.Integer(), nullable=False),
        sa.Column("calendar_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_before", sa.Date(), nullable=False),
        sa.Column("due_after", sa.Date(), nullable=False),
        sa.Column("provisional_before", sa.Boolean(), nullable=False),
        sa.Column("provisional_after", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("clock_id", "calendar_version", name="pk_clock_change"),
        sa.ForeignKeyConstraint(["clock_id"], ["clock.id"], name="fk_clock_change_clock_id"),
    )


def downgrade() -> None:
    op.drop_table("clock_change")
    op.drop_table("clock")
    op.drop_table("published_rules")
