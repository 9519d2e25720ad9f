"""First schema: accounts, roles, requests, grants, receipts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "user_account",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("secret_digest", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_user_account_department_key"),
        sa.PrimaryKeyConstraint("name", name="pk_user_account"),
    )
    op.create_table(
        "role_grant",
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("granted_by", sa.String(length=120), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["user_account.name"], name="fk_role_grant_account"),
        sa.ForeignKeyConstraint(["granted_by"], ["user_account.name"], name="fk_role_grant_granted_by"),
        sa.PrimaryKeyConstraint("account", "role", name="pk_role_grant"),
    )
    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("requester_key", sa.String(length=120), nullable=False),
        sa.Column("requested_by", sa.String(length=120), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("row_scope", sa.JSON(), nullable=False),
        sa.Column("tier", sa.String(length=2), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=20), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["user_account.name"], name="fk_request_decided_by"),
        sa.ForeignKeyConstraint(["requested_by"], ["user_account.name"], name="fk_request_requested_by"),
        sa.ForeignKeyConstraint(["requester_key"], ["department.key"], name="fk_request_requester_key"),
        sa.PrimaryKeyConstraint("id", name="pk_request"),
    )
    op.create_index("ix_request_requester_key", "request", ["requester_key"], unique=False)
    op.create_table(
        "data_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("grantee_key", sa.String(length=120), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("row_scope", sa.JSON(), nullable=False),
        sa.Column("tier", sa.String(length=2), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("granted_by", sa.String(length=120), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('active', 'suspended', 'ended')", name="ck_data_grant_state"),
        sa.ForeignKeyConstraint(["granted_by"], ["user_account.name"], name="fk_data_grant_granted_by"),
        sa.ForeignKeyConstraint(["grantee_key"], ["department.key"], name="fk_data_grant_grantee_key"),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name="fk_data_grant_request_id"),
        sa.PrimaryKeyConstraint("id", name="pk_data_grant"),
    )
    op.create_index("ix_data_grant_grantee_key", "data_grant", ["grantee_key"], unique=False)
    op.create_index("ix_data_grant_target", "data_grant", ["target"], unique=False)
    op.create_table(
        "receipt",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("target", sa.String(length=120), nullable=False),
        sa.Column("target_version", sa.Integer(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("masks", sa.JSON(), nullable=False),
        sa.Column("rules_version", sa.String(length=40), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("residents", sa.BigInteger(), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("audit_seq", sa.BigInteger(), nullable=False),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor"], ["user_account.name"], name="fk_receipt_actor"),
        sa.ForeignKeyConstraint(["grant_id"], ["data_grant.id"], name="fk_receipt_grant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_receipt"),
    )
    op.create_index("ix_receipt_grant_id", "receipt", ["grant_id"], unique=False)


def downgrade() -> None:
    op.drop_table("receipt")
    op.drop_table("data_grant")
    op.drop_table("request")
    op.drop_table("role_grant")
    op.drop_table("user_account")
