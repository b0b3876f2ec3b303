"""Moments as people write them, and the instants they become."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.core.hours import EARLIEST, LATEST, Calendar
from nurture.core.model import Duration, Moment
from nurture.core.timing import (
    ANCHORS,
    DYNAMIC_ANCHORS,
    derive,
    parse_duration,
    parse_moment,
    shift,
    show_duration,
    show_moment,
)

UNITS = ("minutes", "hours", "days", "weeks", "months", "business days")
ZONES = (
    "Europe/Lisbon",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "Pacific/Chatham",
    "Antarctica/Troll",
)
#: Every change of offset from 2024 to 2030, as zdump, a C programme, read a tzdata of 2025.
TRANSITIONS = [
    line.split("\t")
    for line in (Path(__file__).parent / "data" / "transitions_2024_2030.tsv")
    .read_text(encoding="utf-8")
    .splitlines()[1:]
]


def calendar(zone: str = "Europe/Lisbon", holidays: dict[date, str] | None = None) -> Calendar:
    return Calendar(ZoneInfo(zone), (holidays or {}).get, "c-1")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- reading and showing --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("3 business days", 3, "business days"),
        ("1 business day", 1, "business days"),
        ("90 minutes", 90, "minutes"),
        ("20 hours", 20, "hours"),
        ("  1   Week ", 1, "weeks"),
        ("3 months", 3, "months"),
        ("0", 0, "minutes"),
        ("0 minutes", 0, "minutes"),
        ("007 days", 7, "days"),
    ],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, amount: int, unit: str) -> None:
    assert parse_duration(text) == Duration(amount=amount, unit=unit)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("3 bussiness days", "did you mean `3 business days`?"),
        ("3d", "did you mean `3 days`?"),
        ("a week", "did you mean `1 week`?"),
        ("three working days", "did you mean `3 business days`?"),
        ("6 days 20 hours", "did you mean `164 hours`?"),
        ("1.5 days", "did you mean `36 hours`?"),
        ("1.5 months", "write one whole number and one unit"),
        ("3", "lacks a unit; did you mean `3 days`?"),
        ("-3 days", "say `before` or `after` instead of a sign"),
        ("2 fortnights", "one of minutes, hours, days, weeks, months, business days"),
        ("", "is not a duration"),
        ("99999999 days", "more than ten years"),
        ("9" * 5000 + " days", "more than ten years"),
        ("9" * 400 + ".5 days", "is not a duration"),
        ("٣ days", "is not a duration"),
    ],
)
def test_what_is_no_duration_is_answered_with_what_was_meant(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        parse_duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "2 hours before interview.starts_at",
        "5 business days after application.last_contact",
        "1 day before interview.starts_at at 09:00",
        "interview.starts_at at 09:00",
        "0 minutes before offer.expires_at",
        "1 month after candidate.available_from",
        "entered",
        "interview.booked_at",
        "candidate.before",
    ],
)
def test_a_moment_is_shown_as_it_was_written(text: str) -> None:
    assert show_moment(parse_moment(text, {"available_from", "before"})) == text


def test_a_bare_anchor_means_no_time_after_it() -> None:
    expected = Moment(offset=Duration(amount=0, unit="minutes"), before=False, anchor="entered")
    assert parse_moment("entered") == expected
    assert parse_moment("0 after entered") == expected


def test_spaces_a_short_hour_and_capital_words_are_forgiven() -> None:
    assert show_moment(parse_moment(" 2  Days BEFORE\tinterview.starts_at at 9:05")) == (
        "2 days before interview.starts_at at 09:05"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("3 days befor interview.starts_at", "did you mean `before`?"),
        ("3 days interview.starts_at", "does not say before or after what"),
        ("3 days before", "lacks what it hangs on"),
        ("before entered", "say how long before"),
        ("", "lacks what it hangs on"),
        ("3 days before interview.start", "did you mean `interview.starts_at`"),
        ("3 days before starts_at", "did you mean `interview.starts_at`?"),
        ("1 day before Offer.Expires_At", "did you mean `offer.expires_at`?"),
        ("2 days after offer.foo", "there are offer.expires_at, offer.sent_at"),
        ("2 days after candidate.avail_from", "did you mean `candidate.available_from`?"),
        ("2 days after candidate.github", "declare `github: date` under candidate_fields"),
        ("3 dayz after entered", "did you mean `3 days`?"),
        ("1 day after entered at 9am", "did you mean `at 09:00`?"),
        ("1 day after entered at 5.30 pm", "did you mean `at 17:30`?"),
        ("1 day after entered at 9", "did you mean `at 09:00`?"),
        ("1 day after entered at 24:00", "a day ends at 23:59"),
        ("1 day after entered at noon", "such as `at 09:00`"),
    ],
)
def test_what_is_no_moment_is_answered_in_one_helpful_sentence(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)) as problem:
        parse_moment(text, ["available_from"])
    assert "\n" not in str(problem.value)


durations = st.builds(Duration, amount=st.integers(0, 120), unit=st.sampled_from(UNITS))
moments = st.builds(
    Moment,
    offset=durations,
    before=st.booleans(),
    anchor=st.sampled_from(sorted(ANCHORS)),
    at=st.none() | st.builds(time, st.integers(0, 23), st.integers(0, 59)),
)


@given(moments)
def test_reading_what_was_shown_gives_the_same_moment(moment: Moment) -> None:
    assert parse_duration(show_duration(moment.offset)) == moment.offset
    assert parse_moment(show_moment(moment)) == moment


words = st.sampled_from(
    ["3", "0", "1.5", "days", "hour", "before", "after", "at", "09:00", "entered", "x", ".", "-"]
)


@given(st.text(max_size=30) | st.lists(words).map(" ".join))
def test_any_text_is_a_moment_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert parse_duration(text).unit in UNITS
    with suppress(ValueError):
        assert parse_moment(text).anchor in ANCHORS


def test_anchors_that_move_with_what_is_sent_are_known_as_such() -> None:
    assert DYNAMIC_ANCHORS < ANCHORS
    assert {name for name in ANCHORS if "last_contact" in name} < DYNAMIC_ANCHORS
    assert "promise.due" in DYNAMIC_ANCHORS
    assert "interview.starts_at" not in DYNAMIC_ANCHORS


# --- instants -------------------------------------------------------------------------------------


def test_days_keep_the_wall_clock_over_a_clock_change_and_hours_do_not() -> None:
    saturday = utc("2026-10-24T09:00")  # 10:00 in Lisbon, a day before the clocks go back
    assert shift(saturday, parse_duration("1 day"), calendar()) == utc("2026-10-25T10:00")
    assert shift(saturday, parse_duration("24 hours"), calendar()) == utc("2026-10-25T09:00")
    assert shift(utc("2026-10-25T10:00"), parse_duration("1 day"), calendar(), backwards=True) == (
        saturday
    )
    assert shift(saturday, parse_duration("2 weeks"), calendar()) == utc("2026-11-07T10:00")


@pytest.mark.parametrize(
    ("text", "anchor_at", "expected"),
    [
        # Tuesday 8 December 2026 is a holiday in Portugal; the 5th and 6th are a weekend.
        ("3 business days before interview.starts_at", "2026-12-10T15:30", "2026-12-04T15:30"),
        ("1 business day after entered", "2026-12-04T15:30", "2026-12-07T15:30"),
        ("2 business days after entered", "2026-12-04T15:30", "2026-12-09T15:30"),
        ("1 business day after entered", "2026-12-05T11:00", "2026-12-07T11:00"),
        ("1 business day before entered", "2026-12-06T11:00", "2026-12-04T11:00"),
        ("0 business days after entered", "2026-12-06T11:00", "2026-12-06T11:00"),
        ("1 day before interview.starts_at at 09:00", "2026-12-10T15:30", "2026-12-09T09:00"),
        ("interview.starts_at at 09:00", "2026-12-10T15:30", "2026-12-10T09:00"),
        ("1 month after entered", "2026-01-31T10:00", "2026-02-28T10:00"),
        ("2 months before entered", "2026-02-10T10:00", "2025-12-10T10:00"),
        ("90 minutes after interview.ends_at", "2026-12-10T23:30", "2026-12-11T01:00"),
    ],
)
def test_moments_count_in_the_candidates_calendar(text: str, anchor_at: str, expected: str) -> None:
    days = calendar(holidays={date(2026, 12, 8): "Imaculada Conceição"})
    assert derive(parse_moment(text), utc(anchor_at), days) == utc(expected)


def test_the_wall_clock_is_set_on_the_candidates_date_not_on_that_of_utc() -> None:
    # 04:00 UTC on the 10th is still 23:00 on the 9th in New York.
    moment = parse_moment("1 day before interview.starts_at at 09:00")
    at = derive(moment, utc("2026-12-10T04:00"), calendar("America/New_York"))
    assert at == utc("2026-12-08T14:00")


def test_no_time_at_all_leaves_even_the_second_of_two_equal_hours_alone() -> None:
    second = utc("2026-10-25T01:30")  # 01:30 in Lisbon, for the second time
    for unit in UNITS:
        assert shift(second, Duration(amount=0, unit=unit), calendar()) == second


def test_a_day_after_the_second_of_two_equal_hours_is_a_day_later_on_the_clock() -> None:
    second = utc("2026-10-25T01:30")
    assert shift(second, parse_duration("1 day"), calendar()) == utc("2026-10-26T01:30")
    # Coming onto two equal hours gives the first of them, whichever one it started from.
    fresh = Calendar(ZoneInfo.no_cache("Europe/Lisbon"), lambda _: None, "c-1")
    assert shift(second, parse_duration("53 weeks"), fresh) == utc("2027-10-31T00:30")
    day_after = utc("2026-10-26T01:30")
    assert shift(day_after, parse_duration("1 day"), calendar(), backwards=True) == utc(
        "2026-10-25T00:30"
    )


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text)  # as the file has it: without a zone


def still_so(change: datetime, zone: ZoneInfo, *offsets: str) -> bool:
    """Governments change their minds: not every change of the list is in the newest tzdata."""
    instants = (change - timedelta(seconds=1), change)
    return [at.astimezone(zone).utcoffset() for at in instants] == [
        timedelta(seconds=int(offset)) for offset in offsets
    ]


@pytest.mark.parametrize("kind", ["gap", "overlap"])
def test_a_step_set_inside_any_clock_change_fires_once_at_the_documented_instant(
    kind: str,
) -> None:
    seen = 0
    for zone, changed_at, before, after, offset_before, offset_after, what in TRANSITIONS:
        if what != kind:
            continue
        days = calendar(zone)
        change = datetime.fromisoformat(changed_at)
        if not still_so(change, days.zone, offset_before, offset_after):
            continue
        seen += 1
        if kind == "gap":
            # Skipped: from the second after `before` up to `after`, that one not included.
            begins, ends = wall(before) + timedelta(seconds=1), wall(after)
        else:
            begins, ends = wall(after), wall(before) + timedelta(seconds=1)
        step = timedelta(minutes=1)
        for inside in (begins, begins + (ends - begins) / 2, ends - step):
            moment = Moment(
                offset=Duration(amount=1, unit="days"),
                before=False,
                anchor="entered",
                at=inside.time(),
            )
            noon_before = days.instant(inside.date() - timedelta(days=1), time(12))
            at = derive(moment, noon_before, days)
            if kind == "gap":
                assert at == change, (zone, inside)
                assert at.astimezone(days.zone).replace(tzinfo=None) == wall(after)
            else:
                first = inside.replace(tzinfo=UTC) - timedelta(seconds=int(offset_before))
                assert at == first, (zone, inside)
                assert at < change
            # A daily step fires once for each date: never twice, never not at all.
            dates = [
                derive(moment, days.instant(inside.date() + timedelta(days=n), time(12)), days)
                for n in (-2, -1, 0)
            ]
            assert dates == sorted(set(dates))
            assert dates[1] == at
    assert seen > 1000


instants = st.integers(0, 7 * 365 * 24 * 60).map(
    lambda minutes: utc("2024-01-01T00:00") + timedelta(minutes=minutes)
)


@given(instants, durations, st.sampled_from(ZONES), st.booleans())
def test_shifting_goes_the_way_it_says_and_lands_on_the_same_clock(
    at: datetime, duration: Duration, zone: str, backwards: bool
) -> None:
    days = calendar(zone)
    shifted = shift(at, duration, days, backwards)
    assert shifted.tzinfo is UTC
    if not duration.amount:
        assert shifted == at
        return
    assert (shifted < at) is backwards
    if duration.unit in ("minutes", "hours"):
        assert abs(shifted - at) == timedelta(**{duration.unit: duration.amount})
        return
    here, there = at.astimezone(days.zone), shifted.astimezone(days.zone)
    naive = datetime.combine(there.date(), here.time())
    # The same wall clock, unless the clock skips that time: then it is just after a change.
    if there.replace(tzinfo=None, fold=0) != naive.replace(fold=0):
        minute_before = (shifted - timedelta(minutes=1)).astimezone(days.zone)
        assert there.utcoffset() > minute_before.utcoffset()
    assert shifted == derive(Moment(offset=duration, before=backwards, anchor="entered"), at, days)


@given(
    instants,
    st.integers(1, 60),
    st.sampled_from(ZONES),
    st.booleans(),
    st.sets(st.integers(-90, 90)),
)
def test_business_days_between_are_as_many_as_asked(
    at: datetime, amount: int, zone: str, backwards: bool, holidays: set[int]
) -> None:
    start = at.astimezone(ZoneInfo(zone)).date()
    days = calendar(zone, {start + timedelta(days=n): "holiday" for n in holidays})
    there = shift(at, Duration(amount=amount, unit="business days"), days, backwards)
    # Just after a skipped midnight the date is still the one asked for, so dates can be counted.
    end = there.astimezone(days.zone).date()
    assert days.is_business_day(end)
    step = -1 if backwards else 1
    passed = (start + timedelta(days=n * step) for n in range(1, abs((end - start).days) + 1))
    assert sum(days.is_business_day(day) for day in passed) == amount


@given(
    st.sampled_from([utc("9999-12-31T23:59"), utc("0001-01-01T00:00"), LATEST, EARLIEST]),
    st.builds(Duration, amount=st.integers(1, 3660), unit=st.sampled_from(UNITS)),
    st.sampled_from(ZONES),
    st.booleans(),
)
def test_never_is_an_instant_one_can_calculate_with(
    at: datetime, duration: Duration, zone: str, before: bool
) -> None:
    moment = Moment(offset=duration, before=before, anchor="entered", at=time(9))
    assert derive(moment, at, calendar(zone)).tzinfo is UTC


def test_a_calendar_without_business_days_still_comes_to_an_end() -> None:
    endless = Calendar(ZoneInfo("Europe/Lisbon"), lambda _: "holiday", "c-1")
    assert shift(utc("2026-12-01T10:00"), parse_duration("1 business day"), endless) > utc(
        "2027-12-01T10:00"
    )
