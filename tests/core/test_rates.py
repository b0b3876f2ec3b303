"""How fast mail may go: exact in any span, and a warm-up by calendar days."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nurture.core.rates import Days, Gate, Rate, Toll, WarmUp, parse_rate, slowed_for

START = datetime(2026, 12, 1, 9, tzinfo=UTC)
UNITS = [timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)]

rates = st.builds(
    lambda at_most, per: Rate(at_most=at_most, per=per),
    st.integers(1, 400),
    st.sampled_from(UNITS),
)


@pytest.mark.parametrize("text", ["20 per second", "20 a second", " 20 per second "])
def test_a_rate_is_read_as_people_write_it(text):
    assert parse_rate(text) == Rate(at_most=20, per=timedelta(seconds=1))


@pytest.mark.parametrize(
    "text", ["20", "0 per day", "per day", "1.5 per day", "-1 per day", "2 per 1"]
)
def test_what_is_no_rate_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="20 per second"):
        parse_rate(text)


@given(rates, st.lists(st.floats(0, 0.4), min_size=1, max_size=300))
def test_in_no_span_do_more_leave_than_the_rate_says(rate, pauses):
    gate = Gate(rate=rate, next_at=START)
    now, left = START, []
    for pause in pauses:
        now += rate.per * pause / 10
        if gate.opens() <= now:
            gate.let_through(now)
            left.append(now)
    for index, first in enumerate(left):
        assert sum(first <= at < first + rate.per for at in left[index:]) <= rate.at_most


@given(rates)
def test_at_most_one_and_a_tenth_leave_at_once(rate):
    gate, at_once = Gate(rate=rate, next_at=START), 0
    while gate.opens() <= START:
        gate.let_through(START)
        at_once += 1
    assert at_once == 1 + rate.at_most // 10


@given(rates, st.integers(1, 60))
def test_what_waits_may_go_at_the_time_it_was_told(rate, number):
    toll = Toll(everything=Gate(rate=rate, next_at=START))
    told = []
    for _ in range(number):
        told.append(at := toll.opens("a.test", START))
        toll.let_through("a.test", at)
    assert told == sorted(told)
    real = Gate(rate=rate, next_at=START)
    for at in told:
        assert real.opens() <= at
        real.let_through(at)


def test_a_warm_up_grows_from_day_to_day_and_ends_in_no_limit():
    warm_up = WarmUp(from_=date(2026, 12, 1), first_day=200, times=1.5)
    days = [warm_up.at_most(date(2026, 11, 30) + timedelta(days=n)) for n in range(5)]
    assert days == [200, 200, 300, 450, 675]
    assert warm_up.at_most(date(9999, 1, 1)) == 10**9
    assert WarmUp(from_=date(2026, 12, 1), first_day=7, times=1).at_most(date(2036, 1, 1)) == 7


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Europe/Lisbon", datetime(2026, 12, 2, tzinfo=UTC)),
        ("Asia/Tokyo", datetime(2026, 12, 1, 15, tzinfo=UTC)),
    ],
)
def test_what_is_over_a_day_of_the_warm_up_waits_for_the_next_one_there(zone, midnight):
    warm_up = WarmUp(from_=date(2026, 12, 1), first_day=2, times=1.5)
    days = Days(warm_up=warm_up, zone=ZoneInfo(zone), day=date(2026, 12, 1))
    told = []
    for _ in range(6):
        told.append(at := days.opens(START))
        days.let_through(at)
    assert told[:2] == [START, START]
    assert told[2:5] == [midnight] * 3
    assert told[5] == midnight + timedelta(days=1)


def test_a_slow_domain_waits_longer_each_time_but_not_for_ever():
    minutes = [slowed_for(times) / timedelta(minutes=1) for times in (1, 2, 3, 4, 5, 6, 7, 99)]
    assert minutes == [5, 10, 20, 40, 80, 160, 240, 240]
