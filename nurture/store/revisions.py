"""Which words was that sent by? Every file that was ever in force, by the sha256 of its bytes.

Rows are only ever added. `content` is the file's whole text, as it was: encoded in UTF-8 it has its
digest again.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from nurture.store.tables import revisions

_AT_ONCE = 300  # keys a query: databases limit how many values one may bind


class Revision(NamedTuple):
    kind: str  #: campaign | template | layout
    #: A campaign's or layout's name, without its suffix; a template's path below templates/, with
    #: it: `prep/kit.de.md`.
    name: str
    digest: str  #: sha256 of the file's bytes, in hex
    content: str


def keep(connection: Connection, rows: Iterable[Revision], now: datetime) -> None:
    """Keep those that are not kept yet, as first in force `now`. Other processes may do the same.

    Raises ValueError for content that is not what its digest says: that would be a lie for ever.
    """
    wanted = {row[:3]: row for row in rows}
    for key in _known(connection, list(wanted)):
        del wanted[key]
    new = []
    for kind, name, digest, content in wanted.values():
        if hashlib.sha256(content.encode("utf-8")).hexdigest() != digest:
            raise ValueError(f"not the {kind} {name} of {digest}")
        new.append(
            {"kind": kind, "name": name, "digest": digest, "content": content, "kept_at": now}
        )
    if new:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(revisions).on_conflict_do_nothing(), new)


def content(connection: Connection, kind: str, name: str, digest: str) -> str | None:
    """The text of a file as it was in force, or None where it was not kept."""
    found = kept(connection, kind, name, digest)
    return None if found is None else str(found["content"])


def kept(connection: Connection, kind: str, name: str, digest: str) -> RowMapping | None:
    """The same with its own `name` and `kept_at`: when it was first in force.

    A template is found by the name that campaigns give it, whichever of its files has that digest.
    """
    query = select(revisions).where(revisions.c.kind == kind, revisions.c.digest == digest)
    rows = connection.execute(query.order_by(revisions.c.name)).mappings().all()
    return next((row for row in rows if _names(row["name"], kind, name)), None)


def layout(connection: Connection, digest: str) -> RowMapping | None:
    """The layout that has this digest, whatever it is called."""
    query = select(revisions).where(revisions.c.kind == "layout", revisions.c.digest == digest)
    return connection.execute(query.order_by(revisions.c.name)).mappings().first()


def _names(kept_as: str, kind: str, name: str) -> bool:
    if kind != "template":
        return kept_as == name
    folder, _, file = kept_as.rpartition("/")
    return kept_as == name or f"{folder}/{file.partition('.')[0]}".lstrip("/") == name


def _known(
    connection: Connection, keys: list[tuple[str, str, str]]
) -> Iterable[tuple[str, str, str]]:
    columns = (revisions.c.kind, revisions.c.name, revisions.c.digest)
    for start in range(0, len(keys), _AT_ONCE):
        query = select(*columns).where(tuple_(*columns).in_(keys[start : start + _AT_ONCE]))
        yield from connection.execute(query).tuples().all()
