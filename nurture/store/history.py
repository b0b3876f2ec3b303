"""What happened, and what is on its way? Reading rows for people: lists, counts, histories."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, exists, func, select

from nurture.core.model import MessageState, Reason, StepState, Verdict
from nurture.store.tables import (
    candidates,
    enrollments,
    message_steps,
    messages,
    steps,
    tasks,
    verdicts,
)


def final_verdicts(
    connection: Connection, since: datetime | None = None, candidate_id: int | None = None
) -> Iterator[dict[str, Any]]:
    """Verdicts that settled something, oldest first: the objects of `simulate --json`."""
    query = (
        select(verdicts, candidates.c.ref)
        .join(candidates, candidates.c.id == verdicts.c.candidate_id)
        .where(verdicts.c.final)
        .order_by(verdicts.c.at, verdicts.c.id)
    )
    if since is not None:
        query = query.where(verdicts.c.recorded_at >= since)
    if candidate_id is not None:
        query = query.where(verdicts.c.candidate_id == candidate_id)
    yield from map(as_object, connection.execute(query).mappings())


def as_object(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A verdict and its candidate's ref as people and scripts read it."""
    return {
        "at": row["at"] and row["at"].isoformat(),
        "candidate": row["ref"],
        "application": row["application"],
        "campaign": row["campaign"],
        "step": row["step"],
        "template": row["template"],
        "category": row["category"],
        "verdict": "send" if row["verdict"] == Verdict.SENT else row["verdict"],
        "reason": row["reason"],
        "detail": row["detail"],
    }


def settled_rows(connection: Connection, candidate_id: int) -> Sequence[RowMapping]:
    """The final verdicts of one candidate, oldest first, with their `ref`; what was sent has its
    `message` (the number of its row) and the digests of the files it was sent by; what became a
    task, that one's text as `task`. A doubt that somebody settled since is none."""
    return connection.execute(settled(candidate_id)).mappings().all()


#: By what these are in order.
SETTLED_AT = (verdicts.c.at, verdicts.c.id)


def settled(candidate_id: int) -> Select[Any]:
    """The query for them."""
    later = verdicts.alias()
    by_now = exists().where(
        later.c.candidate_id == candidate_id,
        later.c.reason == Reason.SETTLED,
        later.c.id > verdicts.c.id,
        *(later.c[name] == verdicts.c[name] for name in _KEY),
    )
    doubt = and_(verdicts.c.reason == Reason.UNKNOWN_OUTCOME, by_now)
    return _told_rows(candidate_id).where(verdicts.c.final, ~doubt)


def verdicts_of(connection: Connection, candidate_id: int, message_id: int) -> Sequence[RowMapping]:
    """The same of one message of theirs."""
    query = _told_rows(candidate_id).where(verdicts.c.final, messages.c.id == message_id)
    return connection.execute(query).mappings().all()


def rows_as_of(connection: Connection, candidate_id: int, at: datetime) -> Sequence[RowMapping]:
    """The last verdict on each occurrence of a step that was recorded by then: rows as above."""
    latest = (
        select(func.max(verdicts.c.id))
        .where(verdicts.c.candidate_id == candidate_id, verdicts.c.recorded_at <= at)
        .group_by(*(verdicts.c[name] for name in _KEY))
    )
    query = _told_rows(candidate_id).where(verdicts.c.id.in_(latest))
    return connection.execute(query).mappings().all()


def _told_rows(candidate_id: int) -> Select[Any]:
    own = and_(*(message_steps.c[name] == verdicts.c[name] for name in _KEY))
    errand = and_(*(tasks.c[name] == verdicts.c[name] for name in _KEY))
    sent = [
        *(
            func.coalesce(message_steps.c[name], messages.c[name]).label(name)
            for name in ("campaign_digest", "template_digest")
        ),
        messages.c.layout_digest,
    ]
    return (
        select(
            verdicts,
            candidates.c.ref,
            messages.c.id.label("message"),
            tasks.c.text.label("task"),
            *sent,
        )
        .join(candidates, candidates.c.id == verdicts.c.candidate_id)
        .outerjoin(tasks, and_(errand, verdicts.c.verdict == Verdict.TASK))
        .outerjoin(message_steps, and_(own, verdicts.c.verdict == Verdict.SENT))
        .outerjoin(messages, messages.c.id == message_steps.c.message_id)
        .where(verdicts.c.candidate_id == candidate_id)
        .order_by(*SETTLED_AT)
    )


_KEY = ("enrollment_id", "step", "occurrence")
_OF_SECTION = ("campaign", "template", "category")


def message_rows(
    connection: Connection,
    *,
    candidate_id: int | None = None,
    state: str | None = None,
    since: datetime | None = None,
    limit: int = 200,
) -> Sequence[RowMapping]:
    """Messages, newest first, each with its candidate's ref and data; of a bundle one row for each
    section, with that one's campaign, step, template and category, and its number from 1."""
    whole = [each for each in messages.c if each.name not in _OF_SECTION]
    own = [func.coalesce(message_steps.c[n], messages.c[n]).label(n) for n in _OF_SECTION]
    section = (message_steps.c.position + 1).label("section")
    query = (
        select(*whole, *own, section, candidates.c.ref, candidates.c.data, message_steps.c.step)
        .join(candidates, candidates.c.id == messages.c.candidate_id)
        .join(message_steps, message_steps.c.message_id == messages.c.id)
        .order_by(messages.c.created_at.desc(), messages.c.id.desc(), message_steps.c.position)
        .limit(limit)
    )
    if candidate_id is not None:
        query = query.where(messages.c.candidate_id == candidate_id)
    if state is not None:
        query = query.where(messages.c.state == state)
    if since is not None:
        query = query.where(messages.c.created_at >= since)
    return connection.execute(query).mappings().all()


def owner(connection: Connection, message_id: int) -> str | None:
    """The ref of the candidate whose message this is."""
    query = select(candidates.c.ref).join(messages, messages.c.candidate_id == candidates.c.id)
    return connection.execute(query.where(messages.c.id == message_id)).scalar()


def sent_rows(connection: Connection, since: datetime, limit: int) -> Sequence[RowMapping]:
    """Messages that left since then, oldest first, with their candidate's ref and data."""
    left = (MessageState.SENT, MessageState.UNKNOWN, MessageState.BOUNCED)
    query = (
        select(messages, candidates.c.ref, candidates.c.data)
        .join(candidates, candidates.c.id == messages.c.candidate_id)
        .where(messages.c.sent_at >= since, messages.c.state.in_(left))
        .order_by(messages.c.sent_at, messages.c.id)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def waiting_rows(connection: Connection, limit: int) -> Sequence[RowMapping]:
    """Steps that wait for a known instant, the next first: whose, of which campaign, and why."""
    query = (
        select(steps, enrollments.c.campaign, candidates.c.ref, candidates.c.data)
        .join(candidates, candidates.c.id == steps.c.candidate_id)
        .join(enrollments, enrollments.c.id == steps.c.enrollment_id)
        .where(steps.c.state == StepState.OPEN, steps.c.verdict == Verdict.WAIT)
        .where(steps.c.at.is_not(None))
        .order_by(steps.c.at, candidates.c.id)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def candidate_data(connection: Connection) -> dict[str, dict[str, Any]]:
    """Name, zone and the like of every candidate, by ref."""
    return _pairs(connection, select(candidates.c.ref, candidates.c.data))


def task_rows(connection: Connection, *, state: str | None = "open") -> Sequence[RowMapping]:
    """Tasks for people, the most urgent first."""
    query = (
        select(tasks, candidates.c.ref, candidates.c.data)
        .join(candidates, candidates.c.id == tasks.c.candidate_id)
        .order_by(tasks.c.due_at, tasks.c.id)
    )
    if state is not None:
        query = query.where(tasks.c.state == state)
    return connection.execute(query).mappings().all()


def task_row(connection: Connection, task_id: int) -> RowMapping | None:
    """One task, as above."""
    query = (
        select(tasks, candidates.c.ref, candidates.c.data)
        .join(candidates, candidates.c.id == tasks.c.candidate_id)
        .where(tasks.c.id == task_id)
    )
    return connection.execute(query).mappings().first()


def candidate_rows(
    connection: Connection, *, search: str = "", limit: int = 100
) -> Sequence[RowMapping]:
    """Candidates in the order they came, with how many mails they got; `search` by ref, name or
    address."""
    sent = (
        select(messages.c.candidate_id, func.count().label("sent"))
        .where(messages.c.state == MessageState.SENT)
        .group_by(messages.c.candidate_id)
        .subquery()
    )
    query = (
        select(candidates, func.coalesce(sent.c.sent, 0).label("sent"))
        .outerjoin(sent, sent.c.candidate_id == candidates.c.id)
        .order_by(candidates.c.id)
        .limit(limit)
    )
    if search:
        like = f"%{search.casefold()}%"
        name = candidates.c.data["first_name"].as_string() + " "
        full = name + func.coalesce(candidates.c.data["last_name"].as_string(), "")
        query = query.where(
            candidates.c.ref.ilike(like) | candidates.c.email_key.like(like) | full.ilike(like)
        )
    return connection.execute(query).mappings().all()


def counts(connection: Connection) -> dict[str, Any]:
    """How much there is of everything: for `status`."""
    by_state = select(messages.c.state, func.count()).group_by(messages.c.state)
    enrolled = (
        select(enrollments.c.campaign, func.count())
        .where(enrollments.c.ended_at.is_(None))
        .group_by(enrollments.c.campaign)
    )
    waiting = (
        select(steps.c.reason, func.count())
        .where(steps.c.state == StepState.OPEN)
        .group_by(steps.c.reason)
    )
    troubled = select(candidates.c.ref, candidates.c.problem).where(
        candidates.c.problem.is_not(None)
    )
    return {
        "candidates": connection.execute(select(func.count()).select_from(candidates)).scalar(),
        "enrolled": _pairs(connection, enrolled),
        "messages": _pairs(connection, by_state),
        "waiting": _pairs(connection, waiting),
        "tasks": connection.execute(
            select(func.count()).select_from(tasks).where(tasks.c.state == "open")
        ).scalar(),
        "set_aside": _pairs(connection, troubled),
    }


def _pairs(connection: Connection, query: Any) -> dict[str, Any]:
    return {str(key): value for key, value in connection.execute(query).all()}
