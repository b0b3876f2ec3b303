"""What did candidates ask of us about their data, and by when do we owe an answer?"""

from calendar import monthrange
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, insert, select, update

from nurture.store import alarm
from nurture.store.tables import candidates, requests

COPY = "copy"
DELETION = "deletion"
KINDS = (COPY, DELETION)
BACK = "taken back"  #: who settled what they did not want any more


def due_at(asked_at: datetime) -> datetime:
    """By when it is answered: without undue delay, and within one month (GDPR, article 12(3))."""
    year, month = divmod(asked_at.year * 12 + asked_at.month, 12)
    last = monthrange(year, month + 1)[1]
    return asked_at.replace(year=year, month=month + 1, day=min(asked_at.day, last))


def ask(connection: Connection, candidate_id: int, kind: str, now: datetime) -> bool:
    """A candidate asks for it; False if that is open already: asking twice is asking once."""
    alarm.lock(connection, {candidate_id})
    still = _of(candidate_id, kind)
    if connection.execute(select(requests.c.id).where(*still)).first():
        return False
    row = {"candidate_id": candidate_id, "kind": kind, "asked_at": now}
    connection.execute(insert(requests).values(row))
    return True


def take_back(connection: Connection, candidate_id: int, kind: str, now: datetime) -> None:
    """They do not want it any more."""
    settled = update(requests).where(*_of(candidate_id, kind))
    connection.execute(settled.values(done_at=now, done_by=BACK))


def of_candidate(connection: Connection, candidate_id: int) -> Sequence[RowMapping]:
    """All that this candidate ever asked, oldest first."""
    query = select(requests).where(requests.c.candidate_id == candidate_id)
    return connection.execute(query.order_by(requests.c.id)).mappings().all()


def open_requests(
    connection: Connection,
    whose: ColumnElement[bool] | None = None,
    *,
    after: int = 0,
    limit: int | None = 50,
) -> Sequence[RowMapping]:
    """What waits for an answer, the longest first: the request's columns with the candidate's `ref`
    and `data`. `whose` narrows it to some candidates; the next page is `after` the last `id`."""
    query = _asked().where(requests.c.done_at.is_(None), requests.c.id > after)
    if whose is not None:
        query = query.where(whose)
    return connection.execute(query.limit(limit)).mappings().all()


def every_request(connection: Connection) -> Sequence[RowMapping]:
    """The same, those that were answered too."""
    return connection.execute(_asked()).mappings().all()


def find(connection: Connection, number: int) -> RowMapping | None:
    return connection.execute(_asked().where(requests.c.id == number)).mappings().first()


def done(connection: Connection, number: int, by: str, now: datetime) -> bool:
    """It is answered; False where no such one is open."""
    settled = update(requests).where(requests.c.id == number, requests.c.done_at.is_(None))
    return connection.execute(settled.values(done_at=now, done_by=by)).rowcount == 1


def erased(connection: Connection, candidate_id: int, now: datetime) -> None:
    """Whoever is forgotten has been given what they asked for, and of whom nothing is left there is
    no copy to give."""
    open_ = update(requests).where(
        requests.c.candidate_id == candidate_id, requests.c.done_at.is_(None)
    )
    connection.execute(open_.values(done_at=now, done_by="erased"))


def _asked() -> Select[tuple[object, ...]]:
    return (
        select(requests, candidates.c.ref, candidates.c.data)
        .join(candidates, candidates.c.id == requests.c.candidate_id)
        .order_by(requests.c.id)
    )


def _of(candidate_id: int, kind: str) -> tuple[ColumnElement[bool], ...]:
    own = requests.c.candidate_id == candidate_id
    return own, requests.c.kind == kind, requests.c.done_at.is_(None)
