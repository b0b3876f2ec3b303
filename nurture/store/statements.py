"""Which rows does a planning read? The statements, each made once: making one costs as much as
running it for a single candidate.

`ids` are the candidates; a statement by name takes `names`.
"""

from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, Table, bindparam, case, select

from nurture.core.model import MessageState, Reason
from nurture.store import tables
from nurture.store.tables import CALL

#: States whose mail has reached, or may have reached, the candidate.
CONTACTED = (MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN, MessageState.BOUNCED)
#: States in which nothing more can become of a message's step.
SETTLED = (MessageState.SENT, MessageState.UNKNOWN, MessageState.BOUNCED, MessageState.FAILED)


def _of_these(table: Table, *which: ColumnElement[bool]) -> Select[Any]:
    """These candidates' rows."""
    return select(table).where(table.c.candidate_id.in_(_IDS), *which)


def _in_order(table: Table) -> Select[Any]:
    return _of_these(table).order_by(*table.primary_key.columns)


_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_NAMES: BindParameter[Any] = bindparam("names", expanding=True)
CANDIDATES = select(tables.candidates).where(tables.candidates.c.id.in_(_IDS))
APPLICATIONS = _in_order(tables.applications)
INTERVIEWS = _in_order(tables.interviews)
OFFERS = _in_order(tables.offers)
PROMISES = _in_order(tables.promises)
ENROLLMENTS = _in_order(tables.enrollments)
HUMAN = _in_order(tables.contacts)
JOBS = select(tables.jobs).where(tables.jobs.c.ref.in_(_NAMES))
PEOPLE = select(tables.people).where(tables.people.c.email.in_(_NAMES))
CALLS = _of_these(tables.tasks, tables.tasks.c.kind == CALL).order_by(tables.tasks.c.id)
NEW_EVENTS = _of_these(tables.events, tables.events.c.planned_at.is_(None)).order_by(
    tables.events.c.occurred_at, tables.events.c.id
)
HEARD = _of_these(
    tables.events,
    tables.events.c.planned_at.is_not(None),
    tables.events.c.type.in_(bindparam("types", expanding=True)),
).order_by(tables.events.c.occurred_at, tables.events.c.id)
STEPS = (
    select(
        *(
            tables.steps.c[name]
            for name in (
                *("candidate_id", "enrollment_id", "step", "occurrence"),
                *("anchor", "anchor_at", "moment_at", "known_at"),
                *("state", "settled_at", "verdict", "reason", "at"),
            )
        ),
        case((tables.steps.c.reason == Reason.CHOSEN, tables.steps.c.detail["chosen"].as_string())),
    )
    .where(tables.steps.c.candidate_id.in_(_IDS))
    .order_by(tables.steps.c.enrollment_id, tables.steps.c.step, tables.steps.c.occurrence)
)
OF_SECTION = ("campaign", "template", "category", "application")
_SECTION = [tables.message_steps.c[name].label(f"section_{name}") for name in OF_SECTION]
_WITH_STEPS = tables.messages.join(
    tables.message_steps, tables.message_steps.c.message_id == tables.messages.c.id
)
MAILED = (
    select(
        *(
            tables.messages.c[name]
            for name in (
                *("candidate_id", "id", "state", "category", "klass", "template", "campaign"),
                *("application", "sent_at", "message_id", "invite"),
            )
        ),
        tables.message_steps.c.content,
        tables.message_steps.c.step,
        tables.message_steps.c.enrollment_id,
        tables.message_steps.c.occurrence,
        *_SECTION,
    )
    .select_from(_WITH_STEPS)
    .where(
        tables.messages.c.candidate_id.in_(_IDS),
        tables.messages.c.sent_at.is_not(None),
        tables.messages.c.state.in_(CONTACTED),
    )
    .order_by(tables.messages.c.id, tables.message_steps.c.position)
)
MESSAGES = (
    select(
        tables.messages,
        tables.message_steps.c.enrollment_id,
        tables.message_steps.c.step,
        tables.message_steps.c.occurrence,
        tables.message_steps.c.content,
        *_SECTION,
    )
    .select_from(_WITH_STEPS)
    .where(tables.messages.c.candidate_id.in_(_IDS), tables.messages.c.state.not_in(SETTLED))
    .order_by(tables.messages.c.id, tables.message_steps.c.position)
)
