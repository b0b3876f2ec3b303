"""Why were others rejected who wanted the same kind of work? Counted, never told one by one."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from nurture.store.tables import applications, jobs


def told_since(
    connection: Connection, job: str, family: str | None, since: datetime
) -> dict[str, int]:
    """How many rejections since then had which reason, as sources said it: of all jobs of this
    family, or of this job alone where it belongs to none. Reads an index of what was told, of
    these jobs and this time."""
    among = applications.c.job == job
    if family is not None:
        # As its index says it: SQLite looks into an index of some rows only where that stands.
        known = jobs.c.family.is_not(None)
        among = applications.c.job.in_(select(jobs.c.ref).where(jobs.c.family == family, known))
    query = (
        select(applications.c.reason, func.count())
        .where(
            among,
            applications.c.reason.is_not(None),
            applications.c.rejected_at.is_not(None),
            applications.c.rejected_at >= since,
        )
        .group_by(applications.c.reason)
    )
    return {str(reason): int(many) for reason, many in connection.execute(query).all()}


def told(connection: Connection) -> dict[str, int]:
    """Every reason that was told, with how many rejections."""
    query = (
        select(applications.c.reason, func.count())
        .where(applications.c.reason.is_not(None), applications.c.rejected_at.is_not(None))
        .group_by(applications.c.reason)
        .order_by(func.count().desc(), applications.c.reason)
    )
    return {str(reason): int(many) for reason, many in connection.execute(query).all()}
