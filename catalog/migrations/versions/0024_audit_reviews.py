"""Reviews of accesses by auditors, with their acts and draws (law.md A-06)."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

MOMENT = sa.DateTime(timezone=True)
KEY = sa.String(length=120)
REVIEW_BY: tuple[tuple[str, ...], ...] = (
    ("state", "id"),
    ("assigned_to", "id"),
    ("department_key", "state", "id"),
    ("accessor", "id"),
    ("opened_at",),
    ("closed_at",),
    ("access_seq",),
    ("draw",),
)
ACCOUNTS = ("accessor", "opened_by", "assigned_to", "closed_by", "confirmed_by")


def account_of(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["user_account.name"], name=f"fk_{table}_{column}")


def upgrade() -> None:
    op.create_table(
        "audit_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("access_seq", sa.BigInteger(), nullable=True),
        sa.Column("first", sa.Date(), nullable=True),
        sa.Column("last", sa.Date(), nullable=True),
        sa.Column("accessor", KEY, nullable=False),
        sa.Column("department_key", KEY, nullable=True),
        sa.Column("draw", sa.String(length=7), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("answers", sa.String(length=10), nullable=True),
        sa.Column("opened_by", KEY, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("assigned_to", KEY, nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("closed_by", KEY, nullable=True),
        sa.Column("confirmed_by", KEY, nullable=True),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("evidence_digest", sa.String(length=64), nullable=False),
        sa.Column("record", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_review"),
        sa.ForeignKeyConstraint(["department_key"], ["department.key"], name="fk_audit_review_department_key"),
        *(account_of("audit_review", column) for column in ACCOUNTS),
        sa.CheckConstraint("origin IN ('flagged', 'reported', 'drawn')", name="ck_audit_review_origin"),
    )
    for columns in REVIEW_BY:
        op.create_index(f"ix_audit_review_{'_'.join(columns)}", "audit_review", list(columns))
    op.create_table(
        "audit_review_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("move", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_review_act"),
        sa.ForeignKeyConstraint(["review_id"], ["audit_review.id"], name="fk_audit_review_act_review_id"),
        account_of("audit_review_act", "by"),
    )
    op.create_index("ix_audit_review_act_review_id_id", "audit_review_act", ["review_id", "id"])
    op.create_table(
        "audit_draw",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("checkpoint", sa.BigInteger(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("accesses", sa.Integer(), nullable=False),
        sa.Column("flagged", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("passed_over", sa.JSON(), nullable=False),
        sa.Column("drawn_by", KEY, nullable=False),
        sa.Column("drawn_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("month", name="pk_audit_draw"),
        account_of("audit_draw", "drawn_by"),
    )


def downgrade() -> None:
    for table in ("audit_draw", "audit_review_act", "audit_review"):
        op.drop_table(table)
