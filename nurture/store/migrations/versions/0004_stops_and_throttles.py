"""Kill switches, shared throttles, who is at work, and what calendars were told."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _key() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def upgrade() -> None:
    with op.batch_alter_table("interviews", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("steps", schema=None) as batch_op:
        batch_op.add_column(sa.Column("anchor", sa.Text(), nullable=True))
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("invite", sa.Text(), nullable=True))
        batch_op.create_index(
            "ix_messages_campaign",
            ["campaign", "sent_at"],
            sqlite_where=sa.text("sent_at IS NOT NULL"),
            postgresql_where=sa.text("sent_at IS NOT NULL"),
        )
    op.create_table(
        "stops",
        sa.Column("id", _key(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        _instant("since", required=True),
        _instant("ended_at"),
        sa.Column("ended_by", sa.Text(), nullable=True),
        _instant("released_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stops")),
    )
    with op.batch_alter_table("stops", schema=None) as batch_op:
        batch_op.create_index("ix_stops_ended_at", ["ended_at"])
    _returns()
    op.create_table(
        "throttles",
        sa.Column("name", sa.Text(), nullable=False),
        _instant("next_at", required=True),
        _instant("slow_until"),
        sa.Column("slowed", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=True),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_throttles")),
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        _instant("started_at", required=True),
        _instant("seen_at", required=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_processes")),
    )


def _returns() -> None:
    op.create_table(
        "returns",
        sa.Column("message_id", _key(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("candidate_id", _key(), nullable=False),
        sa.Column("campaign", sa.Text(), nullable=False),
        _instant("at", required=True),
        sa.Column("weighed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_returns_candidate_id")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_returns_message_id")
        ),
        sa.PrimaryKeyConstraint("message_id", "kind", name=op.f("pk_returns")),
    )
    unweighed = sa.text("NOT weighed")
    with op.batch_alter_table("returns", schema=None) as batch_op:
        batch_op.create_index("ix_returns_candidate_id", ["candidate_id"])
        batch_op.create_index("ix_returns_campaign", ["campaign", "kind", "at"])
        batch_op.create_index(
            "ix_returns_unweighed",
            ["campaign"],
            sqlite_where=unweighed,
            postgresql_where=unweighed,
        )
