"""What is in the database, row by row? One form for both kinds, out of one and into another.

An instant is written as ISO 8601 in UTC; everything else is JSON as it is.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Table, Text, delete, func, insert, select, text

from nurture.errors import OutsideError
from nurture.store import database as doors
from nurture.store.database import Database
from nurture.store.finding import keys_of
from nurture.store.ownership import ROLES
from nurture.store.tables import (
    Instant,
    applications,
    candidates,
    metadata,
    processes,
    sessions,
    throttles,
)

#: Not kept: who is at work and how fast, and who is signed in: about this machine and this minute.
_MOMENTARY = (processes, throttles, sessions)
TABLES: dict[str, Table] = {
    table.name: table for table in metadata.sorted_tables if table not in _MOMENTARY
}
_CHUNK = 1_000


@contextmanager
def snapshot(database: Database) -> Iterator[Connection]:
    """One state of everything, while others go on writing."""
    with doors.outside(), database.engine.connect() as connection:
        if database.dialect == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


def lines(connection: Connection, table: str) -> Iterator[bytes]:
    """Every row of this table, as a line of JSON."""
    rows = TABLES[table]
    query = select(rows).order_by(*rows.primary_key.columns)
    streamed = connection.execution_options(yield_per=_CHUNK).execute(query).mappings()
    for row in streamed:
        yield json.dumps(dict(row), ensure_ascii=False, default=_written).encode() + b"\n"


def take(connection: Connection, table: str, given: Iterable[bytes]) -> int:
    """Put lines back; how many. A column that did not exist then has its default.

    Raises OutsideError where a line says what this table cannot hold.
    """
    rows = TABLES[table]
    instants = {column.name for column in rows.columns if isinstance(column.type, Instant)}
    many = 0
    given = iter(given)
    while read := [json.loads(line) for line in islice(given, _CHUNK)]:
        unknown = {name for row in read for name in row} - set(rows.columns.keys())
        if unknown:
            raise OutsideError(
                f"backup: {table} has {', '.join(sorted(unknown))}, which this version does not"
                " know: restore it with the version that made it"
            )
        for row in read:
            row.update({name: _read(row[name]) for name in instants & row.keys()})
            if rows is applications:  # of a version that kept them in `data` only
                row.update({role: row["data"].get(role) for role in ROLES})
            elif rows is candidates:
                row.update(keys_of(row["data"]))
        connection.execute(insert(rows), read)
        many += len(read)
    return many


def is_empty(connection: Connection) -> bool:
    """Whether nobody has told this database anything yet."""
    return not any(
        connection.execute(select(table).limit(1)).first()
        for name, table in TABLES.items()
        if name not in ("marks", "revisions", "releases")
    )


def clear(connection: Connection) -> None:
    """Delete every row."""
    for table in reversed(metadata.sorted_tables):
        connection.execute(delete(table))


def number_from(connection: Connection, least: int) -> None:
    """New candidates get numbers from `least` on; every other table goes on after its last row.

    Links carry the numbers of people, so one that was ever given must not be given again.
    """
    if connection.dialect.name == "sqlite":
        name = {"name": candidates.name}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), name)
        row = "INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"
        connection.execute(text(row), {**name, "last": least - 1})
        return
    for table in metadata.sorted_tables:
        if "id" not in table.c or isinstance(table.c.id.type, Text):
            continue
        first = least if table is candidates else (_last(connection, table) or 0) + 1
        sequence = select(func.pg_get_serial_sequence(table.name, "id"))
        of_ids = connection.execute(sequence).scalar()
        if of_ids is not None:
            connection.execute(select(func.setval(of_ids, first, False)))


def last_number(connection: Connection) -> int:
    """The last number that was given to a candidate, whoever is left."""
    if connection.dialect.name == "sqlite":
        query = text("SELECT seq FROM sqlite_sequence WHERE name = 'candidates'")
        given = connection.execute(query).scalar()
    else:
        sequence = func.pg_get_serial_sequence("candidates", "id")
        given = connection.execute(select(func.pg_sequence_last_value(sequence))).scalar()
    return max(int(given or 0), _last(connection, candidates) or 0)


def _last(connection: Connection, table: Table) -> int | None:
    return connection.execute(select(func.max(table.c.id))).scalar()


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no form in a backup")


def _read(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
