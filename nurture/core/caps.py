"""How soon may one more message go to this candidate without breaking a cap, before or after it?

A cap of N in `per` allows no N+1 contacts within a sliding window of that length; two contacts
exactly `per` apart are never in one window. So N contacts c1..cN closer together than `per` forbid
the open interval (cN - per, c1 + per) to one more: looking ahead is the same arithmetic as looking
back. Pauses and holds are forbidden intervals too, and `earliest` walks over all of them.

Asked for every message of every plan, so nothing is worked out that is not asked for: a tally looks
only at the contacts around the instant that is tried.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from nurture.core.hours import Openings
from nurture.core.model import Contact, MessageClass, Reason


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

    @property
    def kind(self) -> str:
        """What it counts, in a word or two; nothing: everything."""
        return " ".join(word for word in (self.category, self.klass) if word)

    def explained(self) -> dict[str, Any]:
        """Its numbers, from which a sentence can be made."""
        own = {"rule": str(self), "at_most": self.at_most, "hours": _hours(self.per)}
        return {**own, "kind": self.kind} if self.kind else own

    def __str__(self) -> str:
        noun = f"{self.kind} mail" if self.kind else "contact"
        return (
            f"at most {self.at_most} {noun}{'' if self.at_most == 1 else 's'} in {_span(self.per)}"
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """No message of this class closer than `after_any` to any other contact, on either side."""

    klass: MessageClass
    after_any: timedelta

    def explained(self) -> dict[str, Any]:
        return {"rule": str(self), "hours": _hours(self.after_any), "kind": self.klass.value}

    def __str__(self) -> str:
        return f"no {self.klass} mail within {_span(self.after_any)} of another contact"


class Taken(NamedTuple):
    """An instant that counts: of a message already placed at a time to come."""

    at: datetime
    klass: MessageClass | None = None  #: None, with no category: a human's own call or mail
    category: str | None = None
    label: str = ""  #: what to call it in a reason sentence
    campaign: str | None = None  #: of a mail


#: What a rule may count: what reached the candidate, or may have, and what is to come.
Counted = Taken | Contact


class Rule(Protocol):
    """Whatever allows so many and no more."""

    def __hash__(self) -> int: ...

    def explained(self) -> dict[str, Any]:
        """Its numbers, from which a sentence can be made."""


class Blocked(NamedTuple):
    """An open interval of forbidden instants; its two ends are allowed."""

    start: datetime
    end: datetime
    reason: Reason
    detail: Mapping[str, Any] = MappingProxyType({})  #: of a rule: see `explained`
    rule: Rule | None = None
    by: tuple[Counted, ...] = ()  #: the contacts that use up the rule, oldest first

    def around(self, at: datetime) -> "Blocked | None":
        return self if self.start < at < self.end else None

    def explained(self) -> dict[str, Any]:
        """The machine-readable why: of a rule, its words, who took the slots, and until when."""
        if self.rule is None:
            return dict(self.detail)
        by = [_called(one) for one in self.by]
        return {**self.detail, **_words(self.rule), "by": by, "until": self.end.isoformat()}


class Hold(Protocol):
    """Whatever forbids instants: a pause, a tone's hours, a cap with what it counts."""

    def around(self, at: datetime) -> Blocked | None:
        """A forbidden interval that holds `at`; None if there is none."""


class Tally:
    """What one rule counts of a candidate's contacts, and where it lets no more in.

    What is still to come gets `slack` in front of it, so that a lower message which leaves a little
    later than placed does not use up its slot; it is a reserved slot then, no longer a cap or gap.
    """

    __slots__ = ("at_most", "counted", "now", "per", "reason", "reserved", "rule", "slack")

    def __init__(
        self,
        rule: Rule,
        at_most: int,
        per: timedelta,
        counted: list[Counted],
        *,
        reason: Reason,
        reserved: Reason = Reason.SLOT_RESERVED,
        now: datetime,
        slack: timedelta,
    ) -> None:
        self.rule = rule
        self.at_most = at_most
        self.per = per
        self.counted = counted  #: oldest first; may grow
        self.reason = reason  #: to be given where it is used up by what was
        self.reserved = reserved  #: the same, by what is to come
        self.now = now
        self.slack = slack

    def around(self, at: datetime) -> Blocked | None:
        """The forbidden interval around `at`: not before now."""
        counted, at_most, per = self.counted, self.at_most, self.per
        # Contacts in a row use up a rule together, so neighbours are all there is to look at; and
        # of those that lie before `at` the last forbid the most.
        before = bisect_left(counted, at, key=_AT)
        for first in range(max(before - at_most, 0), len(counted) - at_most + 1):
            last_at, end = counted[first + at_most - 1].at, counted[first].at + per
            ahead = last_at > self.now
            start = last_at - per - self.slack if ahead else last_at - per
            if start >= at:
                return None
            if last_at < end and at < end:  # else they are not all within one window
                by = tuple(counted[first : first + at_most])
                reason = self.reserved if ahead else self.reason
                return Blocked(start, end, reason, rule=self.rule, by=by)
        return None


class KeptFree(NamedTuple):
    """What keeps the gap and is placed already keeps the time before it free of what is less
    necessary, although that keeps no gap itself: it would push the other on."""

    gap: Gap
    placed: list[Counted]  #: may grow
    slack: timedelta

    def around(self, at: datetime) -> Blocked | None:
        for one in self.placed:
            start = one.at - self.gap.after_any - self.slack
            if start < at < one.at:
                return Blocked(start, one.at, Reason.SLOT_RESERVED, rule=self.gap, by=(one,))
        return None


class Limits:
    """The house's caps and its gap, with what one candidate has had and what is placed so far."""

    def __init__(
        self,
        caps: Iterable[Cap],
        gap: Gap | None,
        taken: Iterable[Counted],
        now: datetime,
        slack: timedelta,
    ) -> None:
        self._caps = tuple(caps)
        self._gap = gap
        self._all: list[Counted] = sorted(taken, key=_AT)
        self._now = now
        self._slack = slack
        self._counted: list[tuple[Callable[[Counted], bool], list[Counted]]] = []
        self._by_kind: dict[tuple[MessageClass | None, str | None], list[Counted]] = {}
        self._tallies: dict[tuple[MessageClass, str], list[Hold]] = {}
        self._sections: list[Counted] = []
        self._distant: list[Counted] = []  # what is placed and keeps the gap

    def of(self, klass: MessageClass, category: str) -> list[Hold]:
        """Those that restrict this class and category. They count what is added later, too."""
        known = self._tallies.get((klass, category))
        if known is not None:
            return known
        found: list[Hold] = []
        for cap in self._caps:
            if cap.matches(klass, category):
                counted = self._of_kind(cap)
                found.append(self._tally(cap, cap.at_most, cap.per, counted, Reason.CAP))
        gap = self._gap
        if gap is not None and gap.klass == klass:
            # One contact of any kind is enough: a cap of one in the length of the gap.
            found.append(self._tally(gap, 1, gap.after_any, self._all, Reason.GAP))
        elif gap is not None:
            found.append(KeptFree(gap, self._distant, self._slack))
        self._tallies[klass, category] = found
        return found

    def of_section(self, klass: MessageClass, category: str) -> list[Hold]:
        """Those that restrict a section of this category within another's mail: caps on this
        category alone. The mail itself is one contact, counted once."""
        return [
            self._tally(cap, cap.at_most, cap.per, self._of_kind(cap), Reason.CAP)
            for cap in self._caps
            if cap.category is not None and cap.matches(klass, category)
        ]

    def counting(
        self,
        rule: Rule,
        at_most: int,
        per: timedelta,
        counts: Callable[[Counted], bool],
        reason: Reason,
    ) -> Tally:
        """A further rule, which counts those of whom `counts` is true."""
        counted = self._those(counts)
        tally = self._tally(rule, at_most, per, counted, reason)
        tally.reserved = reason
        return tally

    def add(self, one: Counted) -> None:
        """What is placed now is counted from now on."""
        insort(self._all, one, key=_AT)
        if self._gap is not None and one.klass == self._gap.klass and one.at > self._now:
            self._distant.append(one)
        for counts, counted in self._counted:
            if counts(one):
                insort(counted, one, key=_AT)

    def add_section(self, one: Taken) -> None:
        """A section of a mail that is placed: caps on its own category count it."""
        self._sections.append(one)
        for (klass, category), counted in self._by_kind.items():
            if category == one.category and klass in (None, one.klass):
                insort(counted, one, key=_AT)

    def _of_kind(self, cap: Cap) -> list[Counted]:
        klass, category = cap.klass, cap.category
        if klass is None and category is None:
            return self._all
        known = self._by_kind.get((klass, category))
        if known is None:
            if category is None:
                known = self._those(lambda one: one.klass == klass)
            else:
                known = self._those(
                    lambda one: cap.matches(one.klass, one.category) or _says(one, category)
                )
            self._by_kind[klass, category] = known
            for one in self._sections:
                if category is not None and cap.matches(one.klass, one.category):
                    insort(known, one, key=_AT)
        return known

    def _those(self, counts: Callable[[Counted], bool]) -> list[Counted]:
        counted = [one for one in self._all if counts(one)]
        self._counted.append((counts, counted))
        return counted

    def _tally(
        self, rule: Rule, at_most: int, per: timedelta, counted: list[Counted], reason: Reason
    ) -> Tally:
        return Tally(rule, at_most, per, counted, reason=reason, now=self._now, slack=self._slack)


def earliest(
    start: datetime, openings: Openings, holds: Iterable[Hold]
) -> tuple[datetime | None, Blocked | None]:
    """The first open, unforbidden instant from `start` on.

    None if there is none within the reach of the hours, or wherever they are open something else
    forbids it for more than a year of days. The second value is the last interval that
    pushed it; None if the hours alone decided.
    """
    at = start
    pushed: Blocked | None = None
    for _ in range(_TRIES):
        opened = openings.next_open(at)
        if opened is None:
            break
        at = opened
        for hold in holds:
            if (found := hold.around(at)) is not None:
                pushed, at = found, found.end
        if at is opened:
            return at, pushed
    return None, pushed


_AT = attrgetter("at")

#: How often hours may open for nothing before there is no hope: 400 days with two windows each.
_TRIES = 800


def _says(one: Counted, category: str | None) -> bool:
    """Whether a mail that was sent has a section of this category."""
    return isinstance(one, Contact) and any(each.category == category for each in one.sections)


@lru_cache(maxsize=256)  # a house has a handful of rules, each told again and again
def _words(rule: Rule) -> Mapping[str, Any]:
    return MappingProxyType(rule.explained())


def _called(one: Counted) -> dict[str, Any]:
    """What a sentence calls it."""
    own = {"label": one.label, "at": one.at.isoformat()}
    return {**own, "campaign": one.campaign} if one.campaign else own


def _hours(span: timedelta) -> float:
    hours = span / timedelta(hours=1)
    return int(hours) if hours.is_integer() else hours


def _span(span: timedelta) -> str:
    """`6 days 20 hours`"""
    hours, minutes = divmod(span // timedelta(minutes=1), 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "day"), (hours, "hour"), (minutes, "minute"))
    return " ".join(f"{n} {unit}{'' if n == 1 else 's'}" for n, unit in parts if n) or str(span)
