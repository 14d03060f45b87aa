"""Alembic's entry: it works on the connection that `ledger.schema` hands in, inside that transaction."""

from alembic import context

from city_gateway.ledger.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"], target_metadata=METADATA, transaction_per_migration=False
)
with context.begin_transaction():
    context.run_migrations()
