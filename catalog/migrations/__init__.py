"""The store's schema as a chain of steps (Alembic); `catalog.store.migrate` runs them."""
