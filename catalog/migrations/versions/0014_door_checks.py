"""A door check can settle several items: each names its check."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("ticket_item", sa.Column("door_check_id", sa.Integer(), nullable=True))
    op.create_index("ix_ticket_item_door_check_id", "ticket_item", ["door_check_id"])
    op.drop_index("ix_door_check_item_id", "door_check")
    with op.batch_alter_table("door_check") as check:
        check.drop_constraint("fk_door_check_item_id", type_="foreignkey")
        check.drop_column("item_id")


def downgrade() -> None:
    with op.batch_alter_table("door_check") as check:
        check.add_column(sa.Column("item_id", sa.Integer(), nullable=True))
        check.create_foreign_key("fk_door_check_item_id", "ticket_item", ["item_id"], ["id"])
    op.create_index("ix_door_check_item_id", "door_check", ["item_id"])
    op.drop_index("ix_ticket_item_door_check_id", "ticket_item")
    op.drop_column("ticket_item", "door_check_id")
