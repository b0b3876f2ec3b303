"""Who did what, and when? Written in the transaction of the deed, and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, insert, select

from nurture.store.database import Connection
from nurture.store.tables import audit, candidates

COMMAND_LINE = "command line"  #: who it was, where a command did it


def write(
    connection: Connection,
    now: datetime,
    who: str,
    action: str,
    *,
    candidate_id: int | None = None,
    about: str | None = None,
    **detail: Any,
) -> None:
    """One deed: `action` such as `approve`; `about` such as `message:12`. What a candidate said has
    no place in `detail`."""
    connection.execute(
        insert(audit).values(
            at=now,
            who=who,
            action=action,
            candidate_id=candidate_id,
            about=about,
            detail={name: value for name, value in detail.items() if value is not None},
        )
    )


def count(connection: Connection, who: str, action: str, since: datetime) -> int:
    """How often they have done it since then."""
    query = select(func.count()).where(
        audit.c.at >= since, audit.c.who == who, audit.c.action == action
    )
    return connection.execute(query).scalar_one()


def rows(
    connection: Connection,
    *,
    since: datetime | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int,
) -> Sequence[RowMapping]:
    """Deeds with their candidate's `ref`: the newest first, or those behind the number `after` in
    their order."""
    query = (
        select(audit, candidates.c.ref)
        .outerjoin(candidates, candidates.c.id == audit.c.candidate_id)
        .limit(limit)
    )
    if since is not None:
        query = query.where(audit.c.at >= since)
    if before is not None:
        query = query.where(audit.c.id < before)
    if after is not None:
        query = query.where(audit.c.id > after).order_by(audit.c.id)
    else:
        query = query.order_by(audit.c.id.desc())
    return connection.execute(query).mappings().all()


def said(row: RowMapping) -> str:
    """What else was done, to what: `account:ida@example.com, role admin`."""
    told = [f"{name} {value}" for name, value in row["detail"].items()]
    return ", ".join([*([row["about"]] if row["about"] else []), *told])
