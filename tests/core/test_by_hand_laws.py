"""Laws of what a person decides about one step: it breaks rules of the house, and no others."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.core import by_hand
from nurture.core.by_hand import AT_ONCE, HURRIED, SKIPPED, SNOOZED, ByHand, word_on, words_on
from nurture.core.hours import ANY
from nurture.core.model import (
    Candidate,
    Event,
    Facts,
    Pace,
    Reason,
    Step,
    Verdict,
)
from nurture.core.reasons import passed_over, sentence
from tests.core.test_agenda_laws import (
    CATEGORIES,
    NURTURE,
    QUICK,
    STEP,
    Gone,
    World,
    is_fit,
    order,
    past_of,
    planned,
    until_of,
    wall,
    weekly_days,
    worlds,
)

LISBON = ZoneInfo("Europe/Lisbon")
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def said(type_: str, at: datetime, until: datetime | None = None) -> ByHand:
    end = until or at + AT_ONCE
    return ByHand(type=type_, by="ida@example.com", why="they asked", said_at=at, until=end)


@st.composite
def hurried_worlds(draw: st.DrawFn) -> World:
    """Any world in which somebody wants some of it at once."""
    world = draw(worlds())
    some = draw(st.sets(st.sampled_from(range(len(world.wants))), min_size=1))
    wants = tuple(
        each._replace(word=said(HURRIED, world.now)) if number in some else each
        for number, each in enumerate(world.wants)
    )
    return replace(world, wants=wants)


def without_the_house(world: World) -> World:
    """The same with no rule but the candidate's own."""
    never_closed = replace(ANY, spread=timedelta(microseconds=1))
    hours = {
        name: each if each is ANY else never_closed for name, each in world.policy.hours.items()
    }
    return replace(world, policy=replace(world.policy, caps=(), gap=None, hours=hours))


@given(hurried_worlds())
@QUICK
def test_hurried_mail_breaks_no_wish_no_tone_and_no_until(world: World) -> None:
    free, others, items = without_the_house(world), past_of(world), planned(world)
    for one in sorted(world.wants, key=lambda each: order(world, each)):
        item, category = items[one.key], CATEGORIES[one.step.category or ""]
        if item.reason is not Reason.ASKED_FOR:
            continue
        assert one.word is not None
        assert (item.verdict, item.at) == (Verdict.SEND, world.now)
        assert (
            category.klass is not NURTURE
            or one.step.send not in world.story.received
            or (one.step.repeat is not None or category.follow_up)
        )
        until = until_of(world, one)
        assert until is None or world.now <= until
        gentle = replace(free, candidate=as_it_happens(free.candidate))
        assert is_fit(gentle, one, world.now, others) is not False, item
        wishes = world.candidate.wishes
        if category.capped:
            assert wishes.pace is not Pace.ONLY_WHAT_MATTERS
            local = wall(world, world.now)
            weekly = wishes.pace is Pace.WEEKLY and local is not None
            assert not weekly or local.weekday() in weekly_days(world, category)
        others.append((world.now, category))


def as_it_happens(candidate: Candidate) -> Candidate:
    return replace(candidate, wishes=replace(candidate.wishes, pace=Pace.AS_IT_HAPPENS))


@given(hurried_worlds())
@QUICK
def test_what_nobody_hurries_is_touched_by_it_through_limits_alone(world: World) -> None:
    before = planned(replace(world, wants=tuple(one._replace(word=None) for one in world.wants)))
    after = planned(world)
    texts = {one.step.send for one in world.wants if one.word is not None}
    gone: list[Gone] = [
        (item.at, CATEGORIES[one.step.category or ""])
        for one in world.wants
        if (item := after[one.key]).reason is Reason.ASKED_FOR and item.at is not None
    ]
    for one in world.wants:
        category = CATEGORIES[one.step.category or ""]
        if one.word is not None or one.step.send in texts:
            continue
        item, alone = after[one.key], before[one.key]
        if not category.capped and not category.follow_up:
            assert item == alone
        elif item.verdict is Verdict.SEND:
            own = "broke" not in item.detail
            assert is_fit(world, one, world.now, [*past_of(world), *gone], own=own) is not False


@given(worlds(), st.integers(1, 400))
@settings(QUICK, max_examples=30)
def test_what_is_put_off_never_goes_before_then(world: World, length: int) -> None:
    until = world.now + length * STEP
    wants = tuple(one._replace(word=said(SNOOZED, world.now, until)) for one in world.wants)
    for item in planned(replace(world, wants=wants)).values():
        if item.verdict in (Verdict.SEND, Verdict.WAIT) and item.at is not None:
            assert item.at >= until


# --- which word counts --------------------------------------------------------------------------


def event(number: int, type_: str, *, step: dict[str, Any], after: int = 0, **data: Any) -> Event:
    at = MONDAY + timedelta(minutes=after)
    return Event(
        id=number,
        type=type_,
        candidate_id=1,
        occurred_at=at,
        received_at=at,
        data={"step": step, "by": "ida@example.com", "reason": "they asked", **data},
    )


STEP_1 = {"enrollment": 7, "id": "kit", "occurrence": "2026-12-01T10:00:00+00:00"}


def word(*events: Event, occurrence: str = STEP_1["occurrence"], now: datetime = MONDAY) -> Any:
    facts = Facts(candidate=Candidate(id=1, ref="c1"), heard=events)
    found = word_on(words_on(facts, 7), Step(id="kit", was="old-kit"), occurrence, now)
    return found and found.type


def test_the_last_word_on_an_occurrence_counts() -> None:
    hurry, skip = event(1, HURRIED, step=STEP_1), event(2, SKIPPED, step=STEP_1, after=5)
    assert word(hurry) == HURRIED
    assert word(skip, hurry) == SKIPPED
    assert word(hurry, event(4, SKIPPED, step=STEP_1)) == SKIPPED, "also within one instant"
    assert word(event(3, SKIPPED, step={**STEP_1, "enrollment": 8})) is None


@pytest.mark.parametrize(
    ("moved_to", "counts"),
    [
        ("2026-12-01T10:20:00+00:00", True),
        ("2026-12-01T10:30:00+00:00", False),
        ("1", False),
        ("2026-12-01T10:00:00+00:00#2", False),
    ],
)
def test_a_word_is_about_one_occasion(moved_to: str, counts: bool) -> None:
    said_of = event(1, SKIPPED, step=STEP_1)
    assert (word(said_of, occurrence=moved_to) == SKIPPED) is counts


def test_a_word_follows_its_step_when_that_is_renamed() -> None:
    assert word(event(1, SKIPPED, step={**STEP_1, "id": "old-kit"})) == SKIPPED


def test_at_once_is_meant_for_a_day_and_a_skip_for_good() -> None:
    later = MONDAY + by_hand.AT_ONCE
    assert word(event(1, HURRIED, step=STEP_1), now=later) is None
    assert word(event(1, SKIPPED, step=STEP_1), now=later) == SKIPPED
    until = {"until": (MONDAY + timedelta(days=3)).isoformat()}
    assert word(event(1, SNOOZED, step=STEP_1, **until), now=later) == SNOOZED


def test_what_is_passed_over_is_told_rule_by_rule() -> None:
    broken = [
        {"reason": "scheduled", "moment": "2026-11-24T09:00:00+00:00"},
        {"reason": "contact_hours", "closed": "weekend"},
        {"reason": "cap", "at_most": 1, "hours": 120, "kind": "nurture", "by": []},
    ]
    detail = {"by": "ida@example.com", "why": "they asked", "passed_over": broken}
    assert passed_over(detail, LISBON, {}) == [
        "its moment has not come (Tue 24 Nov 09:00 (Lisbon))",
        "outside the hours for this kind of message (weekend)",
        "at most 1 nurture mail in 5 days",
    ]
    told = sentence(Verdict.SEND, Reason.ASKED_FOR, detail, at=MONDAY, zone=LISBON)
    assert told.startswith(
        "Goes out now: ida@example.com asked for it at once: they asked. "
        "That passes over: its moment"
    )
