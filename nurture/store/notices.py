"""Which mails to our own people are there, and in whose hand? One row an occasion, for ever one.

A row is `planned` until it is written; `sending` is on disk before a byte of it leaves. What has
nothing to say any more is `cancelled`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from nurture.core.model import MessageState
from nurture.store.tables import applications, notices, people, users

MORNING, SOON = "morning", "soon"
OPEN = (MessageState.PLANNED, MessageState.RETRYING)
_RECRUITER = "recruiter"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody of ours who looks after candidates."""

    email: str  #: case-folded
    name: str
    timezone: str | None


def add(
    connection: Connection,
    occasions: Iterable[tuple[str, str, str, str]],
    now: datetime,
) -> None:
    """Occasions (person, kind, about, Message-ID) that are to be told; one that is known stays as
    it is."""
    rows = [
        {
            "person": person,
            "kind": kind,
            "about": about,
            "message_id": message_id,
            "state": MessageState.PLANNED,
            "created_at": now,
            "attempts": 0,
            "next_attempt_at": now,
        }
        for person, kind, about, message_id in occasions
    ]
    if rows:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(notices).on_conflict_do_nothing(), rows)


def due(connection: Connection, now: datetime, limit: int) -> Sequence[RowMapping]:
    """What is to be written now, first what is most urgent."""
    query = (
        select(notices)
        .where(notices.c.state.in_(OPEN), notices.c.next_attempt_at <= now)
        .order_by(notices.c.kind.desc(), notices.c.next_attempt_at, notices.c.id)
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def next_at(connection: Connection) -> datetime | None:
    """When the next of those there are is to be written."""
    query = select(func.min(notices.c.next_attempt_at)).where(notices.c.state.in_(OPEN))
    found: datetime | None = connection.execute(query).scalar()
    return found


def take(
    connection: Connection, ids: Collection[int], lease: str, until: datetime
) -> frozenset[int]:
    """Mark these as being sent by who holds the lease; those that nobody else took before."""
    mine = update(notices).where(notices.c.id.in_(ids), notices.c.state.in_(OPEN))
    connection.execute(mine.values(state=MessageState.SENDING, lease=lease, lease_until=until))
    own = and_(notices.c.lease == lease, notices.c.state == MessageState.SENDING)
    return frozenset(connection.execute(select(notices.c.id).where(own)).scalars())


def end(connection: Connection, ids: Collection[int], reason: str) -> None:
    """These need not be sent any more, or cannot be."""
    query = update(notices).where(notices.c.id.in_(ids), notices.c.state.in_(OPEN))
    connection.execute(query.values(state=MessageState.CANCELLED, reason=reason))


def put_off(connection: Connection, id_: int, reason: str, until: datetime) -> None:
    query = update(notices).where(notices.c.id == id_, notices.c.state.in_(OPEN))
    connection.execute(
        query.values(state=MessageState.RETRYING, reason=reason, next_attempt_at=until)
    )


def record(connection: Connection, lease: str, rows: Iterable[dict[str, Any]]) -> None:
    """What came of each `id` that is still in the hand of this lease."""
    for row in rows:
        values = {name: value for name, value in row.items() if name != "id"}
        own = update(notices).where(notices.c.id == row["id"], notices.c.lease == lease)
        own = own.where(notices.c.state == MessageState.SENDING)
        connection.execute(own.values(**values, lease=None, lease_until=None))


def lost(connection: Connection, now: datetime, *, everything: bool) -> Sequence[RowMapping]:
    """What was in the hand of a process that is gone: whose lease has ended, or `everything`."""
    query = select(notices).where(notices.c.state == MessageState.SENDING)
    if not everything:
        query = query.where(or_(notices.c.lease_until.is_(None), notices.c.lease_until <= now))
    return connection.execute(query).mappings().all()


def forget(connection: Connection, before: datetime) -> None:
    """Rows of so long ago."""
    connection.execute(delete(notices).where(notices.c.created_at < before))


# --- for whom ------------------------------------------------------------------------------------


def zones(connection: Connection) -> set[str | None]:
    """The zones that accounts name; None: some name none, or people have no account."""
    query = select(users.c.timezone).where(users.c.disabled_at.is_(None)).distinct()
    return {None, *connection.execute(query).scalars()}


def readers(connection: Connection) -> list[Reader]:
    """Recruiters who have an account, and the recruiters of active applications: nobody whose
    account was disabled."""
    accounts = {row["email"]: row for row in connection.execute(select(users)).mappings()}
    named = {
        email
        for email, row in accounts.items()
        if row["role"] == _RECRUITER and row["disabled_at"] is None
    }
    for owner in _owners(connection):
        account = accounts.get(owner)
        if account is None or account["disabled_at"] is None:
            named.add(owner)
    return [_reader(connection, email, accounts.get(email)) for email in sorted(named)]


def reader(connection: Connection, email: str) -> Reader | None:
    """The one of this address, unless their account was disabled."""
    row = connection.execute(select(users).where(users.c.email == email)).mappings().first()
    if row is not None and row["disabled_at"] is not None:
        return None
    return _reader(connection, email, row)


def _reader(connection: Connection, email: str, account: Any) -> Reader:
    name = account["name"] if account is not None else None
    if not name:
        data = connection.execute(select(people.c.data).where(people.c.email == email)).scalar()
        name = (data or {}).get("name")
    return Reader(email=email, name=name or "", timezone=account["timezone"] if account else None)


def _owners(connection: Connection) -> Iterator[str]:
    """Who recruits for some application that is active. From name to name by the index: there are
    few of them, however many applications."""
    last = ""
    while True:
        query = select(func.min(applications.c.recruiter)).where(applications.c.recruiter > last)
        found = connection.execute(query).scalar()
        if found is None:
            return
        last = found
        active = select(applications.c.ref).where(
            applications.c.recruiter == last, applications.c.status == "active"
        )
        if connection.execute(active.limit(1)).first() is not None:
            yield last
