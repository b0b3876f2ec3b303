"""What do people settle by hand? Approvals and tasks."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select, update

from nurture.core.model import MessageState
from nurture.store import alarm
from nurture.store.tables import messages, tasks


def approve(connection: Connection, ids: Collection[int], now: datetime) -> dict[int, str]:
    """Approve those of these messages that are held, and ring their candidates.

    The states in which all of them were found; who wants all or none rolls back.
    """
    query = select(messages.c.id, messages.c.candidate_id, messages.c.state).where(
        messages.c.id.in_(ids)
    )
    alarm.lock(connection, {row.candidate_id for row in connection.execute(query)})
    rows = connection.execute(query).all()  # again, now that nobody else can change them
    held = [row for row in rows if row.state == MessageState.HELD]
    connection.execute(
        update(messages).where(messages.c.id.in_([row.id for row in held])).values(approved_at=now)
    )
    alarm.ring(connection, {row.candidate_id for row in held}, now)
    return {row.id: row.state for row in rows}


def finish_task(connection: Connection, task_id: int, now: datetime) -> bool:
    """Tick a task off; False where there is no such open one."""
    done = connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state == "open")
        .values(state="done", done_at=now)
    )
    return done.rowcount == 1
