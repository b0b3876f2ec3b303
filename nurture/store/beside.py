"""Who comes before and after somebody, in the order in which candidates came, and who is meant?

By key, whatever their number: no list is read. `whose` narrows to the candidates that somebody may
see, as `ownership.owned` does.
"""

from sqlalchemy import ColumnElement, Connection, select

from nurture.core.model import Candidate
from nurture.store import finding
from nurture.store.facts import candidate_from_row
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


def first(connection: Connection, whose: Whose = None) -> int | None:
    """The number of the first there is."""
    query = select(candidates.c.id).order_by(candidates.c.id).limit(1)
    return connection.execute(query if whose is None else query.where(whose)).scalar()


def beginning_with(connection: Connection, text: str, whose: Whose, limit: int) -> list[Candidate]:
    """Candidates whose ref, address or name begins so: at most `limit`, in that order."""
    rows = finding.these(connection, finding.found(connection, text, whose, limit))
    return [candidate_from_row(row) for row in rows]


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
