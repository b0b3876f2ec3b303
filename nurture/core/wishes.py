"""What did a candidate ask of us? Pace, hours and days, read from the words people use for them.

The words themselves are what is stored: `not 08:00-09:15`, `Tuesdays after 18:00`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from nurture.core.model import Pace, WeekHours, Wishes

#: What of a candidate's data `wishes_of` reads.
KEYS = ("pace", "pace_day", "hours", "quiet_days", "sensitive_until")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EXAMPLES = "not 08:00-09:15; Tuesdays after 18:00; mon-fri 12:00-13:00"

_EVERY_DAY = frozenset(range(7))
_NAMES = {name: day for day, full in enumerate(WEEKDAYS) for name in (full, full[:3], full + "s")}
_NAMES |= {"tues": 1, "wednes": 2, "thur": 3, "thurs": 3}
_SETS = {
    "weekday": frozenset(range(5)),
    "weekdays": frozenset(range(5)),
    "weekend": frozenset((5, 6)),
    "weekends": frozenset((5, 6)),
    "every day": _EVERY_DAY,
    "daily": _EVERY_DAY,
}
_PARTS = {  # of a day
    "morning": (time(6), time(12)),
    "afternoon": (time(12), time(18)),
    "evening": (time(18), None),
}
_WORD = "|".join(sorted([*_NAMES, *_SETS], key=len, reverse=True))
_DAY = rf"(?:{_WORD})\b"
_DAYS = (
    rf"(?:on |at )?(?:the )?(?P<days>{_DAY}(?:(?: ?- ?| to | ?, ?(?:and )?| and | ?& ?){_DAY})*)"
)
_CLOCK = r"(?:\d{1,2}(?:[:.h]\d\d)? ?(?:am|pm)?|noon|midnight)"
_HOURS = (
    rf"(?:(?:from |between )?(?P<from>{_CLOCK})(?: ?- ?| to | and | until )(?P<to>{_CLOCK})"
    rf"|(?:after|from) (?P<after>{_CLOCK})(?: on(?:wards)?)?"
    rf"|(?:before|until|till) (?P<before>{_CLOCK})"
    r"|(?:in the )?(?P<part>morning|afternoon|evening)s?)"
)
_WISH = [
    re.compile(rf"{_DAYS}(?:[,:]? {_HOURS})?"),
    re.compile(rf"{_HOURS}(?:,? {_DAYS})?"),
]
_MODE = re.compile(r"(not|never|no|except|only) +(?:(?:calls|mails?|at) +)?")


@dataclass(frozen=True)
class Said:
    """One wish about hours."""

    excluded: bool  #: in these hours never, rather than in these only
    alone: bool  #: on these days and no others
    hours: tuple[WeekHours, ...]


@lru_cache(1024)
def parse_hours(text: str) -> Said:
    """`not 08:00-09:15`, `Tuesdays after 18:00`, `mon-fri 12:00-13:00`, `only Thursdays`, ...

    Hours without a day are those of every day; days without hours are whole days. Hours that run
    past midnight go on into the day after. Raises ValueError with an example.
    """
    said = " ".join(re.sub("[\u2010-\u2015]", "-", text.casefold()).split()).rstrip(".")
    mode = _MODE.match(said)
    word = mode[1] if mode else ""
    rest = said[mode.end() :] if mode else said
    found = next((match for each in _WISH if (match := each.fullmatch(rest))), None)
    if found is None:
        raise ValueError(f'"{text[:60]}" is not understood: write hours as in {EXAMPLES}')
    days = _days(found["days"]) if found["days"] else _EVERY_DAY
    from_, to = _span(found.groupdict(), text)
    excluded = word not in ("", "only")
    whole = from_ == time.min and to is None
    if whole and not excluded and days <= _SETS["weekend"]:
        raise ValueError(f'"{text[:60]}" does not say when: add hours, as in Saturdays 10:00-16:00')
    if whole and days == _EVERY_DAY:
        raise ValueError(f'"{text[:60]}" names every hour there is: write it as in {EXAMPLES}')
    return Said(
        excluded=excluded,
        alone=not excluded and found["days"] is not None and (whole or word == "only"),
        hours=_within_days(days, from_, to, " ".join(text.split())),
    )


def parse_quiet(text: str) -> tuple[date, date] | frozenset[int]:
    """`2026-12-24`, `2026-12-24..2026-12-27` (first and last day), or weekdays (`Fridays`).

    Raises ValueError with an example.
    """
    said = " ".join(text.split())
    days = re.fullmatch(_DAYS, said.casefold())
    if days:
        named = _days(days["days"])
        if named == _EVERY_DAY:
            raise ValueError(f'"{said}" is every day there is: use candidate.paused instead')
        return named
    first, _, last = said.partition("..")
    try:
        stretch = date.fromisoformat(first.strip()), date.fromisoformat((last or first).strip())
    except ValueError:
        raise ValueError(
            f'"{said[:60]}" is no quiet day: write 2026-12-24, 2026-12-24..2026-12-27 or Fridays'
        ) from None
    if stretch[1] < stretch[0]:
        raise ValueError(f'"{said}" ends before it begins')
    if (stretch[1] - stretch[0]).days > 366:
        raise ValueError(f'"{said}" is longer than a year: use candidate.paused instead')
    return stretch


def parse_weekday(text: str) -> int:
    """The weekday (Monday is 0) of `Thursday`, `thu` or `Thursdays`. Raises ValueError."""
    day = _NAMES.get(text.strip().casefold())
    if day is None:
        raise ValueError(f'"{text[:40]}" is no weekday: write one such as thursday')
    return day


def parse_pace(text: str) -> Pace:
    """`weekly`, `twice a week`, ... Raises ValueError with all there are."""
    try:
        return Pace(re.sub(r"[\s_-]+", "_", text.strip().casefold()))
    except ValueError:
        raise ValueError(f'"{text[:40]}" is no pace: write {", ".join(Pace)}') from None


def wishes_of(data: Mapping[str, Any]) -> Wishes:
    """What a candidate's stored data says they asked for. What cannot be read asks for nothing:
    it came as a custom field and means something else."""
    phone_first = data.get("channel") == "phone" and bool(data.get("phone"))
    if not phone_first and data.keys().isdisjoint(KEYS):
        return _NONE
    only, not_in, quiet = _week(_texts(data.get("hours")), _texts(data.get("quiet_days")))
    sensitive = data.get("sensitive_until")
    return Wishes(
        pace=_read(parse_pace, data.get("pace")) or Pace.AS_IT_HAPPENS,
        pace_day=_read(parse_weekday, data.get("pace_day")),
        phone_first=phone_first,
        only=only,
        not_in=not_in,
        quiet_days=quiet,
        sensitive_until=_read(_instant, sensitive),
    )


def stricter(own: Wishes, other: Wishes) -> Wishes:
    """What one person asked under two names, taken together: whoever is one of the two gets nothing
    that either asked not to get.

    The slower pace; hours that both allow, or `own` on a day on which they have none in common; all
    that either excludes.
    """
    paces = list(Pace)
    slower = max(own, other, key=lambda each: (paces.index(each.pace), each is own))
    days = [at for at in (own.sensitive_until, other.sensitive_until) if at is not None]
    return Wishes(
        pace=slower.pace,
        pace_day=own.pace_day if own.pace_day is not None else other.pace_day,
        phone_first=own.phone_first or other.phone_first,
        only=_both(own.only, other.only),
        not_in=tuple(dict.fromkeys((*own.not_in, *other.not_in))),
        quiet_days=tuple(sorted({*own.quiet_days, *other.quiet_days})),
        sensitive_until=max(days, default=None),
    )


def data_of(wishes: Wishes) -> dict[str, Any]:
    """The same as it is stored: `wishes_of` reads it back, but for who prefers the phone."""
    told = {
        "pace": None if wishes.pace is Pace.AS_IT_HAPPENS else wishes.pace.value,
        "pace_day": None if wishes.pace_day is None else WEEKDAYS[wishes.pace_day],
        "hours": [
            *(show_hours(each) for each in wishes.only),
            *(f"not {show_hours(each)}" for each in wishes.not_in),
        ],
        "quiet_days": [_stretch(*each) for each in wishes.quiet_days],
        "sensitive_until": wishes.sensitive_until and wishes.sensitive_until.isoformat(),
    }
    return {name: value for name, value in told.items() if value}


def show_hours(hours: WeekHours) -> str:
    """`tue, wed 18:00-24:00`, in words that `parse_hours` understands."""
    days = ", ".join(WEEKDAYS[day][:3] for day in sorted(hours.days))
    clock = f"{hours.from_:%H:%M}-{f'{hours.to:%H:%M}' if hours.to else '24:00'}"
    if hours.days == _EVERY_DAY:
        return clock
    return days if clock == "00:00-24:00" else f"{days} {clock}"


def overlapped(wishes: Wishes, starts_at: datetime, ends_at: datetime) -> str | None:
    """The wish, in the words it was said in, that something from `starts_at` to `ends_at` (both on
    the candidate's wall clock) goes against: hours they excluded, or a quiet day. Hours in which
    they would rather hear from us say nothing about it. None if there is none."""
    first = starts_at.date()
    last = max(first, (ends_at - timedelta(microseconds=1)).date())
    for number in range(min((last - first).days, 14) + 1):
        day = first + timedelta(days=number)
        for begins, ends in wishes.quiet_days:
            if begins <= day <= ends:
                return _stretch(begins, ends)
        for hours in wishes.not_in:
            if day.weekday() in hours.days and _meet(hours, day, starts_at, ends_at):
                return hours.text
    return None


_NONE = Wishes()


def _meet(hours: WeekHours, day: date, starts_at: datetime, ends_at: datetime) -> bool:
    opens = datetime.combine(day, hours.from_)
    if hours.to is None:
        closes = datetime.combine(day + timedelta(days=1), time.min)
    else:
        closes = datetime.combine(day, hours.to)
    return starts_at.replace(tzinfo=None) < closes and opens < ends_at.replace(tzinfo=None)


def _stretch(first: date, last: date) -> str:
    return f"{first}..{last}" if last > first else f"{first}"


def _all_day(days: frozenset[int], text: str) -> WeekHours:
    return WeekHours(days=days, from_=time.min, to=None, text=text)


@lru_cache(1024)
def _week(
    hours: tuple[str, ...], quiet: tuple[str, ...]
) -> tuple[tuple[WeekHours, ...], tuple[WeekHours, ...], tuple[tuple[date, date], ...]]:
    """Only in, not in, and quiet stretches."""
    said = [each for text in hours if (each := _read(parse_hours, text)) is not None]
    wanted = [each for each in said if not each.excluded]
    only = [one for each in wanted for one in each.hours if (one.from_, one.to) != (time.min, None)]
    not_in = [one for each in said if each.excluded for one in each.hours]
    if alone := [each for each in wanted if each.alone]:
        named = frozenset(day for each in wanted for one in each.hours for day in one.days)
        if others := _EVERY_DAY - named:
            not_in.append(_all_day(others, alone[0].hours[0].text))
    stretches = []
    for text in quiet:
        days = _read(parse_quiet, text)
        if isinstance(days, frozenset):
            not_in.append(_all_day(days, text))
        elif days is not None:
            stretches.append(days)
    return tuple(only), tuple(not_in), tuple(stretches)


def _both(own: Sequence[WeekHours], other: Sequence[WeekHours]) -> tuple[WeekHours, ...]:
    if not own or not other:
        return (*own, *other)
    by_hours: dict[WeekHours, set[int]] = {}
    for day in range(7):
        mine = [replace(each, days=frozenset()) for each in own if day in each.days]
        theirs = [replace(each, days=frozenset()) for each in other if day in each.days]
        common = [
            one for each in mine for also in theirs if (one := _common(each, also)) is not None
        ]
        for each in common or mine or theirs:
            by_hours.setdefault(each, set()).add(day)
    return tuple(replace(each, days=frozenset(days)) for each, days in by_hours.items())


def _common(one: WeekHours, other: WeekHours) -> WeekHours | None:
    opens = max(one.from_, other.from_)
    ends = [each.to for each in (one, other) if each.to is not None]
    closes = min(ends, default=None)
    if closes is not None and closes <= opens:
        return None
    text = one.text if one.text == other.text else f"{one.text}; {other.text}"
    return WeekHours(days=frozenset(), from_=opens, to=closes, text=text)


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in re.split(r" ?, ?(?:and )?| and | ?& ?", text):
        first, *last = re.split(r" ?- ?| to ", part)
        if first in _SETS:
            found |= _SETS[first]
        elif last and last[0] in _NAMES:
            begin = _NAMES[first]
            found |= {(begin + n) % 7 for n in range((_NAMES[last[0]] - begin) % 7 + 1)}
        else:
            found.add(_NAMES[first])
    return frozenset(found)


def _span(found: Mapping[str, str | None], text: str) -> tuple[time, time | None]:
    if part := found["part"]:
        return _PARTS[part]
    if after := found["after"]:
        return _clock(after, text) or time.min, None
    if before := found["before"]:
        return time.min, _clock(before, text)
    if not (from_ := found["from"]) or not (to := found["to"]):
        return time.min, None
    half = re.search("[ap]m$", to)
    closes = _clock(to, text)
    opens = _clock(from_, text) or time.min
    if half and not re.search("[ap]m$|[a-z]{4}", from_):  # 1-3pm is in the afternoon, 9-5pm is not
        later = _clock(from_ + half[0], text, strict=False)
        if later is not None and closes is not None and later < closes:
            opens = later
    if opens == closes:
        raise ValueError(f'"{text[:60]}" ends when it begins: write it as in {EXAMPLES}')
    return opens, closes


def _clock(said: str, text: str, *, strict: bool = True) -> time | None:
    """A time of day; None for the midnight that ends it."""
    if said in ("noon", "midnight"):
        return time(12) if said == "noon" else None
    found = re.fullmatch(r"(\d{1,2})(?:[:.h](\d\d))? ?(am|pm)?", said)
    hour, minute, half = (int(found[1]), int(found[2] or 0), found[3]) if found else (99, 0, None)
    if half and not 1 <= hour <= 12:
        hour = 99
    elif half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    if (hour, minute) == (24, 0):
        return None
    if hour > 23 or minute > 59:
        if not strict:
            return None
        raise ValueError(f'"{said}" in "{text[:60]}" is no time of day: write it as 18:00')
    return time(hour, minute)


def _within_days(
    days: frozenset[int], from_: time, to: time | None, text: str
) -> tuple[WeekHours, ...]:
    if to is None or from_ < to:
        return (WeekHours(days=days, from_=from_, to=to, text=text),)
    late = WeekHours(days=days, from_=from_, to=None, text=text)
    if to == time.min:
        return (late,)
    following = frozenset((day + 1) % 7 for day in days)
    return late, WeekHours(days=following, from_=time.min, to=to, text=text)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(each for each in value if isinstance(each, str))


def _read(parse: Any, value: Any) -> Any:
    if not isinstance(value, str):
        return None
    try:
        return parse(value)
    except ValueError:
        return None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
