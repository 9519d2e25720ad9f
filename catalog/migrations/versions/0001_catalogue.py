"""First schema: departments, data sets, columns, contracts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "department",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("authority", sa.String(length=120), nullable=False),
        sa.Column("credit_code", sa.String(length=18), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_department"),
    )
    op.create_table(
        "dataset",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=False),
        sa.Column("contract_version", sa.Integer(), nullable=False),
        sa.Column("server", sa.JSON(), nullable=False),
        sa.Column("share", sa.String(length=20), nullable=False),
        sa.Column("update_frequency", sa.String(length=20), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("about_persons", sa.Boolean(), nullable=False),
        sa.Column("source_of_record", sa.JSON(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_dataset_department_key"),
        sa.PrimaryKeyConstraint("key", name="pk_dataset"),
    )
    op.create_index("ix_dataset_department_key", "dataset", ["department_key"], unique=False)
    op.create_table(
        "dataset_column",
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("physical_name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("element", sa.String(length=120), nullable=True),
        sa.Column("key_position", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(length=2), nullable=False),
        sa.Column("share", sa.String(length=20), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=True),
        sa.Column("logical_type", sa.String(length=20), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["dataset_key"], ["dataset.key"], name="fk_dataset_column_dataset_key", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("dataset_key", "position", name="pk_dataset_column"),
    )
    op.create_index("ix_dataset_column_element", "dataset_column", ["element"], unique=False)
    op.create_table(
        "contract",
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("api_version", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["dataset_key"], ["dataset.key"], name="fk_contract_dataset_key"),
        sa.PrimaryKeyConstraint("dataset_key", "version", name="pk_contract"),
    )


def downgrade() -> None:
    op.drop_table("contract")
    op.drop_table("dataset_column")
    op.drop_table("dataset")
    op.drop_table("department")
