"""Caps and gaps: never too much in any window, and never later than needed."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.core.caps import Blocked, Cap, Gap, Hold, Limits, Taken, earliest
from nurture.core.hours import Calendar, Openings, Pattern
from nurture.core.model import MessageClass, Reason

SERVICE, NURTURE, PRIVACY = MessageClass
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SLACK = timedelta(minutes=15)
CALENDAR = Calendar(ZoneInfo("UTC"), lambda _: None, "c-1")
ALWAYS = Openings(CALENDAR, None)
WORKING = Openings(CALENDAR, Pattern(frozenset(range(5)), time(8, 30), time(18, 30)))

DEFAULTS = (
    Cap(2, 20 * HOUR),
    Cap(6, 6 * DAY + 20 * HOUR),
    Cap(1, 5 * DAY, klass=NURTURE),
    Cap(2, 30 * DAY, klass=NURTURE),
)
DEFAULT_GAP = Gap(NURTURE, 20 * HOUR)


def culture(at: datetime, label: str = "culture") -> Taken:
    return Taken(at, NURTURE, "culture", label)


def prep(at: datetime, label: str = "prep") -> Taken:
    return Taken(at, SERVICE, "prep", label)


def blocked(
    caps: Iterable[Cap],
    gap: Gap | None,
    taken: Iterable[Taken],
    klass: MessageClass,
    category: str,
    now: datetime,
    slack: timedelta,
) -> list[Hold]:
    return Limits(caps, gap, taken, now, slack).of(klass, category)


def place(
    caps: Sequence[Cap],
    taken: Sequence[Taken],
    *,
    gap: Gap | None = None,
    klass: MessageClass = NURTURE,
    category: str = "culture",
    openings: Openings = ALWAYS,
    slack: timedelta = SLACK,
) -> tuple[datetime | None, Blocked | None]:
    return earliest(NOW, openings, blocked(caps, gap, taken, klass, category, NOW, slack))


# --- what a rule means ----------------------------------------------------------------------------


def test_an_empty_ledger_holds_nothing_up() -> None:
    assert place(DEFAULTS, (), gap=DEFAULT_GAP) == (NOW, None)


def test_two_contacts_exactly_the_window_apart_are_fine() -> None:
    assert place([Cap(1, DAY)], [culture(NOW - DAY)]) == (NOW, None)
    second = timedelta(seconds=1)
    at, pushed = place([Cap(1, DAY)], [culture(NOW - DAY + second)])
    assert at == NOW + second
    assert pushed
    assert pushed.reason is Reason.CAP


def test_a_cap_of_two_lets_the_second_through_and_holds_the_third() -> None:
    cap = Cap(2, DAY)
    assert place([cap], [prep(NOW - HOUR)])[0] == NOW
    assert place([cap], [prep(NOW - 5 * HOUR), prep(NOW - HOUR)])[0] == NOW + 19 * HOUR


def test_a_full_window_that_is_only_just_not_one_lets_another_in_between() -> None:
    around = [prep(NOW - 5 * HOUR), prep(NOW + 19 * HOUR)]
    assert place([Cap(2, DAY)], around) == (NOW, None)
    assert place([Cap(2, DAY)], [*around, prep(NOW + 18 * HOUR)])[0] == NOW + 42 * HOUR


def test_a_window_filled_by_what_was_and_what_will_be_is_a_reserved_one() -> None:
    _, pushed = place([Cap(2, DAY)], [prep(NOW - HOUR), prep(NOW + HOUR)])
    assert pushed
    assert pushed.reason is Reason.SLOT_RESERVED
    assert len(pushed.by) == 2


def test_what_is_reserved_later_holds_a_lower_message_back_now() -> None:
    thursday = NOW + 3 * DAY
    at, pushed = place([Cap(1, 5 * DAY)], [prep(thursday, "Technical interview kit")])
    assert at == thursday + 5 * DAY
    assert pushed
    assert pushed.reason is Reason.SLOT_RESERVED
    assert [one.label for one in pushed.by] == ["Technical interview kit"]


def test_a_slack_is_kept_in_front_of_a_reserved_slot_and_not_behind_it() -> None:
    cap = Cap(1, DAY)
    assert place([cap], [prep(NOW + DAY + SLACK)])[0] == NOW
    assert place([cap], [prep(NOW + DAY)])[0] == NOW + 2 * DAY
    assert place([cap], [prep(NOW + DAY)], slack=timedelta(0))[0] == NOW


def test_a_class_cap_counts_and_holds_only_its_class() -> None:
    cap = Cap(1, 5 * DAY, klass=NURTURE)
    assert place([cap], [prep(NOW - HOUR)])[0] == NOW
    assert place([cap], [culture(NOW - HOUR)], klass=SERVICE, category="help")[0] == NOW
    assert place([cap], [culture(NOW - HOUR)])[0] == NOW - HOUR + 5 * DAY


def test_a_category_cap_counts_and_holds_only_its_category() -> None:
    cap = Cap(1, 7 * DAY, category="digest")
    digest = Taken(NOW - HOUR, NURTURE, "digest", "digest")
    assert place([cap], [digest])[0] == NOW
    assert place([cap], [culture(NOW - HOUR)], category="digest")[0] == NOW
    assert place([cap], [digest], category="digest")[0] == NOW - HOUR + 7 * DAY


def test_a_recruiters_own_call_counts_for_everything_but_class_and_category_caps() -> None:
    call = Taken(NOW - HOUR, label="Ida's call")
    assert place([Cap(1, DAY)], [call])[0] == NOW + 23 * HOUR
    assert place([Cap(1, DAY, klass=NURTURE)], [call])[0] == NOW
    assert place([Cap(1, DAY, category="culture")], [call])[0] == NOW
    assert place((), [call], gap=DEFAULT_GAP)[0] == NOW + 19 * HOUR


def test_a_gap_holds_its_class_off_any_contact_on_both_sides() -> None:
    gap = Gap(NURTURE, 20 * HOUR)
    at, pushed = place((), [prep(NOW - 2 * HOUR)], gap=gap)
    assert at == NOW + 18 * HOUR
    assert pushed
    assert pushed.reason is Reason.GAP
    at, pushed = place((), [prep(NOW + 10 * HOUR)], gap=gap)
    assert at == NOW + 30 * HOUR
    assert pushed
    assert pushed.reason is Reason.SLOT_RESERVED
    assert place((), [culture(NOW - HOUR)], gap=gap, klass=SERVICE, category="help")[0] == NOW


def test_what_keeps_the_gap_is_left_it_and_the_slack_in_front() -> None:
    for slack, first in ((timedelta(0), NOW), (SLACK, NOW + DAY)):
        limits = Limits((), Gap(NURTURE, DAY), (), NOW, slack)
        limits.add(culture(NOW + DAY))
        assert earliest(NOW, ALWAYS, limits.of(SERVICE, "prep"))[0] == first


def test_a_window_that_uncapped_mail_has_already_filled_holds_the_rest() -> None:
    filled = [prep(NOW - n * HOUR) for n in (1, 2, 3, 4)]
    assert place([Cap(2, DAY)], filled)[0] == NOW - 2 * HOUR + DAY


def test_hours_and_caps_are_kept_at_once() -> None:
    # Free again at Saturday 08:00; open again on Monday.
    at, pushed = place([Cap(1, 5 * DAY)], [culture(NOW - HOUR)], openings=WORKING)
    assert at == datetime(2026, 12, 7, 8, 30, tzinfo=UTC)
    assert pushed
    assert pushed.rule == Cap(1, 5 * DAY)


def test_hours_alone_push_without_naming_a_rule() -> None:
    saturday = NOW + 5 * DAY
    assert earliest(saturday, WORKING, []) == (datetime(2026, 12, 7, 8, 30, tzinfo=UTC), None)


def test_a_pause_is_one_more_forbidden_interval() -> None:
    pause = Blocked(NOW - HOUR, NOW + 9 * DAY, Reason.CANDIDATE_PAUSED, {"until": "then"})
    cap = Cap(1, DAY)
    rules = blocked([cap], None, [prep(NOW + 9 * DAY + HOUR)], NURTURE, "culture", NOW, SLACK)
    assert earliest(NOW, ALWAYS, [*rules, pause])[0] == NOW + 10 * DAY + HOUR
    assert earliest(NOW, ALWAYS, [pause]) == (NOW + 9 * DAY, pause)
    assert pause.explained() == {"until": "then"}
    assert earliest(pause.end, ALWAYS, [pause]) == (pause.end, None)


def test_no_open_instant_and_what_pushed_it_there_is_an_answer() -> None:
    closed = Openings(CALENDAR, Pattern(frozenset(), time(8), time(9)))
    assert earliest(NOW, closed, []) == (None, None)
    for_ever = Blocked(
        NOW - HOUR, datetime.max.replace(tzinfo=UTC), Reason.CANDIDATE_PAUSED, {"until": "never"}
    )
    assert earliest(NOW, WORKING, [for_ever]) == (None, for_ever)
    assert earliest(NOW, ALWAYS, [for_ever]) == (None, for_ever)


def test_the_last_push_tells_the_rule_who_took_the_slot_and_until_when() -> None:
    cap = Cap(1, 5 * DAY, klass=NURTURE)
    _, pushed = place([cap], [culture(NOW - HOUR, "Company culture")])
    assert pushed
    assert pushed.explained() == {
        "rule": "at most 1 nurture mail in 5 days",
        "at_most": 1,
        "hours": 120,
        "kind": "nurture",
        "by": [{"label": "Company culture", "at": "2026-11-30T08:00:00+00:00"}],
        "until": "2026-12-05T08:00:00+00:00",
    }


def test_rules_read_as_people_say_them() -> None:
    assert str(Cap(2, 20 * HOUR)) == "at most 2 contacts in 20 hours"
    assert str(Cap(6, 6 * DAY + 20 * HOUR)) == "at most 6 contacts in 6 days 20 hours"
    assert str(Cap(1, DAY, NURTURE, "digest")) == "at most 1 digest nurture mail in 1 day"
    assert str(DEFAULT_GAP) == "no nurture mail within 20 hours of another contact"


@pytest.mark.acceptance("A10.3")
@pytest.mark.parametrize(("at_most", "per"), [(0, DAY), (-1, DAY), (1, timedelta(0))])
def test_a_cap_that_stops_everything_or_nothing_is_refused(at_most: int, per: timedelta) -> None:
    with pytest.raises(ValueError, match="a cap"):
        Cap(at_most, per)


# --- laws, held against a checker that counts and a search that tries every instant ---------------

STEP = timedelta(minutes=30)
GRID = st.integers(-96, 96).map(lambda n: NOW + n * STEP)
kinds = st.sampled_from(
    [(NURTURE, "culture"), (NURTURE, "digest"), (SERVICE, "help"), (PRIVACY, "privacy")]
)
contacts = st.lists(
    st.builds(lambda at, kind: Taken(at, *kind), GRID, st.one_of(kinds, st.just((None, None)))),
    max_size=9,
)
caps_lists = st.lists(
    st.builds(
        Cap,
        st.integers(1, 4),
        st.integers(1, 80).map(lambda n: n * STEP),
        st.sampled_from([None, None, NURTURE, SERVICE]),
        st.sampled_from([None, None, None, "culture", "digest"]),
    ),
    max_size=3,
)
gaps = st.none() | st.builds(
    Gap, st.sampled_from([NURTURE, SERVICE]), st.integers(1, 60).map(lambda n: n * STEP)
)
hours = st.sampled_from([ALWAYS, WORKING])


def keeps(caps: Sequence[Cap], gap: Gap | None, others: Sequence[Taken], one: Taken) -> bool:
    """Count, in every window that holds `one`: written from the sentence, not from the code."""
    for cap in caps:
        counts = [
            (cap.klass in (None, other.klass)) and (cap.category in (None, other.category))
            for other in (*others, one)
        ]
        if not counts[-1]:
            continue
        times = [other.at for other, counted in zip((*others, one), counts, strict=True) if counted]
        for begins in times:
            ends = begins + cap.per
            if begins <= one.at < ends and sum(begins <= at < ends for at in times) > cap.at_most:
                return False
    if gap is not None and gap.klass == one.klass:
        return all(abs(other.at - one.at) >= gap.after_any for other in others)
    return True


@pytest.mark.acceptance("A10.1")
@given(contacts, caps_lists, gaps, hours, st.lists(kinds, min_size=1, max_size=4), GRID)
@settings(max_examples=150)
def test_nothing_placed_ever_leaves_a_window_over_its_cap(
    ledger: list[Taken],
    caps: list[Cap],
    gap: Gap | None,
    openings: Openings,
    wanted: list[tuple[MessageClass, str]],
    start: datetime,
) -> None:
    taken = list(ledger)
    for klass, category in wanted:
        forbidden = blocked(caps, gap, taken, klass, category, NOW, SLACK)
        at, _ = earliest(max(start, NOW), openings, forbidden)
        assert at is not None
        placed = Taken(at, klass, category)
        assert keeps(caps, gap, taken, placed)
        assert openings.is_open(at)
        taken.append(placed)


@given(
    contacts,
    caps_lists,
    gaps,
    hours,
    kinds,
    GRID,
    st.sampled_from([timedelta(0), SLACK, 2 * STEP]),
)
@settings(max_examples=150)
def test_the_instant_is_the_first_of_all_that_are_allowed(
    taken: list[Taken],
    caps: list[Cap],
    gap: Gap | None,
    openings: Openings,
    kind: tuple[MessageClass, str],
    start: datetime,
    slack: timedelta,
) -> None:
    start = max(start, NOW)
    at, pushed = earliest(start, openings, blocked(caps, gap, taken, *kind, NOW, slack))
    assert at is not None
    # Also if it leaves as much later than placed as `slack` allows for.
    lateness = [timedelta(0)]
    lateness += [slack - timedelta(microseconds=1), slack / 2] if slack else []

    def allowed(tried: datetime) -> bool:
        on_time = keeps(caps, gap, taken, Taken(tried, *kind))
        return on_time and all(
            keeps(caps, gap, taken, Taken(tried + late, *kind)) for late in lateness
        )

    assert allowed(at)
    # All that can change on this grid changes at quarter hours or just behind them.
    tried = start
    while tried < at:
        for instant in (tried, tried + timedelta(microseconds=1)):
            assert instant >= at or not (openings.is_open(instant) and allowed(instant)), instant
        tried += timedelta(minutes=15)
    assert (pushed is None) == (openings.next_open(start) == at)


@given(contacts, caps_lists, gaps, kinds, st.randoms())
def test_the_order_in_which_contacts_are_told_makes_no_difference(
    taken: list[Taken], caps: list[Cap], gap: Gap | None, kind: tuple[MessageClass, str], random
) -> None:
    shuffled = random.sample(taken, len(taken))
    one, other = (blocked(caps, gap, some, *kind, NOW, SLACK) for some in (taken, shuffled))
    for n in range(-8, 200):
        at = NOW + n * STEP / 2
        told = [[hold.around(at) for hold in holds] for holds in (one, other)]
        assert [each and each[:3] for each in told[0]] == [each and each[:3] for each in told[1]]
