"""What do people settle by hand? Approvals and tasks."""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from nurture.core.model import MessageState
from nurture.store import alarm
from nurture.store.facts import candidate_from_row
from nurture.store.tables import candidates, messages, tasks

#: The digests of the template and the layout by which somebody of this locale is written to.
Words = Callable[[str, str | None], tuple[str | None, str | None]]


def approve(
    connection: Connection, ids: Collection[int], words: Words, now: datetime
) -> dict[int, str]:
    """Approve those of these messages that are held, in the words of now, and ring
    their candidates.

    The states in which all of them were found; who wants all or none rolls back.
    """
    query = select(messages.c.id, messages.c.candidate_id, messages.c.state).where(
        messages.c.id.in_(ids)
    )
    alarm.lock(connection, {row.candidate_id for row in connection.execute(query)})
    rows = connection.execute(query).all()  # again, now that nobody else can change them
    held = [row for row in rows if row.state == MessageState.HELD]
    query = (
        select(candidates, messages.c.id.label("message"), messages.c.template)
        .join(messages, messages.c.candidate_id == candidates.c.id)
        .where(messages.c.id.in_([row.id for row in held]))
    )
    approved = []
    for row in connection.execute(query).mappings():
        template, layout = words(row["template"], candidate_from_row(row).locale)
        approved.append({"of": row["message"], "words": template, "around": layout})
    if approved:
        one = update(messages).where(messages.c.id == bindparam("of"))
        connection.execute(
            one.values(
                approved_at=now,
                template_digest=bindparam("words"),
                layout_digest=bindparam("around"),
            ),
            approved,
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
