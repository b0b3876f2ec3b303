"""Who is meant, by the beginning of a name, an address or an id? By index, whatever their number.

Names are compared without case and accents: `jose` finds José. `whose` narrows to the candidates
that somebody may see, as `ownership.owned` does.
"""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, func, select

from nurture.core.model import MessageState
from nurture.store.tables import candidate_refs, candidates, messages

Whose = ColumnElement[bool] | None
_LONGEST = 200  # characters of what is looked for


def keys_of(data: Mapping[str, Any]) -> dict[str, str | None]:
    """The columns by which somebody with these facts is found."""
    return {
        "first_key": _folded(data.get("first_name")),
        "last_key": _folded(data.get("last_name")),
    }


def found(connection: Connection, text: str, whose: Whose, limit: int) -> list[int]:
    """The numbers of at most so many: an id as it is typed, an address, a first name, a last name,
    or both names in either order, each by its beginning."""
    text = " ".join(text.split())[:_LONGEST]
    if not text:
        return []
    numbers: dict[int, None] = {}
    for query in _queries(connection, text):
        own = query if whose is None else query.where(whose)
        left = limit - len(numbers)
        if left <= 0:
            break
        numbers |= dict.fromkeys(connection.execute(own.limit(limit)).scalars())
    return list(numbers)[:limit]


def _queries(connection: Connection, text: str) -> list[Select[Any]]:
    refs = (
        select(candidate_refs.c.candidate_id)
        .join(candidates, candidates.c.id == candidate_refs.c.candidate_id)
        .where(begins(connection, candidate_refs.c.ref, text))
        .order_by(candidate_refs.c.ref)
    )
    queries = [refs, _by(connection, candidates.c.email_key, text.casefold())]
    whole = _folded(text) or ""
    first, last = candidates.c.first_key, candidates.c.last_key
    queries += [_by(connection, first, whole), _by(connection, last, whole)]
    one, _, other = whole.partition(" ")
    if other:
        for these in ((one, other), (other, one)):
            by_last = _by(connection, last, these[1])
            queries.append(by_last.where(begins(connection, first, these[0])))
    return queries


def _by(connection: Connection, column: ColumnElement[Any], text: str) -> Select[Any]:
    return (
        select(candidates.c.id)
        .where(begins(connection, column, text))
        .order_by(column, candidates.c.id)
    )


def begins(connection: Connection, column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """By the column's index where its order is that of characters, as SQLite's is."""
    if connection.dialect.name == "sqlite":
        return and_(column >= text, column < text + "\U0010ffff")
    return column.startswith(text, autoescape=True)


def page(
    connection: Connection, whose: Whose, limit: int, *, after: int = 0
) -> Sequence[RowMapping]:
    """Candidates in the order in which they came, behind this number."""
    query = select(candidates).where(candidates.c.id > after)
    query = query if whose is None else query.where(whose)
    return connection.execute(query.order_by(candidates.c.id).limit(limit)).mappings().all()


def these(connection: Connection, ids: Collection[int]) -> Sequence[RowMapping]:
    """The rows of these candidates, in this order."""
    query = select(candidates).where(candidates.c.id.in_(list(ids)))
    rows = {row["id"]: row for row in connection.execute(query).mappings()}
    return [rows[id_] for id_ in ids if id_ in rows]


def mails_of(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """How many mails each of these has had."""
    query = (
        select(messages.c.candidate_id, func.count())
        .where(messages.c.candidate_id.in_(list(ids)), messages.c.state == MessageState.SENT)
        .group_by(messages.c.candidate_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _folded(text: Any) -> str | None:
    """Without case, accents and spare blanks."""
    if not isinstance(text, str):
        return None
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in apart if not unicodedata.combining(each))
    return " ".join(bare.split()) or None
