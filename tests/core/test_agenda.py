"""The agenda's laws, for any wishes, any past and any hour."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.core.agenda import Agenda, Ledger, Policy, Recipient, plan
from nurture.core.caps import Cap, Gap
from nurture.core.hours import Calendar, Openings, Pattern
from nurture.core.journey import Key, Want
from nurture.core.model import (
    Campaign,
    CampaignStatus,
    Candidate,
    Category,
    Contact,
    Duration,
    Enrollment,
    Enter,
    Hours,
    MessageClass,
    Moment,
    Reason,
    Step,
    Subject,
    Truth,
    Verdict,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CATEGORIES = {
    each.name: each
    for each in (
        Category(
            name="urgent",
            klass=MessageClass.SERVICE,
            priority=100,
            capped=False,
            hours=Hours.ANY,
        ),
        Category(name="help", klass=MessageClass.SERVICE, priority=50),
        Category(name="culture", klass=MessageClass.NURTURE, priority=20),
        Category(name="digest", klass=MessageClass.NURTURE, priority=10),
    )
}
OFFICE = Pattern(
    days=frozenset(range(5)),
    opens=time(8, 30),
    closes=time(18, 30),
    spread=timedelta(minutes=45),
)
POLICY = Policy(
    categories=CATEGORIES,
    caps=(
        Cap(2, timedelta(hours=20)),
        Cap(6, timedelta(days=6, hours=20)),
        Cap(1, timedelta(days=5), klass=MessageClass.NURTURE),
    ),
    gap=Gap(MessageClass.NURTURE, timedelta(hours=20)),
    hours={Hours.CONTACT: OFFICE, Hours.ANY: None, Hours.WIDE: None},
)
CAMPAIGN = Campaign(
    name="any", title="Any", status=CampaignStatus.LIVE, enter=Enter(on="application.created")
)
ANA = Candidate(id=1, ref="c1", email="ana@example.com")

zones = st.sampled_from(["Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"])
minutes = st.integers(-3 * 24 * 60, 20 * 24 * 60).map(lambda each: timedelta(minutes=each))


def recipient(zone: str = "Europe/Lisbon", candidate: Candidate = ANA) -> Recipient:
    calendar = Calendar(zone=ZoneInfo(zone), holidays=lambda _: None, key="c1")
    return Recipient(candidate=candidate, calendar=calendar)


def want(
    number: int,
    category: str,
    moment_at: datetime,
    until: datetime | None = None,
    *,
    before: bool = False,
    true: bool = True,
) -> Want:
    moment = Moment(
        offset=Duration(amount=0, unit="minutes"), before=before, anchor="interview.starts_at"
    )
    return Want(
        key=Key(enrollment_id=number, step=f"s{number}", occurrence="1"),
        campaign=CAMPAIGN,
        step=Step(id=f"s{number}", send=f"t{number}", at=moment, category=category),
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
        until=until,
        truth=Truth(value=true),
    )


@st.composite
def wishes(draw: st.DrawFn) -> list[Want]:
    return [
        want(
            number,
            draw(st.sampled_from(sorted(CATEGORIES))),
            NOW + draw(minutes),
            draw(st.none() | minutes.map(lambda each: NOW + each)),
            before=draw(st.booleans()),
            true=draw(st.booleans()) or draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 7)))
    ]


@st.composite
def pasts(draw: st.DrawFn) -> tuple[Contact, ...]:
    return tuple(
        Contact(
            at=NOW - timedelta(minutes=draw(st.integers(0, 15 * 24 * 60))),
            category=name,
            klass=CATEGORIES[name].klass if name else None,
            human=name is None,
        )
        for name in draw(st.lists(st.sampled_from([*sorted(CATEGORIES), None]), max_size=6))
    )


def placed(agenda: Agenda) -> list[tuple[datetime, Category]]:
    """What goes out, and when, if nothing else becomes known."""
    return [
        (item.at, item.category)
        for item in agenda.items
        if item.at and item.category and item.verdict in (Verdict.SEND, Verdict.WAIT)
    ]


def over_cap(
    times: list[tuple[datetime, MessageClass | None]], at: datetime, klass: MessageClass
) -> list[str]:
    """Caps that a message of this class at this instant leaves broken, counted window by window."""
    broken = []
    for cap in POLICY.caps:
        if cap.klass is not None and cap.klass is not klass:
            continue
        counted = [when for when, other in times if cap.klass is None or other is cap.klass]
        for start in counted:
            window = [when for when in counted if start <= when < start + cap.per]
            if at in window and len(window) > cap.at_most:
                broken.append(str(cap))
    return broken


@pytest.mark.acceptance("A10.1")
@given(wishes(), pasts(), zones)
@settings(deadline=None)
def test_capped_mail_never_breaks_a_cap(
    wanted: list[Want], past: tuple[Contact, ...], zone: str
) -> None:
    agenda = plan(recipient(zone), wanted, Ledger(contacts=past), POLICY, NOW)
    going = placed(agenda)
    all_times = [(each.at, each.klass) for each in past] + [(at, c.klass) for at, c in going]
    for at, category in going:
        if category.capped:
            assert not over_cap(all_times, at, category.klass)


@pytest.mark.acceptance("A8.1")
@pytest.mark.acceptance("A7.3")
@given(wishes(), pasts(), zones)
@settings(deadline=None)
def test_nothing_capped_outside_its_hours_and_nothing_after_until(
    wanted: list[Want], past: tuple[Contact, ...], zone: str
) -> None:
    person = recipient(zone)
    openings = Openings(person.calendar, OFFICE)
    agenda = plan(person, wanted, Ledger(contacts=past), POLICY, NOW)
    for item in agenda.items:
        if item.at is None or item.category is None or item.verdict is Verdict.SKIP:
            continue
        assert item.until is None or item.at <= item.until
        assert item.at >= NOW
        if item.category.hours is Hours.CONTACT:
            assert openings.is_open(item.at)


@pytest.mark.acceptance("A10.1")
@given(wishes(), pasts(), zones)
@settings(deadline=None)
def test_every_wish_gets_one_verdict_and_planning_twice_says_the_same(
    wanted: list[Want], past: tuple[Contact, ...], zone: str
) -> None:
    first = plan(recipient(zone), wanted, Ledger(contacts=past), POLICY, NOW)
    assert first == plan(recipient(zone), wanted[::-1], Ledger(contacts=past), POLICY, NOW)
    assert sorted(item.key.enrollment_id for item in first.items) == [
        each.key.enrollment_id for each in wanted
    ]


@given(wishes(), pasts(), zones)
@settings(deadline=None)
def test_a_lower_priority_never_delays_a_higher(
    wanted: list[Want], past: tuple[Contact, ...], zone: str
) -> None:
    ledger = Ledger(contacts=past)
    with_all = plan(recipient(zone), wanted, ledger, POLICY, NOW)
    high = [each for each in wanted if each.step.category in ("urgent", "help")]
    alone = {item.key: item.at for item in plan(recipient(zone), high, ledger, POLICY, NOW).items}
    assert alone == {item.key: item.at for item in with_all.items if item.key in alone}


@given(st.sampled_from(["help", "culture", "digest"]), minutes, pasts(), zones)
@settings(deadline=None)
def test_the_instant_is_the_earliest_legal_one(
    name: str, offset: timedelta, past: tuple[Contact, ...], zone: str
) -> None:
    person = recipient(zone)
    category = CATEGORIES[name]
    wanted = want(1, name, NOW + offset, NOW + timedelta(days=365))
    item = plan(person, [wanted], Ledger(contacts=past), POLICY, NOW).items[0]
    assert item.at is not None

    openings = Openings(person.calendar, OFFICE)
    times = [(each.at, each.klass) for each in past]
    probe = max(NOW + offset, NOW)
    while probe < item.at:
        near = category.klass is MessageClass.NURTURE and any(
            abs(at - probe) < timedelta(hours=20) for at, _ in times
        )
        crowded = over_cap([*times, (probe, category.klass)], probe, category.klass)
        assert not openings.is_open(probe) or near or crowded, f"{probe} was free"
        probe += timedelta(minutes=20)


def test_planning_again_at_the_placed_instant_sends() -> None:
    culture = want(1, "culture", NOW + timedelta(hours=30))
    waiting = plan(recipient(), [culture], Ledger(), POLICY, NOW)
    assert waiting.wake_at == waiting.items[0].at
    assert waiting.wake_at is not None
    going = plan(recipient(), [culture], Ledger(), POLICY, waiting.wake_at)
    assert going.items[0].verdict is Verdict.SEND


def test_a_monday_reminder_one_day_before_goes_on_friday() -> None:
    monday = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
    reminder = want(1, "help", monday - timedelta(days=1), monday, before=True)
    item = plan(recipient(), [reminder], Ledger(), POLICY, NOW).items[0]
    assert item.at is not None
    assert (item.at.weekday(), item.reason) == (4, Reason.CONTACT_HOURS)
    saturday = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
    late = plan(recipient(), [reminder], Ledger(), POLICY, saturday).items[0]
    assert late.at is not None
    assert late.at.weekday() == 0, "the last open time is over: into the next open one"


def test_culture_leaves_the_slot_that_a_higher_message_needs() -> None:
    help_ = want(1, "help", NOW + timedelta(hours=6))
    culture = want(2, "culture", NOW)
    items = {
        item.key.enrollment_id: item
        for item in plan(recipient(), [culture, help_], Ledger(), POLICY, NOW).items
    }
    assert items[1].at == NOW + timedelta(hours=6)
    assert items[2].reason is Reason.SLOT_RESERVED
    assert items[2].at is not None
    assert items[1].at is not None
    assert items[2].at >= items[1].at + timedelta(hours=20)


def test_what_may_not_be_sent_says_why() -> None:
    culture, help_ = want(1, "culture", NOW), want(2, "help", NOW)
    cases = (
        (replace(ANA, do_not_contact=True), help_, Reason.DO_NOT_CONTACT),
        (replace(ANA, suppressed="5.1.1"), help_, Reason.UNDELIVERABLE),
        (replace(ANA, email=None), help_, Reason.UNDELIVERABLE),
        (replace(ANA, unsubscribed=frozenset({"all"})), culture, Reason.UNSUBSCRIBED),
        (replace(ANA, unsubscribed=frozenset({"culture"})), culture, Reason.UNSUBSCRIBED),
    )
    for candidate, wanted, reason in cases:
        item = plan(recipient(candidate=candidate), [wanted], Ledger(), POLICY, NOW).items[0]
        assert (item.verdict, item.reason, item.final) == (Verdict.SKIP, reason, True)
    service = plan(
        recipient(candidate=replace(ANA, unsubscribed=frozenset({"all"}))),
        [help_],
        Ledger(),
        POLICY,
        NOW,
    )
    assert service.items[0].verdict is Verdict.SEND, "unsubscribing never silences their process"


def test_a_pause_holds_nurture_until_its_end_and_service_goes_on() -> None:
    end = NOW + timedelta(days=9, hours=1)
    candidate = replace(ANA, paused_until=end)
    wanted = [want(1, "culture", NOW), want(2, "help", NOW)]
    items = {
        item.key.enrollment_id: item
        for item in plan(recipient(candidate=candidate), wanted, Ledger(), POLICY, NOW).items
    }
    assert items[2].verdict is Verdict.SEND
    assert items[1].reason is Reason.CANDIDATE_PAUSED
    assert items[1].at is not None
    assert items[1].at >= end


def test_what_is_wanted_no_more_is_dropped_and_says_so() -> None:
    until = NOW + timedelta(hours=1)
    late = want(1, "urgent", NOW - timedelta(hours=1), until)
    (in_time,) = plan(recipient(), [late], Ledger(), POLICY, until).items
    assert in_time.verdict is Verdict.SEND, "its last instant is one at which it is still wanted"
    (gone,) = plan(recipient(), [late], Ledger(), POLICY, until + timedelta(seconds=1)).items
    assert (gone.verdict, gone.reason, gone.final) == (Verdict.SKIP, Reason.EXPIRED, True)
