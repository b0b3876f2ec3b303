"""Who said no to us, about which job, and why? A row for each time, as it was told."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, select

from nurture.store.tables import applications, events, jobs

#: A candidate's own no, by the event that tells it.
NOES = ("application.withdrawn", "offer.declined")


def told(connection: Connection, since: datetime) -> Sequence[RowMapping]:
    """The candidates' own noes since then, with the job of their application, the latest first."""
    query = (
        select(
            events.c.type,
            events.c.occurred_at,
            events.c.data,
            events.c.application,
            applications.c.job,
            jobs.c.data.label("job_data"),
        )
        .outerjoin(applications, applications.c.ref == events.c.application)
        .outerjoin(jobs, jobs.c.ref == applications.c.job)
        .where(events.c.type.in_(NOES), events.c.occurred_at > since)
        .order_by(events.c.occurred_at.desc(), events.c.id.desc())
    )
    return connection.execute(query).mappings().all()
