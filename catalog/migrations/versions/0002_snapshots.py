"""First schema: snapshots, ingest runs, quality."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "snapshot",
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("source_digest", sa.Text(), nullable=False),
        sa.Column("contract_version", sa.Integer(), nullable=False),
        sa.Column("rules_version", sa.String(length=40), nullable=False),
        sa.Column("rows_raw", sa.BigInteger(), nullable=False),
        sa.Column("rows_standard", sa.BigInteger(), nullable=True),
        sa.Column("rows_quarantined", sa.BigInteger(), nullable=True),
        sa.Column("fault_cells", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('raw', 'standard', 'accepted', 'refused')", name="ck_snapshot_state"),
        sa.ForeignKeyConstraint(["dataset_key"], ["dataset.key"], name="fk_snapshot_dataset_key"),
        sa.PrimaryKeyConstraint("dataset_key", "version", name="pk_snapshot"),
    )
    op.create_table(
        "ingest_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run", sa.String(length=120), nullable=False),
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("snapshot_version", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["dataset_key"], ["dataset.key"], name="fk_ingest_run_dataset_key"),
        sa.PrimaryKeyConstraint("id", name="pk_ingest_run"),
    )
    op.create_index("ix_ingest_run_dataset_key", "ingest_run", ["dataset_key"], unique=False)
    op.create_index("ix_ingest_run_run", "ingest_run", ["run"], unique=False)
    op.create_table(
        "quality_score",
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("snapshot_version", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.String(length=120), nullable=False),
        sa.Column("dimension", sa.String(length=20), nullable=False),
        sa.Column("element", sa.String(length=120), nullable=True),
        sa.Column("passed", sa.BigInteger(), nullable=False),
        sa.Column("checked", sa.BigInteger(), nullable=False),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_key", "snapshot_version"],
            ["snapshot.dataset_key", "snapshot.version"],
            name="fk_quality_score_dataset_key_snapshot_version",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset_key", "snapshot_version", "column_name", "dimension", name="pk_quality_score"),
    )
    op.create_table(
        "quarantine_count",
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("snapshot_version", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_key", "snapshot_version"],
            ["snapshot.dataset_key", "snapshot.version"],
            name="fk_quarantine_count_dataset_key_snapshot_version",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset_key", "snapshot_version", "column_name", "reason", name="pk_quarantine_count"),
    )
    op.create_table(
        "fault_count",
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("snapshot_version", sa.Integer(), nullable=False),
        sa.Column("column_name", sa.String(length=120), nullable=False),
        sa.Column("fault", sa.String(length=40), nullable=False),
        sa.Column("cells", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_key", "snapshot_version"],
            ["snapshot.dataset_key", "snapshot.version"],
            name="fk_fault_count_dataset_key_snapshot_version",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset_key", "snapshot_version", "column_name", "fault", name="pk_fault_count"),
    )


def downgrade() -> None:
    op.drop_table("fault_count")
    op.drop_table("quarantine_count")
    op.drop_table("quality_score")
    op.drop_table("ingest_run")
    op.drop_table("snapshot")
