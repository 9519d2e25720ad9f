"""Runs the migrations on the connection that `catalog.store.migrate` hands over, inside its transaction."""

from alembic import context

from catalog.schema import Record

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Record.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
