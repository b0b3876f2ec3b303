"""What a candidate's own story does to their mail: pace, follow-ups, tone, special care, hours."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nurture.core.agenda import FollowUps, Item, Ledger, Policy, Recipient, Story, plan, story
from nurture.core.hours import ANY, Calendar, Never, Pattern
from nurture.core.journey import Key, Want
from nurture.core.model import (
    Application,
    Campaign,
    CampaignStatus,
    Candidate,
    Category,
    Contact,
    Enrollment,
    Enter,
    Facts,
    Hours,
    MessageClass,
    Offer,
    Pace,
    Reason,
    Repeat,
    Step,
    Subject,
    Tone,
    Verdict,
    WeekHours,
    Wishes,
)

MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SERVICE, NURTURE = MessageClass.SERVICE, MessageClass.NURTURE
CATEGORIES = {
    each.name: each
    for each in (
        Category(name="logistics", klass=SERVICE, priority=100, capped=False, hours=Hours.WIDE),
        Category(name="receipt", klass=SERVICE, priority=95, capped=False, hours=Hours.ANY),
        Category(name="help", klass=SERVICE, priority=50),
        Category(name="check-in", klass=NURTURE, priority=40, follow_up=True),
        Category(name="culture", klass=NURTURE, priority=20),
    )
}
POLICY = Policy(
    categories=CATEGORIES,
    hours={
        Hours.CONTACT: Pattern(frozenset(range(5)), time(8, 30), time(18, 30)),
        Hours.WIDE: Pattern(frozenset(range(7)), time(7), time(21)),
        Hours.ANY: ANY,
    },
    follow_ups=FollowUps(in_process=2, outreach=4, then_quiet=90 * DAY),
    cheerful_after_bad_news=14 * DAY,
)
CAMPAIGN = Campaign(
    name="any", title="Any", status=CampaignStatus.LIVE, enter=Enter(on="application.created")
)
ANA = Candidate(id=1, ref="c1", email="ana@example.com")


def asked_for(**wishes: Any) -> Candidate:
    return replace(ANA, wishes=Wishes(**wishes))


def want(
    category: str = "culture", at: datetime = MONDAY, until: datetime | None = None, **step: Any
) -> Want:
    return Want(
        key=Key(enrollment_id=1, step=step.get("send", "t"), occurrence="1"),
        campaign=CAMPAIGN,
        step=Step(id="s", category=category, **{"send": "t", **step}),
        enrollment=Enrollment(
            id=1,
            candidate_id=1,
            campaign="any",
            subject=Subject(),
            about="candidate:1",
            entered_at=at,
        ),
        moment_at=at,
        known_at=at,
        until=until,
    )


def decide(
    *wants: Want,
    of: Candidate = ANA,
    told: Story | None = None,
    ledger: Ledger | None = None,
    now: datetime = MONDAY,
    policy: Policy = POLICY,
) -> list[Item]:
    calendar = Calendar(zone=ZoneInfo("Europe/Lisbon"), holidays=lambda _: None, key="c1")
    recipient = Recipient(candidate=of, calendar=calendar, story=told or Story())
    agenda = plan(recipient, wants, ledger or Ledger(), policy, now)
    order = [one.key for one in wants]
    return sorted(agenda.items, key=lambda item: order.index(item.key))


def contact(category: str, at: datetime, template: str = "other") -> Contact:
    klass = CATEGORIES[category].klass
    return Contact(at=at, category=category, klass=klass, template=template, campaign="before")


# --- pace -----------------------------------------------------------------------------------------


def test_twice_a_week_lets_two_through_and_the_third_a_week_after_the_first() -> None:
    items = decide(
        *(want("help", send=f"t{n}") for n in range(3)), of=asked_for(pace=Pace.TWICE_A_WEEK)
    )
    assert [item.verdict for item in items] == [Verdict.SEND, Verdict.SEND, Verdict.WAIT]
    assert (items[2].reason, items[2].at) == (Reason.PACE, MONDAY + 6 * DAY + 22.5 * HOUR)
    assert items[2].detail["pace"] == "twice_a_week"


@pytest.mark.acceptance("A8.3")
def test_a_weekly_pace_has_its_weekday_and_counts_nothing_that_could_not_wait() -> None:
    ledger = Ledger(contacts=[contact("logistics", MONDAY - HOUR)])
    chosen = asked_for(pace=Pace.WEEKLY, pace_day=3)
    item, urgent = decide(want(), want("logistics", send="now"), of=chosen, ledger=ledger)
    assert urgent.verdict is Verdict.SEND
    assert item.at == datetime(2026, 11, 26, 8, 30, tzinfo=UTC)
    assert item.reason is Reason.PACE


def test_a_weekly_pace_on_a_day_without_hours_takes_the_next_that_has_some() -> None:
    (item,) = decide(want(), of=asked_for(pace=Pace.WEEKLY, pace_day=6))
    assert item.verdict is Verdict.SEND, "no office is open on Sundays: Mondays, then"


def test_only_what_matters_drops_what_could_wait_for_good_once_it_is_due() -> None:
    candidate = asked_for(pace=Pace.ONLY_WHAT_MATTERS)
    now, later, urgent = decide(
        want(), want("help", MONDAY + DAY, send="later"), want("logistics", send="u"), of=candidate
    )
    assert (now.verdict, now.reason, now.final) == (Verdict.SKIP, Reason.PACE, True)
    assert (later.verdict, later.reason, later.final) == (Verdict.SKIP, Reason.PACE, False)
    assert urgent.verdict is Verdict.SEND


# --- follow-ups -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("in_process", "ceiling"), [(True, 2), (False, 4)])
def test_who_does_not_answer_is_left_in_peace(in_process: bool, ceiling: int) -> None:
    asked = [contact("check-in", MONDAY - (n + 1) * DAY) for n in range(ceiling)]
    told = Story(in_process=in_process)
    assert decide(want("check-in"), told=told, ledger=Ledger(contacts=asked[1:]))[0].at == MONDAY
    (item,) = decide(
        want("check-in", until=MONDAY + 200 * DAY), told=told, ledger=Ledger(contacts=asked)
    )
    assert item.reason is Reason.FOLLOW_UPS
    assert item.detail["until"] == (MONDAY + 89 * DAY).isoformat()
    assert item.at == datetime(2027, 2, 22, 8, 30, tzinfo=UTC), "the Monday after"
    assert item.detail["ceiling"] == ceiling


def test_an_answer_begins_the_count_anew() -> None:
    asked = [contact("check-in", MONDAY - n * DAY) for n in (1, 2, 3)]
    told = Story(in_process=True, heard_at=MONDAY - 2.5 * DAY)
    assert decide(want("check-in"), told=told, ledger=Ledger(contacts=asked))[0].at != MONDAY
    told = replace(told, heard_at=MONDAY - 1.5 * DAY)
    assert decide(want("check-in"), told=told, ledger=Ledger(contacts=asked))[0].at == MONDAY


# --- texts ----------------------------------------------------------------------------------------


def test_a_text_is_read_once_unless_it_repeats_or_asks_again() -> None:
    told = Story(received={"t": contact("culture", MONDAY - DAY, "t")})
    (item,) = decide(want(), told=told)
    assert (item.verdict, item.reason, item.final) == (Verdict.SKIP, Reason.ALREADY_SENT, True)
    assert item.detail == {"campaign": "before", "at": "2026-11-22T10:00:00+00:00"}
    for again in (want(repeat=Repeat()), want("check-in"), want("help")):
        assert decide(again, told=told)[0].verdict is Verdict.SEND
    ahead = decide(want(at=MONDAY + DAY), told=told)[0]
    assert (ahead.verdict, ahead.final) == (Verdict.SKIP, False)


def test_a_text_that_a_repeating_mail_brings_first_is_not_foretold_again() -> None:
    repeats = want(repeat=Repeat(), at=MONDAY)
    later = want(at=MONDAY + 9 * DAY)._replace(key=Key(enrollment_id=2, step="s", occurrence="1"))
    first, second = decide(repeats, later)
    assert first.verdict is Verdict.SEND
    assert (second.verdict, second.reason, second.final) == (
        Verdict.SKIP,
        Reason.ALREADY_SENT,
        False,
    )
    # The other way round both are read: what repeats may.
    once, again = decide(
        later._replace(moment_at=MONDAY), repeats._replace(moment_at=MONDAY + 9 * DAY)
    )
    assert (once.verdict, again.verdict) == (Verdict.SEND, Verdict.WAIT)


def test_two_campaigns_with_one_text_bring_it_once() -> None:
    twin = want()._replace(key=Key(enrollment_id=2, step="s", occurrence="1"))
    first, second = decide(want(), twin)
    assert first.verdict is Verdict.SEND
    assert (second.verdict, second.reason) == (Verdict.SKIP, Reason.ALREADY_SENT)
    assert not second.final, "the first may yet fail"


def test_a_stale_text_goes_to_nobody_from_midnight_where_they_are() -> None:
    fresh = want("help", fresh_until=date(2026, 11, 23))
    friday = want("help", MONDAY + 4 * DAY, send="party", fresh_until=date(2026, 11, 28))
    assert decide(fresh)[0].verdict is Verdict.SEND
    (item,) = decide(fresh, now=MONDAY + 14 * HOUR)
    assert (item.verdict, item.reason, item.final) == (Verdict.SKIP, Reason.STALE, True)
    assert item.detail == {"fresh_until": "2026-11-23"}
    assert decide(friday)[0].until == datetime(2026, 11, 28, 23, 59, 59, tzinfo=UTC)


# --- tone and special care ------------------------------------------------------------------------


@pytest.mark.acceptance("A5.1")
def test_no_cheer_for_two_weeks_after_bad_news_in_any_application() -> None:
    bad_news_at = MONDAY - 3 * DAY
    told = story(
        Facts(
            candidate=ANA,
            applications={
                "a": Application(
                    ref="a", candidate_id=1, rejected_at=bad_news_at, status="rejected"
                ),
                "b": Application(ref="b", candidate_id=1, stage="interviewing"),
            },
        )
    )
    cheer, plain = decide(want(tone=Tone.CHEERFUL), want("help", send="plain"), told=told)
    assert (cheer.reason, cheer.at) == (Reason.TONE, datetime(2026, 12, 4, 10, tzinfo=UTC))
    assert set(cheer.detail) == {"until"}, "which application it was is nobody's business"
    assert plain.verdict is Verdict.SEND


def test_nor_any_nurture_mail_where_the_house_wants_that() -> None:
    bad_news_at = MONDAY - 3 * DAY
    both = want("culture"), want("help", send="plain")
    policy = replace(POLICY, nurture_after_bad_news=14 * DAY)
    culture, plain = decide(*both, told=Story(bad_news_at=bad_news_at), policy=policy)
    assert (culture.reason, culture.at) == (Reason.TONE, datetime(2026, 12, 4, 10, tzinfo=UTC))
    assert plain.verdict is Verdict.SEND
    for at_once in decide(*both, told=Story(bad_news_at=bad_news_at)):
        assert at_once.verdict is Verdict.SEND


def test_bad_news_does_not_come_in_the_hours_in_which_the_house_sends_none() -> None:
    never = Never(tone=Tone.GRAVE, days=frozenset({4}), from_=time(12), to=None)
    policy = replace(POLICY, never=(never,))
    calendar = Calendar(zone=ZoneInfo("Europe/Lisbon"), holidays=lambda _: None, key="c1")
    friday = MONDAY + 4 * DAY
    friday += timedelta(hours=15 - friday.hour)
    wanted = [
        want("help", friday, tone=tone, send=tone.value) for tone in (Tone.GRAVE, Tone.NEUTRAL)
    ]
    agenda = plan(Recipient(candidate=ANA, calendar=calendar), wanted, Ledger(), policy, friday)
    usual, grave = agenda.items
    assert (usual.verdict, usual.at) == (Verdict.SEND, friday)
    opens = calendar.instant(date(2026, 11, 30), time(8, 30))
    assert (grave.verdict, grave.reason, grave.at) == (Verdict.WAIT, Reason.TONE, opens)


def test_bad_news_is_a_rejection_a_closed_job_and_an_offer_taken_back() -> None:
    at = {n: MONDAY - n * DAY for n in range(1, 4)}
    application = Application(ref="a", candidate_id=1, rejected_at=at[3], closed_at=at[2])
    offer = Offer(ref="o", candidate_id=1, withdrawn_at=at[1])
    facts = Facts(candidate=ANA, applications={"a": application})
    assert story(facts).bad_news_at == at[2]
    assert story(replace(facts, offers={"o": offer})).bad_news_at == at[1]


def test_special_care_holds_nurture_and_has_the_rest_looked_at() -> None:
    until = MONDAY + 30 * HOUR
    candidate = asked_for(sensitive_until=until)
    culture, cheer, plain = decide(
        want(),
        want("help", send="cheer", tone=Tone.CHEERFUL),
        want("help", send="plain"),
        of=candidate,
    )
    assert [(each.reason, each.at) for each in (culture, cheer)] == [(Reason.SENSITIVE, until)] * 2
    assert (plain.verdict, plain.reason) == (Verdict.WAIT, Reason.APPROVAL)
    approved = Ledger(approved=frozenset({plain.key}))
    (item,) = decide(want("help", send="plain"), of=candidate, ledger=approved)
    assert item.verdict is Verdict.SEND
    (item,) = decide(want("help", send="plain"), of=candidate, now=until)
    assert item.verdict is Verdict.SEND, "nobody has to look at it any more"


# --- their own hours ------------------------------------------------------------------------------

EVENINGS = WeekHours(days=frozenset({0, 1}), from_=time(18), to=None, text="after 18:00")
SCHOOL = WeekHours(days=frozenset({0}), from_=time(9, 30), to=time(11), text="not 9:30-11:00")


@pytest.mark.parametrize(
    ("wishes", "opens", "wish"),
    [
        ({"only": (EVENINGS,)}, MONDAY + 8 * HOUR, "after 18:00"),
        ({"not_in": (SCHOOL,)}, MONDAY + HOUR, "not 9:30-11:00"),
        (
            {"quiet_days": ((date(2026, 11, 20), date(2026, 11, 23)),)},
            MONDAY + 22.5 * HOUR,
            "2026-11-20..2026-11-23",
        ),
    ],
)
def test_mail_waits_for_the_hours_they_asked_for(
    wishes: dict[str, Any], opens: datetime, wish: str
) -> None:
    receipt, item = decide(want("receipt", send="r"), want(), of=asked_for(**wishes))
    assert receipt.verdict is Verdict.SEND, "a receipt goes at once"
    assert (item.reason, item.at) == (Reason.OWN_HOURS, opens)
    assert item.detail["wish"] == wish


def test_a_reminder_that_would_come_too_late_breaks_the_wish_and_says_which() -> None:
    of = asked_for(not_in=(SCHOOL,))
    soon, late, capped = decide(
        want("logistics", until=MONDAY + 30 * timedelta(minutes=1)),
        want("logistics", send="late", until=MONDAY + 2 * HOUR),
        want("help", send="capped", until=MONDAY + 30 * timedelta(minutes=1)),
        of=of,
    )
    assert (soon.verdict, soon.detail) == (Verdict.SEND, {"broke": "not 9:30-11:00"})
    assert late.at == MONDAY + HOUR
    assert (capped.verdict, capped.at) == (Verdict.WAIT, None)


def test_a_day_they_name_is_open_on_a_weekend_but_not_at_night() -> None:
    saturdays = WeekHours(days=frozenset({5}), from_=time(3), to=time(9), text="Saturdays")
    friday_night = datetime(2026, 11, 27, 20, tzinfo=UTC)
    (item,) = decide(want(at=friday_night), of=asked_for(only=(saturdays,)), now=friday_night)
    assert item.at == datetime(2026, 11, 28, 6, tzinfo=UTC)
