"""What do planner and sender write? Claims and bulk writes, all under the candidates' locks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Integer,
    Row,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.exc import OperationalError, StatementError

from nurture.core.journey import Key
from nurture.core.model import MessageState, Reason, StepState, Verdict
from nurture.store import sections
from nurture.store.database import first_line
from nurture.store.rows import delete_all, insert_all, is_row, key_of, many, row_of, update_all
from nurture.store.tables import (
    candidates,
    enrollments,
    events,
    marks,
    message_steps,
    messages,
    steps,
    tasks,
    verdicts,
)


@dataclass(kw_only=True)
class Changes:
    """All that one planning changes for one candidate. Rows are in the tables' own columns."""

    candidate_id: int
    ended: list[dict[str, Any]] = field(default_factory=list)  #: id, ended_at, end_reason
    steps: list[dict[str, Any]] = field(default_factory=list)  #: whole rows, written over
    dropped: list[Key] = field(default_factory=list)  #: steps whose anchor moved on
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    queued: list[tuple[Key, dict[str, Any]]] = field(default_factory=list)  #: new messages
    ids: dict[Key, int] = field(default_factory=dict)  #: of those, once they are written
    messages: list[dict[str, Any]] = field(default_factory=list)  #: id, state, reason, detail
    #: what these bring from the content library: new messages, and those of which it has changed
    content: list[tuple[Key, list[str]]] = field(default_factory=list)
    released: list[Key] = field(default_factory=list)  #: sections that go without their bundle
    tasks: list[dict[str, Any]] = field(default_factory=list)
    hung_up: list[int] = field(default_factory=list)  #: open calls that nobody need make any more
    wake_at: datetime | None = None


# Statements that live as long as the process are worked out once: see store/statements.py.
_NOW, _MOST = bindparam("now", type_=candidates.c.wake_at.type), bindparam("most", type_=Integer())
_LANES = tuple(
    select(candidates.c.id)
    .where(lane <= _NOW)
    .order_by(lane, *then)
    .limit(_MOST)
    .with_for_update(skip_locked=True)
    for lane, *then in (
        (candidates.c.wake_at,),
        (candidates.c.rearm_at, candidates.c.wake_at),
    )
)
_IS_QUEUED = messages.c.state == MessageState.QUEUED
_WITH_MAIL = (
    select(candidates.c.id)
    .where(
        candidates.c.id.in_(select(messages.c.candidate_id).where(_IS_QUEUED)),
        select(messages.c.id)
        .where(messages.c.candidate_id == candidates.c.id, _IS_QUEUED)
        .exists(),
        candidates.c.problem.is_(None),  # one that was set aside waits for its back-off
    )
    .limit(_MOST)
    .with_for_update(skip_locked=True)
)
_ENTER = insert(enrollments).returning(enrollments.c.id, sort_by_parameter_order=True)
_BEGIN = insert(messages).returning(messages.c.id, sort_by_parameter_order=True)
_PLANNED = (
    update(events)
    .where(
        events.c.candidate_id.in_(bindparam("ids", expanding=True)), events.c.planned_at.is_(None)
    )
    .values(planned_at=bindparam("at"))
)
_OWNERS = select(messages.c.id, messages.c.candidate_id).where(
    messages.c.id.in_(bindparam("ids", expanding=True))
)
_SETTLE = (
    update(steps)
    .where(*is_row(steps))
    .values(state=bindparam("new_state"), settled_at=bindparam("now"), at=bindparam("now"))
)
_BRING = update(message_steps).where(*is_row(message_steps)).values(content=bindparam("brings"))
_MARK = select(marks.c.value).where(marks.c.name == bindparam("name"))
_NO_MARK = delete(marks).where(marks.c.name == bindparam("old_name"))
_SET_MARK = insert(marks)
_FIRST_ALARMS = tuple(
    select(func.min(lane)) for lane in (candidates.c.wake_at, candidates.c.rearm_at)
)


def rung(connection: Connection, now: datetime, limit: int) -> list[int]:
    """Lock and return candidates whose alarm has rung, the longest waiting first.

    The second lane (edits that touch everybody) is drained only when no alarm is due; whose next
    mail is nearest comes first there, because an edit may have made it due.
    """
    for lane in _LANES:
        found = connection.execute(lane, {"now": now, "most": limit}).scalars().all()
        if found:
            return sorted(found)
    return []


def with_mail(connection: Connection, limit: int) -> list[int]:
    """Lock and return candidates for whom a message is queued."""
    return sorted(connection.execute(_WITH_MAIL, {"most": limit}).scalars())


def enter(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert enrollments; their ids, in order."""
    if not rows:
        return []
    return list(connection.execute(_ENTER, list(rows)).scalars())


def write(connection: Connection, changes: Sequence[Changes], now: datetime) -> dict[int, str]:
    """Everything a batch of plannings decided, in bulk.

    Where the tables refuse that, candidate by candidate: one whose rows cannot be written stops
    nobody else. Gives the refused ones, each with the reason.
    """
    try:
        with connection.begin_nested():
            _write(connection, changes, now)
    except StatementError as error:
        if isinstance(error, OperationalError):
            raise  # the database is away, full or busy: nobody's rows are to blame
        if len(changes) == 1:
            return {changes[0].candidate_id: f"{type(error).__name__}: {first_line(error)}"}
        refused: dict[int, str] = {}
        for each in changes:
            refused |= write(connection, [each], now)
        return refused
    return {}


def _write(connection: Connection, changes: Sequence[Changes], now: datetime) -> None:
    ids = [each.candidate_id for each in changes]
    update_all(connection, enrollments, [row for each in changes for row in each.ended])
    rows = [row for each in changes for row in each.steps]
    gone = [key for each in changes for key in each.dropped]
    delete_all(connection, steps, [*gone, *(Key(**key_of(row)) for row in rows)])
    insert_all(connection, steps, rows)
    insert_all(connection, verdicts, [row for each in changes for row in each.verdicts])
    insert_all(connection, tasks, [row for each in changes for row in each.tasks])
    hung_up = [id_ for each in changes for id_ in each.hung_up]
    if hung_up:
        needless = update(tasks).where(tasks.c.id.in_(hung_up), tasks.c.state == "open")
        connection.execute(needless.values(state="dropped", done_at=now))
    update_all(connection, messages, [row for each in changes for row in each.messages])
    delete_all(connection, message_steps, [key for each in changes for key in each.released])
    queued = [(each, key, row) for each in changes for key, row in each.queued]
    brought = dict(pair for each in changes for pair in each.content)
    if queued:
        new = connection.execute(_BEGIN, [row for _, _, row in queued]).scalars().all()
        for (each, key, _), id_ in zip(queued, new, strict=True):
            each.ids[key] = id_
        own = [
            {**key._asdict(), "message_id": each.ids[key], "content": brought.pop(key, None)}
            for each, key, _ in queued
        ]
        insert_all(connection, message_steps, own)
    if brought:
        rows = [{**row_of(key), "brings": ids} for key, ids in brought.items()]
        many(connection, _BRING, rows)
    if ids:
        connection.execute(_PLANNED, {"ids": ids, "at": now})
    update_all(
        connection,
        candidates,
        [
            {
                "id": each.candidate_id,
                "wake_at": each.wake_at,
                "rearm_at": None,
                "problem": None,
                "failures": 0,
            }
            for each in changes
        ],
    )


def set_aside(connection: Connection, candidate_id: int, problem: str, again_at: datetime) -> None:
    """A candidate whose planning failed is taken out of the way, so that the rest goes on."""
    connection.execute(
        update(candidates)
        .where(candidates.c.id == candidate_id)
        .values(
            problem=problem, failures=candidates.c.failures + 1, wake_at=again_at, rearm_at=None
        )
    )


def failures(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    query = select(candidates.c.id, candidates.c.failures).where(candidates.c.id.in_(ids))
    return {row.id: row.failures for row in connection.execute(query)}


class SentBy(NamedTuple):
    """The revisions that a mail is written from: what the store keeps of each is its digest."""

    campaign_digest: str | None
    template_digest: str | None  #: of the file in the language that was sent
    layout_digest: str | None


def mark_sending(
    connection: Connection,
    sent_by: Mapping[int, SentBy],
    lease: str,
    now: datetime,
    until: datetime,
) -> None:
    """From here on these messages count as contacts, whatever happens to this process."""
    for revisions in set(sent_by.values()):
        ids = [id_ for id_, each in sent_by.items() if each == revisions]
        connection.execute(
            update(messages)
            .where(messages.c.id.in_(ids), messages.c.state == MessageState.QUEUED)
            .values(
                state=MessageState.SENDING,
                lease=lease,
                lease_until=until,
                sent_at=now,
                attempts=messages.c.attempts + 1,
                **revisions._asdict(),
            )
        )


def renew(connection: Connection, lease: str, until: datetime) -> None:
    """What is in this lease's hand stays there until then."""
    in_its_hand = (messages.c.lease == lease, messages.c.state == MessageState.SENDING)
    connection.execute(update(messages).where(*in_its_hand).values(lease_until=until))


def throttle(connection: Connection, id_: int, domain: str, until: datetime) -> None:
    """A message that would go now waits until then: there are limits."""
    connection.execute(
        update(messages)
        .where(messages.c.id == id_, messages.c.state == MessageState.QUEUED)
        .values(
            state=MessageState.PLANNED,
            next_attempt_at=until,
            reason=Reason.THROTTLED,
            detail={"domain": domain},
        )
    )


def in_hand(
    connection: Connection, lease: str, outcomes: Mapping[int, MessageState]
) -> Collection[int]:
    """Which of these messages, given with what became of them, may be recorded under this lease:
    those still in its hand, and those that others hold in doubt but were sent."""
    mine = and_(messages.c.state == MessageState.SENDING, messages.c.lease == lease)
    in_doubt = messages.c.state == MessageState.UNKNOWN
    rows = connection.execute(
        select(messages.c.id, messages.c.state).where(
            messages.c.id.in_(outcomes), or_(mine, in_doubt)
        )
    )
    return {
        id_
        for id_, state in rows
        if state == MessageState.SENDING or outcomes[id_] is MessageState.SENT
    }


def record_outcomes(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """What became of messages: id, state, reason, detail, next_attempt_at, sent_at, attempts."""
    update_all(connection, messages, [dict(row) for row in rows])


def settle_steps(
    connection: Connection, keys: Sequence[Key], state: StepState, at: datetime
) -> None:
    if keys:
        new = {"new_state": state, "now": at}
        many(connection, _SETTLE, [{**row_of(key), **new} for key in keys])


def record_verdicts(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    insert_all(connection, verdicts, [dict(row) for row in rows])


def suppress(connection: Connection, candidate_id: int, why: str) -> None:
    connection.execute(
        update(candidates).where(candidates.c.id == candidate_id).values(suppressed=why)
    )


def lost(connection: Connection, now: datetime, *, everything: bool) -> Sequence[Row[Any]]:
    """Messages in the hand of a process that is gone (id, candidate_id, lease, category):
    `sending` under an expired lease; with `everything`, all that are `sending`."""
    query = select(
        messages.c.id, messages.c.candidate_id, messages.c.lease, messages.c.category
    ).where(messages.c.state == MessageState.SENDING)
    if not everything:
        query = query.where(messages.c.lease_until < now)
    return connection.execute(query).all()


def back_to_queue(connection: Connection, ids: Sequence[int], *, offered: bool) -> None:
    """Messages that go again. Not `offered` to anybody, they are as if they had not been marked:
    that counts for no attempt."""
    back = {"state": MessageState.QUEUED, "sent_at": None}
    tries = {} if offered else {"attempts": messages.c.attempts - 1}
    _change_sending(connection, ids, back | tries)


def put_in_doubt(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Messages that may have been received: counted, settled, never sent again by themselves."""
    _change_sending(
        connection,
        ids,
        {"state": MessageState.UNKNOWN, "reason": Reason.UNKNOWN_OUTCOME, "sent_at": now},
    )
    said = [row for rows in sections.sections_of(connection, ids).values() for row in rows]
    settle_steps(connection, [Key(**key_of(row)) for row in said], StepState.SENT, now)
    record_verdicts(connection, [_in_doubt(row, now) for row in said])


def _in_doubt(section: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    return {
        **section,
        "recorded_at": now,
        "verdict": Verdict.SENT,
        "reason": Reason.UNKNOWN_OUTCOME,
        "final": True,
        "at": now,
        "detail": {},
    }


def _change_sending(connection: Connection, ids: Sequence[int], values: Mapping[str, Any]) -> None:
    if ids:
        connection.execute(
            update(messages)
            .where(messages.c.id.in_(ids), messages.c.state == MessageState.SENDING)
            .values(**values)
        )


def owners(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """Whose these messages are now."""
    rows = connection.execute(_OWNERS, {"ids": list(ids)})
    return dict(rows.tuples().all())


def mark(connection: Connection, name: str) -> Any:
    """A small fact about the store itself, or None."""
    return connection.execute(_MARK, {"name": name}).scalar()


def set_mark(connection: Connection, name: str, value: Any) -> None:
    connection.execute(_NO_MARK, {"old_name": name})
    connection.execute(_SET_MARK, {"name": name, "value": value})


def next_alarm(connection: Connection) -> datetime | None:
    """When the planner has something to do next."""
    first = [connection.execute(lane).scalar() for lane in _FIRST_ALARMS]
    return min((at for at in first if at is not None), default=None)
