"""What becomes of values in dispute; receipts name the residents, the copy and the effect level; places of a quota are taken first."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

RECEIPT = "receipt"
PLACE = "extract_place"


def upgrade() -> None:
    for table in ("data_grant", "request"):
        op.add_column(table, sa.Column("disputed", sa.String(20), nullable=False, server_default="keep"))
    for column in (
        sa.Column("population", sa.String(64)),
        sa.Column("groups", sa.String(64)),
        sa.Column("fingerprint", sa.String(32)),
        sa.Column("effect_level", sa.Integer()),
    ):
        op.add_column(RECEIPT, column)
    op.create_table(
        PLACE,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(120), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extract_place")),
        sa.ForeignKeyConstraint(["grant_id"], ["data_grant.id"], name=op.f("fk_extract_place_grant_id")),
    )
    op.create_index("ix_extract_place_grant_id", PLACE, ["grant_id"])


def downgrade() -> None:
    op.drop_table(PLACE)
    for column in ("effect_level", "fingerprint", "groups", "population"):
        op.drop_column(RECEIPT, column)
    for table in ("request", "data_grant"):
        op.drop_column(table, "disputed")
