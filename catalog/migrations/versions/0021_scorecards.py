"""Published scorecards: the numbers of a period with the lists behind them, as they were."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "scorecard",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("anew_id", sa.Integer(), nullable=True),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("catalogue", sa.JSON(), nullable=False),
        sa.Column("published_by", sa.String(length=120), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scorecard"),
        sa.ForeignKeyConstraint(["anew_id"], ["scorecard.id"], name="fk_scorecard_anew_id"),
        sa.ForeignKeyConstraint(["published_by"], ["user_account.name"], name="fk_scorecard_published_by"),
    )
    op.create_index("ix_scorecard_first_last", "scorecard", ["first", "last"])
    op.create_table(
        "scorecard_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scorecard_id", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(length=40), nullable=False),
        sa.Column("department_key", sa.String(length=120), nullable=False),
        sa.Column("case", sa.String(length=120), nullable=False),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.Column("extended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scorecard_case"),
        sa.ForeignKeyConstraint(["scorecard_id"], ["scorecard.id"], name="fk_scorecard_case_scorecard_id"),
    )
    op.create_index("ix_scorecard_case_scorecard_id_metric_department_key", "scorecard_case", ["scorecard_id", "metric", "department_key"])


def downgrade() -> None:
    op.drop_table("scorecard_case")
    op.drop_table("scorecard")
