"""What came back from a backup, and what of it may have gone since it was made?"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, insert, or_, select, update

from nurture.core.journey import Key
from nurture.core.model import MessageState, Reason, StepState, Verdict
from nurture.store import planning
from nurture.store.rows import delete_all, insert_all, is_row, key_of, row_of
from nurture.store.sections import sections_of
from nurture.store.tables import message_steps, messages, steps, verdicts

_MARK = "restored"


class Lost(NamedTuple):
    """The time between a backup and its restore: what was done then is not known any more."""

    since: datetime
    until: datetime


def lost(connection: Connection) -> Lost | None:
    """None: no backup was ever restored here."""
    mark = planning.mark(connection, _MARK)
    return mark and Lost(*(datetime.fromisoformat(mark[name]) for name in ("from", "until")))


def remember(connection: Connection, since: datetime, until: datetime) -> Lost:
    """A backup of `since` is put back. It may be of a database that was restored itself."""
    before = lost(connection)
    found = Lost(min(since, before.since) if before is not None else since, until)
    mark = {"from": found.since.isoformat(), "until": found.until.isoformat()}
    planning.set_mark(connection, _MARK, mark)
    return found


def heard_then(connection: Connection, events: Sequence[dict[str, Any]]) -> None:
    """What is told again of that time was heard of then: whom it makes enter entered then, and the
    mail that it makes due may have gone."""
    found = lost(connection)
    if found is not None:
        for row in events:
            if row["occurred_at"] <= found.until < row["received_at"]:
                row["received_at"] = found.until


def put_in_doubt(
    connection: Connection,
    rows: Sequence[tuple[Key, Mapping[str, Any], int | None]],
    said: str,
    now: datetime,
) -> None:
    """Mails that may have gone, by somebody whose memory is lost: counted when they would have, and
    never sent again by themselves. Each with the key of its step, the columns of its message, and
    the number of that where there is one already. The caller holds the candidates' locks."""
    ids = []
    for key, row, known in rows:
        told = {
            "state": MessageState.UNKNOWN,
            "reason": Reason.UNKNOWN_OUTCOME,
            "detail": {"said": said},
            "lease": None,
            "next_attempt_at": None,
        }
        id_ = known
        if id_ is None:
            delete_all(connection, message_steps, [key])  # a section of another's mail, perhaps
            query = insert(messages).returning(messages.c.id)
            id_ = connection.execute(query, {**row, "created_at": now, **told}).scalar()
            own = {**key._asdict(), "message_id": id_, "position": 0}
            connection.execute(insert(message_steps), own)
        else:
            values = {"sent_at": row["sent_at"], **told}
            connection.execute(update(messages).where(messages.c.id == id_).values(**values))
        ids.append((id_, row["sent_at"]))
    _settle_in_doubt(connection, ids, said, now)


def put_all_in_doubt(connection: Connection, at: datetime, said: str, now: datetime) -> int:
    """The same for all that were on their way, as of `at`; how many."""
    on_its_way = or_(
        messages.c.state.in_(_ON_THEIR_WAY),
        and_(
            messages.c.state == MessageState.PLANNED,
            or_(messages.c.attempts > 0, messages.c.approved_at.is_not(None)),
        ),
    )
    ids = list(connection.execute(select(messages.c.id).where(on_its_way)).scalars())
    values = {
        "state": MessageState.UNKNOWN,
        "reason": Reason.UNKNOWN_OUTCOME,
        "sent_at": at,
        "detail": {"said": said},
        "lease": None,
        "next_attempt_at": None,
    }
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        connection.execute(update(messages).where(messages.c.id.in_(chunk)).values(**values))
        _settle_in_doubt(connection, [(id_, at) for id_ in chunk], said, now)
    return len(ids)


_ON_THEIR_WAY = (
    *(MessageState.QUEUED, MessageState.SENDING),
    *(MessageState.RETRYING, MessageState.HELD),
)
_CHUNK = 500  #: ids a statement: SQLite has a limit on parameters


def _settle_in_doubt(
    connection: Connection, left: Sequence[tuple[int | None, datetime]], said: str, now: datetime
) -> None:
    sections = sections_of(connection, [id_ for id_, _ in left if id_ is not None])
    for id_, at in left:
        for section in sections.get(id_ or 0, ()):
            told = {
                "verdict": Verdict.SENT,
                "reason": Reason.UNKNOWN_OUTCOME,
                "at": at,
                "detail": {"said": said},
            }
            values = {"state": StepState.SENT, "settled_at": at, **told}
            query = update(steps).where(*is_row(steps)).values(**values)
            connection.execute(query, [row_of(Key(**key_of(section)))])
            insert_all(
                connection, verdicts, [{**section, "recorded_at": now, "final": True, **told}]
            )


def held(connection: Connection) -> list[int]:
    """Who has mail that may have gone after the backup that was restored."""
    query = (
        select(steps.c.candidate_id)
        .where(
            steps.c.state == StepState.OPEN,
            steps.c.reason == Reason.RELEASE,
            steps.c.detail["cause"].as_string() == "restore",
        )
        .distinct()
        .order_by(steps.c.candidate_id)
    )
    return list(connection.execute(query).scalars())
