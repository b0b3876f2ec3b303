"""Laws of what an edit may hold back: never what has no cap, never what was due before it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from nurture.core.agenda import Policy, Recipient, asking
from nurture.core.hours import ANY, Calendar
from nurture.core.journey import Key, Standstill, Want
from nurture.core.model import (
    Campaign,
    CampaignStatus,
    Candidate,
    Category,
    Duration,
    Enrollment,
    Enter,
    Hours,
    MessageClass,
    Reason,
    Step,
    Subject,
)
from nurture.core.release import Gate, Stop, former, held, only_words, through_at

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
CATEGORIES = {
    "logistics": Category(
        name="logistics", klass=MessageClass.SERVICE, priority=90, capped=False, hours=Hours.ANY
    ),
    "help": Category(name="help", klass=MessageClass.SERVICE, priority=50, hours=Hours.ANY),
    "culture": Category(name="culture", klass=MessageClass.NURTURE, priority=20, hours=Hours.ANY),
}
POLICY = Policy(categories=CATEGORIES, hours={Hours.ANY: ANY})
RECIPIENT = Recipient(
    candidate=Candidate(id=7, ref="c7", email="c7@example.com"),
    calendar=Calendar(zone=ZoneInfo("UTC"), holidays=lambda _day: None, key="c7"),
)
ENROLLMENT = Enrollment(
    id=1,
    candidate_id=7,
    campaign="welcome",
    subject=Subject(),
    about="candidate:7",
    entered_at=NOW - timedelta(days=60),
)
CAMPAIGN = Campaign(
    name="welcome",
    title="Welcome",
    status=CampaignStatus.LIVE,
    enter=Enter(on="application.created"),
)

categories = st.sampled_from([*CATEGORIES, None])
statuses = st.sampled_from([CampaignStatus.LIVE, CampaignStatus.PAUSED, CampaignStatus.DRAFT])


@st.composite
def versions(draw: st.DrawFn, status: CampaignStatus = CampaignStatus.LIVE) -> list[Want]:
    campaign = replace(CAMPAIGN, status=status)
    found = []
    for name in draw(st.lists(st.sampled_from("abcd"), unique=True)):
        category = draw(categories)
        step = Step(id=name, send=f"notes/{name}" if category else None, category=category)
        moment = NOW + timedelta(hours=draw(st.integers(-90, 90)))
        found.append(
            Want(
                key=Key(1, name, "1"),
                campaign=campaign,
                step=step,
                enrollment=ENROLLMENT,
                moment_at=moment,
                known_at=moment,
            )
        )
    return found


gates = st.one_of(
    st.builds(
        Gate,
        campaign=st.just("welcome"),
        spread=st.one_of(st.none(), st.just((NOW - timedelta(days=1), NOW + timedelta(days=1)))),
    ),
    st.just(Stop(since=NOW - timedelta(days=2), until=NOW)),
)


@given(after=versions(), before=statuses.flatmap(versions), gate=gates)
def test_what_has_no_cap_or_was_due_before_is_never_held(after, before, gate) -> None:
    result = held(after, before, gate, RECIPIENT, POLICY, NOW)
    due_before = {
        key.step for key, at in asking(RECIPIENT, before, POLICY, NOW).items() if at <= NOW
    }
    assert len(result.wanted) == len(after)
    for want, now in zip(after, result.wanted, strict=True):
        category = CATEGORIES.get(want.step.category or "")
        is_held = isinstance(now, Standstill)
        assert is_held == (want.key in result.held)
        if not is_held:
            assert now is want
            continue
        assert now.reason is Reason.RELEASE
        assert not now.final
        assert category is not None
        assert category.capped
        assert want.moment_at <= NOW
        assert want.key.step not in due_before
    assert all(at > NOW for at in result.alarms)


@given(after=versions(), before=statuses.flatmap(versions))
def test_everything_else_that_is_due_is_held(after, before) -> None:
    gate = Gate(campaign="welcome")
    result = held(after, before, gate, RECIPIENT, POLICY, NOW)
    due_before = {
        key.step for key, at in asking(RECIPIENT, before, POLICY, NOW).items() if at <= NOW
    }
    due = asking(RECIPIENT, after, POLICY, NOW)
    for want in after:
        category = CATEGORIES.get(want.step.category or "")
        new = due.get(want.key) == NOW and want.key.step not in due_before
        assert (want.key in result.held) == (new and category is not None and category.capped)


@given(number=st.integers(1, 10**9), hours=st.integers(1, 1000))
def test_an_instant_of_ones_own_lies_in_the_spread_and_stays_the_same(number, hours) -> None:
    gate = Gate(campaign="welcome", spread=(NOW, NOW + timedelta(hours=hours)))
    at = through_at(gate, number)
    assert at is not None
    assert NOW <= at <= NOW + timedelta(hours=hours)
    assert at == through_at(gate, number)


def test_instants_are_spread_evenly() -> None:
    gate = Gate(campaign="welcome", spread=(NOW, NOW + timedelta(days=1)))
    at = sorted(through_at(gate, number) for number in range(1000))
    for part in range(1, 10):
        assert abs(at[part * 100] - (NOW + timedelta(days=part / 10))) < timedelta(hours=2)


def test_a_change_of_words_or_of_an_id_is_no_other_course() -> None:
    hello = Step(id="hello", send="notes/hello", category="help", line=4)
    before = replace(CAMPAIGN, steps=(hello,), digest="1")
    words = replace(CAMPAIGN, steps=(replace(hello, line=9),), title="Hi", owner="Ida", digest="2")
    assert only_words(before, words)
    renamed = replace(before, steps=(replace(hello, id="greeting", was="hello"),))
    assert only_words(before, renamed)
    assert [step.id for step in former(before, renamed).steps] == ["greeting"]
    removed_and_added = replace(before, steps=(replace(hello, id="greeting"),))
    assert not only_words(before, removed_and_added)
    later = replace(hello, after=Duration(amount=1, unit="days"))
    assert not only_words(before, replace(before, steps=(later,)))
    assert not only_words(before, replace(before, status=CampaignStatus.PAUSED))
