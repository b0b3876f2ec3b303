"""Which processes are at work on this database? By the heartbeat of each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from nurture.store.tables import processes

#: Not heard of for so long: it is gone, whatever became of it.
SILENT = timedelta(minutes=1)
_FORGOTTEN = timedelta(days=1)


def beat(connection: Connection, process: dict[str, Any], now: datetime) -> None:
    """This process is alive. `process`: id, kind, host, pid, started_at."""
    own = processes.c.id == process["id"]
    seen = connection.execute(update(processes).where(own).values(seen_at=now))
    if not seen.rowcount:
        connection.execute(delete(processes).where(processes.c.seen_at < now - _FORGOTTEN))
        connection.execute(insert(processes), {**process, "seen_at": now})


def leave(connection: Connection, id_: str) -> None:
    connection.execute(delete(processes).where(processes.c.id == id_))


def at_work(connection: Connection, now: datetime) -> Sequence[RowMapping]:
    """Those heard of a moment ago, the oldest first."""
    query = select(processes).where(processes.c.seen_at > now - SILENT)
    return connection.execute(query.order_by(processes.c.started_at)).mappings().all()
