"""Lists of what is yellow: the indexes along due dates hold what the light goes by (law.md F-01)."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

TICKETS_BY: dict[str, tuple[str, ...]] = {
    "standing": ("standing", "due_on", "id"),
    "element": ("element", "standing", "due_on", "id"),
    "state": ("state", "due_on", "id"),
    "kind": ("kind", "standing", "due_on", "id"),
}
RUNNING_BY: tuple[tuple[str, ...], ...] = (("due_on", "id"), ("owed_by", "due_on", "id"))
RUNNING = sa.text("stopped_on IS NULL")


def upgrade() -> None:
    for name, columns in TICKETS_BY.items():
        op.drop_index(f"ix_ticket_{name}", "ticket")
        op.create_index(f"ix_ticket_{name}", "ticket", [*columns, "yellow_on"])
    for columns in RUNNING_BY:
        replace_running(columns, (*columns, "days"))


def downgrade() -> None:
    for columns in RUNNING_BY:
        replace_running((*columns, "days"), columns)
    for name, columns in TICKETS_BY.items():
        op.drop_index(f"ix_ticket_{name}", "ticket")
        op.create_index(f"ix_ticket_{name}", "ticket", list(columns))


def replace_running(before: tuple[str, ...], after: tuple[str, ...]) -> None:
    """The index of clocks that run by some columns, in place of the one by others."""
    op.drop_index(f"ix_clock_{'_'.join(before)}", "clock")
    op.create_index(f"ix_clock_{'_'.join(after)}", "clock", list(after), sqlite_where=RUNNING, postgresql_where=RUNNING)
