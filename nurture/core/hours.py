"""When may a candidate be written to, in their own zone and on their own calendar?

Windows are worked out per local date and compared as instants in UTC, so that they stay right over
every change of offset. A window lying wholly in a skipped hour does not exist on that day.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar
from zoneinfo import ZoneInfo

from nurture.core.model import Tone, WeekHours, Wishes

#: As `closes`, the end of the day (24:00), which `time` cannot say.
END_OF_DAY = time.max

#: Nothing is looked for further away than this.
HORIZON = timedelta(days=400)

#: How long before closing time a mail that must go before the close is placed at the latest.
BEFORE_CLOSING = timedelta(minutes=15)

#: Hours in which a candidate's own wish may open a day: nobody means three in the morning.
DAYTIME = (time(6), time(23))

#: Where arithmetic stops, and nothing is open. Sources say 9999-12-31 for "never", and a plan must
#: survive that.
EARLIEST = datetime(3, 1, 1, tzinfo=UTC)
LATEST = datetime(9998, 1, 1, tzinfo=UTC)

Window = tuple[datetime, datetime]

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Calendar:
    """A candidate's zone and public holidays: the bridge between instants and their local dates."""

    zone: ZoneInfo
    holidays: Callable[[date], str | None]  #: the holiday's name; asked often, so make it quick
    key: str  #: whose calendar it is: spreads people over the opening hour

    def is_business_day(self, day: date) -> bool:
        return is_business_day(day, self.holidays)

    def local(self, at: datetime) -> datetime:
        """The same instant on the candidate's wall clock."""
        try:
            return at.astimezone(self.zone)
        except OverflowError:
            return (LATEST if at > LATEST else EARLIEST).astimezone(self.zone)

    def instant(self, day: date, clock: time) -> datetime:
        """When the candidate's wall clock shows `clock` on `day`, in UTC.

        A time that the clock skips becomes the first instant after the gap. A time that the clock
        shows twice is the first of the two.
        """
        return _instant(self.zone, day, clock.replace(fold=0) if clock.fold else clock)


def is_business_day(day: date, holidays: Callable[[date], str | None]) -> bool:
    """Monday to Friday, and no public holiday."""
    return day.weekday() < 5 and holidays(day) is None


@dataclass(frozen=True, slots=True)
class Pattern:
    """The open hours of a week on a wall clock.

    A pattern that closes earlier than it opens (22:00-06:00) runs past midnight; its window belongs
    to the date on which it opens.
    """

    days: frozenset[int]  #: Monday is 0
    opens: time
    closes: time  #: not itself open; END_OF_DAY for 24:00
    spread: timedelta = timedelta(0)  #: each person's own opening lies up to this much later
    closed_on_holidays: bool = False

    def __post_init__(self) -> None:
        if self.opens == self.closes:
            raise ValueError(f"hours from {self.opens:%H:%M} to {self.closes:%H:%M} are never open")

    @property
    def past_midnight(self) -> bool:
        return self.closes < self.opens

    def __str__(self) -> str:
        closes = "24:00" if self.closes == END_OF_DAY else f"{self.closes:%H:%M}"
        return f"{self.opens:%H:%M}-{closes}"


#: Every instant is open.
ANY = Pattern(frozenset(range(7)), time.min, END_OF_DAY)
#: Every instant that a candidate's own wishes leave open, which `ANY` does not ask for.
ROUND_THE_CLOCK = replace(ANY, spread=timedelta(microseconds=1))  # which is none


@dataclass(frozen=True, kw_only=True)
class Never:
    """No mail of this tone in these local hours: bad news does not come on a Friday afternoon."""

    tone: Tone
    days: frozenset[int]  #: Monday is 0
    from_: time
    to: time | None  #: None: until midnight

    def ends(self, at: datetime, calendar: Calendar) -> datetime | None:
        """When the hours that hold this instant end; None if it lies outside them."""
        local = calendar.local(at)
        clock = local.time()
        if local.weekday() not in self.days or clock < self.from_:
            return None
        if self.to is None:
            end = calendar.instant(local.date() + _DAY, time.min)
        elif clock < self.to:
            end = calendar.instant(local.date(), self.to)
        else:
            return None
        return end if end > at else None  # when clocks go back, hours that come twice count once


class Openings:
    """A pattern on one candidate's calendar. `None` and `ANY` are always open.

    With `wishes`, the candidate's own hours lie over it: on days that these name, theirs take the
    place of the pattern's, what they exclude is cut out, and quiet days are closed. `ANY` is not
    touched by them.
    """

    __slots__ = ("_always", "_latest", "_windows", "calendar", "pattern", "wishes")

    def __init__(
        self, calendar: Calendar, pattern: Pattern | None, wishes: Wishes | None = None
    ) -> None:
        self.calendar = calendar
        self.pattern = pattern or ANY
        self._always = self.pattern is ANY or self.pattern == ANY
        asked = wishes is not None and (wishes.only or wishes.not_in or wishes.quiet_days)
        self.wishes = wishes if asked and not self._always else None
        self._windows: dict[date, tuple[Window, ...]] = {}
        self._latest: Window = (LATEST, LATEST)  # asked for last: whoever asks is mostly near it

    def is_open(self, at: datetime) -> bool:
        window = self.window(at)
        return window is not None and window[0] <= at

    def next_open(self, at: datetime) -> datetime | None:
        """`at` itself if it is open, else the next opening; None: nothing within 400 days."""
        window = self.window(at)
        if window is None:
            return None
        return max(at, window[0])

    def last_open(self, before: datetime) -> datetime | None:
        """Where to put what was due at `before`, in closed time, and must not come later.

        An instant in the last window that closed by then: a quarter of an hour before its close and
        up to `spread` earlier, each person at their own instant, yet never before it opened.
        `before` itself if that is open. None: nothing within 400 days.
        """
        if self._always:
            return before
        if not EARLIEST <= before < LATEST:
            return None
        # From tomorrow: where clocks go back over midnight, tomorrow has been there already.
        day = self.calendar.local(before).date() + _DAY
        for _ in range(HORIZON.days + 3):
            for opens, closes in reversed(self._windows_of(day)):
                if opens > before:
                    continue
                if before < closes:
                    return before
                if before - closes > HORIZON:
                    return None
                own = _own_share(self.calendar.key, day, "close", self.pattern.spread)
                return max(opens, closes - BEFORE_CLOSING - own)
            day -= _DAY
        return None

    def window(self, at: datetime) -> Window | None:
        """The open window around `at`, else the next one; None: nothing within 400 days.

        Windows are half-open: [opens, closes).
        """
        if self._latest[0] <= at < self._latest[1]:
            return self._latest
        if not EARLIEST <= at < LATEST:
            return None
        if self._always:
            return EARLIEST, LATEST
        day = self.calendar.local(at).date()
        if self.pattern.past_midnight:
            day -= _DAY
        for _ in range(HORIZON.days + 2):
            for window in self._windows_of(day):
                if at < window[1]:
                    self._latest = window
                    return window if window[0] - at <= HORIZON else None
            day += _DAY
        return None

    def why_closed(self, at: datetime) -> str:
        """A short phrase for people, such as `weekend`, of the pattern alone; empty if `at` is
        open. What the candidate wished, `wishes.overlapped` says."""
        if self.is_open(at):
            return ""
        if not EARLIEST <= at < LATEST:
            return "beyond every calendar"
        local = self.calendar.local(at)
        day, clock = local.date(), local.time()
        if self.pattern.past_midnight and clock < self.pattern.closes:
            day -= _DAY
        if day.weekday() not in self.pattern.days:
            return "weekend" if day.weekday() >= 5 else _DAY_NAMES[day.weekday()]
        if self.pattern.closed_on_holidays and (name := self.calendar.holidays(day)) is not None:
            return f"public holiday: {name}"
        windows = self._windows_of(day)
        if windows and self.calendar.instant(day, self.pattern.opens) <= at < windows[0][0]:
            own = self.calendar.local(windows[0][0])
            return f"before {own:%H:%M}, their own opening within {self.pattern}"
        return f"outside {self.pattern}"

    def _windows_of(self, day: date) -> tuple[Window, ...]:
        try:
            return self._windows[day]
        except KeyError:
            windows = self._windows[day] = self._work_out(day)
            return windows

    def _work_out(self, day: date) -> tuple[Window, ...]:
        pattern, calendar, wishes = self.pattern, self.calendar, self.wishes
        if pattern.closed_on_holidays and calendar.holidays(day) is not None:
            return ()
        if wishes is None:
            return self._spread(day, self._usual(day))
        if any(first <= day <= last for first, last in wishes.quiet_days):
            return ()
        named = [hours for hours in wishes.only if day.weekday() in hours.days]
        spans = [_within_day(calendar, day, each) for each in named] or [self._usual(day)]
        windows = sorted({window for span in spans for window in self._spread(day, span)})
        for cut in (day, day + _DAY):  # a window may run past midnight
            for hours in wishes.not_in:
                if cut.weekday() in hours.days:
                    windows = _without(windows, _on_day(calendar, cut, hours.from_, hours.to))
        return tuple(windows)

    def _usual(self, day: date) -> Window | None:
        """The pattern's window of that day."""
        pattern = self.pattern
        if day.weekday() not in pattern.days:
            return None
        if not pattern.past_midnight:
            closes = None if pattern.closes == END_OF_DAY else pattern.closes
            return _on_day(self.calendar, day, pattern.opens, closes)
        return self.calendar.instant(day, pattern.opens), self.calendar.instant(
            day + _DAY, pattern.closes
        )

    def _spread(self, day: date, window: Window | None) -> tuple[Window, ...]:
        if window is None or window[1] <= window[0]:
            return ()
        opens, closes = window
        # Half the window at most, so that a wide spread never leaves anybody a sliver.
        spread = min(self.pattern.spread, (closes - opens) / 2)
        return ((opens + _own_share(self.calendar.key, day, "open", spread), closes),)


def _within_day(calendar: Calendar, day: date, hours: WeekHours) -> Window | None:
    """What of the hours somebody wishes for is no hour of the night."""
    opens, closes = max(hours.from_, DAYTIME[0]), min(hours.to or END_OF_DAY, DAYTIME[1])
    return _on_day(calendar, day, opens, closes) if opens < closes else None


def _on_day(calendar: Calendar, day: date, opens: time, closes: time | None) -> Window:
    end = calendar.instant(day + _DAY, time.min) if closes is None else None
    return calendar.instant(day, opens), end or calendar.instant(day, closes or time.min)


def open_weekdays(pattern: Pattern | None, wishes: Wishes) -> frozenset[int]:
    """On which days of a week without holidays something may arrive, by the candidate's wishes."""
    pattern = pattern or ANY
    found = set()
    for day in range(7):
        spans = [
            (max(hours.from_, DAYTIME[0]), min(hours.to or END_OF_DAY, DAYTIME[1]))
            for hours in wishes.only
            if day in hours.days
        ]
        if not spans and day in pattern.days:
            spans = [(pattern.opens, END_OF_DAY if pattern.past_midnight else pattern.closes)]
        for hours in wishes.not_in:
            if day in hours.days:
                spans = _without(spans, (hours.from_, hours.to or END_OF_DAY))
        if any(opens < closes for opens, closes in spans):
            found.add(day)
    return frozenset(found)


_Point = TypeVar("_Point", datetime, time)


def _without(
    windows: list[tuple[_Point, _Point]], cut: tuple[_Point, _Point]
) -> list[tuple[_Point, _Point]]:
    """What is left of these windows when that stretch is cut out."""
    left: list[tuple[_Point, _Point]] = []
    for opens, closes in windows:
        left += [(opens, min(closes, cut[0])), (max(opens, cut[1]), closes)]
    return [window for window in left if window[0] < window[1]]


@lru_cache(maxsize=4096)  # whoever is planned is soon planned again: sent to, and settled
def _own_share(key: str, day: date, purpose: str, spread: timedelta) -> timedelta:
    """A whole number of seconds under `spread`: the same in every process, for ever."""
    seconds = spread // _SECOND
    if seconds <= 0:
        return timedelta(0)
    digest = blake2b(f"{key}|{day}|{purpose}".encode(), digest_size=8).digest()
    return timedelta(seconds=int.from_bytes(digest) % seconds)


@lru_cache(maxsize=4096)  # everybody in a zone shares the opening and closing times of a day
def _instant(zone: ZoneInfo, day: date, clock: time) -> datetime:
    wall = datetime.combine(day, clock, zone)
    try:
        at = wall.astimezone(UTC)
        shown = at.astimezone(zone)
    except OverflowError:
        return LATEST if day.year > LATEST.year else EARLIEST
    # Both carry the same zone, so this compares what the wall clock says.
    return at if shown == wall else _after_gap(wall, zone)


def _after_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    # Inside a gap, fold 1 reads the offset after it, which gives an instant before the change, and
    # fold 0 one at or after the change. Changes happen at whole seconds.
    low = wall.replace(fold=1, microsecond=0).astimezone(UTC)
    high = wall.replace(microsecond=0).astimezone(UTC)
    old_offset = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == old_offset:
            low = middle
        else:
            high = middle
    return high
