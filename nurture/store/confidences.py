"""What did candidates tell one person in confidence, and when is it gone?

It stands in this table and nowhere else: no event, verdict, task, log, audit row or mail repeats
it, and simulations go without it. Only `page` gives the words away. That something was told, and
nothing more, is a fact of the candidate's, so that no mail contradicts what it does not know.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, or_, select, update

from nurture.store import alarm
from nurture.store.facts import CONFIDED, ERASED
from nurture.store.tables import applications, candidates, confidences

ACCOMMODATION = "accommodation"
ANSWER = "answer"  #: to a question of a mail that is asked in confidence
SENSITIVE = "sensitive"  #: why somebody here asked for care, for whoever wrote it
KEPT = timedelta(days=30)  #: after the last application came to its end


@dataclass(frozen=True, kw_only=True)
class Told:
    """That something was told, without what."""

    told_at: datetime
    seen_at: datetime | None
    person: str
    kind: str
    question: str | None


def tell(
    connection: Connection,
    candidate_id: int,
    said: str,
    *,
    person: str,
    now: datetime,
    application: str | None = None,
    kind: str = ACCOMMODATION,
    question: str | None = None,
) -> bool:
    """Keep it for this person (by e-mail). An answer takes the place of the one before it, and
    the same words for the same person are kept once; of somebody erased nothing is kept. Whether
    there is something to read that there was not."""
    alarm.lock(connection, {candidate_id})
    known = select(candidates.c.data).where(candidates.c.id == candidate_id)
    if ERASED in connection.execute(known).scalar_one():
        return False
    own = confidences.c.candidate_id == candidate_id
    if question is not None:
        forget = delete(confidences).where(own, confidences.c.question == question)
        connection.execute(forget)
    else:
        alike = (own, confidences.c.said == said, confidences.c.person == person.casefold())
        if connection.execute(select(confidences.c.id).where(*alike)).first():
            return False
    row = {
        "candidate_id": candidate_id,
        "application": application,
        "kind": kind,
        "question": question,
        "said": said,
        "person": person.casefold(),
        "told_at": now,
        "seen_at": now if kind == SENSITIVE else None,
    }
    connection.execute(insert(confidences).values(row))
    _note(connection, {candidate_id}, now)
    return True


def told(connection: Connection, candidate_id: int, now: datetime) -> list[Told]:
    """What this candidate has told, oldest first: never the words themselves, because whoever has
    a mail of theirs has its links."""
    names = ("told_at", "seen_at", "person", "kind", "question")
    query = (
        select(*(confidences.c[name] for name in names))
        .where(confidences.c.candidate_id == candidate_id, _kept(now))
        .where(confidences.c.kind != SENSITIVE)
        .order_by(confidences.c.id)
    )
    return [Told(**row) for row in connection.execute(query).mappings()]


def take_back(connection: Connection, candidate_id: int, now: datetime) -> None:
    """Everything they told is gone: they took it back, or are forgotten."""
    alarm.lock(connection, {candidate_id})
    connection.execute(delete(confidences).where(confidences.c.candidate_id == candidate_id))
    _note(connection, {candidate_id}, now)


def unread(connection: Connection, person: str, now: datetime, limit: int = 50) -> Sequence[Any]:
    """Whom somebody has told something that they have not read yet: rows with the `candidate_id`,
    `ref` and `data` of each candidate and `told_at`, oldest first, and not what."""
    query = (
        select(
            confidences.c.candidate_id,
            candidates.c.ref,
            candidates.c.data,
            confidences.c.told_at,
        )
        .join(candidates, candidates.c.id == confidences.c.candidate_id)
        .where(confidences.c.person == person.casefold(), confidences.c.seen_at.is_(None))
        .where(_kept(now))
        .order_by(confidences.c.id)
        .limit(limit)
    )
    rows = connection.execute(query).mappings().all()
    return list({row["candidate_id"]: row for row in reversed(rows)}.values())[::-1]


def page(
    connection: Connection, person: str | None, now: datetime, *, after: int = 0, limit: int = 50
) -> Sequence[Any]:
    """What was told to somebody; None: to anybody, which is for administrators. By number, from
    the one after `after` on, with the `ref` and `data` of each candidate."""
    query = (
        select(confidences, candidates.c.ref, candidates.c.data)
        .join(candidates, candidates.c.id == confidences.c.candidate_id)
        .where(confidences.c.id > after, _kept(now))
        .order_by(confidences.c.id)
        .limit(limit)
    )
    if person is not None:
        query = query.where(confidences.c.person == person.casefold())
    return connection.execute(query).mappings().all()


def person_of(connection: Connection, number: int, now: datetime) -> str | None:
    """For whom this one is, by e-mail; None: there is none of that number."""
    query = select(confidences.c.person).where(confidences.c.id == number, _kept(now))
    found: str | None = connection.execute(query).scalar()
    return found


def read(connection: Connection, number: int, now: datetime) -> int | None:
    """It has been read; whose it was. Read once, it stays so."""
    own = confidences.c.id == number
    unseen = update(confidences).where(own, confidences.c.seen_at.is_(None))
    connection.execute(unseen.values(seen_at=now))
    query = select(confidences.c.candidate_id).where(own)
    found: int | None = connection.execute(query).scalar()
    return found


def sweep(connection: Connection, now: datetime) -> int:
    """Count the days of those whose process is over, stop counting where it goes on again, and
    delete what has been kept for long enough. How many were deleted."""
    under_way = exists().where(
        applications.c.candidate_id == confidences.c.candidate_id,
        applications.c.status == "active",
    )
    over = update(confidences).where(confidences.c.until.is_(None), ~under_way)
    connection.execute(over.values(until=now + KEPT))
    again = update(confidences).where(confidences.c.until.is_not(None), under_way)
    connection.execute(again.values(until=None))
    ended = confidences.c.until <= now
    whose = set(connection.execute(select(confidences.c.candidate_id).where(ended)).scalars())
    alarm.lock(connection, whose)
    gone = connection.execute(delete(confidences).where(ended))
    _note(connection, whose, now)
    return int(gone.rowcount)


def _note(connection: Connection, whose: Collection[int], now: datetime) -> None:
    """Write down of each of these, whose rows are locked, whether something is told; mail that is
    planned for them is decided anew where that is news."""
    told = select(confidences.c.candidate_id).where(
        confidences.c.candidate_id.in_(whose), confidences.c.kind != SENSITIVE
    )
    have = set(connection.execute(told).scalars())
    known = select(candidates.c.id, candidates.c.data).where(candidates.c.id.in_(whose))
    for id_, data in connection.execute(known).all():
        if (CONFIDED in data) != (id_ in have):
            rest = {name: value for name, value in data.items() if name != CONFIDED}
            noted = rest | ({CONFIDED: True} if id_ in have else {})
            connection.execute(update(candidates).where(candidates.c.id == id_).values(data=noted))
            alarm.ring(connection, {id_}, now)


def _kept(now: datetime) -> ColumnElement[bool]:
    """Not even a night without a sweep makes it last longer."""
    return or_(confidences.c.until.is_(None), confidences.c.until > now)
