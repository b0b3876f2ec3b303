"""How many people are where in a campaign? A few grouped queries, however many there are."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, select

from nurture.core.model import Reason, StepState
from nurture.store.tables import candidates, enrollments, steps


@dataclass(kw_only=True)
class Place:
    """Enrollments at, or past, one step. A step that comes more than once counts each once."""

    waiting: dict[str, int] = field(default_factory=dict)  #: at it now: by reason
    to_come: int = 0  #: now at some step above it
    next_at: datetime | None = None  #: the earliest instant that somebody waits for
    sent: int = 0
    done: int = 0  #: tasks handed to people, gates opened, branches chosen
    failed: int = 0
    skipped: dict[str, int] = field(default_factory=dict)  #: by reason
    chosen: dict[str, int] = field(default_factory=dict)  #: of a branch: by `then` and `else`


@dataclass(kw_only=True)
class Census:
    """Enrollments of one campaign, all there ever were."""

    active: int = 0  #: in it, with something to come
    finished: int = 0  #: in it, with nothing to come, unless a step is added
    left: dict[str, int] = field(default_factory=dict)  #: by what ended them
    places: dict[str, Place] = field(default_factory=dict)  #: by step id; those with anybody

    @property
    def entered(self) -> int:
        return self.active + self.finished + sum(self.left.values())


def enrolled_in(connection: Connection, campaign: str) -> list[str]:
    """Who is in it now, by ref."""
    query = (
        select(candidates.c.ref)
        .join(enrollments, enrollments.c.candidate_id == candidates.c.id)
        .where(enrollments.c.campaign == campaign, enrollments.c.ended_at.is_(None))
        .distinct()
        .order_by(candidates.c.ref)
    )
    return list(connection.execute(query).scalars())


def census(connection: Connection, campaign: str) -> Census:
    found = Census()
    for reason, active, busy, count in connection.execute(_ends(campaign)):
        if not active:
            found.left[reason or "ended"] = count
        elif busy:
            found.active = count
        else:
            found.finished = count
    for step, reason, next_at, count in connection.execute(_waiting(campaign)):
        place = found.places.setdefault(step, Place())
        if reason == Reason.AFTER_STEP:
            place.to_come = count
        else:
            place.waiting[reason] = count
            place.next_at = min((at for at in (place.next_at, next_at) if at), default=None)
    for step, state, reason, chosen, count in connection.execute(_settled(campaign)):
        _count(found.places.setdefault(step, Place()), state, reason, chosen, count)
    return found


def under_way(connection: Connection) -> dict[str, int]:
    """How many enrollments go on, by campaign."""
    query = (
        select(enrollments.c.campaign, func.count())
        .where(enrollments.c.ended_at.is_(None))
        .group_by(enrollments.c.campaign)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _count(place: Place, state: str, reason: str, chosen: str | None, count: int) -> None:
    if state == StepState.SENT:
        place.sent += count
    elif state == StepState.FAILED:
        place.failed += count
    elif state == StepState.SKIPPED:
        place.skipped[reason] = place.skipped.get(reason, 0) + count
    else:
        place.done += count
        if chosen is not None:
            place.chosen[chosen] = place.chosen.get(chosen, 0) + count


def _ends(campaign: str) -> Select[Any]:
    active = enrollments.c.ended_at.is_(None)
    to_come = exists().where(
        steps.c.enrollment_id == enrollments.c.id, steps.c.state == StepState.OPEN
    )
    each = (
        select(
            enrollments.c.end_reason,
            active.label("active"),
            and_(active, to_come).label("busy"),
        )
        .where(enrollments.c.campaign == campaign)
        .subquery()
    )
    count = func.count()
    return select(*each.c, count).group_by(*each.c).order_by(count.desc(), each.c.end_reason)


def _waiting(campaign: str) -> Select[Any]:
    """Of those who are in it now: what is open, and why."""
    return (
        select(
            steps.c.step,
            steps.c.reason,
            func.min(steps.c.at),
            func.count(steps.c.enrollment_id.distinct()),
        )
        .join(enrollments, enrollments.c.id == steps.c.enrollment_id)
        .where(enrollments.c.campaign == campaign, enrollments.c.ended_at.is_(None))
        .where(steps.c.state == StepState.OPEN)
        .group_by(steps.c.step, steps.c.reason)
        .order_by(steps.c.step, steps.c.reason)
    )


def _settled(campaign: str) -> Select[Any]:
    chosen = steps.c.detail["chosen"].as_string().label("chosen")
    columns = (steps.c.step, steps.c.state, steps.c.reason, chosen)
    return (
        select(*columns, func.count(steps.c.enrollment_id.distinct()))
        .join(enrollments, enrollments.c.id == steps.c.enrollment_id)
        .where(enrollments.c.campaign == campaign, steps.c.state != StepState.OPEN)
        .group_by(steps.c.step, steps.c.state, steps.c.reason, "chosen")
        .order_by(steps.c.step, steps.c.state, steps.c.reason)
    )
