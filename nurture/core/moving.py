"""Was an interview called off, or did it only move to another booking?

Many calendars move an interview by cancelling one and booking another. Who is told of both reads
of a cancellation that was none.
"""

from datetime import timedelta

from nurture.core.model import Facts, Interview


def moved_to(facts: Facts, interview: Interview, hold: timedelta) -> Interview | None:
    """The first booking that takes the place of a cancelled interview: of the same application and,
    as far as is known, the same kind, made since then and within `hold`."""
    cancelled_at = interview.cancelled_at
    if interview.application is None or cancelled_at is None or len(facts.interviews) == 1:
        return None
    instead = [
        (other.booked_at, other.ref)
        for other in facts.interviews.values()
        if other.ref != interview.ref
        and other.application == interview.application
        and other.booked_at is not None
        and cancelled_at <= other.booked_at < cancelled_at + hold
        and (other.kind or interview.kind) == (interview.kind or other.kind)
    ]
    return facts.interviews[min(instead)[1]] if instead else None


def moved_from(facts: Facts, interview: Interview, hold: timedelta) -> Interview | None:
    """The cancelled interview whose place this one takes: the last of them."""
    if interview.booked_at is None or len(facts.interviews) == 1:
        return None
    before = [
        (other.cancelled_at, other.ref)
        for other in facts.interviews.values()
        if other.cancelled_at is not None and moved_to(facts, other, hold) == interview
    ]
    return facts.interviews[max(before)[1]] if before else None
