"""Requests with all that law.md L-14 asks for, what was done about them, and the whole of the agreed terms in a grant."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

RUNNING = sa.text("stopped_on IS NULL")
RUNNING_BY = (["due_on", "id"], ["owed_by", "due_on", "id"])
REQUEST: tuple[sa.Column[Any], ...] = (
    sa.Column("provider_key", sa.String(length=120), nullable=True),
    sa.Column("scene", sa.Text(), nullable=False, server_default=""),
    sa.Column("use_scope", sa.Text(), nullable=False, server_default=""),
    sa.Column("case_number", sa.Text(), nullable=False, server_default=""),
    sa.Column("quotas", sa.JSON(), nullable=False, server_default="{}"),
    sa.Column("responsible", sa.String(length=120), nullable=False, server_default=""),
    sa.Column("warranted", sa.Boolean(), nullable=False, server_default=sa.false()),
    sa.Column("widens_grant_id", sa.Integer(), nullable=True),
    sa.Column("share", sa.String(length=20), nullable=False, server_default="conditional"),
    sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
    sa.Column("answer", sa.JSON(), nullable=False, server_default="{}"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("complete_at", sa.DateTime(timezone=True), nullable=True),
)
GRANT: tuple[sa.Column[Any], ...] = (
    sa.Column("mode", sa.String(length=20), nullable=False, server_default="file"),
    sa.Column("quotas", sa.JSON(), nullable=False, server_default="{}"),
    sa.Column("conditions", sa.JSON(), nullable=False, server_default="[]"),
    sa.Column("responsible", sa.String(length=120), nullable=True),
)


def upgrade() -> None:
    """No version before this one wrote a request, so SQLite may make that table anew. Grants stay: receipts refer to them."""
    op.drop_index("ix_request_requester_key", "request")
    for column in REQUEST:
        op.add_column("request", column)
    with op.batch_alter_table("request") as request:
        request.alter_column("received_at", existing_type=sa.DateTime(timezone=True), nullable=True)
        for name in ("created_at", "changed_at"):
            request.alter_column(name, existing_type=sa.DateTime(timezone=True), nullable=False)
        request.create_foreign_key("fk_request_provider_key", "department", ["provider_key"], ["key"])
        request.create_foreign_key("fk_request_responsible", "user_account", ["responsible"], ["name"])
        request.create_foreign_key("fk_request_widens_grant_id", "data_grant", ["widens_grant_id"], ["id"])
    for name in ("requester_key", "provider_key", "state"):
        op.create_index(f"ix_request_{name}_id", "request", [name, "id"])
    for column in GRANT:
        op.add_column("data_grant", column)
    op.create_index("ix_data_grant_request_id", "data_grant", ["request_id"])
    op.create_table(
        "request_move",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("move", sa.String(length=20), nullable=False),
        sa.Column("state_before", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_request_move"),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name="fk_request_move_request_id"),
        sa.ForeignKeyConstraint(["actor"], ["user_account.name"], name="fk_request_move_actor"),
    )
    op.drop_index("ix_clock_stopped_on_due_on_id", "clock")
    op.drop_index("ix_clock_owed_by", "clock")
    for columns in RUNNING_BY:
        name = f"ix_clock_{'_'.join(columns)}"
        op.create_index(name, "clock", columns, sqlite_where=RUNNING, postgresql_where=RUNNING)
    op.create_index("ix_request_move_request_id_id", "request_move", ["request_id", "id"])


def downgrade() -> None:
    for columns in RUNNING_BY:
        op.drop_index(f"ix_clock_{'_'.join(columns)}", "clock")
    op.create_index("ix_clock_owed_by", "clock", ["owed_by"])
    op.create_index("ix_clock_stopped_on_due_on_id", "clock", ["stopped_on", "due_on", "id"])
    op.drop_table("request_move")
    op.drop_index("ix_data_grant_request_id", "data_grant")
    for name in ("requester_key", "provider_key", "state"):
        op.drop_index(f"ix_request_{name}_id", "request")
    for column in GRANT:
        op.drop_column("data_grant", column.name)
    with op.batch_alter_table("request") as request:
        for name in ("provider_key", "responsible", "widens_grant_id"):
            request.drop_constraint(f"fk_request_{name}", type_="foreignkey")
        for column in REQUEST:
            request.drop_column(column.name)
        request.alter_column("received_at", existing_type=sa.DateTime(timezone=True), nullable=False)
    op.create_index("ix_request_requester_key", "request", ["requester_key"])
