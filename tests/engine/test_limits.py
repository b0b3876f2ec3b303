"""Limits that processes share, and domains that asked us to slow down, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from nurture.config import load_config
from nurture.engine.limits import Limits, domain_of
from nurture.store import throttles

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def limits(tmp_path):
    def read(text):
        (tmp_path / "config.yaml").write_text(text)
        return Limits(load_config(tmp_path / "config.yaml", {}))

    return read


def take(limits, database, domains, now=NOW):
    with database.write() as connection:
        said = limits.take(connection, dict(enumerate(domains)), now)
    return [said[id_] for id_ in range(len(domains))]


def slow(limits, database, domain, now=NOW):
    with database.write() as connection:
        limits.slow(connection, domain, now, "421 4.7.28 too fast")


def went_well(limits, database, domains, now):
    with database.write() as connection:
        limits.went_well(connection, domains, now)


def test_without_limits_all_go_and_one_look_is_all_it_costs(limits, database):
    free, asked = limits(""), []
    event.listen(database.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    with database.write() as connection:
        asked.clear()
        said = free.take(connection, {n: f"d{n}.test" for n in range(200)}, NOW)
        assert len(asked) == 1
        free.went_well(connection, [f"d{n}.test" for n in range(200)], NOW)
        assert len(asked) == 2
    assert set(said.values()) == {None}


def test_what_is_over_the_limit_is_told_when_and_may_go_then(limits, database):
    slowly = limits("limits: {everything: 2 per minute}")
    said = take(slowly, database, ["a.test", "b.test", "c.test"])
    assert said == [None, NOW + MINUTE / 2, NOW + MINUTE]
    assert take(slowly, database, ["b.test"], NOW + MINUTE / 2 - MINUTE / 60) != [None]
    assert take(slowly, database, ["b.test"], NOW + MINUTE / 2) == [None]


def test_two_processes_share_one_limit(limits, database):
    one, other = (limits("limits: {everything: 40 per hour}") for _ in range(2))
    assert take(one, database, ["a.test"] * 3).count(None) == 3
    assert take(other, database, ["a.test"] * 3).count(None) == 2


def test_a_domain_at_its_limit_holds_up_no_other_and_takes_nothing_of_theirs(limits, database):
    mixed = limits(
        "limits: {everything: 100 per day, each_domain: 10 per day,"
        " domains: {gmail.com: 1 per day}}"
    )
    said = take(mixed, database, ["Gmail.com"] * 50 + ["a.test", "a.test", "a.test", "b.test"])
    assert [at is None for at in said] == [True, *[False] * 49, True, True, False, True]


def test_a_warm_up_counts_the_calendar_day_and_begins_anew_on_the_next(limits, database):
    warm = limits(
        "timezone: Asia/Tokyo\nlimits: {warm_up: {from: 2026-12-01, first_day: 2, times: 1.5}}"
    )
    midnight = datetime(2026, 12, 1, 15, tzinfo=UTC)
    assert take(warm, database, ["a.test"]) == [None]
    assert take(warm, database, ["a.test", "b.test"]) == [None, midnight]
    later = midnight + MINUTE
    assert take(warm, database, ["a.test"] * 4, later).count(None) == 3


def test_a_domain_that_asks_for_it_is_slowed_for_all_and_longer_each_time(limits, database):
    one, other = limits(""), limits("")
    slow(one, database, "gmail.com")
    slow(one, database, "GMAIL.com")  # of the same window: counts once
    until = NOW + 5 * MINUTE
    said = take(other, database, ["a.test", "gmail.com", "gmail.com"])
    assert said == [None, until, until + MINUTE]
    slow(one, database, "gmail.com", until)
    assert take(other, database, ["gmail.com"], until) == [until + 10 * MINUTE]


def test_after_a_slow_down_one_mail_a_minute_shows_whether_it_is_better(limits, database):
    free = limits("")
    slow(free, database, "gmail.com")
    until = NOW + 5 * MINUTE
    went_well(free, database, ["gmail.com"], NOW)  # accepted before it was said
    assert take(free, database, ["gmail.com"] * 3, until) == [None, *[until + MINUTE] * 2]
    assert take(free, database, ["gmail.com"], until + MINUTE / 2) == [until + MINUTE]
    went_well(free, database, ["a.test", "gmail.com"], until)
    assert take(free, database, ["gmail.com"] * 3, until) == [None] * 3
    with database.read() as connection:
        (meter,) = throttles.known(connection)
    assert (meter.slowed, meter.slow_until) == (0, None)


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("Ana@GMail.com", "gmail.com"),
        ("zoë@Bücher.example", "xn--bcher-kva.example"),
        ("a@" + "ü" * 80, "ü" * 80),
        ("", ""),
    ],
)
def test_a_domain_is_known_by_the_name_that_envelopes_use(address, domain):
    assert domain_of(address) == domain


def test_the_meters_of_many_domains_are_one_statement_a_chunk(limits, database):
    each = limits("limits: {each_domain: 1 per day}")
    domains = [f"d{n}.test" for n in range(600)]
    assert set(take(each, database, domains)) == {None}
    assert None not in take(each, database, domains)
