"""A request says for whom the answer is to be opened (开放范围), as its grant does."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

TABLE = "request"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("audience", sa.String(20), nullable=False, server_default="department"))
    op.add_column(TABLE, sa.Column("named", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    for column in ("named", "audience"):
        op.drop_column(TABLE, column)
