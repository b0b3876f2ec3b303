"""Caps and zones: promises that keep other engines' bugs out, each named by its public issue.

Pure: one candidate, one planning. What needs an engine is in tests/engine.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from nurture.core.agenda import Agenda, Item, Ledger, Policy, Recipient, plan
from nurture.core.caps import Cap
from nurture.core.hours import Calendar, Openings, Pattern
from nurture.core.journey import Key, Want
from nurture.core.model import (
    Campaign,
    CampaignStatus,
    Candidate,
    Category,
    Contact,
    Enrollment,
    Enter,
    Hours,
    MessageClass,
    Reason,
    Step,
    Subject,
    Truth,
    Verdict,
)
from nurture.core.timing import derive, parse_duration, parse_moment, shift

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
SERVICE, NURTURE = MessageClass.SERVICE, MessageClass.NURTURE
CATEGORIES = {
    "receipt": Category(
        name="receipt", klass=SERVICE, priority=95, capped=False, hours=Hours.ANY, bundle=False
    ),
    "help": Category(name="help", klass=SERVICE, priority=50, hours=Hours.ANY, bundle=False),
    "culture": Category(name="culture", klass=NURTURE, priority=20, hours=Hours.ANY, bundle=False),
}
CAMPAIGN = Campaign(
    name="any", title="Any", status=CampaignStatus.LIVE, enter=Enter(on="application.created")
)
ANA = Candidate(id=1, ref="c1", email="ana@example.com")


def want(number: int, category: str, moment_at: datetime = NOW) -> Want:
    return Want(
        key=Key(enrollment_id=number, step=f"s{number}", occurrence="1"),
        campaign=CAMPAIGN,
        step=Step(id=f"s{number}", send=f"t{number}", category=category),
        enrollment=Enrollment(
            id=number,
            candidate_id=1,
            campaign="any",
            subject=Subject(),
            about="candidate:1",
            entered_at=NOW,
        ),
        moment_at=moment_at,
        known_at=NOW,
        truth=Truth(value=True),
    )


def had(category: str, at: datetime) -> Contact:
    return Contact(at=at, category=category, klass=CATEGORIES[category].klass)


def decide(
    wanted: Sequence[Want],
    caps: Sequence[Cap],
    contacts: Sequence[Contact] = (),
    *,
    now: datetime = NOW,
    candidate: Candidate = ANA,
    zone: str = "Europe/Lisbon",
) -> Agenda:
    calendar = Calendar(zone=ZoneInfo(zone), holidays=lambda _: None, key="c1")
    policy = Policy(
        categories=CATEGORIES,
        caps=caps,
        hours=dict.fromkeys(Hours),
        max_wait=timedelta(days=365),
    )
    recipient = Recipient(candidate=candidate, calendar=calendar)
    return plan(recipient, wanted, Ledger(contacts=contacts), policy, now)


def only(agenda: Agenda) -> Item:
    (item,) = agenda.items
    return item


def instants(agenda: Agenda) -> list[datetime]:
    return [item.at for item in agenda.items if item.at is not None]


# --- caps ------------------------------------------------------------------------------------


def test_a_capped_mail_waits_until_the_first_place_is_free_and_no_whole_period() -> None:
    """Mautic PR #4761: three a week made a mail wait three weeks, whenever a place became free."""
    contacts = [had("help", NOW - WEEK + HOUR), had("help", NOW - DAY), had("help", NOW - HOUR)]
    item = only(decide([want(1, "culture")], [Cap(3, WEEK)], contacts))
    assert (item.verdict, item.reason, item.at) == (Verdict.WAIT, Reason.CAP, NOW + HOUR)


def test_capped_mails_are_spaced_out_and_none_is_lost_or_lands_with_another() -> None:
    """Mautic PR #2549 (capped mails vanish), and its queue puts all that waits on one later day."""
    agenda = decide([want(number, "culture") for number in range(1, 8)], [Cap(1, WEEK)])
    times = instants(agenda)
    assert len(times) == 7
    assert [later - earlier for earlier, later in pairwise(times)] == [WEEK] * 6


def test_a_mail_that_waited_often_still_goes_when_there_is_room() -> None:
    """Mautic #7724 and #6261: after three attempts it stays queued for ever."""
    caps, contacts, at = [Cap(1, DAY)], [had("help", NOW - HOUR)], NOW
    for _ in range(10):  # ten times something more necessary comes first
        item = only(decide([want(1, "culture")], caps, contacts, now=at))
        assert item.verdict is Verdict.WAIT
        assert item.at is not None
        at = item.at
        contacts = [*contacts, had("help", at - timedelta(minutes=1))]
    assert only(decide([want(1, "culture")], caps, contacts, now=at + DAY)).verdict is Verdict.SEND


def test_a_cap_of_nothing_is_refused_instead_of_meaning_something() -> None:
    """Mautic #10416 and #10753: an empty or zero cap was in force."""
    with pytest.raises(ValueError, match="use a pause instead"):
        Cap(0, DAY)


def test_of_two_campaigns_the_more_necessary_one_gets_the_place() -> None:
    """Mautic #1784: asked for since 2016. cue-notify: whoever planned first wins."""
    agenda = decide([want(1, "culture"), want(2, "help", NOW + HOUR)], [Cap(1, DAY)])
    told = {item.step.id: (item.reason, item.at) for item in agenda.items}
    assert told["s2"] == (Reason.SCHEDULED, NOW + HOUR)
    assert told["s1"] == (Reason.SLOT_RESERVED, NOW + HOUR + DAY)


def test_mail_about_the_own_process_is_stopped_by_no_cap_and_no_unsubscribing() -> None:
    """Mautic PR #15995, #2320, #6514: truly transactional mail is blocked by marketing's rules."""
    gone = Candidate(id=1, ref="c1", email="ana@example.com", unsubscribed=frozenset({"all"}))
    contacts = [had("help", NOW - HOUR * number) for number in range(1, 9)]
    wanted = [want(1, "receipt"), want(2, "culture")]
    agenda = decide(wanted, [Cap(1, WEEK)], contacts, candidate=gone)
    told = {item.step.id: (item.verdict, item.reason) for item in agenda.items}
    assert told["s1"] == (Verdict.SEND, Reason.DUE)
    assert told["s2"] == (Verdict.SKIP, Reason.UNSUBSCRIBED)


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Tokyo", "Pacific/Chatham"])
def test_two_mails_around_anybodys_midnight_are_two_in_a_day(zone: str) -> None:
    """Braze counts calendar days, so 23:30 and 00:30 both pass; Iterable's counter falls to nothing
    at midnight in the project's zone."""
    midnight = datetime(2026, 11, 24, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    before, after = midnight - timedelta(minutes=30), midnight + timedelta(minutes=30)
    agenda = decide(
        [want(1, "culture", after)], [Cap(1, DAY)], [had("help", before)], now=after, zone=zone
    )
    assert only(agenda).at == before + DAY


def test_a_window_lets_in_exactly_as_many_as_it_says_and_the_next_when_it_has_slid_on() -> None:
    """listmonk #2184, #2894: its sliding window is off by one; #2622: it sleeps for ever."""
    for number in (1, 2, 5):
        contacts = [had("help", NOW - HOUR * (each + 1)) for each in range(number)]
        cap = [Cap(number, DAY)]
        assert only(decide([want(1, "culture")], cap, contacts[1:])).verdict is Verdict.SEND
        oldest = min(contact.at for contact in contacts)
        assert only(decide([want(1, "culture")], cap, contacts)).at == oldest + DAY


def test_many_that_are_due_at_once_overshoot_no_window() -> None:
    """listmonk #2816, PR #2974: a limit for each worker is that limit times the workers. Here they
    are placed one after the other."""
    times = instants(decide([want(n, "help") for n in range(1, 13)], [Cap(2, DAY), Cap(5, WEEK)]))
    assert len(times) == 12
    assert all(later - first >= DAY for first, later in zip(times, times[2:], strict=False))
    assert all(later - first >= WEEK for first, later in zip(times, times[5:], strict=False))


def test_what_is_over_a_limit_waits_and_is_not_dropped() -> None:
    """Novu's throttle skips the excess; cue-notify suppresses it. Dittofeed declares a rate limit
    whose executor logs "un-implemented", whereupon the person leaves."""
    item = only(decide([want(1, "culture")], [Cap(1, DAY)], [had("help", NOW - HOUR)]))
    assert (item.verdict, item.reason, item.final) == (Verdict.WAIT, Reason.CAP, False)


def test_a_moment_in_the_past_has_a_verdict_and_is_no_error() -> None:
    """Novu #4748: a delay that lies in the past fails the whole run."""
    item = only(decide([want(1, "culture", NOW - 90 * DAY)], []))
    assert (item.verdict, item.at) == (Verdict.SEND, NOW)


# --- zones and clocks ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "weekday", "clock", "asked"),
    [
        ("America/Los_Angeles", 0, time(20), datetime(2026, 10, 28, 12, tzinfo=UTC)),
        ("Asia/Tokyo", 0, time(8), datetime(2026, 10, 28, 12, tzinfo=UTC)),
        ("Europe/Berlin", 0, time(9), datetime(2026, 10, 23, 12, tzinfo=UTC)),
        ("Europe/Berlin", 0, time(9), datetime(2027, 3, 26, 12, tzinfo=UTC)),
    ],
)
def test_monday_at_nine_is_monday_at_nine_where_they_are(
    zone: str, weekday: int, clock: time, asked: datetime
) -> None:
    """Dittofeed `findNextLocalizedTimeInner`: Monday 20:00 in Los Angeles became Sunday, Monday
    08:00 in Tokyo Tuesday, and Monday 09:00 in Berlin 08:00 across the change of the clock."""
    calendar = Calendar(zone=ZoneInfo(zone), holidays=lambda _: None, key="c1")
    closes = time(clock.hour + 1)
    pattern = Pattern(days=frozenset({weekday}), opens=clock, closes=closes)
    at = Openings(calendar, pattern).next_open(asked)
    assert at is not None
    local = at.astimezone(ZoneInfo(zone))
    assert (local.weekday(), local.time()) == (weekday, clock)
    assert timedelta(0) <= at - asked <= WEEK


def test_a_window_over_midnight_is_the_night_and_not_the_day() -> None:
    """Mautic `Scheduler/Mode/Interval.php`: 22:00-06:00 was swapped into 06:00-22:00."""
    pattern = Pattern(days=frozenset(range(7)), opens=time(22), closes=time(6))
    calendar = Calendar(zone=ZoneInfo("Europe/Lisbon"), holidays=lambda _: None, key="c1")
    night = Openings(calendar, pattern)
    assert night.is_open(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    assert night.is_open(datetime(2026, 11, 24, 5, 59, tzinfo=UTC))
    assert night.next_open(datetime(2026, 11, 24, 6, 0, tzinfo=UTC)) == (
        datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    )


@pytest.mark.parametrize("zone", ["Europe/Lisbon", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("day", [datetime(2027, 3, 14), datetime(2027, 3, 28)])  # noqa: DTZ001
def test_the_next_open_instant_is_open_whatever_the_clock_does_that_night(
    zone: str, day: datetime
) -> None:
    """Mautic PR #11602, #10723: around a change of the clock it rescheduled each hour, for ever."""
    calendar = Calendar(zone=ZoneInfo(zone), holidays=lambda _: None, key="c1")
    openings = Openings(calendar, Pattern(days=frozenset(range(7)), opens=time(2), closes=time(3)))
    start = day.replace(tzinfo=UTC) - DAY
    for quarter in range(4 * 72):
        asked = start + timedelta(minutes=15 * quarter)
        at = openings.next_open(asked)
        assert at is not None
        assert at >= asked
        assert openings.next_open(at) == at
        assert at - asked <= 2 * DAY


def test_a_day_is_a_day_of_the_candidates_clock() -> None:
    """Notifuse and Laudspeaker count n times 24 hours, or an offset frozen at setting up."""
    berlin = Calendar(zone=ZoneInfo("Europe/Berlin"), holidays=lambda _: None, key="c1")
    saturday = datetime(2026, 10, 24, 9, 0, tzinfo=berlin.zone).astimezone(UTC)
    after = shift(saturday, parse_duration("2 days"), berlin)
    assert after.astimezone(berlin.zone).time() == time(9)
    assert after - saturday == timedelta(hours=49)


def test_a_moment_is_the_one_that_is_written_and_not_now() -> None:
    """Parcelvoy `JourneyDelay.parseJson` never read the date, so "until that day" was now."""
    lisbon = Calendar(zone=ZoneInfo("Europe/Lisbon"), holidays=lambda _: None, key="c1")
    starts_at = NOW + 9 * DAY
    moment = parse_moment("2 days before interview.starts_at")
    assert derive(moment, starts_at, lisbon) == starts_at - 2 * DAY


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"])
def test_an_anniversary_is_on_its_day_where_they_are(zone: str) -> None:
    """Mautic #306, #9040: anniversaries a day off."""
    there = Calendar(zone=ZoneInfo(zone), holidays=lambda _: None, key="c1")
    started = datetime(2026, 2, 28, 0, 0, tzinfo=there.zone).astimezone(UTC)
    moment = parse_moment("12 months after application.start_date at 09:00")
    at = derive(moment, started, there).astimezone(there.zone)
    assert (at.year, at.month, at.day, at.hour) == (2027, 2, 28, 9)
