"""What has happened to one candidate? Verdicts, people's own contacts and events, newest first.

A page at a time, by key: the place of the last one on a page says where the next one begins.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, or_, select

from nurture.store import history
from nurture.store.tables import contacts, events

#: In the order in which they stand at one instant, the newest first.
VERDICT, CONTACT, EVENT = 2, 1, 0


class Place(NamedTuple):
    """Where something stands in somebody's past."""

    at: datetime
    kind: int
    id: int


def verdict_rows(
    connection: Connection, candidate_id: int, before: Place | None, limit: int
) -> Sequence[RowMapping]:
    """Final verdicts, as `history.settled_rows` gives them."""
    query = history.settled(candidate_id).order_by(None)
    at, id_ = history.SETTLED_AT
    query = query.where(_before(at, id_, VERDICT, before)).order_by(at.desc(), id_.desc())
    return connection.execute(query.limit(limit)).mappings().all()


def contact_rows(
    connection: Connection, candidate_id: int, before: Place | None, limit: int
) -> Sequence[RowMapping]:
    """Calls and mails of people, also those that reached nobody."""
    return _rows(connection, contacts, contacts.c.at, CONTACT, candidate_id, before, limit)


def event_rows(
    connection: Connection,
    candidate_id: int,
    types: Sequence[str],
    before: Place | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Events of these types, by when they were told: what an agenda goes by."""
    of_these = or_(events.c.type.in_(types), events.c.type.startswith("custom."))
    at = events.c.received_at
    return _rows(connection, events, at, EVENT, candidate_id, before, limit, of_these)


def _rows(
    connection: Connection,
    table: Any,
    at: ColumnElement[Any],
    kind: int,
    candidate_id: int,
    before: Place | None,
    limit: int,
    *which: ColumnElement[bool],
) -> Sequence[RowMapping]:
    query = (
        select(table)
        .where(table.c.candidate_id == candidate_id, _before(at, table.c.id, kind, before), *which)
        .order_by(at.desc(), table.c.id.desc())
        .limit(limit)
    )
    return connection.execute(query).mappings().all()


def _before(
    at: ColumnElement[Any], id_: ColumnElement[Any], kind: int, place: Place | None
) -> ColumnElement[bool]:
    if place is None:
        return at.is_not(None)
    if kind < place.kind:
        return at <= place.at
    if kind > place.kind:
        return at < place.at
    return or_(at < place.at, and_(at == place.at, id_ < place.id))
