"""Catalogue entries: their contents, acts, codes and resources."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ENTRY_STATES = "state IN ('draft', 'department_review', 'bureau_review', 'published', 'changing', 'withdrawal', 'cancelled')"
RESOURCE_STATES = "state IN ('registered', 'checked', 'attached', 'running', 'abnormal', 'change_filed', 'withdrawn')"


def upgrade() -> None:
    op.create_table(
        "catalogue_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("content_number", sa.Integer(), nullable=False),
        sa.Column("published_number", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("share", sa.String(length=20), nullable=False),
        sa.Column("level", sa.String(length=2), nullable=False),
        sa.Column("column_count", sa.Integer(), nullable=False),
        sa.Column("succeeds_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_catalogue_entry"),
        sa.UniqueConstraint("code", name="uq_catalogue_entry_code"),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_catalogue_entry_department_key"),
        sa.ForeignKeyConstraint(["succeeds_id"], ["catalogue_entry.id"], name="fk_catalogue_entry_succeeds_id"),
        sa.CheckConstraint(ENTRY_STATES, name="ck_catalogue_entry_state"),
    )
    op.create_index("ix_catalogue_entry_department_key_id", "catalogue_entry", ["department_key", "id"])
    op.create_index("ix_catalogue_entry_state_id", "catalogue_entry", ["state", "id"])
    op.create_table(
        "entry_content",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.Column("changed_by", sa.String(length=120), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", "number", name="pk_entry_content"),
        sa.ForeignKeyConstraint(["entry_id"], ["catalogue_entry.id"], name="fk_entry_content_entry_id"),
        sa.ForeignKeyConstraint(["changed_by"], ["user_account.name"], name="fk_entry_content_changed_by"),
    )
    op.create_table(
        "entry_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("state_before", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("done_by", sa.String(length=120), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entry_act"),
        sa.UniqueConstraint("entry_id", "revision", name="uq_entry_act_entry_id_revision"),
        sa.ForeignKeyConstraint(["entry_id"], ["catalogue_entry.id"], name="fk_entry_act_entry_id"),
        sa.ForeignKeyConstraint(["done_by"], ["user_account.name"], name="fk_entry_act_done_by"),
    )
    op.create_table(
        "entry_code",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=12), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_entry_code"),
        sa.UniqueConstraint("category", "serial", name="uq_entry_code_category_serial"),
        sa.UniqueConstraint("entry_id", name="uq_entry_code_entry_id"),
        sa.ForeignKeyConstraint(["entry_id"], ["catalogue_entry.id"], name="fk_entry_code_entry_id"),
    )
    op.create_table(
        "entry_resource",
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("contract_version", sa.Integer(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attached_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("dataset_key", name="pk_entry_resource"),
        sa.ForeignKeyConstraint(["dataset_key"], ["dataset.key"], name="fk_entry_resource_dataset_key"),
        sa.ForeignKeyConstraint(["entry_id"], ["catalogue_entry.id"], name="fk_entry_resource_entry_id"),
        sa.CheckConstraint(RESOURCE_STATES, name="ck_entry_resource_state"),
    )
    op.create_index("ix_entry_resource_entry_id", "entry_resource", ["entry_id"])


def downgrade() -> None:
    for table in ("entry_resource", "entry_code", "entry_act", "entry_content", "catalogue_entry"):
        op.drop_table(table)
