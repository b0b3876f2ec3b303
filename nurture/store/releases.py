"""Which edits are held, and who waits because of them? The rows of `releases`.

Lock order: candidates first, then these rows. A planner reads them under a share lock, so whoever
changes one knows that every planning after that sees the change.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, delete, exists, func, insert, select, text, update

from nurture.core.model import Reason, StepState
from nurture.store.database import CHANNEL
from nurture.store.tables import (
    IS_HELD,
    applications,
    candidates,
    enrollments,
    releases,
    steps,
)

#: The row of a time in which nobody ran: it is about all campaigns.
EVERY = "*"

#: Before the names of rows of kill switches that were lifted: `resumed:everything`,
#: `resumed:job j-1`. That of a campaign has the campaign's own name.
_RESUMED = "resumed:"
_OF_JOB = f"{_RESUMED}job "

COUNTING, HELD, SPREADING, RELEASED = "counting", "held", "spreading", "released"


@dataclass(frozen=True, kw_only=True)
class Release:
    campaign: str  #: or `EVERY`, or what `resumed` gives
    before: str | None  #: digest of the version before; None: there was none
    cause: str  #: edit | resume | audience | stop | restore
    since: datetime
    state: str  #: counting | held | spreading | released
    scanned_to: int = 0  #: candidates are counted in the order of their ids
    scanned: int = 0
    total: int = 0
    due: int = 0  #: people for whom it makes mail due at once, as far as they were counted
    spread_until: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def resumed(scope: str, ref: str | None) -> str:
    """The name of the row of a kill switch that was lifted."""
    return f"{_RESUMED}{scope}" + (f" {ref}" if ref else "")


def is_resumed(name: str) -> bool:
    return name.startswith(_RESUMED)


def job_in(name: str) -> str | None:
    """The job that such a row is about, if it is about one."""
    return name.removeprefix(_OF_JOB) if name.startswith(_OF_JOB) else None


_WAITS = (text(IS_HELD),)  # as the index of these says it
_ALL = select(releases).order_by(releases.c.campaign)
_LOCKED = _ALL.with_for_update(read=True)


def rows(connection: Connection, *, lock: bool = False) -> list[Release]:
    """All, by campaign; with `lock` nobody changes them before this transaction ends."""
    query = _LOCKED if lock else _ALL
    return [Release(**row) for row in connection.execute(query).mappings()]


def put(connection: Connection, row: Release) -> None:
    """Instead of what was there for the same campaign."""
    drop(connection, row.campaign)
    connection.execute(insert(releases), vars(row))


def drop(connection: Connection, campaign: str) -> None:
    connection.execute(delete(releases).where(releases.c.campaign == campaign))


def counted(connection: Connection, before: Release, **values: Any) -> bool:
    """Write down how far the counting is; False where somebody else went on with it meanwhile."""
    done = connection.execute(
        update(releases)
        .where(
            releases.c.campaign == before.campaign,
            releases.c.state == COUNTING,
            releases.c.since == before.since,
            releases.c.scanned_to == before.scanned_to,
        )
        .values(**values)
    )
    return done.rowcount == 1


def decide(
    connection: Connection,
    campaigns: Collection[str],
    *,
    by: str,
    at: datetime,
    spread_until: datetime | None,
) -> None:
    """Somebody lets these go: at once, or little by little until then."""
    connection.execute(
        update(releases)
        .where(releases.c.campaign.in_(campaigns), releases.c.state != RELEASED)
        .values(
            state=RELEASED if spread_until is None else SPREADING,
            spread_until=spread_until,
            decided_by=by,
            decided_at=at,
        )
    )


def enrolled(connection: Connection, campaign: str | None) -> int:
    """How many people are in this campaign, or touched by what was resumed; None: in any."""
    query = select(func.count(enrollments.c.candidate_id.distinct())).where(*_enrolled_in(campaign))
    return int(connection.execute(query).scalar() or 0)


def in_campaign(connection: Connection, campaign: str, after: int, limit: int) -> list[int]:
    """The next people of this campaign, in the order of their ids."""
    query = (
        select(enrollments.c.candidate_id)
        .where(*_enrolled_in(campaign), enrollments.c.candidate_id > after)
        .distinct()
        .order_by(enrollments.c.candidate_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def _enrolled_in(campaign: str | None) -> tuple[Any, ...]:
    there = enrollments.c.ended_at.is_(None)
    if campaign is not None and (job := job_in(campaign)) is not None:
        own = select(applications.c.ref).where(applications.c.job == job)
        return (enrollments.c.application.in_(own), there)
    if campaign is not None and is_resumed(campaign):
        return (there,)
    return (there,) if campaign is None else (enrollments.c.campaign == campaign, there)


def missed(connection: Connection, since: datetime, until: datetime) -> int:
    """How many people have an open step whose moment came in this time."""
    query = select(func.count(steps.c.candidate_id.distinct())).where(*_missed_in(since, until))
    return int(connection.execute(query).scalar() or 0)


def who_missed(
    connection: Connection, since: datetime, until: datetime, after: int, limit: int
) -> list[int]:
    query = (
        select(steps.c.candidate_id)
        .where(*_missed_in(since, until), steps.c.candidate_id > after)
        .distinct()
        .order_by(steps.c.candidate_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def who_was_kept_back(
    connection: Connection, name: str, since: datetime, until: datetime, after: int, limit: int
) -> list[int]:
    """The next people for whom mail may be due by a kill switch that was lifted."""
    moment = steps.c.moment_at
    waits = steps.c.reason.in_((Reason.STOPPED, Reason.RELEASE))
    query = (
        select(steps.c.candidate_id)
        .join(enrollments, enrollments.c.id == steps.c.enrollment_id)
        .where(*_enrolled_in(name), steps.c.state == StepState.OPEN)
        .where(waits | ((moment > since) & (moment <= until)), steps.c.candidate_id > after)
        .distinct()
        .order_by(steps.c.candidate_id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def _missed_in(since: datetime, until: datetime) -> tuple[Any, ...]:
    moment = steps.c.moment_at
    return steps.c.state == StepState.OPEN, moment > since, moment <= until


def waiting(connection: Connection) -> dict[str, int]:
    """By the name of what holds it: how many people have mail that waits for a release."""
    why = steps.c.detail["cause"].as_string()
    # A step that an earlier version held names no gate: it is the campaign's own.
    name = func.coalesce(steps.c.detail["gate"].as_string(), enrollments.c.campaign)
    query = (
        select(name, func.count(steps.c.candidate_id.distinct()))
        .join(enrollments, enrollments.c.id == steps.c.enrollment_id)
        .where(*_WAITS, why.is_(None) | (why != "restore"))  # that is for `settle`
        .group_by(name)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


class Waiting(NamedTuple):
    """Mail of somebody's that waits for a release."""

    candidate_id: int
    campaign: str
    step: str
    moment_at: datetime | None


def who_waits(connection: Connection, name: str, limit: int) -> list[Waiting]:
    """The first so many that this row holds, in the order of their people's ids."""
    gate = steps.c.detail["gate"].as_string()
    query = (
        select(steps.c.candidate_id, enrollments.c.campaign, steps.c.step, steps.c.moment_at)
        .join(enrollments, enrollments.c.id == steps.c.enrollment_id)
        .where(*_WAITS, func.coalesce(gate, enrollments.c.campaign) == name)
        .order_by(steps.c.candidate_id)
        .limit(limit)
    )
    return [Waiting(*row) for row in connection.execute(query)]


def rearm_waiting(connection: Connection, campaign: str, now: datetime) -> None:
    """Ask for a new planning of everybody whose mail waits for the release of this campaign."""
    connection.execute(
        update(candidates).where(candidates.c.id.in_(_who_waits(campaign))).values(rearm_at=now)
    )
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {CHANNEL}"))


def _who_waits(campaign: str) -> Select[tuple[int]]:
    query = select(steps.c.candidate_id).where(*_WAITS)
    if campaign == EVERY:
        return query
    return query.where(
        exists().where(enrollments.c.id == steps.c.enrollment_id, *_enrolled_in(campaign))
    )
