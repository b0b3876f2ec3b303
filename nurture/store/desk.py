"""What do people settle by hand? Tasks."""

from datetime import datetime

from sqlalchemy import Connection, update

from nurture.store.tables import tasks


def finish_task(connection: Connection, task_id: int, now: datetime) -> bool:
    """Tick a task off; False where there is no such open one."""
    done = connection.execute(
        update(tasks)
        .where(tasks.c.id == task_id, tasks.c.state == "open")
        .values(state="done", done_at=now)
    )
    return done.rowcount == 1
