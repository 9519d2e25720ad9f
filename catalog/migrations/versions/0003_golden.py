"""First schema: areas, reconciliation, golden and serving versions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "area",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("parent_code", sa.String(length=20), nullable=True),
        sa.Column("polygon", sa.Text(), nullable=True),
        sa.CheckConstraint("level IN ('district', 'street', 'community', 'grid')", name="ck_area_level"),
        sa.ForeignKeyConstraint(["parent_code"], ["area.code"], name="fk_area_parent_code"),
        sa.PrimaryKeyConstraint("code", name="pk_area"),
    )
    op.create_index("ix_area_parent_code", "area", ["parent_code"], unique=False)
    op.create_table(
        "address_range",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grid_code", sa.String(length=20), nullable=False),
        sa.Column("street_code", sa.String(length=20), nullable=False),
        sa.Column("road", sa.Text(), nullable=False),
        sa.Column("parity", sa.String(length=4), nullable=False),
        sa.Column("from_no", sa.Integer(), nullable=False),
        sa.Column("to_no", sa.Integer(), nullable=False),
        sa.Column("estate", sa.Text(), nullable=False),
        sa.CheckConstraint("parity IN ('odd', 'even', 'all')", name="ck_address_range_parity"),
        sa.ForeignKeyConstraint(["grid_code"], ["area.code"], name="fk_address_range_grid_code"),
        sa.ForeignKeyConstraint(["street_code"], ["area.code"], name="fk_address_range_street_code"),
        sa.PrimaryKeyConstraint("id", name="pk_address_range"),
    )
    op.create_index("ix_address_range_grid_code", "address_range", ["grid_code"], unique=False)
    op.create_index("ix_address_range_street_code_road", "address_range", ["street_code", "road"], unique=False)
    op.create_table(
        "reconcile_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("full", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_reconcile_run"),
    )
    op.create_table(
        "golden_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("inputs_digest", sa.String(length=64), nullable=False),
        sa.Column("rules_version", sa.String(length=40), nullable=False),
        sa.Column("residents", sa.BigInteger(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["reconcile_run.id"], name="fk_golden_version_run_id"),
        sa.PrimaryKeyConstraint("version", name="pk_golden_version"),
    )
    op.create_table(
        "golden_input",
        sa.Column("golden_version", sa.Integer(), nullable=False),
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("snapshot_version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_key", "snapshot_version"],
            ["snapshot.dataset_key", "snapshot.version"],
            name="fk_golden_input_dataset_key_snapshot_version",
        ),
        sa.ForeignKeyConstraint(["golden_version"], ["golden_version.version"], name="fk_golden_input_golden_version", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("golden_version", "dataset_key", name="pk_golden_input"),
    )
    op.create_table(
        "serving_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("golden_version", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("residents", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["golden_version"], ["golden_version.version"], name="fk_serving_version_golden_version"),
        sa.PrimaryKeyConstraint("version", name="pk_serving_version"),
    )


def downgrade() -> None:
    op.drop_table("serving_version")
    op.drop_table("golden_input")
    op.drop_table("golden_version")
    op.drop_table("reconcile_run")
    op.drop_table("address_range")
    op.drop_table("area")
