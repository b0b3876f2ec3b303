"""What is left of somebody who asked to be forgotten?"""

from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from nurture.store import confidences, requests
from nurture.store.ownership import ROLES
from nurture.store.tables import (
    applications,
    candidates,
    events,
    interviews,
    messages,
    offers,
    promises,
    steps,
    tasks,
    verdicts,
)

_ERASED = ("stage", "applied_at", "stage_since", "rejected_at", "sent_at", "expires_at", "kind")


def scrub(connection: Connection, candidate: int, now: datetime) -> None:
    """Take out of everything about this person what tells who they are. That they asked to be
    forgotten, and when they were, is left: nobody could say otherwise that it was done."""
    confidences.take_back(connection, candidate, now)
    requests.erased(connection, candidate, now)
    connection.execute(update(events).where(events.c.candidate_id == candidate).values(data={}))
    # Refusals quote addresses, tasks names, and a failed planning whatever it stumbled on.
    for table in (messages, verdicts, steps):
        connection.execute(update(table).where(table.c.candidate_id == candidate).values(detail={}))
    connection.execute(update(tasks).where(tasks.c.candidate_id == candidate).values(text=""))
    connection.execute(delete(promises).where(promises.c.candidate_id == candidate))
    connection.execute(update(candidates).where(candidates.c.id == candidate).values(problem=None))
    for table in (applications, interviews, offers):
        rows = connection.execute(
            select(table.c.ref, table.c.data).where(table.c.candidate_id == candidate)
        ).all()
        for ref, data in rows:
            kept = {name: data[name] for name in _ERASED if name in data}
            connection.execute(update(table).where(table.c.ref == ref).values(data=kept))
    nobodys = update(applications).where(applications.c.candidate_id == candidate)
    connection.execute(nobodys.values(dict.fromkeys((*ROLES, "reason"))))
