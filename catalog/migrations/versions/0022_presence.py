"""Passwords, sessions and lock-out; emergencies; the record of the log that holds a grant's terms."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("user_account", sa.Column("secret_provisional", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("user_account", sa.Column("secret_set_at", MOMENT, nullable=True))
    op.add_column("data_grant", sa.Column("ends_at", MOMENT, nullable=True))
    op.add_column("data_grant", sa.Column("made_seq", sa.BigInteger(), nullable=True))
    op.create_table(
        "login_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("proven_until", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_login_session"),
        sa.ForeignKeyConstraint(["account"], ["user_account.name"], name="fk_login_session_account"),
        sa.UniqueConstraint("digest", name="uq_login_session_digest"),
    )
    op.create_index("ix_login_session_account", "login_session", ["account"])
    op.create_table(
        "sign_in_failure",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_sign_in_failure"),
    )
    op.create_index("ix_sign_in_failure_last_at", "sign_in_failure", ["last_at"])
    op.create_table(
        "emergency",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=120), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=False),
        sa.Column("owner_key", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("reviewed_by", sa.String(length=120), nullable=True),
        sa.Column("reviewed_at", MOMENT, nullable=True),
        sa.Column("justified", sa.Boolean(), nullable=True),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_emergency"),
        sa.ForeignKeyConstraint(["grant_id"], ["data_grant.id"], name="fk_emergency_grant_id"),
        sa.ForeignKeyConstraint(["account"], ["user_account.name"], name="fk_emergency_account"),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_emergency_department_key"),
        sa.ForeignKeyConstraint(["owner_key"], ["department.key"], name="fk_emergency_owner_key"),
        sa.ForeignKeyConstraint(["reviewed_by"], ["user_account.name"], name="fk_emergency_reviewed_by"),
        sa.UniqueConstraint("grant_id", name="uq_emergency_grant_id"),
    )
    op.create_index("ix_emergency_department_key", "emergency", ["department_key"])
    op.create_index("ix_emergency_owner_key", "emergency", ["owner_key"])


def downgrade() -> None:
    for table in ("emergency", "sign_in_failure", "login_session"):
        op.drop_table(table)
    for column in ("made_seq", "ends_at"):
        op.drop_column("data_grant", column)
    for column in ("secret_set_at", "secret_provisional"):
        op.drop_column("user_account", column)
