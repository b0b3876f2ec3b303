"""Which mails are in doubt, and what did a person say became of them? All under the candidates'
locks, so that no sender is at work on them meanwhile."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, case, select, update

from nurture.core.journey import Key
from nurture.core.model import MessageState, Reason, StepState, Verdict
from nurture.store import alarm, planning
from nurture.store.rows import delete_all, insert_all, is_row, key_of, row_of
from nurture.store.sections import sections_of
from nurture.store.tables import (
    candidates,
    enrollments,
    message_steps,
    messages,
    steps,
    verdicts,
)

#: What a row of `message_steps` says of a section of a bundle; of a mail of one step, nothing.
_OF_SECTION = (
    *("campaign", "template", "category", "application"),
    *("campaign_digest", "template_digest"),
)


def in_doubt(connection: Connection, before: datetime | None = None) -> Sequence[RowMapping]:
    """Messages of which nobody knows whether they arrived, oldest first, each with its candidate's
    `ref` and `facts`; with `before`, those that left earlier."""
    query = (
        select(messages, candidates.c.ref, candidates.c.data.label("facts"))
        .join(candidates, candidates.c.id == messages.c.candidate_id)
        .where(messages.c.state == MessageState.UNKNOWN)
        .order_by(messages.c.sent_at, messages.c.id)
    )
    if before is not None:
        query = query.where(messages.c.sent_at < before)
    return connection.execute(query).mappings().all()


def claim(connection: Connection, ids: Collection[int]) -> Sequence[RowMapping]:
    """Lock whose messages these are, and read them as they are then."""
    alarm.lock(connection, set(planning.owners(connection, ids).values()))
    query = select(messages).where(messages.c.id.in_(ids)).order_by(messages.c.id)
    return connection.execute(query).mappings().all()


def was_sent(connection: Connection, rows: Sequence[RowMapping], by: str, now: datetime) -> None:
    """These left, and arrived as far as anybody can tell: they stay counted when they left."""
    detail = {"by": by, "said": MessageState.SENT.value}
    said = sections_of(connection, [row["id"] for row in rows])
    for row in rows:
        _message(connection, row["id"], state=MessageState.SENT, detail=row["detail"] | detail)
        for section in said.get(row["id"], ()):
            told = {"verdict": Verdict.SENT, "reason": Reason.SETTLED, "detail": detail}
            where = (*is_row(steps), steps.c.state == StepState.SENT)
            connection.execute(update(steps).where(*where).values(**told), [row_of(_key(section))])
            _verdict(connection, section, now, final=True, at=row["sent_at"], **told)
    alarm.ring(connection, {row["candidate_id"] for row in rows}, now)


def was_not(connection: Connection, rows: Sequence[RowMapping], by: str, now: datetime) -> None:
    """These never left: they count no more, and what they were to say is decided again. Where its
    enrollment is over, or a person has it as a task by now, it is not."""
    detail = {"by": by, "said": "not_sent"}
    said = sections_of(connection, [row["id"] for row in rows])
    for row in rows:
        sections = [dict(section) for section in said.get(row["id"], ())]
        opened = {key for each in sections if _may_open(connection, key := _key(each))}
        for section in sections:
            _decide_again(connection, section, _key(section) in opened, detail, now)
        keys = [_key(section) for section in sections]
        again = bool(keys) and keys[0] in opened
        state = MessageState.PLANNED if again else MessageState.CANCELLED
        _message(connection, row["id"], state=state, sent_at=None, detail=row["detail"] | detail)
        # A row is known by its first section. Where that is over, the others go by themselves.
        kept = [key for key in keys if key in opened] if again else keys[:1]
        _keep(connection, row["id"], keys, kept)
    alarm.ring(connection, {row["candidate_id"] for row in rows}, now)


def _may_open(connection: Connection, key: Key) -> bool:
    query = (
        select(steps.c.state)
        .join(enrollments, enrollments.c.id == steps.c.enrollment_id)
        .where(
            *(steps.c[name] == value for name, value in key._asdict().items()),
            enrollments.c.ended_at.is_(None),
        )
    )
    return connection.execute(query).scalar() == StepState.SENT


def _decide_again(
    connection: Connection,
    section: Mapping[str, Any],
    opened: bool,
    detail: Mapping[str, Any],
    now: datetime,
) -> None:
    told = {
        "verdict": Verdict.WAIT if opened else Verdict.SKIP,
        "reason": Reason.SETTLED,
        "detail": dict(detail),
    }
    settled = {} if opened else {"settled_at": now}
    state = StepState.OPEN if opened else StepState.SKIPPED
    where = (*is_row(steps), steps.c.state == StepState.SENT)
    values = {"state": state, "settled_at": None, "at": None, **settled, **told}
    connection.execute(update(steps).where(*where).values(**values), [row_of(_key(section))])
    _verdict(connection, section, now, final=not opened, at=None if opened else now, **told)


def _message(connection: Connection, id_: int, **values: Any) -> None:
    # One that was offered to nobody counts as tried, so that nothing holds it back once more.
    tried = case((messages.c.attempts > 0, messages.c.attempts), else_=1)
    values |= {"reason": Reason.SETTLED, "next_attempt_at": None, "lease": None, "attempts": tried}
    connection.execute(update(messages).where(messages.c.id == id_).values(**values))


def _keep(
    connection: Connection, id_: int, sections: Collection[Key], kept: Collection[Key]
) -> None:
    """It goes again as it was, but for what is over; by its first section alone it is no bundle."""
    gone = [key for key in sections if key not in kept]
    delete_all(connection, message_steps, gone)
    if len(kept) == 1 < len(sections):
        own = update(message_steps).where(message_steps.c.message_id == id_)
        connection.execute(own.values(**_NOTHING_SAID))


_NOTHING_SAID = {"position": 0, **dict.fromkeys(_OF_SECTION)}


def _verdict(
    connection: Connection, section: Mapping[str, Any], now: datetime, **told: Any
) -> None:
    row = {name: value for name, value in section.items() if name in verdicts.c}
    insert_all(connection, verdicts, [{**row, "recorded_at": now, **told}])


def _key(row: Mapping[str, Any] | RowMapping) -> Key:
    return Key(**key_of(row))
