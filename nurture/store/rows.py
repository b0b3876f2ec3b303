"""How are many rows written in one statement? Rows in their tables' own columns, and steps' rows by
their key."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Dialect,
    Insert,
    RowMapping,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    update,
)
from sqlalchemy.exc import StatementError

from nurture.core.journey import Key

KEY = ("enrollment_id", "step", "occurrence")


def key_of(row: Mapping[str, Any] | RowMapping) -> dict[str, Any]:
    return {name: row[name] for name in KEY}


def is_row(table: Table) -> tuple[ColumnElement[bool], ...]:
    """One step a row of bound values: see `row_of`."""
    return (
        table.c.enrollment_id == bindparam("row_enrollment"),
        table.c.step == bindparam("row_step"),
        table.c.occurrence == bindparam("row_occurrence"),
    )


def row_of(key: Key) -> dict[str, Any]:
    return {
        "row_enrollment": key.enrollment_id,
        "row_step": key.step,
        "row_occurrence": key.occurrence,
    }


def insert_all(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        many(connection, _inserting(table), rows)


def update_all(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """UPDATE by id, each row with its own values, and only those that it names."""
    for names in dict.fromkeys(tuple(row) for row in rows):
        own = [
            {"row_id" if name == "id" else f"new_{name}": value for name, value in row.items()}
            for row in rows
            if tuple(row) == names
        ]
        many(connection, _updating(table, names), own)


def delete_all(connection: Connection, table: Table, keys: Sequence[Key]) -> None:
    """The rows of these steps."""
    if keys:
        many(connection, _deleting(table), [row_of(key) for key in keys])


# A statement that lives is worked out once.


@cache
def _inserting(table: Any) -> Insert:
    return insert(table)


@cache
def _updating(table: Any, names: tuple[str, ...]) -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names if name != "id"}
    return update(table).where(table.c.id == bindparam("row_id")).values(**values)


@cache
def _deleting(table: Table) -> Delete:
    return delete(table).where(*is_row(table))


# --- many at once --------------------------------------------------------------------------------


class _Ready(NamedTuple):
    """A statement in the words of one database. SQLAlchemy would look at each row of many by each
    of its columns' names; here that is done once."""

    sql: str
    names: tuple[str, ...]
    writers: tuple[Callable[[Any], Any] | None, ...]  #: how a value of each is written
    others: Mapping[str, Any]  #: what columns hold that no row names
    positional: bool


@lru_cache(maxsize=256)
def _ready(statement: Insert | Update | Delete, names: tuple[str, ...], dialect: Dialect) -> _Ready:
    compiled: Any = statement.compile(
        dialect=dialect, column_keys=list(names), for_executemany=True
    )
    order = tuple(compiled.positiontup or compiled.binds)
    types = (compiled.binds[name].type.dialect_impl(dialect) for name in order)
    defaults = {each.key: each.default.arg for each in compiled.insert_prefetch}
    return _Ready(
        sql=compiled.string,
        names=order,
        writers=tuple(each.bind_processor(dialect) for each in types),
        others={key: arg(None) if callable(arg) else arg for key, arg in defaults.items()},
        positional=bool(compiled.positional),
    )


def many(
    connection: Connection, statement: Insert | Update | Delete, rows: Sequence[Mapping[str, Any]]
) -> None:
    """The same statement for each of these rows, which name the same columns."""
    ready = _ready(statement, tuple(rows[0]), connection.dialect)
    pairs = tuple(zip(ready.names, ready.writers, strict=True))
    written: list[Any] = []
    for row in rows:
        whole = {**ready.others, **row} if ready.others else row
        try:
            values = [write(whole[name]) if write else whole[name] for name, write in pairs]
        except (ValueError, TypeError, KeyError) as error:
            raise StatementError(str(error), ready.sql, dict(row), error) from error
        written.append(
            tuple(values) if ready.positional else dict(zip(ready.names, values, strict=True))
        )
    connection.exec_driver_sql(ready.sql, written)
