"""Who comes before and after somebody, in the order in which candidates came, and who is meant?

By key, whatever their number: no list is read. `whose` narrows to the candidates that somebody may
see, as `ownership.owned` does.
"""

from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from nurture.core.model import Candidate
from nurture.store.facts import candidate_from_row
from nurture.store.tables import candidate_refs, candidates

Whose = ColumnElement[bool] | None


def beside(
    connection: Connection, candidate_id: int, whose: Whose = None
) -> tuple[str | None, str | None]:
    """The refs of the one before and the one after; None where there is none."""
    return (
        _first(connection, candidates.c.id < candidate_id, whose, backwards=True),
        _first(connection, candidates.c.id > candidate_id, whose),
    )


def first(connection: Connection, whose: Whose = None) -> int | None:
    """The number of the first there is."""
    query = select(candidates.c.id).order_by(candidates.c.id).limit(1)
    return connection.execute(query if whose is None else query.where(whose)).scalar()


def beginning_with(connection: Connection, text: str, whose: Whose, limit: int) -> list[Candidate]:
    """Candidates whose ref or address begins so: at most `limit`, in that order."""
    refs = (
        select(candidate_refs.c.candidate_id)
        .join(candidates, candidates.c.id == candidate_refs.c.candidate_id)
        .where(_begins(connection, candidate_refs.c.ref, text))
        .order_by(candidate_refs.c.ref)
    )
    addresses = (
        select(candidates.c.id)
        .where(_begins(connection, candidates.c.email_key, text.casefold()))
        .order_by(candidates.c.email_key)
    )
    found: dict[int, None] = {}
    for query in (refs, addresses):
        own = query if whose is None else query.where(whose)
        found |= dict.fromkeys(connection.execute(own.limit(limit)).scalars())
    ids = list(found)[:limit]
    rows = connection.execute(select(candidates).where(candidates.c.id.in_(ids))).mappings()
    return sorted(map(candidate_from_row, rows), key=lambda each: ids.index(each.id))


def _begins(connection: Connection, column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    """By the column's index where its order is that of characters, as SQLite's is."""
    if connection.dialect.name == "sqlite":
        return (column >= text) & (column < text + "\U0010ffff")
    return column.startswith(text, autoescape=True)


def _first(
    connection: Connection,
    where: ColumnElement[bool],
    whose: Whose,
    *,
    backwards: bool = False,
) -> str | None:
    key = candidates.c.id.desc() if backwards else candidates.c.id
    query = select(candidates.c.ref).where(where).order_by(key).limit(1)
    if whose is not None:
        query = query.where(whose)
    return connection.execute(query).scalar()
