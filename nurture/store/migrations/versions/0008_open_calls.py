"""Calls that wait are few among thousands of other open tasks: they have an index of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    only = sa.text("state = 'open' AND kind = 'call'")
    columns = ["kind", "due_at", "id"]
    op.create_index(
        "ix_tasks_open_calls", "tasks", columns, sqlite_where=only, postgresql_where=only
    )
