"""Who comes before and after somebody, in the order in which candidates came?

By key, whatever their number: no list is read. `whose` narrows to the candidates that somebody may
see, as `ownership.owned` does.
"""

from sqlalchemy import ColumnElement, Connection, select

from nurture.store.tables import candidates

Whose = ColumnElement[bool] | None


def beside(
    connection: Connection, candidate_id: int, whose: Whose = None
) -> tuple[str | None, str | None]:
    """The refs of the one before and the one after; None where there is none."""
    return (
        _first(connection, candidates.c.id < candidate_id, whose, backwards=True),
        _first(connection, candidates.c.id > candidate_id, whose),
    )


def first(connection: Connection, whose: Whose = None) -> str | None:
    """The ref of the first there is."""
    return _first(connection, candidates.c.id > 0, whose)


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
