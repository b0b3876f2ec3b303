"""Accounts and who did what; what candidates say in confidence or ask for; mails to our people."""

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _key() -> Any:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _instant(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=not required)


def _text(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), nullable=not required)


def upgrade() -> None:
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(_text("approved_by"))
        batch_op.add_column(_text("approved_digest"))
        batch_op.add_column(_instant("approved_as_of"))
    with op.batch_alter_table("messages", schema=None) as batch_op:
        for name, column, which in (
            ("ix_messages_approved_at", "approved_at", "approved_at IS NOT NULL"),
            ("ix_messages_held", "candidate_id", "state = 'held'"),
        ):
            where = {f"{kind}_where": sa.text(which) for kind in ("sqlite", "postgresql")}
            batch_op.create_index(name, [column], **where)
    _accounts()
    _confidences()
    _requests()
    _looking()
    _names()
    op.create_table(
        "notices",
        sa.Column("id", _key(), nullable=False),
        _text("person", required=True),
        _text("kind", required=True),
        _text("about", required=True),
        _text("message_id", required=True),
        _text("state", required=True),
        _instant("created_at", required=True),
        _instant("sent_at"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        _instant("next_attempt_at"),
        _text("lease"),
        _instant("lease_until"),
        _text("reason"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("message_id", name=op.f("uq_notices_message_id")),
        sa.UniqueConstraint("person", "kind", "about", name=op.f("uq_notices_person_kind_about")),
    )
    op.create_index("ix_notices_state", "notices", ["state", "next_attempt_at"])


def _accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", _key(), nullable=False),
        _text("email", required=True),
        _text("name"),
        _text("role", required=True),
        _text("password"),
        _text("timezone"),
        _instant("created_at", required=True),
        _instant("disabled_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_table(
        "sessions",
        _text("digest", required=True),
        sa.Column("user_id", _key(), nullable=True),
        _instant("created_at", required=True),
        _instant("seen_at", required=True),
        _instant("until", required=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index("ix_sessions_user_id", ["user_id"])
    op.create_table(
        "audit",
        sa.Column("id", _key(), nullable=False),
        _instant("at", required=True),
        _text("who", required=True),
        _text("action", required=True),
        sa.Column("candidate_id", _key(), nullable=True),
        _text("about"),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_at", ["at"])
        batch_op.create_index("ix_audit_candidate_id", ["candidate_id"])


def _confidences() -> None:
    op.create_table(
        "confidences",
        sa.Column("id", _key(), nullable=False),
        sa.Column("candidate_id", _key(), nullable=False),
        _text("application"),
        _text("kind", required=True),
        _text("question"),
        _text("said", required=True),
        _text("person", required=True),
        _instant("told_at", required=True),
        _instant("seen_at"),
        _instant("until"),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_confidences_candidate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confidences")),
    )
    with op.batch_alter_table("confidences", schema=None) as batch_op:
        batch_op.create_index("ix_confidences_candidate_id", ["candidate_id"])
        batch_op.create_index("ix_confidences_person", ["person"])


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", _key(), nullable=False),
        sa.Column("candidate_id", _key(), nullable=False),
        _text("kind", required=True),
        _instant("asked_at", required=True),
        _instant("done_at"),
        _text("done_by"),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidates.id"], name=op.f("fk_requests_candidate_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    with op.batch_alter_table("requests", schema=None) as batch_op:
        batch_op.create_index("ix_requests_candidate_id", ["candidate_id"])


def _looking() -> None:
    """What pages ask for, by index."""
    with op.batch_alter_table("applications", schema=None) as batch_op:
        batch_op.add_column(_instant("silence_due_at"))
        for role in _ROLES:
            batch_op.add_column(_text(role))
    own = sa.table("applications", sa.column("data", sa.JSON()), *map(sa.column, _ROLES))
    op.execute(sa.update(own).values({role: own.c.data[role].as_string() for role in _ROLES}))
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_index("ix_messages_campaign")
    for name, table, columns, where in (
        ("messages_campaign", "messages", ["campaign", "sent_at", "candidate_id"], _SENT),
        ("enrollments_under_way", "enrollments", ["campaign", "candidate_id"], "ended_at IS NULL"),
        ("events_response", "events", ["occurred_at"], _RESPONSE),
        ("events_news", "events", ["received_at"], _NEWS),
        ("messages_astray", "messages", ["state", "created_at"], _ASTRAY),
        ("tasks_open", "tasks", ["due_at", "id"], "state = 'open'"),
        ("promises_open", "promises", ["due_at", "ref"], "status = 'open'"),
        ("candidates_problem", "candidates", ["id"], "problem IS NOT NULL"),
        (
            "applications_silence_due_at",
            "applications",
            ["silence_due_at", "ref"],
            "silence_due_at IS NOT NULL",
        ),
        *(
            (f"applications_{role}", "applications", [role, "candidate_id"], f"{role} IS NOT NULL")
            for role in _ROLES
        ),
        ("steps_held", "steps", ["candidate_id", "enrollment_id"], _HELD),
        ("steps_stopped", "steps", ["candidate_id", "enrollment_id"], _STOPPED),
    ):
        only = sa.text(where)
        op.create_index(f"ix_{name}", table, columns, sqlite_where=only, postgresql_where=only)


def _names() -> None:
    """By what candidates are found: their names without case and accents."""
    names = {"first_key": "first_name", "last_key": "last_name"}
    with op.batch_alter_table("candidates", schema=None) as batch_op:
        for name in names:
            batch_op.add_column(_text(name))
    own = sa.table(
        "candidates", sa.column("id"), sa.column("data", sa.JSON()), *map(sa.column, names)
    )
    connection, after = op.get_bind(), 0
    which = sa.select(own.c.id, own.c.data).order_by(own.c.id).limit(1000)
    write = sa.update(own).where(own.c.id == sa.bindparam("number"))
    while rows := connection.execute(which.where(own.c.id > after)).all():
        told = [
            {"number": id_, **{key: _folded(data.get(name)) for key, name in names.items()}}
            for id_, data in rows
        ]
        connection.execute(write.values({key: sa.bindparam(key) for key in names}), told)
        after = rows[-1][0]
    for name in names:
        only = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_candidates_{name}",
            "candidates",
            [name, "id"],
            sqlite_where=only,
            postgresql_where=only,
            postgresql_ops={name: "text_pattern_ops"},
        )


def _folded(text: object) -> str | None:
    if not isinstance(text, str):
        return None
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(one for one in apart if not unicodedata.combining(one)).split()) or None


_ROLES = ("recruiter", "coordinator", "hiring_manager")
_SENT = "sent_at IS NOT NULL"
_NEWS = (
    "type IN ('interview.rescheduled', 'interview.cancelled', 'candidate.replied', 'answer.given',"
    " 'application.withdrawn', 'message.bounced', 'message.complained', 'offer.accepted',"
    " 'offer.declined')"
)
_ASTRAY = "state IN ('failed', 'unknown')"
_HELD = "state = 'open' AND reason = 'release'"
_STOPPED = "state = 'open' AND reason = 'stopped'"
_RESPONSE = (
    "type IN ('answer.given', 'application.withdrawn', 'candidate.do_not_contact',"
    " 'candidate.preferences', 'candidate.replied', 'candidate.unsubscribed')"
)
