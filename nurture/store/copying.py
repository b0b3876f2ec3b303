"""How does a simulation get the data without touching them? A copy in memory."""

from sqlalchemy import insert, select

from nurture.store.database import Database
from nurture.store.tables import metadata

_CHUNK = 1_000


def in_memory(source: Database) -> Database:
    """All rows of `source`, read in one transaction, in an SQLite database in memory."""
    copy = Database("sqlite://")
    with copy.write() as target:
        metadata.create_all(target)
    with source.read() as rows_of, copy.write() as target:
        for table in metadata.sorted_tables:
            for chunk in rows_of.execute(select(table)).mappings().partitions(_CHUNK):
                target.execute(insert(table), [dict(row) for row in chunk])
    return copy
