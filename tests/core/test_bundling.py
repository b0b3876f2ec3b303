"""What may join what: a bundle is one mail, and costs nobody anything."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.core.agenda import Agenda, Item, Ledger, Policy, Recipient, plan
from nurture.core.bundling import Together
from nurture.core.caps import Cap, Gap
from nurture.core.hours import Calendar, Openings, Pattern
from nurture.core.journey import Key, Want
from nurture.core.model import (
    Approval,
    ByPhone,
    Campaign,
    CampaignStatus,
    Candidate,
    Category,
    Contact,
    Duration,
    Enrollment,
    Enter,
    Hours,
    Message,
    MessageClass,
    MessageState,
    Moment,
    Reason,
    Section,
    Step,
    Subject,
    Tone,
    Truth,
    Verdict,
    Wishes,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SERVICE, NURTURE = MessageClass.SERVICE, MessageClass.NURTURE
CATEGORIES = {
    each.name: each
    for each in (
        Category(name="receipt", klass=SERVICE, priority=95, capped=False, bundle=False),
        Category(name="wide", klass=SERVICE, priority=90, capped=False, hours=Hours.WIDE),
        Category(
            name="looked-at", klass=SERVICE, priority=80, capped=False, approval=Approval.EACH
        ),
        Category(name="prep", klass=SERVICE, priority=70, capped=False),
        Category(name="news", klass=NURTURE, priority=55),
        Category(name="help", klass=SERVICE, priority=50, by_phone=ByPhone.CALL),
        Category(name="survey", klass=SERVICE, priority=40),
        Category(name="culture", klass=NURTURE, priority=20),
        Category(name="digest", klass=NURTURE, priority=10),
    )
}
OFFICE = Pattern(days=frozenset(range(5)), opens=time(8, 30), closes=time(18, 30))
DAYTIME = Pattern(days=frozenset(range(7)), opens=time(7), closes=time(21))
POLICY = Policy(
    categories=CATEGORIES,
    caps=(
        Cap(2, timedelta(hours=20)),
        Cap(6, timedelta(days=6, hours=20)),
        Cap(1, timedelta(days=5), klass=NURTURE),
    ),
    gap=Gap(NURTURE, timedelta(hours=20)),
    hours={Hours.CONTACT: OFFICE, Hours.ANY: None, Hours.WIDE: DAYTIME},
    bundle=Together(within=timedelta(hours=4), at_most=3),
)
RARELY = replace(POLICY, caps=(*POLICY.caps, Cap(1, timedelta(days=3), category="help")))
CAMPAIGN = Campaign(
    name="any", title="Any", status=CampaignStatus.LIVE, enter=Enter(on="application.created")
)
ANA = Candidate(id=1, ref="c1", email="ana@example.com")
TOMORROW = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
CALENDAR = Calendar(zone=ZoneInfo("Europe/Lisbon"), holidays=lambda _: None, key="c1")


def want(
    number: int,
    category: str,
    hours: float,
    until: float | None = None,
    tone: Tone = Tone.NEUTRAL,
    truth: Truth | None = None,
    *,
    alone: bool = False,
) -> Want:
    """Wanted so many hours from now."""
    moment = Moment(
        offset=Duration(amount=0, unit="minutes"), before=False, anchor="application.applied_at"
    )
    return Want(
        key=Key(enrollment_id=number, step=f"s{number}", occurrence="1"),
        campaign=CAMPAIGN,
        step=Step(
            id=f"s{number}",
            send=f"t{number}",
            at=moment,
            category=category,
            tone=tone,
            alone=alone,
        ),
        enrollment=Enrollment(
            id=number,
            candidate_id=1,
            campaign="any",
            subject=Subject(),
            about="candidate:1",
            entered_at=NOW,
        ),
        moment_at=NOW + timedelta(hours=hours),
        known_at=NOW,
        until=None if until is None else NOW + timedelta(hours=until),
        truth=truth or Truth(value=True),
    )


def planned(
    wanted: list[Want],
    policy: Policy = POLICY,
    candidate: Candidate = ANA,
    contacts: tuple[Contact, ...] = (),
    messages: tuple[Message, ...] = (),
) -> Agenda:
    by_key = {
        Key(enrollment_id=each.enrollment_id, step=each.step, occurrence=each.occurrence): each
        for each in messages
    }
    ledger = Ledger(contacts=contacts, messages=by_key)
    recipient = Recipient(candidate=candidate, calendar=CALENDAR)
    return plan(recipient, wanted, ledger, policy, NOW)


def bundles(agenda: Agenda) -> list[list[str]]:
    """The steps of each mail, in the order in which they stand in it."""
    return [
        [item.step.id, *(each.step.id for each in agenda.items if each.joins == item.key)]
        for item in agenda.items
        if item.joins is None and item.at is not None
    ]


def message(number: int, **known: object) -> Message:
    own = {
        "id": number,
        "candidate_id": 1,
        "message_id": f"<n{number}@example.com>",
        "state": MessageState.QUEUED,
        "campaign": "any",
        "template": f"t{number}",
        "category": "prep",
        "enrollment_id": number,
        "step": f"s{number}",
        "occurrence": "1",
        "created_at": NOW,
    }
    return Message(**{**own, **known})  # type: ignore[arg-type]


def test_what_is_wanted_the_same_morning_goes_as_one_in_order_of_necessity() -> None:
    agenda = planned([want(1, "survey", 0), want(2, "help", 2), want(3, "prep", 1)])
    assert bundles(agenda) == [["s3", "s2", "s1"]]
    assert {item.at for item in agenda.items} == {NOW + timedelta(hours=1)}
    assert [item.reason for item in agenda.items].count(Reason.BUNDLED) == 2


def test_the_fourth_of_a_morning_is_a_mail_of_its_own() -> None:
    agenda = planned([want(number, "prep", 0) for number in range(1, 5)])
    assert bundles(agenda) == [["s1", "s2", "s3"], ["s4"]]


def test_what_goes_now_takes_along_what_is_wanted_soon_and_says_so() -> None:
    agenda = planned([want(1, "prep", 0), want(2, "help", 3.9), want(3, "survey", 4.1)])
    (joined,) = (item for item in agenda.items if item.joins)
    assert (joined.step.id, joined.verdict, joined.at) == ("s2", Verdict.SEND, NOW)
    assert joined.detail == {"with": {"campaign": "any", "step": "s1", "template": "t1"}}


def test_what_caps_keep_waiting_comes_along_with_the_next_mail() -> None:
    wanted = [want(1, "prep", 7), want(2, "help", -50)]
    today = Contact(at=NOW - timedelta(hours=1), category="prep", klass=SERVICE)
    agenda = planned(wanted, contacts=(today, today))
    assert bundles(agenda) == [["s1", "s2"]]
    assert planned(wanted[1:], contacts=(today, today)).items[0].at == TOMORROW


def test_nurture_mails_that_are_due_together_are_one_nurture_contact() -> None:
    """The next one waits for as long as after any single one."""
    agenda = planned([want(1, "culture", 0), want(2, "news", 2), want(3, "digest", 30)])
    assert bundles(agenda) == [["s2", "s1"], ["s3"]]
    later = agenda.items[-1]
    assert later.reason is Reason.SLOT_RESERVED
    assert [each["label"] for each in later.detail["by"]] == ["t2"]
    assert later.at == datetime(2026, 11, 30, 8, 30, tzinfo=UTC)  # five days, and a weekend


def test_culture_due_with_a_preparation_goes_by_itself_when_there_is_room() -> None:
    """A mail that is placed already keeps the gap; what joins it would go round it."""
    agenda = planned([want(1, "prep", 0), want(2, "culture", 0), want(3, "survey", 0)])
    assert bundles(agenda) == [["s1", "s3"], ["s2"]]
    (culture,) = (item for item in agenda.items if item.step.id == "s2")
    assert (culture.verdict, culture.reason, culture.at) == (Verdict.WAIT, Reason.GAP, TOMORROW)
    had = Contact(at=NOW - timedelta(days=3), category="digest", klass=NURTURE)
    capped = planned([want(1, "prep", 0), want(2, "culture", 0)], contacts=(had,))
    assert [item.at for item in capped.items] == [NOW, had.at + timedelta(days=5)]


def test_nothing_waits_for_another_for_longer_than_the_window() -> None:
    agenda = planned([want(1, "wide", 8), want(2, "help", 0)])
    assert bundles(agenda) == [["s2"], ["s1"]]


APART = {
    "of another class": [want(1, "prep", 0), want(2, "culture", 0)],
    "led by another class": [want(1, "news", 0), want(2, "help", 0)],
    "grave": [want(1, "prep", 0), want(2, "help", 0, tone=Tone.GRAVE)],
    "led by what is grave": [want(1, "prep", 0, tone=Tone.GRAVE), want(2, "help", 0)],
    "looked at first": [want(1, "wide", 0), want(2, "looked-at", 0)],
    "led by what is looked at": [want(1, "looked-at", 0), want(2, "prep", 0)],
    "kept apart by the house": [want(1, "receipt", 0), want(2, "prep", 0)],
    "with a calendar entry": [want(1, "prep", 0), want(2, "help", 0, alone=True)],
    "led by one with an entry": [want(1, "prep", 0, alone=True), want(2, "help", 0)],
    "of other hours": [want(1, "wide", 9.5), want(2, "prep", 7)],  # 19:30
    "gone by then": [want(1, "wide", 2), want(2, "prep", 0, until=1)],
    "perhaps not true by then": [
        want(1, "prep", 0),
        want(2, "help", 2, truth=Truth(value=True, changes_at=NOW + timedelta(hours=1))),
    ],
}


@pytest.mark.parametrize("why", APART)
def test_they_stay_apart_where_one_is(why: str) -> None:
    assert all(item.joins is None for item in planned(APART[why]).items)


def test_who_is_rung_or_needs_care_gets_no_bundles() -> None:
    wanted = [want(1, "prep", 0), want(2, "help", 0)]
    assert bundles(planned(wanted)) == [["s1", "s2"]]
    rung = replace(ANA, wishes=Wishes(phone_first=True))
    careful = replace(ANA, wishes=Wishes(sensitive_until=NOW + timedelta(days=9)))
    for candidate in (rung, careful):
        assert all(item.joins is None for item in planned(wanted, candidate=candidate).items)


def test_a_mail_that_was_tried_goes_again_with_the_sections_it_had() -> None:
    parts = tuple(
        Section(
            enrollment_id=number,
            step=f"s{number}",
            occurrence="1",
            campaign="any",
            template=f"t{number}",
            category=category,
        )
        for number, category in ((1, "prep"), (2, "help"))
    )
    wanted = [want(1, "prep", 0), want(2, "help", 0), want(3, "survey", 0)]
    tried = message(1, attempts=1, next_attempt_at=NOW, sections=parts)
    assert ["s1", "s2"] in bundles(planned(wanted, messages=(tried,)))
    alone = message(2, attempts=1, next_attempt_at=NOW, category="help")
    assert ["s1", "s3"] in bundles(planned(wanted, messages=(alone,)))
    wanted[1] = wanted[1]._replace(step=replace(wanted[1].step, category="culture"))
    assert ["s1"] in bundles(planned(wanted, messages=(tried,)))  # it is of another class now


def test_a_cap_on_one_category_counts_the_sections_of_that_category() -> None:
    part = Section(
        enrollment_id=9,
        step="old",
        occurrence="1",
        campaign="any",
        template="old",
        category="help",
    )
    lately = Contact(
        at=NOW - timedelta(days=2),
        category="prep",
        klass=SERVICE,
        sections=(replace(part, category="prep"), part),
    )
    wanted = [want(1, "prep", 0), want(2, "help", 0)]
    assert bundles(planned(wanted, RARELY)) == [["s1", "s2"]]
    assert bundles(planned(wanted, RARELY, contacts=(lately,))) == [["s1"], ["s2"]]
    two = [*wanted, want(3, "wide", 0), want(4, "help", 30), want(5, "prep", 30)]
    joined = [item for item in planned(two, RARELY).items if item.joins]
    assert [item.step.id for item in joined] == ["s1", "s2"]


# --- for any wishes and any past ---------------------------------------------------------------

moments = st.integers(-30, 40).map(lambda each: each / 2)


@st.composite
def wishes(draw: st.DrawFn) -> list[Want]:
    return [
        want(
            number,
            draw(st.sampled_from(sorted(CATEGORIES))),
            draw(moments),
            draw(st.none() | st.integers(1, 60)),
            tone=draw(st.sampled_from(Tone)),
        )
        for number in range(draw(st.integers(2, 8)))
    ]


@st.composite
def pasts(draw: st.DrawFn) -> tuple[Contact, ...]:
    return tuple(
        Contact(
            at=NOW - timedelta(hours=draw(st.integers(1, 150))),
            category=name,
            klass=CATEGORIES[name].klass,
        )
        for name in draw(st.lists(st.sampled_from(sorted(CATEGORIES)), max_size=4))
    )


def goes(item: Item) -> bool:
    in_time = item.at is not None and item.verdict in (Verdict.SEND, Verdict.WAIT)
    return in_time and item.reason is not Reason.NO_OPEN_HOURS


@settings(max_examples=150, deadline=None)
@given(wishes(), pasts())
def test_who_joins_takes_nobodys_place(wanted: list[Want], past: tuple[Contact, ...]) -> None:
    """All the others go as if it had not been wanted: so no cap is broken that they would keep.
    (Where a bundle is full, it takes a seat in it.)"""
    roomy = replace(POLICY, bundle=Together(within=timedelta(hours=4), at_most=20))
    agenda = planned(wanted, roomy, contacts=past)
    joined = {item.key for item in agenda.items if item.joins}
    others = planned([each for each in wanted if each.key not in joined], roomy, contacts=past)
    assert [item for item in agenda.items if item.key not in joined] == list(others.items)


@settings(max_examples=150, deadline=None)
@given(wishes(), pasts(), st.sampled_from([POLICY, RARELY]))
def test_a_bundle_keeps_to_its_bounds(
    wanted: list[Want], past: tuple[Contact, ...], policy: Policy
) -> None:
    agenda = planned(wanted, policy, contacts=past)
    items = {item.key: item for item in agenda.items}
    rule = policy.bundle
    assert rule is not None
    assert all(len(parts) <= rule.at_most for parts in bundles(agenda))
    for item in agenda.items:
        if item.joins is None:
            continue
        lead, category = items[item.joins], item.category
        assert category is not None
        assert lead.category is not None
        assert item.at is not None
        assert item.moment_at is not None
        assert lead.joins is None
        assert (item.at, item.verdict) == (lead.at, lead.verdict)
        assert lead.category.priority >= category.priority
        assert lead.category.klass is category.klass
        for one in (item, lead):
            assert one.category is not None
            assert one.category.bundle
            assert one.category.approval is Approval.AUTO
            assert one.step.tone is not Tone.GRAVE
        assert item.moment_at <= item.at + rule.within
        assert item.until is None or item.at <= item.until
        assert Openings(CALENDAR, policy.hours[category.hours]).is_open(item.at)


@settings(max_examples=100, deadline=None)
@given(wishes(), pasts())
def test_sections_of_a_category_keep_to_its_own_cap(
    wanted: list[Want], past: tuple[Contact, ...]
) -> None:
    agenda = planned(wanted, RARELY, contacts=past)
    (cap,) = (each for each in RARELY.caps if each.category)
    mails = {item.joins or item.key for item in agenda.items if goes(item) and of(cap, item)}
    at = {item.key: item.at for item in agenda.items}
    ours = [moment for key in mails if (moment := at[key]) is not None]
    theirs = [each.at for each in past if each.category == cap.category]
    for moment in ours:
        others = [each for each in [*ours, *theirs] if abs(each - moment) < cap.per]
        doomed = [i for i in agenda.items if i.at == moment and "will_expire" in i.detail]
        assert doomed or len(others) <= 1


@settings(max_examples=100, deadline=None)
@given(wishes(), pasts())
def test_however_many_parts_a_nurture_mail_has_it_is_as_rare_as_any(
    wanted: list[Want], past: tuple[Contact, ...]
) -> None:
    """Counted by what is read: a mail with any nurture part in it is a nurture contact."""
    going = [item for item in planned(wanted, contacts=past).items if goes(item)]
    at = {item.joins or item.key: item.at for item in going if item.at is not None}
    nurture = {
        item.joins or item.key
        for item in going
        if item.category is not None and item.category.klass is NURTURE
    }
    (cap,) = (each for each in POLICY.caps if each.klass is NURTURE)
    assert POLICY.gap is not None
    theirs = [each.at for each in past if each.klass is NURTURE]
    for key in nurture:
        others = [*theirs, *(at[other] for other in nurture - {key})]
        assert all(abs(other - at[key]) >= cap.per for other in others)
        before = [each for each in [*at.values(), *(c.at for c in past)] if each < at[key]]
        assert all(at[key] - each >= POLICY.gap.after_any for each in before)


def of(cap: Cap, item: Item) -> bool:
    return item.category is not None and item.category.name == cap.category
