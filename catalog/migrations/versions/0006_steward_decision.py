"""Stewards' decisions about residents, and the records on which they hold."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "steward_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("resident_a", sa.String(length=20), nullable=False),
        sa.Column("resident_b", sa.String(length=20), nullable=True),
        sa.Column("element", sa.String(length=120), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("overruled", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("golden_version", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.String(length=120), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_steward_decision"),
        sa.ForeignKeyConstraint(["decided_by"], ["user_account.name"], name="fk_steward_decision_decided_by"),
        sa.ForeignKeyConstraint(["revoked_by"], ["user_account.name"], name="fk_steward_decision_revoked_by"),
        sa.CheckConstraint("kind IN ('merge', 'apart', 'pin')", name="ck_steward_decision_kind"),
    )
    op.create_table(
        "decision_anchor",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=1), nullable=False),
        sa.Column("dataset_key", sa.String(length=120), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("decision_id", "side", "dataset_key", "record", name="pk_decision_anchor"),
        sa.ForeignKeyConstraint(["decision_id"], ["steward_decision.id"], name="fk_decision_anchor_decision_id"),
        sa.CheckConstraint("side IN ('a', 'b')", name="ck_decision_anchor_side"),
    )
    op.create_index("ix_decision_anchor_dataset_key_record", "decision_anchor", ["dataset_key", "record"])


def downgrade() -> None:
    op.drop_table("decision_anchor")
    op.drop_table("steward_decision")
