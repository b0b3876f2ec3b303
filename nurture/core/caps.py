"""How soon may one more message go to this candidate without breaking a cap, before or after it?

A cap of N in `per` allows no N+1 contacts within a sliding window of that length; two contacts
exactly `per` apart are never in one window. So N contacts c1..cN closer together than `per` forbid
the open interval (cN - per, c1 + per) to one more: looking ahead is the same arithmetic as looking
back. Pauses and holds are forbidden intervals too, and `earliest` walks over all of them.

Asked for every message of every plan, so what is made by the dozen here is a named tuple: a third
of the cost of a frozen dataclass.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from nurture.core.hours import Openings
from nurture.core.model import MessageClass, Reason


@dataclass(frozen=True, slots=True)
class Cap:
    """At most so many contacts in any window of `per`; with a class or category, only of those."""

    at_most: int
    per: timedelta
    klass: MessageClass | None = None
    category: str | None = None

    def __post_init__(self) -> None:
        if self.at_most < 1:
            raise ValueError("a cap of nothing would stop everything; use a pause instead")
        if self.per <= timedelta(0):
            raise ValueError("a cap needs a window longer than nothing")

    def matches(self, klass: MessageClass | None, category: str | None) -> bool:
        """Whether it counts and restricts these; a human's own contact has neither of the two."""
        return (self.klass is None or self.klass == klass) and (
            self.category is None or self.category == category
        )

    def counted(self, taken: list["Taken"]) -> list["Taken"]:
        """Those that it counts."""
        if self.klass is None and self.category is None:
            return taken
        return [one for one in taken if self.matches(one.klass, one.category)]

    def __str__(self) -> str:
        kind = " ".join(word for word in (self.category, self.klass) if word)
        noun = f"{kind} mail" if kind else "contact"
        return (
            f"at most {self.at_most} {noun}{'' if self.at_most == 1 else 's'} in {_span(self.per)}"
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """No message of this class closer than `after_any` to any other contact, on either side."""

    klass: MessageClass
    after_any: timedelta

    def __str__(self) -> str:
        return f"no {self.klass} mail within {_span(self.after_any)} of another contact"


class Taken(NamedTuple):
    """An instant that counts: a contact that was, or a message already placed at a time to come."""

    at: datetime
    klass: MessageClass | None = None  #: None, with no category: a human's own call or mail
    category: str | None = None
    label: str = ""  #: what to call it in a reason sentence
    id: str = ""  #: whatever the caller knows it by


class Blocked(NamedTuple):
    """An open interval of forbidden instants; its two ends are allowed."""

    start: datetime
    end: datetime
    reason: Reason
    detail: Mapping[str, Any] = MappingProxyType({})  #: of a rule: see `explained`
    rule: Cap | Gap | None = None
    by: tuple[Taken, ...] = ()  #: the contacts that use up the rule, oldest first

    def explained(self) -> dict[str, Any]:
        """The machine-readable why: of a rule, its words, who took the slots, and until when."""
        if self.rule is None:
            return dict(self.detail)
        by = [{"label": one.label, "at": one.at.isoformat()} for one in self.by]
        return {**self.detail, "rule": str(self.rule), "by": by, "until": self.end.isoformat()}


def blocked(
    caps: Iterable[Cap],
    gap: Gap | None,
    taken: Iterable[Taken],
    klass: MessageClass,
    category: str,
    now: datetime,
    slack: timedelta,
) -> list[Blocked]:
    """Where a message of this class and category may not go from `now` on, by start.

    What is still to come gets `slack` in front of it, so that a lower message which leaves a little
    later than placed does not use up its slot; it is a reserved slot then, no longer a cap or gap.
    """
    if not (by_time := sorted(taken, key=_AT)):
        return []
    found: list[Blocked] = []
    for cap in caps:
        if cap.matches(klass, category):
            counted = cap.counted(by_time)
            found += _forbidden(cap, counted, cap.at_most, cap.per, now=now, slack=slack)
    if gap is not None and gap.klass == klass:
        # One contact of any kind is enough: a cap of one in the length of the gap.
        found += _forbidden(gap, by_time, 1, gap.after_any, now=now, slack=slack)
    found.sort(key=_START)
    return found


def earliest(
    start: datetime,
    openings: Openings,
    forbidden: Iterable[Blocked],
    not_before: datetime | None = None,
) -> tuple[datetime | None, Blocked | None]:
    """The first open, unforbidden instant from `start` (and `not_before`) on.

    None if there is none within the reach of the hours. The second value is the last interval that
    pushed it; None if the hours alone decided.
    """
    at = start if not_before is None else max(start, not_before)
    pushed: Blocked | None = None
    ahead = sorted(forbidden, key=_START)
    position = 0
    while (opened := openings.next_open(at)) is not None:
        at = opened
        # `at` only grows, so an interval that begins before it and does not hold it never will.
        while position < len(ahead) and ahead[position].start < at:
            if ahead[position].end > at:
                pushed = ahead[position]
                at = pushed.end
            position += 1
        if at is opened:
            return at, pushed
    return None, pushed


_AT = attrgetter("at")
_START = attrgetter("start")


def _forbidden(
    rule: Cap | Gap,
    counted: Sequence[Taken],
    at_most: int,
    per: timedelta,
    *,
    now: datetime,
    slack: timedelta,
) -> Iterator[Blocked]:
    past = Reason.CAP if isinstance(rule, Cap) else Reason.GAP
    # Contacts in a row use up a rule together, so neighbours are all there is to look at; and what
    # lies a whole window back holds nothing up any more.
    oldest = bisect_right(counted, now - per, key=_AT)
    for first, last in zip(
        range(oldest, len(counted)), range(oldest + at_most - 1, len(counted)), strict=False
    ):
        end, last_at = counted[first].at + per, counted[last].at
        if end <= last_at:  # not all within one window
            continue
        by = tuple(counted[first : last + 1])
        if last_at > now:
            yield Blocked(last_at - per - slack, end, Reason.SLOT_RESERVED, rule=rule, by=by)
        else:
            yield Blocked(last_at - per, end, past, rule=rule, by=by)


def _span(span: timedelta) -> str:
    """`6 days 20 hours`"""
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "day"), (hours, "hour"), (minutes, "minute"))
    return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n) or str(span)
