"""How are many rows written in one statement? Rows in their tables' own columns, and steps' rows by
their key."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    RowMapping,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    update,
)

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
        connection.execute(_inserting(table), rows)


def update_all(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """UPDATE by id, each row with its own values, and only those that it names."""
    for names in dict.fromkeys(tuple(row) for row in rows):
        connection.execute(
            _updating(table, names),
            [
                {"row_id" if name == "id" else f"new_{name}": value for name, value in row.items()}
                for row in rows
                if tuple(row) == names
            ],
        )


def delete_all(connection: Connection, table: Table, keys: Sequence[Key]) -> None:
    """The rows of these steps."""
    if keys:
        connection.execute(_deleting(table), [row_of(key) for key in keys])


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
