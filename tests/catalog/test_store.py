"""The store: schema, sessions, writers."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from catalog.home import Home
from catalog.schema import DepartmentRow, Record
from catalog.store import Store, migrate


def test_the_migrations_lead_to_the_schema_that_the_code_declares(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Record.metadata) == []


def test_migrating_again_changes_nothing(home: Home, store: Store) -> None:
    with store.session() as session, session.begin():
        session.add(DepartmentRow(key="police", title="公安局", authority="police", created_at=datetime.now(UTC)))
    migrate(home.store_url)
    with store.session() as session:
        assert session.scalars(sa.select(DepartmentRow.key)).all() == ["police"]
