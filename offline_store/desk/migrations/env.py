"""Tells alembic to use the one connection, and the one transaction, that `upgrading` opened."""

from alembic import context

from offline_store.desk.upgrading import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"], version_table=VERSION_TABLE, transaction_per_migration=False
)
context.run_migrations()
