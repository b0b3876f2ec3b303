"""How fast may mail go? Rates, and how a new sender warms up, as numbers that processes can share.

A rate is kept by one instant: when the next one would leave if all left evenly (GCRA, the leaky
bucket as a meter). It is exact: in no span of `per` do more than `at_most` leave, and no more than
one and a tenth of them at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_RATE = re.compile(r"(\d{1,7}) +(?:per|an?) +(second|minute|hour|day)")
_NO_LIMIT = 10**9


@dataclass(frozen=True, kw_only=True)
class Rate:
    at_most: int  #: at least 1
    per: timedelta

    @property
    def at_once(self) -> int:
        return 1 + self.at_most // 10

    @property
    def interval(self) -> timedelta:
        """Between two that leave evenly, such that with those at once it stays at `at_most`."""
        evenly = self.at_most - self.at_once + 1
        return -(-self.per // evenly)  # rounded up


def parse_rate(text: str) -> Rate:
    """`20 per second`, `500 per day`. Raises ValueError."""
    written = _RATE.fullmatch(text.strip())
    if written is None or int(written[1]) == 0:
        raise ValueError('a rate is expected, such as "20 per second" or "500 per day"')
    return Rate(at_most=int(written[1]), per=_UNITS[written[2]])


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """A new sender's days: `first_day` mails on the first, each day `times` as many as before."""

    from_: date
    first_day: int
    times: float

    def at_most(self, day: date) -> int:
        """Before its first day what the first may; a sender who is warm has no limit."""
        past = max((day - self.from_).days, 0)
        grown = self.first_day
        for _ in range(past):
            grown = int(grown * self.times)
            if grown >= _NO_LIMIT or self.times <= 1:
                break
        return min(grown, _NO_LIMIT)


@dataclass(kw_only=True)
class Gate:
    """What keeps mail of one kind (all of it, or one domain's) to its rate.

    `slow_until`: a server asked us to slow down. After that one mail a minute shows whether it is
    better, until one was accepted.
    """

    rate: Rate | None
    next_at: datetime
    slow_until: datetime | None = None
    slowed: int = 0
    probed: bool = False  #: whether the one that shows it has gone through this gate

    def opens(self) -> datetime:
        """The earliest instant for one more."""
        if self.slowed:
            return max(self.next_at, self.slow_until or self.next_at)
        if self.rate is None:
            return self.next_at
        return self.next_at - self.rate.interval * (self.rate.at_once - 1)

    def let_through(self, at: datetime) -> None:
        if self.rate is not None:
            self.next_at = max(self.next_at, at) + self.rate.interval
        if self.slowed and not self.probed:
            self.next_at = max(self.next_at, at + PROBE_EVERY)
            self.probed = True


PROBE_EVERY = timedelta(minutes=1)
SLOW_FIRST = timedelta(minutes=5)
SLOW_LONGEST = timedelta(hours=4)


def slowed_for(times: int) -> timedelta:
    """5, 10, 20 ... minutes, up to 4 hours, for the first, second, third time in a row."""
    doubled: int = 2 ** min(times - 1, 10)
    return min(SLOW_FIRST * doubled, SLOW_LONGEST)


@dataclass(kw_only=True)
class Days:
    """How much of its warm-up a sender has used: `used` on `day`, which is one of `zone`."""

    warm_up: WarmUp
    zone: ZoneInfo
    day: date
    used: int = 0

    def opens(self, now: datetime) -> datetime:
        """The earliest instant, not before `now`, for one more."""
        day, used = self.day, self.used
        while used >= self.warm_up.at_most(day):
            day, used = day + timedelta(days=1), 0
        return max(now, self._begins(day))

    def let_through(self, at: datetime) -> None:
        day = at.astimezone(self.zone).date()
        if day > self.day:
            self.day, self.used = day, 0
        self.used += 1

    def ends_at(self) -> datetime:
        return self._begins(self.day + timedelta(days=1))

    def _begins(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)


@dataclass(kw_only=True)
class Toll:
    """All that mail to various domains has to pass, at one instant."""

    everything: Gate | None = None
    domains: Mapping[str, Gate] = field(default_factory=dict)
    days: Days | None = None

    def opens(self, domain: str, now: datetime) -> datetime:
        gates = [gate for gate in (self.everything, self.domains.get(domain)) if gate]
        at = max([now, *(gate.opens() for gate in gates)])
        return max(at, self.days.opens(now)) if self.days else at

    def let_through(self, domain: str, at: datetime) -> None:
        for gate in (self.everything, self.domains.get(domain)):
            if gate:
                gate.let_through(at)
        if self.days:
            self.days.let_through(at)
