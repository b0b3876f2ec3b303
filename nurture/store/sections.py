"""What does a message say? The sections of bundles, and how they come together and part."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, select

from nurture.core.journey import Key
from nurture.store.rows import KEY, delete_all, insert_all, key_of
from nurture.store.tables import message_steps, messages


def carry(connection: Connection, bundles: Mapping[int, Sequence[Mapping[str, Any]]]) -> None:
    """What each of these messages says, by its id: rows of `message_steps`, most necessary first;
    one row is a mail of one step.

    A section that was to be a mail of its own is none any more: that row never left.
    """
    rows = [
        {**row, "message_id": id_, "position": position}
        for id_, sections in bundles.items()
        for position, row in enumerate(sections)
    ]
    _release(connection, bundles)
    for row in rows:
        own = select(message_steps.c.message_id).where(
            *(message_steps.c[name] == value for name, value in key_of(row).items())
        )
        before = connection.execute(own).scalar()
        if before is not None:
            delete_all(connection, message_steps, [Key(**key_of(row))])
            connection.execute(
                delete(messages).where(messages.c.id == before, messages.c.attempts == 0)
            )
    insert_all(connection, message_steps, rows)


def free(connection: Connection, keys: Sequence[Key]) -> None:
    """Sections that no message speaks for any more."""
    delete_all(connection, message_steps, keys)


def part(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Sections become messages of their own: rows of `messages`, each with its step's key. They go
    without their bundle from here on."""
    delete_all(connection, message_steps, [Key(**key_of(row)) for row in rows])
    for row in rows:
        own = {name: value for name, value in row.items() if name not in (*key_of(row), "content")}
        query = insert(messages).returning(messages.c.id)
        id_ = connection.execute(query, own).scalar()
        step = {**key_of(row), "message_id": id_, "content": row["content"]}
        insert_all(connection, message_steps, [step])


def _release(connection: Connection, ids: Collection[int]) -> None:
    if ids:
        connection.execute(delete(message_steps).where(message_steps.c.message_id.in_(ids)))


def sections_of(connection: Connection, ids: Collection[int]) -> dict[int, list[Mapping[str, Any]]]:
    """What each of these messages says, most necessary first: of a mail of one step, that. Each
    section with the columns that its verdict shares."""
    own = message_steps.c
    query = (
        select(
            own.message_id,
            messages.c.candidate_id,
            *(own[name] for name in KEY),
            *(
                func.coalesce(own[name], messages.c[name]).label(name)
                for name in ("campaign", "template", "category")
            ),
            # Of a section, its own: it may be about no application while the first one is.
            case((own.campaign.is_not(None), own.application), else_=messages.c.application).label(
                "application"
            ),
        )
        .join(messages, messages.c.id == own.message_id)
        .where(own.message_id.in_(ids))
        .order_by(own.message_id, own.position)
    )
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        section = dict(row)
        found.setdefault(section.pop("message_id"), []).append(section)
    return found
