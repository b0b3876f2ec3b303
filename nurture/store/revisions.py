"""Which words was that sent by? Every file that was ever in force, by the sha256 of its bytes.

Rows are only ever added. `content` is the file's whole text, as it was: encoded in UTF-8 it has its
digest again.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, RowMapping, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from nurture.store.tables import revisions

T = TypeVar("T")
_AT_ONCE = 300  # keys a query: databases limit how many values one may bind


class Revision(NamedTuple):
    kind: str  #: campaign | template | layout | content
    #: Its file's name without the suffix; of a template its path below templates/, with it:
    #: `prep/kit.de.md`.
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
    return by_digest(connection, [digest]).get((kind, name, digest))


def by_digest(
    connection: Connection, digests: Iterable[str]
) -> Mapping[tuple[str, str | None, str], RowMapping]:
    """The rows of all these files, by kind, name and digest, and by kind, None and digest.

    A template is there under its path and under the name that campaigns give it.
    """
    found: dict[tuple[str, str | None, str], RowMapping] = {}
    for some in _portions(sorted(set(digests))):
        query = select(revisions).where(revisions.c.digest.in_(some)).order_by(revisions.c.name)
        for row in connection.execute(query).mappings():
            kind, path, digest = row["kind"], row["name"], row["digest"]
            folder, slash, file = path.rpartition("/")
            for name in (path, f"{folder}{slash}{file.partition('.')[0]}", None):
                found.setdefault((kind, name, digest), row)
    return found


def of_campaign(connection: Connection, name: str) -> Sequence[RowMapping]:
    """Every version of a campaign's file that was in force, the oldest first."""
    query = select(revisions).where(revisions.c.kind == "campaign", revisions.c.name == name)
    return connection.execute(query.order_by(revisions.c.kept_at)).mappings().all()


def _known(
    connection: Connection, keys: list[tuple[str, str, str]]
) -> Iterable[tuple[str, str, str]]:
    columns = (revisions.c.kind, revisions.c.name, revisions.c.digest)
    for some in _portions(keys):
        query = select(*columns).where(tuple_(*columns).in_(some))
        yield from connection.execute(query).tuples().all()


def _portions(keys: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
