"""Contact hours: the candidate's own, in any zone, over every change of the clock."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.core.hours import ANY, END_OF_DAY, LATEST, Calendar, Openings, Pattern

WORKDAYS = frozenset(range(5))
EVERY_DAY = frozenset(range(7))
CONTACT = Pattern(WORKDAYS, time(8, 30), time(18, 30), timedelta(minutes=45), True)
PLAIN = Pattern(WORKDAYS, time(8, 30), time(18, 30), closed_on_holidays=True)
HOLIDAYS = {date(2026, 12, 1): "Restauração", date(2026, 12, 8): "Imaculada Conceição"}
ZONES = (
    "Europe/Lisbon",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Pacific/Chatham",
    "Antarctica/Troll",
    "America/Havana",  # its clock goes back over midnight, and forward at midnight
)


def calendar(zone: str = "Europe/Lisbon", key: str = "c-1") -> Calendar:
    return Calendar(ZoneInfo(zone), HOLIDAYS.get, key)


def openings(pattern: Pattern | None, zone: str = "Europe/Lisbon", key: str = "c-1") -> Openings:
    return Openings(calendar(zone, key), pattern)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-30T08:29:59", "2026-11-30T08:30"),
        ("2026-11-30T08:30", "2026-11-30T08:30"),
        ("2026-11-30T18:29:59", "2026-11-30T18:29:59"),
        ("2026-11-30T18:30", "2026-12-02T08:30"),  # the 1st is a holiday
        ("2026-12-04T20:00", "2026-12-07T08:30"),  # over the weekend
        ("2026-08-03T06:00", "2026-08-03T07:30"),  # Lisbon is an hour ahead in summer
    ],
)
def test_the_next_opening_is_in_the_candidates_working_week(at: str, expected: str) -> None:
    assert openings(PLAIN).next_open(utc(at)) == utc(expected)
    assert openings(PLAIN).is_open(utc(at)) == (at == expected)


def test_hours_are_those_of_the_candidates_zone_and_date() -> None:
    at = utc("2026-12-07T03:00")  # already Monday in Kolkata, still Sunday in New York
    assert openings(PLAIN, "Asia/Kolkata").is_open(at)
    assert openings(PLAIN, "America/New_York").next_open(at) == utc("2026-12-07T13:30")


def test_people_are_spread_over_the_opening_and_each_has_the_same_one_every_time() -> None:
    monday = utc("2026-11-30T00:00")
    own = [openings(CONTACT, key=f"c-{n}").next_open(monday) for n in range(200)]
    assert own == [openings(CONTACT, key=f"c-{n}").next_open(monday) for n in range(200)]
    late = [at - utc("2026-11-30T08:30") for at in own if at]
    assert all(timedelta(0) <= one < timedelta(minutes=45) for one in late)
    assert len(set(late)) > 150
    assert min(late) < timedelta(minutes=3)
    assert max(late) > timedelta(minutes=42)
    # Fixed for ever: a restart must not move anybody.
    assert own[:2] == [utc("2026-11-30T08:31:30"), utc("2026-11-30T08:56:55")]


def test_another_day_is_another_opening() -> None:
    own = openings(CONTACT)
    first, second = (own.next_open(utc(f"2026-11-{day}T00:00")) for day in (26, 27))
    assert first
    assert second
    assert second - first != timedelta(days=1)


def test_a_wide_spread_leaves_everybody_half_of_a_short_window() -> None:
    short = Pattern(EVERY_DAY, time(12), time(12, 30), timedelta(hours=3))
    for n in range(50):
        window = openings(short, key=f"c-{n}").window(utc("2026-11-30T00:00"))
        assert window
        assert window[1] - window[0] > timedelta(minutes=15)


@pytest.mark.parametrize("pattern", [None, ANY])
def test_any_hours_are_always_open(pattern: Pattern | None) -> None:
    at = utc("2026-12-06T03:00")
    always = openings(pattern)
    assert always.is_open(at)
    assert always.next_open(at) is at
    assert always.last_open(at) is at
    assert always.why_closed(at) == ""


def test_wide_hours_are_open_every_day_and_holiday() -> None:
    wide = openings(Pattern(EVERY_DAY, time(7), time(21)))
    assert wide.is_open(utc("2026-12-06T07:00"))
    assert wide.is_open(utc("2026-12-01T20:59:59"))
    assert not wide.is_open(utc("2026-12-06T21:00"))


def test_a_day_can_be_open_until_its_very_end() -> None:
    friday = openings(Pattern(frozenset({4}), time(15), END_OF_DAY))
    assert friday.is_open(utc("2026-12-04T23:59:59.999999"))
    assert friday.next_open(utc("2026-12-05T00:00")) == utc("2026-12-11T15:00")
    assert friday.window(utc("2026-12-04T16:00")) == (
        utc("2026-12-04T15:00"),
        utc("2026-12-05T00:00"),
    )
    assert friday.why_closed(utc("2026-12-11T14:00")) == "outside 15:00-24:00"


def test_hours_past_midnight_belong_to_the_day_on_which_they_open() -> None:
    night = openings(Pattern(WORKDAYS, time(22), time(6), closed_on_holidays=True))
    assert night.is_open(utc("2026-12-05T05:59"))  # Saturday morning: Friday's night
    assert night.next_open(utc("2026-12-05T06:00")) == utc("2026-12-07T22:00")
    assert night.is_open(utc("2026-12-01T02:00"))  # Monday's night, into the holiday
    assert night.next_open(utc("2026-12-01T23:00")) == utc("2026-12-02T22:00")
    assert night.why_closed(utc("2026-12-02T02:00")) == "public holiday: Restauração"
    assert night.last_open(utc("2026-12-05T12:00")) == utc("2026-12-05T05:45")


def test_a_day_before_monday_is_late_on_friday() -> None:
    sunday = utc("2026-12-06T10:00")
    places = {openings(CONTACT, key=f"c-{n}").last_open(sunday) for n in range(100)}
    assert len(places) > 80
    assert all(at and utc("2026-12-04T17:30") < at <= utc("2026-12-04T18:15") for at in places)
    assert openings(PLAIN).last_open(sunday) == utc("2026-12-04T18:15")


def test_the_last_open_time_before_an_open_instant_is_that_instant() -> None:
    at = utc("2026-11-30T12:00")
    assert openings(PLAIN).last_open(at) == at
    before_opening = utc("2026-11-30T08:29")
    assert openings(PLAIN).last_open(before_opening) == utc("2026-11-27T18:15")
    at_closing = utc("2026-11-30T18:30")
    assert openings(PLAIN).last_open(at_closing) == utc("2026-11-30T18:15")


def test_the_last_open_time_is_never_before_its_opening() -> None:
    brief = openings(Pattern(EVERY_DAY, time(12), time(12, 10), timedelta(minutes=45)))
    at = brief.last_open(utc("2026-11-30T20:00"))
    assert at
    assert brief.is_open(at)


def test_what_never_opens_is_said_to_be_so() -> None:
    never = Openings(Calendar(ZoneInfo("Europe/Lisbon"), lambda _: "holiday", "c-1"), CONTACT)
    for closed in (never, openings(Pattern(frozenset(), time(8), time(9)))):
        assert closed.next_open(utc("2026-11-30T12:00")) is None
        assert closed.last_open(utc("2026-11-30T12:00")) is None
        assert not closed.is_open(utc("2026-11-30T12:00"))


def test_nothing_is_looked_for_beyond_400_days() -> None:
    start = date(2026, 1, 1)
    long_holidays = {start + timedelta(days=n): "holiday" for n in range(399)}
    for more, found in ((0, True), (1, False)):
        names = dict(long_holidays)
        for n in range(more):
            names[start + timedelta(days=399 + n)] = "holiday"
        every_day = Pattern(EVERY_DAY, time(8), time(9), closed_on_holidays=True)
        hours = Openings(Calendar(ZoneInfo("Europe/Lisbon"), names.get, "c-1"), every_day)
        assert (hours.next_open(utc("2026-01-01T00:00")) is not None) is found


def test_nothing_is_looked_for_beyond_400_days_back() -> None:
    def open_only(day: date) -> str | None:
        return None if day == date(2026, 1, 1) else "holiday"

    once = Pattern(EVERY_DAY, time(8), time(9), closed_on_holidays=True)
    hours = Openings(Calendar(ZoneInfo("Europe/Lisbon"), open_only, "c-1"), once)
    closing = utc("2026-01-01T09:00")
    assert hours.last_open(closing + timedelta(days=400)) == utc("2026-01-01T08:45")
    assert hours.last_open(closing + timedelta(days=400, minutes=1)) is None


@pytest.mark.parametrize("at", ["9999-12-31T23:59", "0001-01-01T00:00"])
def test_the_ends_of_the_calendar_raise_nothing(at: str) -> None:
    for zone in ("Pacific/Chatham", "America/New_York"):
        for pattern in (CONTACT, None):
            hours = openings(pattern, zone)
            hours.next_open(utc(at))
            hours.last_open(utc(at))
            assert hours.why_closed(utc(at)) == "beyond every calendar"
    assert openings(CONTACT).next_open(LATEST) is None


@pytest.mark.parametrize(
    ("at", "phrase"),
    [
        ("2026-12-05T12:00", "weekend"),
        ("2026-12-01T12:00", "public holiday: Restauração"),
        ("2026-11-30T20:00", "outside 08:30-18:30"),
        ("2026-11-30T08:29", "outside 08:30-18:30"),
        ("2026-11-30T12:00", ""),
    ],
)
def test_why_it_is_closed_is_told_in_a_few_words(at: str, phrase: str) -> None:
    assert openings(CONTACT).why_closed(utc(at)) == phrase


def test_a_closed_weekday_and_an_own_opening_are_told_too() -> None:
    no_wednesday = openings(Pattern(EVERY_DAY - {2}, time(8), time(18)))
    assert no_wednesday.why_closed(utc("2026-12-02T12:00")) == "Wednesday"
    own = openings(CONTACT, key="c-1")
    assert own.why_closed(utc("2026-11-30T08:35")) == (
        "before 08:56, their own opening within 08:30-18:30"
    )


def test_hours_that_are_never_open_are_refused() -> None:
    with pytest.raises(ValueError, match="never open"):
        Pattern(WORKDAYS, time(9), time(9))


# --- changes of the clock -------------------------------------------------------------------------


def test_a_window_inside_a_skipped_hour_does_not_exist_that_day() -> None:
    # Lisbon, Sunday 28 March 2027: 01:00 is followed by 02:00.
    inside = openings(Pattern(EVERY_DAY, time(1, 15), time(1, 45)))
    assert inside.next_open(utc("2027-03-28T00:00")) == utc("2027-03-29T00:15")
    assert inside.last_open(utc("2027-03-28T12:00")) == utc("2027-03-27T01:30")


def test_a_window_that_begins_in_a_skipped_hour_opens_after_it() -> None:
    begins = openings(Pattern(EVERY_DAY, time(1, 15), time(3)))
    assert begins.window(utc("2027-03-28T00:00")) == (
        utc("2027-03-28T01:00"),
        utc("2027-03-28T02:00"),
    )


def test_a_window_inside_a_repeated_hour_is_open_once() -> None:
    # Lisbon, Sunday 25 October 2026: 01:00 to 02:00 comes twice.
    inside = openings(Pattern(EVERY_DAY, time(1, 15), time(1, 45)))
    assert inside.window(utc("2026-10-24T23:00")) == (
        utc("2026-10-25T00:15"),
        utc("2026-10-25T00:45"),
    )
    assert inside.next_open(utc("2026-10-25T00:45")) == utc("2026-10-26T01:15")


def test_where_the_clock_goes_back_over_midnight_tomorrow_has_already_been() -> None:
    # St John's, 7 November 2010: 00:01 was followed by 23:01 of the 6th.
    first_moment = openings(Pattern(EVERY_DAY, time(0), time(0, 0, 30)), "America/St_Johns")
    second_time = utc("2010-11-07T03:00")  # 23:30 on the 6th, once more
    assert first_moment.last_open(second_time) == utc("2010-11-07T02:30")
    assert first_moment.next_open(second_time) == utc("2010-11-08T03:30")


QUARTER = timedelta(minutes=15)
quarters = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
patterns = st.tuples(
    st.frozensets(st.integers(0, 6), min_size=1), quarters, st.one_of(quarters, st.just(END_OF_DAY))
).filter(lambda parts: parts[1] < parts[2])
#: Around changes of the clock, in some zone of the list, and anywhere else.
instants = st.one_of(
    st.sampled_from(
        [
            "2026-03-08T00:00",
            "2026-03-29T00:00",
            "2026-10-25T00:00",
            "2026-11-01T00:00",
            "2026-02-15T00:00",
            "2026-03-22T00:00",
            "2026-04-04T12:00",
            "2026-10-03T12:00",
        ]
    ).map(utc),
    st.integers(0, 365 * 5).map(lambda day: utc("2024-01-01T00:00") + timedelta(days=day)),
).flatmap(lambda start: st.integers(-120, 120).map(lambda n: start + n * QUARTER))


def shown_open(
    at: datetime, zone: ZoneInfo, days: frozenset[int], opens: time, closes: time
) -> bool | None:
    """What a look at the wall clock says; None where it shows the same time twice."""
    local = at.astimezone(zone)
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        return None
    return local.weekday() in days and opens <= local.time() < closes


@pytest.mark.acceptance("A8.1")
@given(instants, st.sampled_from(ZONES), patterns)
@settings(max_examples=150)
def test_the_next_opening_is_the_first_at_which_the_wall_clock_says_open(
    at: datetime, zone: str, parts: tuple[frozenset[int], time, time]
) -> None:
    days, opens, closes = parts
    hours = openings(Pattern(days, opens, closes), zone)
    found = hours.next_open(at)
    assert found is not None
    assert shown_open(found, ZoneInfo(zone), *parts) is not False
    tried = at
    while tried < found:
        assert not shown_open(tried, ZoneInfo(zone), *parts), tried
        assert not hours.is_open(tried)
        tried += QUARTER
    assert hours.is_open(found)


@given(
    instants,
    st.sampled_from(ZONES),
    patterns,
    st.integers(0, 90).map(lambda n: timedelta(minutes=n)),
    st.text("abc", max_size=3),
)
@settings(max_examples=150)
def test_the_last_open_time_is_open_and_nothing_opens_after_its_window(
    at: datetime, zone: str, parts: tuple[frozenset[int], time, time], spread: timedelta, key: str
) -> None:
    hours = openings(Pattern(*parts, spread), zone, key)
    found = hours.last_open(at)
    assert found is not None
    assert found <= at
    assert hours.is_open(found)
    if hours.is_open(at):
        assert found == at
        return
    window = hours.window(found)
    assert window
    assert found == window[0] or window[1] - found >= QUARTER
    following = hours.next_open(window[1])
    assert window[1] <= at
    assert following is None or following > at
    assert found >= window[1] - QUARTER - spread


@given(
    instants,
    st.sampled_from(ZONES),
    quarters,
    quarters,
    st.frozensets(st.integers(0, 6), min_size=1),
)
def test_windows_follow_one_another_without_overlap_also_past_midnight(
    at: datetime, zone: str, opens: time, closes: time, days: frozenset[int]
) -> None:
    if opens == closes:
        return
    hours = openings(Pattern(days, opens, closes, timedelta(minutes=20)), zone)
    for _ in range(5):
        window = hours.window(at)
        assert window
        assert window[0] < window[1]
        assert window[1] > at
        assert hours.is_open(window[0])
        following = hours.window(window[1])
        assert following
        assert following[0] >= window[1]
        at = window[1]
