"""Lists of one department's requests in one state are read along an index, however many it has in others."""

from alembic import op

revision = "0013"
down_revision = "0012"

LISTS = (["requester_key", "state", "id"], ["provider_key", "state", "id"])


def upgrade() -> None:
    for columns in LISTS:
        op.create_index(f"ix_request_{'_'.join(columns)}", "request", columns)


def downgrade() -> None:
    for columns in LISTS:
        op.drop_index(f"ix_request_{'_'.join(columns)}", "request")
