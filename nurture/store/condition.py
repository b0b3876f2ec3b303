"""How is the database, and what in it wants a person's look?"""

import shutil
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, text

from nurture.core.model import MessageState
from nurture.store import planning, presence, rejections, restored
from nurture.store.database import Database
from nurture.store.tables import (
    applications,
    candidates,
    events,
    interviews,
    messages,
    stops,
    verdicts,
)


@dataclass(frozen=True, kw_only=True)
class Disk:
    """Of SQLite: its file and what surrounds it, in bytes."""

    size: int
    wal: int  #: written, and not yet in the file itself
    free: int


@dataclass(frozen=True, kw_only=True)
class Condition:
    newest: datetime | None  #: when something was last written down
    at_work: list[str]  #: kinds of processes that were heard of a moment ago
    stuck: int  #: messages in the hand of processes that are gone
    in_doubt: int  #: that wait for `settle`
    set_aside: int  #: candidates whose planning failed
    unmapped: dict[str, int]  #: stages of sources that are none of ours, with how many people
    unknown_kinds: dict[str, int]  #: likewise of interviews to come
    told_why: dict[str, int]  #: why people were rejected, as sources said it
    stopped: int  #: kill switches that are on


def version(database: Database) -> str:
    """`SQLite 3.40.1` or `PostgreSQL 15.4`."""
    with database.read() as connection:
        if database.dialect == "sqlite":
            return f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar()}"
        said = str(connection.execute(text("SHOW server_version")).scalar())
        return f"PostgreSQL {said.split(maxsplit=1)[0]}"


def try_to_write(database: Database) -> None:
    """Write something and take it back. Raises OutsideError where that cannot be done."""
    with database.write() as connection, connection.begin_nested() as attempt:
        planning.set_mark(connection, "doctor", True)
        attempt.rollback()


def disk(database: Database) -> Disk | None:
    """None where the database is on another machine, or in memory."""
    file = database.file
    if file is None:
        return None
    wal = file.with_name(f"{file.name}-wal")
    return Disk(
        size=file.stat().st_size,
        wal=wal.stat().st_size if wal.exists() else 0,
        free=shutil.disk_usage(file.parent).free,
    )


def condition(connection: Connection, now: datetime) -> Condition:
    return Condition(
        newest=_newest(connection),
        at_work=sorted(row["kind"] for row in presence.at_work(connection, now)),
        stuck=_count(
            connection, messages.c.state == MessageState.SENDING, messages.c.lease_until < now
        ),
        in_doubt=_count(connection, messages.c.state == MessageState.UNKNOWN)
        + len(restored.held(connection)),
        set_aside=_count(connection, candidates.c.problem.is_not(None)),
        unmapped=_unmapped(connection),
        unknown_kinds=_unknown_kinds(connection, now),
        told_why=rejections.told(connection),
        stopped=_count(connection, stops.c.ended_at.is_(None)),
    )


def _newest(connection: Connection) -> datetime | None:
    """By the last rows: their numbers grow, so no table is read."""
    found = []
    for table, column in ((events, events.c.received_at), (verdicts, verdicts.c.recorded_at)):
        last = select(column).order_by(table.c.id.desc()).limit(1)
        found.append(connection.execute(last).scalar())
    return max((at for at in found if at is not None), default=None)


def _unmapped(connection: Connection) -> dict[str, int]:
    own = applications.c.data["stage_raw"].as_string()
    query = (
        select(own, func.count())
        .where(
            applications.c.status == "active",
            own.is_not(None),
            applications.c.data["stage"].as_string().is_(None),
        )
        .group_by(own)
        .order_by(func.count().desc(), own)
    )
    return {str(name): int(many) for name, many in connection.execute(query).all()}


def _unknown_kinds(connection: Connection, now: datetime) -> dict[str, int]:
    own = interviews.c.data["kind_raw"].as_string()
    query = (
        select(own, func.count())
        .where(interviews.c.status == "scheduled", interviews.c.starts_at > now, own.is_not(None))
        .group_by(own)
        .order_by(func.count().desc(), own)
    )
    return {str(name): int(many) for name, many in connection.execute(query).all()}


def _count(connection: Connection, *where: Any) -> int:
    return int(connection.execute(select(func.count()).where(*where)).scalar() or 0)
