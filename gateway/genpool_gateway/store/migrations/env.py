"""What alembic runs to migrate: on the connection that it is given, within its transaction."""

from __future__ import annotations

from alembic import context

from genpool_gateway.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
