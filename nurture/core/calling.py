"""Who is rung instead of written to, and when does the mail go after all?

Somebody who would rather be rung gets no mail that can be told: a person gets a task with the same
words as talking points. The mail goes if nobody got through with it in time.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from nurture.core import timing
from nurture.core.hours import Calendar
from nurture.core.model import ByPhone, Call, Candidate, Category, Duration

#: A call is somebody's task so long before the hour in which it is best made.
AHEAD = timedelta(hours=2)
#: After so many attempts that reached nobody the mail goes.
TRIES = 2
OUTCOMES = ("spoke", "voicemail", "no_answer", "wrong_number")


def rung(candidate: Candidate, category: Category) -> bool:
    """Whether they are rung about this kind of thing, and written to only if that fails."""
    return candidate.wishes.phone_first and category.by_phone is ByPhone.CALL


def rung_as_well(candidate: Candidate, category: Category) -> bool:
    """Whether they are rung and written to."""
    return candidate.wishes.phone_first and category.by_phone is ByPhone.BOTH


def told(call: Call | None, category: Category) -> bool:
    """Whether they know it by now, and the mail says nothing new."""
    return call is not None and call.outcome == "spoke" and category.by_phone is not ByPhone.BOTH


def still_tried(call: Call, now: datetime) -> bool:
    """Whether the mail waits for this call."""
    return call.state == "open" and call.tries < TRIES and now < call.fallback_at


def closed_by(outcome: str, tries: int) -> bool:
    """Whether a call with this outcome, the last of so many attempts, is over and done with."""
    return outcome in ("spoke", "wrong_number") or tries >= TRIES


def fallback_at(
    now: datetime, after: Duration, until: datetime | None, calendar: Calendar
) -> datetime:
    """When the mail goes if nobody got through: in good time where it soon says nothing any more,
    for half of what is left is for the call."""
    at = timing.shift(now, after, calendar)
    return at if until is None else min(at, now + max(until - now, timedelta(0)) / 2)


def waits(call: Call) -> Mapping[str, Any]:
    """What to say of a mail that waits for this call."""
    detail: dict[str, Any] = {"fallback_at": call.fallback_at.isoformat()}
    if call.tries:
        detail |= {"tries": call.tries, "outcome": call.outcome}
    return detail
