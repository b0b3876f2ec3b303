"""What is stored under a step's dead id? Everything that goes on under its new one."""

from sqlalchemy import Connection, delete, select, update

from nurture.store.tables import enrollments, message_steps, promises, steps, tasks


def rename_step(connection: Connection, campaign: str, dead: str, new: str) -> None:
    """Give the rows of a renamed step its new id; what has happened already keeps its name in the
    history. Once done it need not be done again, and doing it again changes nothing."""
    own = select(enrollments.c.id).where(enrollments.c.campaign == campaign)
    for table in (steps, message_steps, tasks):
        there = table.alias()
        taken = select(there.c.enrollment_id).where(
            there.c.enrollment_id == table.c.enrollment_id,
            there.c.step == new,
            there.c.occurrence == table.c.occurrence,
        )
        of_dead = (table.c.step == dead, table.c.enrollment_id.in_(own))
        connection.execute(update(table).where(*of_dead, ~taken.exists()).values(step=new))
        if table is steps:  # what was decided for an id that is known already was forgotten
            connection.execute(delete(table).where(*of_dead))
    connection.execute(
        update(promises)
        .where(promises.c.step == dead, promises.c.enrollment_id.in_(own))
        .values(step=new)
    )
