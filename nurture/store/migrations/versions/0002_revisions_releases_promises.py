"""Which words a mail was sent by, edits that wait to be let through, and promises."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _instant(name: str, *, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _key() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("campaign_digest", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("template_digest", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("layout_digest", sa.Text(), nullable=True))
    with op.batch_alter_table("enrollments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("promise", sa.Text(), nullable=True))
    op.create_table(
        "promises",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("candidate_id", _key(), nullable=False),
        sa.Column("application", sa.Text(), nullable=True),
        sa.Column("enrollment_id", _key(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        _instant("made_at", null=False),
        _instant("due_at"),
        sa.Column("status", sa.Text(), nullable=False),
        _instant("settled_at"),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_promises_candidate_id_candidates")
        ),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_promises")),
    )
    with op.batch_alter_table("promises", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promises_candidate_id"), ["candidate_id"])
    op.create_table(
        "revisions",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        _instant("kept_at", null=False),
        sa.PrimaryKeyConstraint("kind", "name", "digest", name=op.f("pk_revisions")),
    )
    op.create_table(
        "releases",
        sa.Column("campaign", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=False),
        _instant("since", null=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("scanned_to", _key(), nullable=False),
        sa.Column("scanned", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("due", sa.Integer(), nullable=False),
        _instant("spread_until"),
        sa.Column("decided_by", sa.Text(), nullable=True),
        _instant("decided_at"),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("campaign", name=op.f("pk_releases")),
    )


def downgrade() -> None:
    for table in ("releases", "revisions", "promises"):
        op.drop_table(table)
    with op.batch_alter_table("enrollments", schema=None) as batch_op:
        batch_op.drop_column("promise")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_column("layout_digest")
        batch_op.drop_column("template_digest")
        batch_op.drop_column("campaign_digest")
