"""How did the tables come to be? Alembic's revisions, run by nurture.store.schema."""
