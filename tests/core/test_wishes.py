"""What candidates ask of us is read as they mean it, or refused with an example."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.core.model import Pace, WeekHours, Wishes
from nurture.core.wishes import (
    data_of,
    overlapped,
    parse_hours,
    parse_pace,
    parse_quiet,
    parse_weekday,
    show_hours,
    stricter,
    wishes_of,
)

EVERY_DAY = frozenset(range(7))
LISBON = ZoneInfo("Europe/Lisbon")


def hours(days: str, from_: str, to: str | None, text: str = "") -> WeekHours:
    closes = None if to is None else time.fromisoformat(to)
    named = frozenset(map(int, days))
    return WeekHours(days=named, from_=time.fromisoformat(from_), to=closes, text=text)


@pytest.mark.parametrize(
    ("text", "excluded", "days", "from_", "to"),
    [
        ("not 08:00-09:15", True, "0123456", "08:00", "09:15"),
        ("Tuesdays after 18:00", False, "1", "18:00", None),
        ("mon-fri 12:00-13:00", False, "01234", "12:00", "13:00"),
        ("after 17:00", False, "0123456", "17:00", None),
        ("never on Fridays", True, "4", "00:00", None),
        ("No calls before 9:00", True, "0123456", "00:00", "09:00"),
        ("not 08:00–09:15", True, "0123456", "08:00", "09:15"),
        ("between 10:00 and 12:30 on sat-mon", False, "560", "10:00", "12:30"),
        ("weekdays 9am-5pm", False, "01234", "09:00", "17:00"),
        ("1-3pm", False, "0123456", "13:00", "15:00"),
        ("9-5pm", False, "0123456", "09:00", "17:00"),
        ("evenings on mon, tue and thu", False, "013", "18:00", None),
        ("not in the morning", True, "0123456", "06:00", "12:00"),
        ("Monday to Wednesday, 20:00-24:00", False, "012", "20:00", None),
    ],
)
def test_hours_are_read_as_people_say_them(
    text: str, excluded: bool, days: str, from_: str, to: str | None
) -> None:
    said = parse_hours(text)
    assert said.excluded is excluded
    assert said.hours == (hours(days, from_, to, text),)


@pytest.mark.parametrize(
    "text",
    [
        "whenever",
        "",
        "08:00",
        "after 25:00",
        "10:00-10:00",
        "every day",
        "weekends",
        "not",
        "8:61-9",
    ],
)
def test_hours_that_are_not_understood_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"\d\d:00"):
        parse_hours(text)


def test_hours_past_midnight_go_on_into_the_day_after() -> None:
    said = parse_hours("fri 22:00-06:00").hours
    assert [(each.days, each.from_, each.to) for each in said] == [
        (frozenset({4}), time(22), None),
        (frozenset({5}), time(0), time(6)),
    ]


def test_days_alone_exclude_all_others() -> None:
    wishes = wishes_of({"hours": ["only Tuesdays", "Thursdays after 18:00"]})
    assert wishes.only == (hours("3", "18:00", None, "Thursdays after 18:00"),)
    assert wishes.not_in == (hours("02456", "00:00", None, "only Tuesdays"),)


def test_quiet_days_are_dates_stretches_and_weekdays() -> None:
    assert parse_quiet("2026-12-24") == (date(2026, 12, 24), date(2026, 12, 24))
    assert parse_quiet("2026-12-24..2026-12-27") == (date(2026, 12, 24), date(2026, 12, 27))
    assert parse_quiet("Fridays") == frozenset({4})
    for text in ("soon", "2026-12-27..2026-12-24", "2026-01-01..2028-01-01", "every day"):
        with pytest.raises(ValueError, match=text.replace(".", r"\.")):
            parse_quiet(text)


def test_a_pace_and_its_day_are_read_in_words() -> None:
    assert parse_pace("Twice a week") is Pace.TWICE_A_WEEK
    assert parse_weekday("Thursdays") == 3
    with pytest.raises(ValueError, match="only_what_matters"):
        parse_pace("daily")
    with pytest.raises(ValueError, match="thursday"):
        parse_weekday("someday")


def test_what_is_stored_and_cannot_be_read_asks_for_nothing() -> None:
    odd = {"hours": "40 a week", "pace": 7, "quiet_days": {"a": 1}, "sensitive_until": "soon"}
    assert wishes_of({**odd, "channel": "phone"}) == Wishes()


_CLOCK = st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0))


@st.composite
def _hours(draw: st.DrawFn) -> WeekHours:
    opens, closes = sorted(draw(st.lists(_CLOCK, min_size=2, max_size=2, unique=True)))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    to = draw(st.sampled_from([closes, None])) if opens > time.min else closes
    return WeekHours(days=days, from_=opens, to=to)


_SEVERAL = st.lists(_hours(), max_size=3).map(tuple)
_WISHES = st.builds(
    Wishes,
    pace=st.sampled_from(Pace),
    only=_SEVERAL,
    not_in=_SEVERAL,
    quiet_days=st.lists(st.dates().map(lambda day: (day, day)), max_size=2).map(tuple),
)


@given(_hours())
def test_hours_that_are_shown_are_read_back(told: WeekHours) -> None:
    (read,) = parse_hours(show_hours(told)).hours
    assert (read.days, read.from_, read.to) == (told.days, told.from_, told.to)


def _minutes(wishes: Wishes) -> set[tuple[int, int]]:
    """The quarters of an hour of the week in which they may hear from us."""
    quarters = [(day, quarter) for day in range(7) for quarter in range(96)]

    def within(each: WeekHours, day: int, quarter: int) -> bool:
        at = time(quarter // 4, quarter % 4 * 15)
        return day in each.days and each.from_ <= at and (each.to is None or at < each.to)

    return {
        (day, quarter)
        for day, quarter in quarters
        if not any(within(each, day, quarter) for each in wishes.not_in)
        and (
            not any(day in each.days for each in wishes.only)
            or any(within(each, day, quarter) for each in wishes.only)
        )
    }


@settings(max_examples=50, deadline=None)
@given(_WISHES, _WISHES)
def test_of_two_peoples_wishes_the_stricter_stands(own: Wishes, other: Wishes) -> None:
    both = stricter(own, other)
    paces = list(Pace)
    assert paces.index(both.pace) == max(paces.index(own.pace), paces.index(other.pace))
    assert {*own.quiet_days, *other.quiet_days} == set(both.quiet_days)
    assert _minutes(both) <= _minutes(own)
    assert _minutes(stricter(both, both)) == _minutes(both)
    read = wishes_of(data_of(both))
    assert _minutes(read) == _minutes(both)
    assert (read.pace, set(read.quiet_days)) == (both.pace, set(both.quiet_days))


def test_an_interview_against_a_wish_is_told_in_their_own_words() -> None:
    wishes = wishes_of(
        {"hours": ["not 08:00-09:15", "Tuesdays after 18:00"], "quiet_days": ["2026-12-24"]}
    )

    def on(day: int, opens: str, closes: str) -> str | None:
        ends = (
            datetime.combine(date(2026, 12, day), time.fromisoformat(each), LISBON)
            for each in (opens, closes)
        )
        return overlapped(wishes, *ends)

    assert on(2, "08:30", "09:30") == "not 08:00-09:15"
    assert on(2, "09:15", "10:00") is None
    assert on(1, "10:00", "11:00") is None, "when to ring says nothing of when to meet"
    assert on(24, "10:00", "11:00") == "2026-12-24"
    assert (
        overlapped(
            wishes, datetime(2026, 12, 2, 9, tzinfo=UTC), datetime(2026, 12, 2, 8, tzinfo=UTC)
        )
        is None
    )
