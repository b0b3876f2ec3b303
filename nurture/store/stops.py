"""What must not leave, who said so, and when was it lifted? The rows of `stops`.

Lock order: candidates first, then these rows. A planner reads them under a share lock, so whoever
lifts one knows that every planning after that sees it lifted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, insert, select, text, update

from nurture.store.database import CHANNEL, one_at_a_time
from nurture.store.tables import (
    IS_STOPPED,
    applications,
    candidate_refs,
    candidates,
    enrollments,
    jobs,
    steps,
    stops,
)

CANDIDATE, JOB, CAMPAIGN, EVERYTHING = "candidate", "job", "campaign", "everything"
SCOPES = (CANDIDATE, JOB, CAMPAIGN, EVERYTHING)
PERSON, BOUNCES, COMPLAINTS, REFUSED, RESTORED = (
    "person",
    "bounces",
    "complaints",
    "refused",
    "restored",
)


@dataclass(frozen=True, kw_only=True)
class Halt:
    """A kill switch that somebody, or a guardrail, has thrown."""

    id: int
    scope: str  #: one of SCOPES
    ref: str | None  #: of the candidate, job or campaign
    cause: str  #: person | bounces | complaints | refused | restored
    why: str
    by: str | None
    since: datetime
    #: The candidate it is about, by whatever of their ids it was said: a merge does not lose it.
    candidate_id: int | None = None


_OF_HALTS = [stops.c[name] for name in ("id", "scope", "ref", "cause", "why", "by", "since")]
_ACTIVE = (
    select(*_OF_HALTS, candidate_refs.c.candidate_id)
    .outerjoin(
        candidate_refs, and_(stops.c.scope == CANDIDATE, candidate_refs.c.ref == stops.c.ref)
    )
    .where(stops.c.ended_at.is_(None))
    .order_by(stops.c.id)
)
_LOCKED = _ACTIVE.with_for_update(read=True, of=stops)
_LIFTED = (
    select(*_OF_HALTS)
    .where(stops.c.ended_at.is_not(None), stops.c.released_at.is_(None))
    .order_by(stops.c.id)
)


def active(connection: Connection, *, lock: bool = False) -> list[Halt]:
    """All that hold, oldest first; with `lock` none is lifted before this transaction ends."""
    query = _LOCKED if lock else _ACTIVE
    return [Halt(**row) for row in connection.execute(query).mappings()]


def put(
    connection: Connection,
    scope: str,
    ref: str | None,
    *,
    cause: str,
    why: str,
    by: str | None,
    now: datetime,
) -> bool:
    """Stop it. False where it is stopped already: the first word stands."""
    one_at_a_time(connection, "stops")
    if connection.execute(select(stops.c.id).where(*_is(scope, ref))).first() is not None:
        return False
    row = {"scope": scope, "ref": ref, "cause": cause, "why": why, "by": by, "since": now}
    connection.execute(insert(stops), row)
    return True


def end(connection: Connection, halt: Halt, *, by: str | None, now: datetime) -> None:
    """Lift it. Whom it kept back is planned anew by `release`."""
    query = update(stops).where(stops.c.id == halt.id, stops.c.ended_at.is_(None))
    connection.execute(query.values(ended_at=now, ended_by=by))
    _notify(connection)


def lifted(connection: Connection) -> list[Halt]:
    """Those that were lifted, while whom they kept back still waits."""
    return [Halt(**row) for row in connection.execute(_LIFTED).mappings()]


def release(connection: Connection, halts: Sequence[Halt], now: datetime) -> None:
    """Ask for a new planning, in the second lane, of everybody whose mail a stop keeps back: what
    another stop keeps back too is kept back again."""
    query = update(candidates).where(candidates.c.id.in_(_kept_back())).values(rearm_at=now)
    connection.execute(query)
    connection.execute(
        update(stops).where(stops.c.id.in_([each.id for each in halts])).values(released_at=now)
    )
    _notify(connection)


def last_lifted(connection: Connection, campaign: str) -> datetime | None:
    """When somebody last let this campaign go on."""
    own = (stops.c.scope == CAMPAIGN, stops.c.ref == campaign)
    found: datetime | None = connection.execute(
        select(func.max(stops.c.ended_at)).where(*own)
    ).scalar()
    return found


def kept_back(
    connection: Connection, scope: str | None = None, ref: str | None = None, at_most: int = 2**62
) -> int:
    """For how many people mail waits because something is stopped, as far as they were planned:
    because of anything, or of this. Counted no further than `at_most`."""
    query = _kept_back()
    if scope == CAMPAIGN:
        query = query.where(enrollments.c.campaign == ref)
    elif scope == JOB:
        own = select(applications.c.ref).where(applications.c.job == ref)
        query = query.where(enrollments.c.application.in_(own))
    if scope in (CAMPAIGN, JOB):
        query = query.join(enrollments, enrollments.c.id == steps.c.enrollment_id)
    some = select(func.count()).select_from(query.limit(at_most).subquery())
    return int(connection.execute(some).scalar() or 0)


def _kept_back() -> Select[tuple[int]]:
    return select(steps.c.candidate_id).where(text(IS_STOPPED)).distinct()


def is_job(connection: Connection, ref: str) -> bool:
    return connection.execute(select(jobs.c.ref).where(jobs.c.ref == ref)).first() is not None


def jobs_in_use(connection: Connection, limit: int) -> list[str]:
    """Jobs with an active application."""
    query = (
        select(applications.c.job)
        .where(applications.c.job.is_not(None), applications.c.status == "active")
        .distinct()
        .order_by(applications.c.job)
        .limit(limit)
    )
    return [str(each) for each in connection.execute(query).scalars()]


def campaigns_with_people(connection: Connection) -> set[str]:
    """Those of which there may still be mail, whether their file is there or not."""
    enrolled = select(enrollments.c.campaign).where(enrollments.c.ended_at.is_(None)).distinct()
    return {str(each) for each in connection.execute(enrolled).scalars()}


def undisturbed(connection: Connection, ids: Sequence[int], now: datetime) -> set[int]:
    """Of these candidates, those about whom nothing has come in, or come due, since they were
    planned. Who became another meanwhile is not among them."""
    at = candidates.c.wake_at
    query = select(candidates.c.id).where(candidates.c.id.in_(ids), at.is_(None) | (at > now))
    return set(connection.execute(query).scalars())


def _is(scope: str, ref: str | None) -> tuple[Any, ...]:
    return (
        stops.c.ended_at.is_(None),
        stops.c.scope == scope,
        stops.c.ref.is_not_distinct_from(ref),
    )


def _notify(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {CHANNEL}"))
