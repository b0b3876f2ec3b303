"""How fast has mail gone lately? The meters that all processes share, a row each.

A row is `everything`, `domain:example.com`, or `warm-up`, whose `next_at` is the end of the day
that it counts. Whoever locks several locks them in the order of their names, and the candidates
before them.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from nurture.store.tables import throttles

_CHUNK = 500  # names a statement: SQLite has a limit on parameters


@dataclass(frozen=True, kw_only=True)
class Meter:
    name: str
    next_at: datetime
    slow_until: datetime | None = None
    slowed: int = 0
    said: str | None = None
    counted: int = 0


def slowed(connection: Connection) -> list[str]:
    """The names of those that a server asked to slow down, and that have not been well since."""
    return list(connection.scalars(select(throttles.c.name).where(throttles.c.slowed > 0)))


def known(connection: Connection) -> list[Meter]:
    """All, by name, without a lock: to look at."""
    return [_meter(row) for row in connection.execute(select(throttles).order_by("name"))]


def locked(connection: Connection, names: Collection[str], now: datetime) -> dict[str, Meter]:
    """These, locked until the transaction ends; new ones begin `now`."""
    found: dict[str, Meter] = {}
    for chunk in _chunks(sorted(names)):
        _begin(connection, chunk, now)
        query = select(throttles).where(throttles.c.name.in_(chunk)).order_by(throttles.c.name)
        for row in connection.execute(query.with_for_update()):
            found[row.name] = _meter(row)
    return found


def keep(connection: Connection, meters: Sequence[Meter]) -> None:
    """Write them back, under the lock that they were taken with."""
    if meters:
        names = ("next_at", "slow_until", "slowed", "said", "counted")
        query = update(throttles).where(throttles.c.name == bindparam("row_name"))
        connection.execute(
            query.values({name: bindparam(f"new_{name}") for name in names}),
            [
                {"row_name": each.name} | {f"new_{name}": getattr(each, name) for name in names}
                for each in sorted(meters, key=lambda each: each.name)
            ],
        )


def _begin(connection: Connection, names: Sequence[str], now: datetime) -> None:
    query = select(throttles.c.name).where(throttles.c.name.in_(names))
    missing = sorted(set(names) - set(connection.scalars(query)))
    if missing:
        dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
        rows = [{"name": name, "next_at": now, "slowed": 0, "counted": 0} for name in missing]
        connection.execute(dialect.insert(throttles).on_conflict_do_nothing(), rows)


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _CHUNK):
        yield names[start : start + _CHUNK]


def _meter(row: Row[Any]) -> Meter:
    return Meter(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
