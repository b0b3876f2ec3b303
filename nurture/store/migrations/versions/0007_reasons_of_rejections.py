"""Why applications were rejected, as it was told, and which jobs are counted together."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("rejected_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("family", sa.Text(), nullable=True))
    _families()
    for name, table, columns, where in (
        ("applications_told_why", "applications", ["job", "rejected_at", "reason"], _TOLD_WHY),
        ("jobs_family", "jobs", ["family", "ref"], "family IS NOT NULL"),
    ):
        only = sa.text(where)
        op.create_index(f"ix_{name}", table, columns, sqlite_where=only, postgresql_where=only)


def _families() -> None:
    own = sa.table("jobs", sa.column("ref"), sa.column("data", sa.JSON()), sa.column("family"))
    connection = op.get_bind()
    write = sa.update(own).where(own.c.ref == sa.bindparam("job"))
    told = [
        {"job": ref, "family": family}
        for ref, data in connection.execute(sa.select(own.c.ref, own.c.data)).all()
        if (family := _family(data)) is not None
    ]
    if told:
        connection.execute(write.values(family=sa.bindparam("family")), told)


def _family(data: Any) -> str | None:
    for name in ("family", "department"):
        said = data.get(name)
        if isinstance(said, str) and said.strip():
            return " ".join(said.casefold().split())[:200]
    return None


_TOLD_WHY = "reason IS NOT NULL AND rejected_at IS NOT NULL"
