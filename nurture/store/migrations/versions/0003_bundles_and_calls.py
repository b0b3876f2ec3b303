"""Mails of several sections, and call tasks with what came of them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Text(), nullable=True) for name in names]


def _count(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def upgrade() -> None:
    kind = sa.Column("kind", sa.Text(), nullable=False, server_default="task")
    instants = [
        sa.Column(name, sa.DateTime(timezone=True), nullable=True)
        for name in ("best_at", "fallback_at")
    ]
    digests = _text("campaign_digest", "template_digest")
    added = {
        "contacts": _text("outcome", "promise"),
        "message_steps": [
            _count("position"),
            *_text("campaign", "template", "category", "application"),
            *digests,
        ],
        "tasks": [kind, *_text("template", "outcome"), *instants, _count("tries")],
    }
    for table, columns in added.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.add_column(column)
    with op.batch_alter_table("enrollments", schema=None) as batch_op:
        # The unique key begins with the campaign: a second index only cost its upkeep.
        batch_op.drop_index(batch_op.f("ix_enrollments_campaign"))
