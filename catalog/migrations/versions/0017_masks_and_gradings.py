"""Masks that a grant names, what each open grant lets through, who was told of a re-grading, epochs of pseudonyms, linkage tickets."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("data_grant", sa.Column("masks", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("request", sa.Column("masks", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("request", sa.Column("tier_reason", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "grant_grading",
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["data_grant.id"], name="fk_grant_grading_grant_id"),
        sa.PrimaryKeyConstraint("grant_id", name="pk_grant_grading"),
    )
    op.create_table(
        "regrading_notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("department_key", sa.String(120), nullable=True),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_by", sa.String(120), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["data_grant.id"], name="fk_regrading_notice_grant_id"),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_regrading_notice_department_key"),
        sa.ForeignKeyConstraint(["seen_by"], ["user_account.name"], name="fk_regrading_notice_seen_by"),
        sa.PrimaryKeyConstraint("id", name="pk_regrading_notice"),
    )
    op.create_index("ix_regrading_notice_grant_id", "regrading_notice", ["grant_id"])
    op.create_table(
        "pseudonym_epoch",
        sa.Column("department_key", sa.String(120), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("begun_by", sa.String(120), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_pseudonym_epoch_department_key"),
        sa.ForeignKeyConstraint(["begun_by"], ["user_account.name"], name="fk_pseudonym_epoch_begun_by"),
        sa.PrimaryKeyConstraint("department_key", "epoch", name="pk_pseudonym_epoch"),
    )
    op.create_table(
        "linkage_ticket",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_a", sa.Integer(), nullable=False),
        sa.Column("grant_b", sa.Integer(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("approved_by", sa.String(120), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["grant_a"], ["data_grant.id"], name="fk_linkage_ticket_grant_a"),
        sa.ForeignKeyConstraint(["grant_b"], ["data_grant.id"], name="fk_linkage_ticket_grant_b"),
        sa.ForeignKeyConstraint(["approved_by"], ["user_account.name"], name="fk_linkage_ticket_approved_by"),
        sa.PrimaryKeyConstraint("id", name="pk_linkage_ticket"),
    )


def downgrade() -> None:
    for table in ("linkage_ticket", "pseudonym_epoch", "regrading_notice", "grant_grading"):
        op.drop_table(table)
    op.drop_column("request", "tier_reason")
    op.drop_column("request", "masks")
    op.drop_column("data_grant", "masks")
