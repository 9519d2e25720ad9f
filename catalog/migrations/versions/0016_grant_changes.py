"""Every change of a grant gets the next number, so that whoever keeps the grants in memory sees that they changed; a grant's audience."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

TABLE = "data_grant"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("change", sa.Integer(), nullable=False, server_default="0"))
    op.add_column(TABLE, sa.Column("audience", sa.String(20), nullable=False, server_default="department"))
    op.add_column(TABLE, sa.Column("named", sa.JSON(), nullable=False, server_default="[]"))
    op.execute(sa.text(f"UPDATE {TABLE} SET change = id"))
    op.create_index("ix_data_grant_change", TABLE, ["change"])


def downgrade() -> None:
    op.drop_index("ix_data_grant_change", TABLE)
    for column in ("named", "audience", "change"):
        op.drop_column(TABLE, column)
