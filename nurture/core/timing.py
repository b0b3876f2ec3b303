"""What instant does "3 business days before interview.starts_at" mean?

Minutes and hours are exact. Days, weeks, months and business days keep the candidate's wall clock:
one day after Saturday 10:00 is Sunday 10:00, also when the clocks change in between. Where the
wall clock then skips that time it is the first instant after the gap; where it shows it twice, the
first of the two. Business days are Monday to Friday without the candidate's public holidays. A
month after 31 January is the last day of February.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache

from nurture.core.hours import EARLIEST, LATEST, Calendar, is_business_day
from nurture.core.model import Duration, Moment

#: Anchors that move when a message goes out, so that a moment hanging on one is only a forecast.
DYNAMIC_ANCHORS = frozenset(
    {
        "application.last_contact",
        "application.silence_due",
        "candidate.last_contact",
        "promise.due",
    }
)

#: What a moment can hang on, besides the declared date fields of a candidate.
ANCHORS = DYNAMIC_ANCHORS | {
    "entered",
    "interview.starts_at",
    "interview.ends_at",
    "interview.booked_at",
    "application.applied_at",
    "application.legal_due",
    "application.stage_since",
    "application.rejected_at",
    "application.start_date",
    "offer.sent_at",
    "offer.expires_at",
    "candidate.consent_until",
    "candidate.paused_until",
}

_EXACT = {"minutes": timedelta(minutes=1), "hours": timedelta(hours=1)}
_DAYS = {"days": 1, "weeks": 7}
_LENGTHS = _EXACT | {
    "days": timedelta(days=1),
    "weeks": timedelta(weeks=1),
    "months": timedelta(days=30),
    "business days": timedelta(days=1),
}
_LONGEST = timedelta(days=3660)
_UNITS = {unit: unit for unit in _LENGTHS} | {unit[:-1]: unit for unit in _LENGTHS}
_OTHER_UNITS = {
    "m": "minutes",
    "min": "minutes",
    "mins": "minutes",
    "h": "hours",
    "hr": "hours",
    "hrs": "hours",
    "d": "days",
    "w": "weeks",
    "wk": "weeks",
    "mo": "months",
    "bd": "business days",
    "workdays": "business days",
    "working days": "business days",
    "weekdays": "business days",
}
_NUMBERS = (
    "zero",
    "an?|one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
)
_UNIT_LIST = ", ".join(_LENGTHS)


def parse_duration(text: str) -> Duration:
    """`3 business days`, `1 week` or a plain `0`; ValueError says what to write instead."""
    words = " ".join(text.lower().split())
    if words == "0":
        return Duration(amount=0, unit="minutes")
    number, _, name = words.partition(" ")
    unit = _UNITS.get(name)
    if unit is None or not re.fullmatch("[0-9]+", number):
        raise ValueError(_about_duration(text.strip(), words))
    # The longest sensible number of minutes has seven digits.
    if len(number.lstrip("0")) > 7 or int(number) * _LENGTHS[unit] > _LONGEST:
        raise ValueError(f"`{text.strip()[:40]}` is more than ten years; check the number")
    return Duration(amount=int(number), unit=unit)


def parse_moment(text: str, date_fields: Collection[str] = ()) -> Moment:
    """`2 days before interview.starts_at at 09:00`; a bare anchor means 0 minutes after it.

    `date_fields` are the names of the candidate fields that config.yaml declares as dates.
    ValueError says in one sentence what is wrong and what was probably meant.
    """
    words = " ".join(text.split())
    head, at, clock = words.partition(" at ")
    parts = re.fullmatch(r"(?:(.*?) )?(?i:(before|after))(?: (.*))?", head)
    if parts is None:
        _require_bare_anchor(head)
        offset, before, anchor = Duration(amount=0, unit="minutes"), False, head
    else:
        side = parts[2].lower()
        offset, before, anchor = _offset(parts[1], side), side == "before", parts[3]
    return Moment(
        offset=offset,
        before=before,
        anchor=_require_anchor(anchor, words, date_fields),
        at=_parse_clock(clock) if at else None,
    )


def shift(
    at: datetime, duration: Duration, calendar: Calendar, backwards: bool = False
) -> datetime:
    """`at` moved by `duration`, in UTC; what leaves the calendar stops at its end.

    The nth business day is counted from the local date of `at`, that date itself not counted.
    """
    if not duration.amount:
        return at.astimezone(UTC)
    signed = -duration.amount if backwards else duration.amount
    try:
        if duration.unit in _EXACT:
            return at.astimezone(UTC) + signed * _EXACT[duration.unit]
        local = calendar.local(at)
        return calendar.instant(
            _shift_date(local.date(), signed, duration.unit, calendar), local.time()
        )
    except OverflowError:
        return EARLIEST if backwards else LATEST


def derive(moment: Moment, anchor_at: datetime, calendar: Calendar) -> datetime:
    """The instant of `moment` for this value of its anchor, in UTC.

    The offset comes first; `at HH:MM` then sets the wall clock on the local date so reached. An
    anchor that is only a date is given as that date's local midnight.
    """
    shifted = shift(anchor_at, moment.offset, calendar, moment.before)
    if moment.at is None:
        return shifted
    return calendar.instant(calendar.local(shifted).date(), moment.at)


def show_duration(duration: Duration) -> str:
    unit = duration.unit[:-1] if duration.amount == 1 else duration.unit
    return f"{duration.amount} {unit}"


def show_moment(moment: Moment) -> str:
    """As people write it, and as `parse_moment` reads it."""
    clock = f" at {moment.at:%H:%M}" if moment.at else ""
    if moment.offset == Duration(amount=0, unit="minutes") and not moment.before:
        return f"{moment.anchor}{clock}"
    side = "before" if moment.before else "after"
    return f"{show_duration(moment.offset)} {side} {moment.anchor}{clock}"


def _shift_date(day: date, signed: int, unit: str, calendar: Calendar) -> date:
    if unit == "business days":
        return _shift_business_days(day, signed, calendar.holidays)
    if unit == "months":
        year, month = divmod(day.year * 12 + day.month - 1 + signed, 12)
        if not 1 <= year <= 9999:
            raise OverflowError
        return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return day + timedelta(days=signed * _DAYS[unit])


@lru_cache(maxsize=4096)  # everybody in a country shares the answer
def _shift_business_days(day: date, signed: int, holidays: Callable[[date], str | None]) -> date:
    step = timedelta(days=1 if signed > 0 else -1)
    left = abs(signed)
    # Bounded, because a calendar could have no business days at all.
    for _ in range(7 * left + 400):
        day += step
        left -= is_business_day(day, holidays)
        if not left:
            break
    return day


def _offset(text: str | None, side: str) -> Duration:
    if not text:
        raise ValueError(f"say how long {side}, such as `2 days {side} interview.starts_at`")
    return parse_duration(text)


def _require_bare_anchor(head: str) -> None:
    """Several words without `before` or `after` are a moment that lacks its middle."""
    words = head.split(" ")
    if len(words) == 1 and not head[:1].isdigit():
        return
    for word in words:
        if close := get_close_matches(word.lower(), ["before", "after"], n=1, cutoff=0.7):
            raise ValueError(f"`{word}` is not understood; did you mean `{close[0]}`?")
    raise ValueError(
        f"`{head}` does not say before or after what; write it like "
        "`2 days before interview.starts_at`"
    )


def _require_anchor(anchor: str | None, text: str, date_fields: Collection[str]) -> str:
    known = ANCHORS | {f"candidate.{name}" for name in date_fields}
    if not anchor:
        raise ValueError(f"`{text}` lacks what it hangs on, such as `interview.starts_at`")
    if anchor in known:
        return anchor
    same_end = [name for name in sorted(known) if name.rpartition(".")[2] == anchor.lower()]
    close = same_end or get_close_matches(anchor.lower(), sorted(known), n=2, cutoff=0.7)
    if close:
        meant = " or ".join(f"`{name}`" for name in close)
        raise ValueError(f"there is no `{anchor}` to hang a moment on; did you mean {meant}?")
    thing, _, field = anchor.partition(".")
    if thing == "candidate" and field.isidentifier():
        raise ValueError(
            f"`{anchor}` is not a date; declare `{field}: date` under candidate_fields in "
            "config.yaml if it should be"
        )
    related = [name for name in sorted(known) if name.startswith(f"{thing}.")] or sorted(known)
    raise ValueError(f"there is no `{anchor}` to hang a moment on; there are {', '.join(related)}")


def _parse_clock(text: str) -> time:
    parts = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text)
    if parts:
        return time(int(parts[1]), int(parts[2]))
    advice = "write it as hours and minutes, such as `at 09:00`"
    if text.startswith("24:"):
        advice = "a day ends at 23:59; `at 00:00` is its beginning"
    elif half := re.fullmatch(
        r"(0?[1-9]|1[0-2])(?:[:.]([0-5][0-9]))? ?([ap])\.?m\.?", text.lower()
    ):
        hour = int(half[1]) % 12 + (12 if half[3] == "p" else 0)
        advice = f"did you mean `at {hour:02}:{half[2] or '00'}`?"
    elif dotted := re.fullmatch(r"([01]?[0-9]|2[0-3])(?:[.h]([0-5][0-9])?)?", text):
        advice = f"did you mean `at {int(dotted[1]):02}:{dotted[2] or '00'}`?"
    raise ValueError(f"`{text}` is not a time of day; {advice}")


def _about_duration(text: str, words: str) -> str:
    """Why `words` is no duration, and what was probably meant."""
    for number, word in enumerate(_NUMBERS):
        words = re.sub(rf"\b({word})\b", str(number), words)
    if words.startswith("-"):
        return f"`{text}` is negative; say `before` or `after` instead of a sign"
    parts = [
        (float(number), unit)
        for number, name in re.findall(
            r"([0-9]+(?:\.[0-9]+)?) ?([a-z][a-z -]*?)(?= ?[0-9]|$)", words
        )
        if (unit := _nearest_unit(name)) is not None
    ]
    if re.fullmatch("[0-9]+", words):
        return f"`{text}` lacks a unit; did you mean `{words} days`?"
    if not parts:
        return f"`{text}` is not a duration; write a whole number and one of {_UNIT_LIST}"
    whole = len(parts) == 1 and parts[0][0].is_integer()
    if whole:
        meant = show_duration(Duration(amount=int(parts[0][0]), unit=parts[0][1]))
    else:
        meant = _in_one_unit(parts)
    advice = (
        f"did you mean `{meant}`?"
        if meant
        else "write one whole number and one unit, such as `3 days`"
    )
    return f"`{text}` is not a duration; {advice}"


def _nearest_unit(name: str) -> str | None:
    name = name.strip().replace("-", " ").removesuffix(" and").removesuffix(" of")
    exact = _UNITS.get(name) or _OTHER_UNITS.get(name)
    close = get_close_matches(name, list(_UNITS), n=1, cutoff=0.7)
    return exact or (_UNITS[close[0]] if close else None)


def _in_one_unit(parts: list[tuple[float, str]]) -> str:
    """`6 days 20 hours` as `164 hours`, where units have a fixed length."""
    if any(unit in ("months", "business days") for _, unit in parts):
        return ""
    try:
        total = sum((number * _LENGTHS[unit] for number, unit in parts), timedelta(0))
    except (OverflowError, ValueError):  # not a length of time at all
        return ""
    for unit in ("hours", "minutes"):
        if not total % _LENGTHS[unit]:
            return f"{total // _LENGTHS[unit]} {unit}"
    return ""
