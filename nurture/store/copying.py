"""How does a simulation get the data without touching them? A copy in memory."""

from typing import Any

from sqlalchemy import Select, Table, insert, select

from nurture.store.database import Database
from nurture.store.tables import candidates, confidences, message_steps, messages, metadata

_CHUNK = 1_000
#: What was told to one person in confidence decides nothing.
_LEFT_OUT = (confidences,)


def in_memory(source: Database, candidate_id: int | None = None) -> Database:
    """All rows of `source` that an agenda may depend on, read in one transaction, in an SQLite
    database in memory; with `candidate_id`, of the rows about people only that one's."""
    copy = empty()
    with source.read() as rows_of, copy.write() as target:
        for table in metadata.sorted_tables:
            if table in _LEFT_OUT:
                continue
            query = _rows(table, candidate_id)
            for chunk in rows_of.execute(query).mappings().partitions(_CHUNK):
                target.execute(insert(table), [dict(row) for row in chunk])
    return copy


def empty() -> Database:
    """All tables and no rows, in memory."""
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    return database


def _rows(table: Table, candidate_id: int | None) -> Select[Any]:
    query = select(table)
    if "id" in table.c:
        query = query.order_by(table.c.id)
    if candidate_id is None:
        return query
    if table is candidates:
        return query.where(candidates.c.id == candidate_id)
    if table is message_steps:
        own = select(messages.c.id).where(messages.c.candidate_id == candidate_id)
        return query.where(message_steps.c.message_id.in_(own))
    if "candidate_id" in table.c:
        return query.where(table.c.candidate_id == candidate_id)
    return query
