"""Which rows are there? The tables of SQLite and PostgreSQL alike.

Facts that SQL never filters by live in a row's `data`, in the canonical form of docs/events.md.
Every hot table carries `candidate_id`, so the schema can be split by it one day.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(TypeDecorator[datetime]):
    """An aware instant. SQLite keeps no zone, so there it is stored as UTC and read as such."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else _utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Any:
        """SQLite's text is written in one go: most of what is written is instants."""
        return _text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """SQLite's text is read in one go: half of what a planning reads is instants."""
        return _read if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"an instant without a zone: {at!r}")
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def _text(at: datetime | None) -> str | None:
    return None if at is None else _utc(at).replace(tzinfo=None).isoformat(" ", "microseconds")


def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


#: The kind of task that is a call, and what the occurrence of its step begins with: the step may
#: become an ordinary task as well, and the table knows one of each.
CALL = "call"
OF_CALL = "call:"
#: Outcomes of calls that reached nobody.
NOBODY = ("no_answer", "wrong_number")

#: Of an event: somebody did something that a mail may have led to.
IS_RESPONSE = (
    "type IN ('answer.given', 'application.withdrawn', 'candidate.do_not_contact',"
    " 'candidate.preferences', 'candidate.replied', 'candidate.unsubscribed')"
)
#: Of an event: what somebody wants to know in the morning if it came overnight.
IS_NEWS = (
    "type IN ('interview.rescheduled', 'interview.cancelled', 'candidate.replied', 'answer.given',"
    " 'application.withdrawn', 'message.bounced', 'message.complained', 'offer.accepted',"
    " 'offer.declined')"
)
#: Of a message: it did not arrive, or nobody knows.
IS_ASTRAY = "state IN ('failed', 'unknown')"
#: Of an application: it was rejected, and somebody said why.
IS_TOLD_WHY = "reason IS NOT NULL AND rejected_at IS NOT NULL"
#: Of a step: a release, or a kill switch, keeps it back. Few rows or none, each index its own.
IS_HELD = "state = 'open' AND reason = 'release'"
IS_STOPPED = "state = 'open' AND reason = 'stopped'"

#: SQLite numbers its rows by itself only where the key's type is exactly INTEGER.
Key = BigInteger().with_variant(Integer(), "sqlite")


def _candidate(**options: Any) -> Column[int]:
    return Column("candidate_id", Key, ForeignKey("candidates.id"), nullable=False, **options)


candidates = Table(
    "candidates",
    metadata,
    Column("id", Key, primary_key=True),
    Column("ref", Text, nullable=False),
    Column("email", Text),
    Column("email_key", Text, unique=True),  # case-folded: one person has one row
    Column("first_key", Text),  # names without case and accents: what is looked for
    Column("last_key", Text),
    Column("do_not_contact", Boolean, nullable=False, default=False),
    Column("suppressed", Text),
    Column("paused_until", Instant),
    Column("unsubscribed", JSON, nullable=False, default=list),
    Column("data", JSON, nullable=False, default=dict),
    Column("replied_at", Instant),
    Column("wake_at", Instant),  # the alarm: when the agenda may say something new
    Column("rearm_at", Instant),  # the second, lower lane: after edits that touch everybody
    Column("problem", Text),  # why the last planning failed
    Column("failures", Integer, nullable=False, default=0),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,  # a number is never given to a second person: links carry it
)
for _name in ("first_key", "last_key"):
    Index(
        f"ix_candidates_{_name}",
        candidates.c[_name],
        candidates.c.id,
        sqlite_where=candidates.c[_name].is_not(None),
        postgresql_where=candidates.c[_name].is_not(None),
        postgresql_ops={_name: "text_pattern_ops"},
    )
Index(
    "ix_candidates_problem",
    candidates.c.id,
    sqlite_where=candidates.c.problem.is_not(None),
    postgresql_where=candidates.c.problem.is_not(None),
)
Index(
    "ix_candidates_wake_at",
    candidates.c.wake_at,
    sqlite_where=candidates.c.wake_at.is_not(None),
    postgresql_where=candidates.c.wake_at.is_not(None),
)
Index(
    "ix_candidates_rearm_at",
    candidates.c.rearm_at,
    candidates.c.wake_at,
    sqlite_where=candidates.c.rearm_at.is_not(None),
    postgresql_where=candidates.c.rearm_at.is_not(None),
)

#: One person may be known to several sources, or to one source twice.
candidate_refs = Table(
    "candidate_refs",
    metadata,
    Column("ref", Text, primary_key=True),
    _candidate(index=True),
)

jobs = Table(
    "jobs",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("status", Text, nullable=False, default="open"),
    Column("data", JSON, nullable=False, default=dict),
    Column("family", Text),  # as in `data`, as it is compared: whose rejections count together
    Index(
        "ix_jobs_family",
        "family",
        "ref",
        sqlite_where=text("family IS NOT NULL"),
        postgresql_where=text("family IS NOT NULL"),
    ),
)

people = Table(
    "people",
    metadata,
    Column("email", Text, primary_key=True),  # case-folded
    Column("data", JSON, nullable=False, default=dict),
)

applications = Table(
    "applications",
    metadata,
    Column("ref", Text, primary_key=True),
    _candidate(index=True),
    Column("job", Text, index=True),
    Column("status", Text, nullable=False, default="active"),
    Column("data", JSON, nullable=False, default=dict),
    # As in `data`: whose candidates these are is asked for every list.
    Column("recruiter", Text),
    Column("coordinator", Text),
    Column("hiring_manager", Text),
    *(
        Index(
            f"ix_applications_{_role}",
            _role,
            "candidate_id",
            sqlite_where=text(f"{_role} IS NOT NULL"),
            postgresql_where=text(f"{_role} IS NOT NULL"),
        )
        for _role in ("recruiter", "coordinator", "hiring_manager")
    ),
    # By when they have to hear from us, as of the last planning: what lists ask for.
    Column("silence_due_at", Instant),
    Index(
        "ix_applications_silence_due_at",
        "silence_due_at",
        "ref",
        sqlite_where=text("silence_due_at IS NOT NULL"),
        postgresql_where=text("silence_due_at IS NOT NULL"),
    ),
    # Why it was rejected, as its source said it, a name a line. Mapped where it is read, and shown
    # nowhere: see rendering/broad_reasons.py.
    Column("reason", Text),
    Column("rejected_at", Instant),  # as in `data`
    Index(
        "ix_applications_told_why",
        "job",
        "rejected_at",
        "reason",
        sqlite_where=text(IS_TOLD_WHY),
        postgresql_where=text(IS_TOLD_WHY),
    ),
)

interviews = Table(
    "interviews",
    metadata,
    Column("ref", Text, primary_key=True),
    _candidate(index=True),
    Column("application", Text),
    Column("status", Text, nullable=False, default="scheduled"),
    Column("starts_at", Instant),
    Column("ends_at", Instant),
    Column("booked_at", Instant),
    # How often its time or place has changed: the SEQUENCE of its calendar entry (RFC 5546 2.1.4).
    Column("sequence", Integer, nullable=False, default=0, server_default="0"),
    Column("data", JSON, nullable=False, default=dict),
)

offers = Table(
    "offers",
    metadata,
    Column("ref", Text, primary_key=True),
    _candidate(index=True),
    Column("application", Text),
    Column("status", Text, nullable=False, default="sent"),
    Column("data", JSON, nullable=False, default=dict),
)

events = Table(
    "events",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("type", Text, nullable=False),
    _candidate(),
    Column("application", Text),
    Column("interview", Text),
    Column("offer", Text),
    Column("job", Text),
    Column("occurred_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("historical", Boolean, nullable=False, default=False),
    Column("planned_at", Instant),  # when the planner acted on it
    Column("data", JSON, nullable=False, default=dict),
    UniqueConstraint("source", "source_id"),
    Index("ix_events_candidate_id", "candidate_id", "planned_at"),
    Index(
        "ix_events_news",
        "received_at",
        sqlite_where=text(IS_NEWS),
        postgresql_where=text(IS_NEWS),
    ),
    Index(
        "ix_events_response",
        "occurred_at",
        sqlite_where=text(IS_RESPONSE),
        postgresql_where=text(IS_RESPONSE),
    ),
)

#: Human calls and mails. What the engine itself sent is in `messages`.
contacts = Table(
    "contacts",
    metadata,
    Column("id", Key, primary_key=True),
    _candidate(),
    Column("application", Text),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),  # call | mail
    Column("person", Text),  # who, by e-mail
    Column("outcome", Text),  # of a call: spoke | voicemail | no_answer | wrong_number
    Column("promise", Text),  # the promise it keeps, by ref, where the person said so
    Index("ix_contacts_candidate_id", "candidate_id", "at"),
)

enrollments = Table(
    "enrollments",
    metadata,
    Column("id", Key, primary_key=True),
    _candidate(index=True),
    Column("campaign", Text, nullable=False),
    Column("subject", Text, nullable=False),  # the object of `once_per`: "interview:i-3"
    Column("number", Integer, nullable=False, default=1),
    Column("application", Text),
    Column("interview", Text),
    Column("offer", Text),
    Column("promise", Text),
    Column("entered_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("end_reason", Text),  # what ended it: an event's type, or "done"
    UniqueConstraint("campaign", "subject", "number"),
    Index(  # who is in a campaign now, and how many, without a look at those who were
        "ix_enrollments_under_way",
        "campaign",
        "candidate_id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

#: One row an occurrence of a step: what was last decided about it, and how it was settled.
steps = Table(
    "steps",
    metadata,
    Column("enrollment_id", Key, ForeignKey("enrollments.id"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("occurrence", Text, primary_key=True),
    _candidate(index=True),
    Column("anchor", Text),
    Column("anchor_at", Instant),
    Column("moment_at", Instant),
    Column("known_at", Instant, nullable=False),
    Column("state", Text, nullable=False, default="open"),
    Column("settled_at", Instant),
    Column("verdict", Text),
    Column("reason", Text),
    Column("at", Instant),
    Column("detail", JSON, nullable=False, default=dict),
)
for _name, _is in {"held": IS_HELD, "stopped": IS_STOPPED}.items():
    Index(
        f"ix_steps_{_name}",
        steps.c.candidate_id,
        steps.c.enrollment_id,
        sqlite_where=text(_is),
        postgresql_where=text(_is),
    )

#: Every change of a verdict, for ever: why did they (not) get it?
verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Key, primary_key=True),
    _candidate(),
    Column("enrollment_id", Key, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("template", Text),
    Column("category", Text),
    Column("application", Text),
    Column("recorded_at", Instant, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("final", Boolean, nullable=False),
    Column("at", Instant),
    Column("detail", JSON, nullable=False, default=dict),
    Index("ix_verdicts_candidate_id", "candidate_id", "recorded_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Key, primary_key=True),
    _candidate(),
    Column("message_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("campaign", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("klass", Text, nullable=False),
    Column("application", Text),
    Column("created_at", Instant, nullable=False),
    Column("campaign_digest", Text),  # the revisions it was sent by, see `revisions`
    Column("template_digest", Text),
    Column("layout_digest", Text),
    Column("approved_at", Instant),
    Column("approved_by", Text),
    Column("approved_digest", Text),  # of the letter that whoever approved it had before them
    Column("approved_as_of", Instant),  # and the instant as of which it was written for them
    Column("until", Instant),
    Column("sent_at", Instant),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Instant),
    Column("lease", Text),  # whose hand it is in; outcomes are recorded only under it
    Column("lease_until", Instant),
    # What it said to calendars: method, UID, SEQUENCE, the interview's own and the interview.
    Column("invite", Text),
    Column("reason", Text),
    Column("detail", JSON, nullable=False, default=dict),
    Index("ix_messages_candidate_id", "candidate_id", "sent_at"),
    Index(
        "ix_messages_astray",
        "state",
        "created_at",
        sqlite_where=text(IS_ASTRAY),
        postgresql_where=text(IS_ASTRAY),
    ),
    Index("ix_messages_created_at", "created_at"),
    Index(  # what a campaign has sent lately: guardrails count to a bound, and no further
        "ix_messages_campaign",
        "campaign",
        "sent_at",
        "candidate_id",
        sqlite_where=text("sent_at IS NOT NULL"),
        postgresql_where=text("sent_at IS NOT NULL"),
    ),
    Index(  # what was approved lately, and can perhaps be taken back
        "ix_messages_approved_at",
        "approved_at",
        sqlite_where=text("approved_at IS NOT NULL"),
        postgresql_where=text("approved_at IS NOT NULL"),
    ),
)
for _name, _state in {"queued": "queued", "sending": "sending", "held": "held"}.items():
    Index(
        f"ix_messages_{_name}",
        messages.c.candidate_id,
        sqlite_where=messages.c.state == _state,
        postgresql_where=messages.c.state == _state,
    )

#: A second message for one step is impossible: the triple is the key.
message_steps = Table(
    "message_steps",
    metadata,
    Column("enrollment_id", Key, ForeignKey("enrollments.id"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("occurrence", Text, primary_key=True),
    Column("message_id", Key, ForeignKey("messages.id"), nullable=False, index=True),
    # Of a bundle's sections: their order and what each is. Empty: as the message's own row says.
    Column("position", Integer, nullable=False, default=0, server_default="0"),
    Column("campaign", Text),
    Column("template", Text),
    Column("category", Text),
    Column("application", Text),
    Column("campaign_digest", Text),
    Column("template_digest", Text),
    Column("content", JSON(none_as_null=True)),  # ids of the items of the library that it brings
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Key, primary_key=True),
    _candidate(index=True),
    Column("enrollment_id", Key, ForeignKey("enrollments.id"), nullable=False),
    Column("step", Text, nullable=False),
    Column("occurrence", Text, nullable=False),  # of its step; of a call, see OF_CALL
    Column("campaign", Text, nullable=False),
    Column("application", Text),
    Column("text", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("assignee", Text),  # e-mail, where the role has a known person
    Column("state", Text, nullable=False, default="open"),  # open | done | dropped
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("kind", Text, nullable=False, default="task", server_default="task"),  # task | call
    # Of a call: the mail it stands for, when to ring best, and when the mail goes instead.
    Column("template", Text),
    Column("best_at", Instant),
    Column("fallback_at", Instant),
    Column("outcome", Text),  # the last
    Column("tries", Integer, nullable=False, default=0, server_default="0"),
    UniqueConstraint("enrollment_id", "step", "occurrence"),
    Index(
        "ix_tasks_open",
        "due_at",
        "id",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "ix_tasks_open_calls",
        "kind",  # the same in each row: without it SQLite takes the index above
        "due_at",
        "id",
        sqlite_where=text("state = 'open' AND kind = 'call'"),
        postgresql_where=text("state = 'open' AND kind = 'call'"),
    ),
)

#: What a mail promised, or a person: a debt with a date.
promises = Table(
    "promises",
    metadata,
    Column("ref", Text, primary_key=True),
    _candidate(index=True),
    Column("application", Text),
    Column("enrollment_id", Key),  # and step: which mail made it, where it was a mail
    Column("step", Text),
    Column("what", Text, nullable=False),
    Column("owner", Text),  # who owes it, by e-mail
    Column("made_at", Instant, nullable=False),
    Column("due_at", Instant),  # empty while it is only known that it was settled
    Column("status", Text, nullable=False, default="open"),  # open | kept | broken
    Column("settled_at", Instant),
    Column("data", JSON, nullable=False, default=dict),
    Index(
        "ix_promises_open",
        "due_at",
        "ref",
        sqlite_where=text("status = 'open'"),
        postgresql_where=text("status = 'open'"),
    ),
)

#: Every campaign, template and layout file that was ever in force, by the sha256 of its bytes.
revisions = Table(
    "revisions",
    metadata,
    Column("kind", Text, primary_key=True),  # campaign | template | layout
    Column("name", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("kept_at", Instant, nullable=False),
)

#: Edits that would make more mail due at once than anybody expects: until somebody lets them
#: through, who would not be due by the version before waits.
releases = Table(
    "releases",
    metadata,
    Column("campaign", Text, primary_key=True),
    Column("before", Text),  # digest of the version before, in `revisions`; null: there was none
    Column("cause", Text, nullable=False),  # edit | resume | audience | stop | restore
    Column("since", Instant, nullable=False),
    Column("state", Text, nullable=False),  # counting | held | spreading | released
    Column("scanned_to", Key, nullable=False, default=0),  # candidates are counted in id order
    Column("scanned", Integer, nullable=False, default=0),
    Column("total", Integer, nullable=False, default=0),
    Column("due", Integer, nullable=False, default=0),
    Column("spread_until", Instant),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("detail", JSON, nullable=False, default=dict),  # kinds of templates before; the stop
)

#: Small facts about the store itself: the last tick, which policy was in force.
#: Kill switches: what must not leave, until somebody lifts it. `ref` names the candidate, job or
#: campaign; `everything` has none.
stops = Table(
    "stops",
    metadata,
    Column("id", Key, primary_key=True),
    Column("scope", Text, nullable=False),  # candidate | job | campaign | everything
    Column("ref", Text),
    Column("cause", Text, nullable=False),  # person | bounces | complaints | refused | restored
    Column("why", Text, nullable=False),
    Column("by", Text),
    Column("since", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", Text),
    # When all whom it kept back were asked to be planned anew; that is done by who plans.
    Column("released_at", Instant),
    Index("ix_stops_ended_at", "ended_at"),
)

#: What came back of the mail that was sent: bounces and complaints, which guardrails count.
returns = Table(
    "returns",
    metadata,
    Column("message_id", Key, ForeignKey("messages.id"), primary_key=True),
    Column("kind", Text, primary_key=True),  # bounces | complaints
    _candidate(index=True),
    Column("campaign", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("weighed", Boolean, nullable=False, default=False),
    Index("ix_returns_campaign", "campaign", "kind", "at"),
)
Index(
    "ix_returns_unweighed",
    returns.c.campaign,
    sqlite_where=text("NOT weighed"),
    postgresql_where=text("NOT weighed"),
)

#: How fast mail may go, shared by all processes: `everything`, `domain:example.com`, `warm-up`.
throttles = Table(
    "throttles",
    metadata,
    Column("name", Text, primary_key=True),
    Column("next_at", Instant, nullable=False),  # when the next one may leave
    Column("slow_until", Instant),  # a server asked us to slow down
    Column("slowed", Integer, nullable=False, default=0),  # how often in a row
    Column("said", Text),
    Column("counted", Integer, nullable=False, default=0),  # of the day that ends at next_at
)

#: Who is at work on this database, by the heartbeat of each.
processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # run | plan | send | web
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

#: Who may look at the pages, and as what.
users = Table(
    "users",
    metadata,
    Column("id", Key, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # case-folded
    Column("name", Text),
    Column("role", Text, nullable=False),  # recruiter | marketer | admin
    Column("password", Text),  # argon2; none: signs in elsewhere, or not yet
    Column("timezone", Text),
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
)

#: Who is signed in. Of the token that a browser holds only the digest is kept.
sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    # None: the person at this machine, while there are no accounts.
    Column("user_id", Key, ForeignKey("users.id"), index=True),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
)

#: Who did what, on pages and commands: kept for ever, and never what a candidate said.
audit = Table(
    "audit",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", Instant, nullable=False, index=True),
    Column("who", Text, nullable=False),  # e-mail, or `command line`
    Column("action", Text, nullable=False),  # such as `approve`, `pause`, `sign-in`
    Column("candidate_id", Key, index=True),
    Column("about", Text),  # what else it was done to: `message:12`, `campaign:culture`
    Column("detail", JSON, nullable=False, default=dict),
)

#: What a candidate tells one person in confidence, such as an accommodation they need. It stands
#: nowhere else.
confidences = Table(
    "confidences",
    metadata,
    Column("id", Key, primary_key=True),
    _candidate(index=True),
    Column("application", Text),
    Column("kind", Text, nullable=False),  # accommodation | answer
    Column("question", Text),  # of an answer: what a template asked
    Column("said", Text, nullable=False),
    Column("person", Text, nullable=False, index=True),  # for whom it is, by e-mail
    Column("told_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("until", Instant),  # when it goes, once their process is over
)

#: What candidates asked of us about their data.
requests = Table(
    "requests",
    metadata,
    Column("id", Key, primary_key=True),
    _candidate(index=True),
    Column("kind", Text, nullable=False),  # copy | deletion
    Column("asked_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("done_by", Text),
)

#: Mails to our own people: the morning's list, an interview that is near. One for each occasion.
notices = Table(
    "notices",
    metadata,
    Column("id", Key, primary_key=True),
    Column("person", Text, nullable=False),  # e-mail
    Column("kind", Text, nullable=False),  # morning | soon
    Column("about", Text, nullable=False),  # the day, or the interview and its instant
    Column("message_id", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),  # as of messages
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_attempt_at", Instant),
    Column("lease", Text),
    Column("lease_until", Instant),
    Column("reason", Text),
    UniqueConstraint("person", "kind", "about"),
    Index("ix_notices_state", "state", "next_attempt_at"),
)

marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", JSON, nullable=False),
)
