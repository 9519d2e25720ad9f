"""What goes back to a department (回流, law.md L-22) is an entry of its own: it names the data set for whose residents it is."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

TABLE = "catalogue_entry"


def upgrade() -> None:
    with op.batch_alter_table(TABLE) as table:
        table.add_column(sa.Column("returns_key", sa.String(120), nullable=True))
        table.create_foreign_key("fk_catalogue_entry_returns_key", "dataset", ["returns_key"], ["key"])
    op.create_index("ix_catalogue_entry_returns_key", TABLE, ["returns_key"])


def downgrade() -> None:
    op.drop_index("ix_catalogue_entry_returns_key", TABLE)
    with op.batch_alter_table(TABLE) as table:
        table.drop_constraint("fk_catalogue_entry_returns_key", type_="foreignkey")
        table.drop_column("returns_key")
