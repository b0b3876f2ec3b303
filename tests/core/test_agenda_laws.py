"""The agenda's laws, for any rules, any wishes, any past and any hour.

What is allowed is counted here anew, from the sentences of the documents: every window by itself,
hours by what a wall clock shows, half hour by half hour. None of it asks the engine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nurture.core.agenda import (
    Agenda,
    FollowUps,
    Item,
    Ledger,
    Policy,
    Recipient,
    Story,
    plan,
)
from nurture.core.caps import Cap, Gap
from nurture.core.hours import ANY, Calendar, Never, Pattern
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
    Pace,
    Reason,
    Repeat,
    Step,
    Subject,
    Tone,
    Truth,
    Verdict,
    WeekHours,
    Wishes,
)

SERVICE, NURTURE, PRIVACY = MessageClass
#: Everything is on this grid, so whatever can change changes at one of its instants.
STEP = timedelta(minutes=30)
DAY = timedelta(days=1)
ATOM = timedelta(microseconds=1)
QUICK = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
CAMPAIGN = Campaign(
    name="any", title="Any", status=CampaignStatus.LIVE, enter=Enter(on="application.created")
)
CATEGORIES = {
    each.name: each
    for each in (
        Category(name="receipt", klass=SERVICE, priority=100, capped=False, hours=Hours.ANY),
        Category(name="logistics", klass=SERVICE, priority=95, capped=False, hours=Hours.WIDE),
        Category(name="status", klass=SERVICE, priority=90, capped=False),
        Category(name="privacy", klass=PRIVACY, priority=60),
        Category(name="help", klass=SERVICE, priority=50),
        Category(name="check-in", klass=NURTURE, priority=40, follow_up=True),
        Category(name="culture", klass=NURTURE, priority=20),
        Category(name="digest", klass=NURTURE, priority=10),
    )
}
#: Before a change of clocks in one of the zones, and where clocks go back over midnight.
DAYS = (date(2026, 3, 7), date(2026, 3, 27), date(2026, 10, 23), date(2026, 10, 31))
ZONES = (
    *("Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"),
    *("Asia/Beirut", "America/Santiago", "Pacific/Kiritimati"),
)


@dataclass(frozen=True, eq=False)
class World:
    policy: Policy
    candidate: Candidate
    zone: ZoneInfo
    story: Story
    past: tuple[Contact, ...]
    wants: tuple[Want, ...]
    now: datetime

    @property
    def recipient(self) -> Recipient:
        calendar = Calendar(zone=self.zone, holidays=lambda _: None, key="c1")
        return Recipient(candidate=self.candidate, calendar=calendar, story=self.story)

    def plan(self, *wants: Want) -> Agenda:
        ledger = Ledger(contacts=self.past)
        return plan(self.recipient, wants or self.wants, ledger, self.policy, self.now)


def planned(world: World) -> dict[Key, Item]:
    return {item.key: item for item in world.plan().items}


# --- what there may be --------------------------------------------------------------------------

clocks = st.integers(0, 47).map(lambda n: time(n // 2, n % 2 * 30))
lengths = st.integers(1, 400).map(lambda n: n * STEP)
weekdays = st.frozensets(st.integers(0, 6), min_size=1)
caps = st.builds(
    Cap,
    st.integers(1, 3),
    lengths,
    st.sampled_from([None, None, NURTURE, SERVICE]),
    st.sampled_from([None, None, None, "culture", "help"]),
)
spans = st.tuples(st.integers(10, 30), st.integers(2, 18)).map(
    lambda span: (time(span[0] // 2, span[0] % 2 * 30), _clock(min(span[0] + span[1], 47)))
)


def _clock(half_hours: int) -> time:
    return time(half_hours // 2, half_hours % 2 * 30)


patterns = st.builds(lambda days, span: Pattern(days, *span), weekdays, spans)


@st.composite
def week_hours(draw: st.DrawFn) -> WeekHours:
    from_, to = draw(spans)
    days = draw(weekdays)
    return WeekHours(days=days, from_=from_, to=draw(st.sampled_from([to, to, None])), text="so")


@st.composite
def nevers(draw: st.DrawFn) -> Never:
    hours = draw(week_hours())
    tone = draw(st.sampled_from(Tone))
    return Never(tone=tone, days=hours.days, from_=hours.from_, to=hours.to)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    ceilings = st.builds(
        lambda fewer, more, quiet: FollowUps(in_process=fewer, outreach=more, then_quiet=quiet),
        st.integers(1, 2),
        st.integers(1, 3),
        lengths,
    )
    return Policy(
        categories=CATEGORIES,
        caps=draw(st.lists(caps, min_size=1, max_size=3)),
        gap=draw(st.none() | st.builds(Gap, st.sampled_from([NURTURE, SERVICE]), lengths)),
        hours={
            Hours.CONTACT: draw(patterns),
            Hours.WIDE: Pattern(frozenset(range(7)), time(7), time(21)),
            Hours.ANY: ANY,
        },
        never=draw(st.lists(nevers(), max_size=1)),
        follow_ups=draw(st.none() | ceilings),
        cheerful_after_bad_news=draw(st.sampled_from([timedelta(0), 2 * DAY, 14 * DAY])),
        nurture_after_bad_news=draw(st.sampled_from([timedelta(0), 14 * DAY])),
        max_wait=draw(st.sampled_from([2 * DAY, 30 * DAY])),
        send_slack=draw(st.sampled_from([timedelta(0), STEP])),
    )


@st.composite
def wishes(draw: st.DrawFn, now: datetime) -> Wishes:
    """Mostly one or two, as people have."""
    rarely = st.integers(0, 3).map(lambda n: n == 0)
    first = now.date() + draw(st.integers(-2, 9)) * DAY
    return Wishes(
        pace=draw(st.sampled_from([Pace.AS_IT_HAPPENS, *Pace])),
        pace_day=draw(st.none() | st.integers(0, 6)),
        only=(draw(week_hours()),) if draw(rarely) else (),
        not_in=(draw(week_hours()),) if draw(rarely) else (),
        quiet_days=((first, first + draw(st.integers(0, 4)) * DAY),) if draw(rarely) else (),
        sensitive_until=now + draw(lengths) if draw(rarely) else None,
    )


@st.composite
def wants(draw: st.DrawFn, now: datetime, *, before: bool = True) -> tuple[Want, ...]:
    found = []
    for number in range(draw(st.integers(2, 6))):
        anchored = Moment(
            offset=Duration(amount=0, unit="minutes"),
            before=before and draw(st.booleans()),
            anchor="interview.starts_at",
        )
        moment_at = now + draw(st.integers(-48, 150)) * STEP
        until = moment_at + draw(st.integers(0, 400)) * STEP if draw(st.booleans()) else None
        step = Step(
            id=f"s{number}",
            send=f"t{draw(st.integers(0, 5))}",
            at=anchored,
            category=draw(st.sampled_from(sorted(CATEGORIES))),
            tone=draw(st.sampled_from([Tone.NEUTRAL, *Tone])),
            repeat=Repeat() if draw(st.integers(0, 4)) == 0 else None,
            fresh_until=(now + 6 * DAY).date() if draw(st.integers(0, 5)) == 0 else None,
        )
        found.append(want(number, step, moment_at, until))
    return tuple(found)


def want(number: int, step: Step, moment_at: datetime, until: datetime | None = None) -> Want:
    return Want(
        key=Key(enrollment_id=number, step=step.id, occurrence="1"),
        campaign=CAMPAIGN,
        step=step,
        enrollment=Enrollment(
            id=number,
            candidate_id=1,
            campaign="any",
            subject=Subject(),
            about="candidate:1",
            entered_at=moment_at,
        ),
        moment_at=moment_at,
        known_at=moment_at,
        until=until,
        truth=Truth(value=True),
    )


@st.composite
def pasts(draw: st.DrawFn, now: datetime) -> tuple[Contact, ...]:
    names = st.lists(st.sampled_from([*sorted(CATEGORIES), None]), max_size=6)
    return tuple(
        Contact(
            at=now - draw(st.integers(0, 400)) * STEP,
            category=name,
            klass=CATEGORIES[name].klass if name else None,
            template=f"t{draw(st.integers(0, 20))}" if name else None,
            human=name is None,
        )
        for name in draw(names)
    )


@st.composite
def worlds(draw: st.DrawFn, *, before: bool = True) -> World:
    now = datetime.combine(draw(st.sampled_from(DAYS)), draw(clocks), UTC)
    now += draw(st.integers(0, 3)) * DAY
    past = draw(pasts(now))
    received = {each.template: each for each in past if each.template and each.klass is NURTURE}
    asked_for = draw(wishes(now))
    paused_until = draw(st.none() | st.none() | lengths.map(lambda length: now + length))
    return World(
        policy=draw(policies()),
        candidate=Candidate(
            id=1, ref="c1", email="a@example.com", paused_until=paused_until, wishes=asked_for
        ),
        zone=ZoneInfo(draw(st.sampled_from(ZONES))),
        story=Story(
            bad_news_at=draw(st.none() | lengths.map(lambda length: now - length)),
            heard_at=draw(st.none() | lengths.map(lambda length: now - length)),
            in_process=draw(st.booleans()),
            received=received,
        ),
        past=past,
        wants=draw(wants(now, before=before)),
        now=now,
    )


# --- what is allowed, by counting ---------------------------------------------------------------

#: When a mail went or will go, and of which category; None: a colleague's own call or mail.
Gone = tuple[datetime, Category | None]


def past_of(world: World) -> list[Gone]:
    return [(each.at, CATEGORIES.get(each.category or "")) for each in world.past]


def most_within(times: list[datetime], at: datetime, per: timedelta) -> int:
    """How many lie in the fullest window of this length that holds `at`."""
    windows = [(start, start + per) for start in times if start <= at < start + per]
    return max(sum(start <= one < end for one in times) for start, end in windows)


def keeps_caps(
    world: World, others: list[Gone], at: datetime, category: Category, *, later: bool = True
) -> bool:
    """Whether every window that holds one more mail at this instant keeps to its rule.

    `later`: a gap is kept to what comes after it, too. A less necessary mail of another class may
    follow one that keeps the gap, and never precede it.
    """
    everything = [*others, (at, category)]
    for cap in world.policy.caps:
        if cap.klass not in (None, category.klass) or cap.category not in (None, category.name):
            continue
        counted = [
            one
            for one, kind in everything
            if cap.klass is None or (kind is not None and kind.klass is cap.klass)
            if cap.category is None or (kind is not None and kind.name == cap.category)
        ]
        if most_within(counted, at, cap.per) > cap.at_most:
            return False
    gap = world.policy.gap
    if gap is not None and gap.klass is category.klass:
        near = [one for one, _ in others if abs(one - at) < gap.after_any]
        if [one for one in near if later or one < at]:
            return False
    elif gap is not None:
        keep = [one for one, kind in others if kind is not None and kind.klass is gap.klass]
        if any(one - gap.after_any < at < one for one in keep):
            return False
    capped = [one for one, kind in everything if kind is not None and kind.capped]
    match world.candidate.wishes.pace:
        case Pace.TWICE_A_WEEK:
            return most_within(capped, at, timedelta(days=6, hours=20)) <= 2
        case Pace.WEEKLY:
            return most_within(capped, at, 4 * DAY) <= 1
        case _:
            return True


def wall(world: World, at: datetime) -> datetime | None:
    """What their clock shows; None in hours that it shows twice, and may mean either."""
    local = at.astimezone(world.zone)
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return None if twice else local


def within(hours: WeekHours | Never, local: datetime) -> bool:
    clock = local.time()
    return (
        local.weekday() in hours.days
        and hours.from_ <= clock
        and (hours.to is None or clock < hours.to)
    )


def is_open(world: World, category: Category, local: datetime, *, own: bool) -> bool:
    pattern = world.policy.hours[category.hours]
    assert pattern is not None
    if pattern is ANY:
        return True
    wished, clock = world.candidate.wishes, local.time()
    usual = local.weekday() in pattern.days and pattern.opens <= clock < pattern.closes
    if not own:
        return usual
    if any(first <= local.date() <= last for first, last in wished.quiet_days):
        return False
    if any(within(hours, local) for hours in wished.not_in):
        return False
    named = [hours for hours in wished.only if local.weekday() in hours.days]
    if not named:
        return usual
    return time(6) <= clock < time(23) and any(within(hours, local) for hours in named)


@lru_cache(maxsize=len(CATEGORIES))  # asked for each half hour of the same world
def weekly_days(world: World, category: Category) -> frozenset[int]:
    """Their weekday, or where nothing goes on it, the next; where they named none, one of ours."""
    later = datetime(2030, 1, 7, tzinfo=UTC)  # a Monday beyond all quiet days
    open_days = {
        local.weekday()
        for local in (later + n * STEP for n in range(7 * 48))
        if is_open(world, category, local, own=True)
    }
    chosen = world.candidate.wishes.pace_day
    return frozenset(
        next((day + n) % 7 for n in range(7) if (day + n) % 7 in open_days or not open_days)
        for day in ((chosen,) if chosen is not None else (1, 2, 3))
    )


def peace_until(world: World, nurture: bool, cheerful: bool) -> datetime:
    """Until when such mail leaves them alone: in a pause, in a hard time, after bad news."""
    until = [world.candidate.paused_until] if nurture else []
    until += [world.candidate.wishes.sensitive_until] if nurture or cheerful else []
    if (bad_news_at := world.story.bad_news_at) is not None:
        until += [bad_news_at + world.policy.cheerful_after_bad_news] if cheerful else []
        until += [bad_news_at + world.policy.nurture_after_bad_news] if nurture else []
    return max((end for end in until if end), default=datetime.min.replace(tzinfo=UTC))


def is_fit(
    world: World, one: Want, at: datetime, others: list[Gone], *, own: bool = True
) -> bool | None:
    """Whether it may go then, beside those others; None where nobody can say: an hour that a clock
    shows twice, a weekday of the engine's own choosing."""
    category = CATEGORIES[one.step.category or ""]
    local = wall(world, at)
    if local is None:
        return None
    if not is_open(world, category, local, own=own):
        return False
    story, asked_for, tone = world.story, world.candidate.wishes, one.step.tone
    if at < peace_until(world, category.klass is NURTURE, tone is Tone.CHEERFUL):
        return False
    if any(rule.tone is tone and within(rule, local) for rule in world.policy.never):
        return False
    limits = world.policy.follow_ups
    if category.follow_up and limits is not None:
        asked = [
            when
            for when, kind in others
            if kind is not None and kind.follow_up
            if story.heard_at is None or when > story.heard_at
        ]
        ceiling = limits.in_process if story.in_process else limits.outreach
        if len(asked) >= ceiling and at < max(asked) + limits.then_quiet:
            return False
    if not category.capped:
        return True
    if asked_for.pace is Pace.ONLY_WHAT_MATTERS:
        return False
    if not keeps_caps(world, others, at, category):
        return False
    if asked_for.pace is not Pace.WEEKLY:
        return True
    days = weekly_days(world, category)
    return (None if len(days) > 1 else True) if local.weekday() in days else False


def until_of(world: World, one: Want) -> datetime | None:
    ends = [one.until] if one.until is not None else []
    if one.until is None and CATEGORIES[one.step.category or ""].klass is NURTURE:
        ends = [one.moment_at + world.policy.max_wait]
    if (day := one.step.fresh_until) is not None:
        midnight = datetime.combine(day + DAY, time.min, world.zone)
        ends.append(midnight.astimezone(UTC) - timedelta(seconds=1))
    return min(ends, default=None)


def order(world: World, one: Want) -> tuple[object, ...]:
    """Uncapped first, then priority, `until` (none last), moment, key."""
    category = CATEGORIES[one.step.category or ""]
    last = one.until or datetime.max.replace(tzinfo=UTC)
    return category.capped, -category.priority, last, one.moment_at, one.key


def firm(world: World) -> Iterator[tuple[Want, Item, Category]]:
    """What is placed, in the order in which it was."""
    items = planned(world)
    for one in sorted(world.wants, key=lambda each: order(world, each)):
        item = items[one.key]
        if item.verdict in (Verdict.SEND, Verdict.WAIT) and item.at is not None:
            yield one, item, CATEGORIES[one.step.category or ""]


# --- the laws -----------------------------------------------------------------------------------


@given(worlds())
@QUICK
def test_nothing_goes_where_a_rule_of_the_house_or_a_wish_forbids_it(world: World) -> None:
    others = past_of(world)
    for one, item, category in firm(world):
        assert item.at is not None
        own = "broke" not in item.detail
        assert own or (not category.capped and one.until is not None)
        assert is_fit(world, one, item.at, others, own=own) is not False, item
        others.append((item.at, category))
    for _, item, category in firm(world):
        if category.capped and item.at is not None:
            beside = [gone for gone in others if gone != (item.at, category)]
            beside += [(item.at, category)] * (others.count((item.at, category)) - 1)
            assert keeps_caps(world, beside, item.at, category, later=False), "by what follows"


@given(worlds())
@QUICK
def test_nothing_goes_before_now_or_after_its_until(world: World) -> None:
    for one in world.wants:
        item = planned(world)[one.key]
        until = until_of(world, one)
        if item.verdict is Verdict.SKIP:
            continue
        if item.at is not None:
            assert item.at >= world.now
            assert until is None or item.at <= until
        if item.verdict is Verdict.SEND:
            assert item.at == world.now
    assert all(item.final or item.verdict is not Verdict.TASK for item in planned(world).values())


@given(worlds(before=False))
@settings(QUICK, max_examples=40)
def test_each_goes_at_the_first_instant_that_is_allowed(world: World) -> None:
    """Beside what is more necessary, tried half hour by half hour."""
    items, others = planned(world), past_of(world)
    texts: set[str | None] = set()
    for one in sorted(world.wants, key=lambda each: order(world, each)):
        item, category = items[one.key], CATEGORIES[one.step.category or ""]
        until = until_of(world, one)
        once = category.klass is NURTURE and one.step.repeat is None and not category.follow_up
        if until is not None and world.now > until:
            assert (item.verdict, item.final) == (Verdict.SKIP, True)
        elif once and (one.step.send in world.story.received or one.step.send in texts):
            assert (item.verdict, item.reason) == (Verdict.SKIP, Reason.ALREADY_SENT)
        elif category.capped and world.candidate.wishes.pace is Pace.ONLY_WHAT_MATTERS:
            assert (item.verdict, item.reason) == (Verdict.SKIP, Reason.PACE)
        else:
            if once and item.reason is Reason.ALREADY_SENT:  # by then; it had its place
                assert item.verdict is Verdict.SKIP
                assert any(repeats(other, item) for other in items.values()), item
            else:
                assert item.verdict in (Verdict.SEND, Verdict.WAIT)
            if not is_first(world, one, item, others):
                continue
            assert item.at is not None
            others.append((item.at, category))
            texts |= {one.step.send} if once else set()


def repeats(other: Item, item: Item) -> bool:
    """Whether this mail, which is meant to repeat its text, brings that one's no later."""
    category = other.category
    return (
        other.verdict in (Verdict.SEND, Verdict.WAIT)
        and other.step.send == item.step.send
        and category is not None
        and category.klass is NURTURE
        and (other.step.repeat is not None or category.follow_up)
        and other.at is not None
        and item.at is not None
        and other.at <= item.at
    )


def is_first(world: World, one: Want, item: Item, others: list[Gone]) -> bool:
    """Whether it has a place; that there is none before it, in 20 days at most, is asserted."""
    until, tried = until_of(world, one), max(one.moment_at, world.now)
    ends = item.at or min(
        tried + 20 * DAY, until + ATOM if until else datetime.max.replace(tzinfo=UTC)
    )
    slack = world.policy.send_slack
    ahead = [gone for gone in others if gone[0] > world.now]
    category = CATEGORIES[one.step.category or ""]
    own = "broke" not in item.detail
    while tried < ends:
        free = is_fit(world, one, tried, others, own=own)
        if free and slack and category.capped and ahead:  # also if it leaves a little later
            free = all(
                keeps_caps(world, others, tried + late, category)
                for late in (slack / 2, slack - ATOM)
            )
        assert not free, f"{tried} was free for {one.key}, {item}"
        tried += STEP
    if not own:
        assert until is not None
        wished = max(one.moment_at, world.now)
        while wished <= until:
            assert not is_fit(world, one, wished, others), "the wish could have been kept"
            wished += STEP
    return item.at is not None


@given(worlds())
@QUICK
def test_a_lower_one_never_delays_a_higher_one(world: World) -> None:
    in_order = sorted(world.wants, key=lambda each: order(world, each))
    together = planned(world)
    for many in range(1, len(in_order)):
        alone = planned(replace(world, wants=tuple(in_order[:many])))
        for key, item in alone.items():
            assert (item.verdict, item.reason, item.at) == together[key][3:6]


@given(worlds())
@QUICK
def test_what_is_only_forecast_moves_nothing(world: World) -> None:
    sure = replace(world, wants=world.wants[::2])
    vague = tuple(each._replace(firm=False) for each in world.wants[1::2])
    together = planned(replace(world, wants=sure.wants + vague))
    for key, item in planned(sure).items():
        assert together[key] == item


@given(worlds(), st.randoms(use_true_random=False))
@QUICK
def test_planning_again_says_the_same_of_each_one_in_whatever_order_they_come(
    world: World, random: object
) -> None:
    first = world.plan()
    shuffled = list(world.wants)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert first == world.plan(*shuffled)
    assert sorted(item.key for item in first.items) == sorted(one.key for one in world.wants)
    assert first.wake_at is None or first.wake_at > world.now


@given(worlds())
@settings(QUICK, max_examples=40)
def test_what_was_foretold_happens_then_and_once(world: World) -> None:
    """Acted on at each instant at which the agenda asks to be looked at again."""
    foretold = {one.key: item.at for one, item, _ in firm(world)}
    sent: dict[Key, datetime] = {}
    approved: frozenset[Key] = frozenset(foretold)  # somebody looks at each at once
    for _ in range(60):
        ledger = Ledger(contacts=world.past, approved=approved)
        agenda = plan(world.recipient, world.wants, ledger, world.policy, world.now)
        due = [item for item in agenda.items if item.verdict is Verdict.SEND]
        if due:
            world = gone(world, due[0])
            assert due[0].key not in sent
            sent[due[0].key] = world.now
            continue
        settled = {item.key for item in agenda.items if item.final}
        rest = tuple(one for one in world.wants if one.key not in settled)
        if agenda.wake_at is None:
            break
        world = replace(world, wants=rest, now=agenda.wake_at)
    assert sent.items() >= {(key, at) for key, at in foretold.items() if at is not None}


def gone(world: World, item: Item) -> World:
    """The same after this one was handed over."""
    assert item.category is not None
    contact = Contact(
        at=world.now,
        category=item.category.name,
        klass=item.category.klass,
        template=item.step.send,
        campaign=item.campaign,
    )
    received = dict(world.story.received)
    if item.category.klass is NURTURE:
        received[item.step.send or ""] = contact
    return replace(
        world,
        past=(*world.past, contact),
        story=replace(world.story, received=received),
        wants=tuple(one for one in world.wants if one.key != item.key),
    )
