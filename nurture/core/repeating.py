"""When does a step that repeats come next?

The next occurrence is the first whose moment is strictly later than the last settled one, so that
nothing spins and an outage is not caught up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from nurture.core import timing
from nurture.core.hours import LATEST, Calendar
from nurture.core.model import Duration, StepRecord

#: No unit is shorter than this in any zone, so no occurrence is missed by reckoning with it.
_SHORTEST = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}
_DAY = timedelta(hours=20)


@dataclass(frozen=True)
class Occurrence:
    name: str  #: the anchor value, with `#k` for the kth after the first; or a number
    moment_at: datetime


def after(
    since: datetime,
    delay: Duration,
    every: Duration | None,
    before: Sequence[StepRecord],
    calendar: Calendar,
) -> Occurrence | None:
    """Of a step that waits for the one above, which was settled at `since`."""
    last = _last(before)
    if last is None:
        return Occurrence("1", timing.shift(since, delay, calendar))
    if every is None:
        return None
    numbers = [int(each.occurrence) for each in before if each.occurrence.isdecimal()]
    return Occurrence(str(max(numbers, default=0) + 1), timing.shift(last, every, calendar))


def at_anchor(
    anchor_at: datetime,
    first_at: datetime,
    every: Duration | None,
    before: Sequence[StepRecord],
    same: Sequence[StepRecord],
    calendar: Calendar,
) -> Occurrence | None:
    """Of a step that hangs on an anchor, with its first moment for the anchor's value.

    `before`: all settled occurrences; `same`: those of them for this anchor value.
    """
    name, last = anchor_at.isoformat(), _last(before)
    if last is None:
        return Occurrence(name, first_at)
    if every is None:
        return Occurrence(name, first_at) if not same and first_at > last else None
    done = max((_number(each.occurrence) for each in same), default=-1)
    number = _first_later(first_at, every, last, done + 1, calendar)
    if number is None:
        return None
    moment_at = timing.shift(first_at, _times(every, number), calendar)
    return Occurrence(f"{name}#{number}" if number else name, moment_at)


def _first_later(
    first_at: datetime, every: Duration, last: datetime, lowest: int, calendar: Calendar
) -> int | None:
    """The smallest number, `lowest` at least, whose moment is after `last`: moments only rise."""

    def later(number: int) -> bool:
        return timing.shift(first_at, _times(every, number), calendar) > last

    if last >= LATEST:
        return None
    shortest = _SHORTEST.get(every.unit, _DAY) * every.amount
    highest = lowest + max((last - first_at) // shortest, 0) + 2
    while lowest < highest:
        middle = (lowest + highest) // 2
        if later(middle):
            highest = middle
        else:
            lowest = middle + 1
    return lowest if later(lowest) else None


def _times(every: Duration, number: int) -> Duration:
    return replace(every, amount=every.amount * number)


def _number(occurrence: str) -> int:
    _, _, number = occurrence.partition("#")
    return int(number) if number.isdecimal() else 0


def _last(before: Sequence[StepRecord]) -> datetime | None:
    return max((each.settled_at for each in before if each.settled_at is not None), default=None)
