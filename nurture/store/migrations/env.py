"""What does Alembic run with? The connection that nurture.store.schema hands it."""

from alembic import context

from nurture.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
