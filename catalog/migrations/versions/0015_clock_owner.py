"""The cases behind a department's rate, by an index of their own."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index("ix_clock_clock_owed_by_due_on", "clock", ["clock", "owed_by", "due_on"])


def downgrade() -> None:
    op.drop_index("ix_clock_clock_owed_by_due_on", "clock")
