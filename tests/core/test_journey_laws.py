"""The walk's laws, for any tree of steps, any order of events and any hours between them.

A small engine stands in for the real one: it plans, writes down what was settled, sends what is
due, and moves the clock to the next alarm. All it knows is what the store would keep.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from nurture.core.agenda import Agenda, Ledger, Policy, Recipient, plan
from nurture.core.anchors import Ground
from nurture.core.hours import Calendar
from nurture.core.journey import Key, awaited, stand
from nurture.core.model import (
    Branch,
    Campaign,
    CampaignStatus,
    Candidate,
    Category,
    Condition,
    Duration,
    Enrollment,
    Enter,
    Event,
    Facts,
    Hours,
    MessageClass,
    Moment,
    Repeat,
    Step,
    StepRecord,
    StepState,
    Subject,
    Truth,
    Verdict,
    WaitFor,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CALENDAR = Calendar(zone=ZoneInfo("Europe/Lisbon"), holidays=lambda _: None, key="c1")
MAIL = Category(name="mail", klass=MessageClass.SERVICE, priority=50, capped=False, hours=Hours.ANY)
POLICY = Policy(categories={"mail": MAIL}, hours={Hours.ANY: None})
ANA = Candidate(id=1, ref="c1", email="ana@example.com")
ENROLLMENT = Enrollment(
    id=1,
    candidate_id=1,
    campaign="any",
    subject=Subject(),
    about="candidate:1",
    entered_at=NOW,
)
EVENTS = ("custom.red", "custom.blue")
DAYS = 40


@dataclass(frozen=True)
class Says:
    """A condition that a fact decides: whether that event has been heard so far."""

    event: str

    def __call__(self, context: object) -> Truth:
        raise AssertionError("the world reads it")


@dataclass
class Small:
    """One person in one campaign."""

    campaign: Campaign
    now: datetime = NOW
    records: dict[Key, StepRecord] = field(default_factory=dict)
    heard: list[Event] = field(default_factory=list)
    sent: list[tuple[Key, datetime]] = field(default_factory=list)
    chosen: dict[str, list[str]] = field(default_factory=dict)
    wanted: set[str] = field(default_factory=set)
    plannings: int = 0

    def facts(self) -> Facts:
        types = awaited([self.campaign])
        return Facts(
            candidate=ANA,
            enrollments=(ENROLLMENT,),
            records=tuple(self.records.values()),
            heard=tuple(each for each in self.heard if each.type in types),
        )

    def truth(self, condition: Condition) -> Truth:
        assert isinstance(condition, Says)
        return Truth(value=any(each.type == condition.event for each in self.heard))

    def plan(self) -> Agenda:
        ground = Ground(facts=self.facts(), calendar=CALENDAR, now=self.now, known_at=self.now)
        wanted = stand(self.campaign, ENROLLMENT, ground, self.truth)
        recipient = Recipient(candidate=ANA, calendar=CALENDAR)
        agenda = plan(recipient, wanted, Ledger(), POLICY, self.now)
        assert agenda == plan(recipient, wanted, Ledger(), POLICY, self.now)
        return agenda

    def settle(self, agenda: Agenda) -> bool:
        """Write down what was decided; whether anything was settled by it."""
        settled = False
        for item in agenda.items:
            if not item.key.occurrence:
                continue
            self.wanted.add(item.step.id)
            state = StepState.OPEN
            if item.verdict is Verdict.SEND:
                state = StepState.SENT
                self.sent.append((item.key, self.now))
            elif item.verdict is Verdict.DONE:
                state = StepState.DONE
            elif item.final:
                state = StepState.SKIPPED
            if "chosen" in item.detail:
                self.chosen.setdefault(item.step.id, []).append(item.detail["chosen"])
            settled = settled or state is not StepState.OPEN
            self.records[item.key] = StepRecord(
                **item.key._asdict(),
                anchor_at=item.anchor_at,
                moment_at=item.moment_at,
                known_at=item.known_at or self.now,
                state=state,
                settled_at=None if state is StepState.OPEN else self.now,
                chosen=item.detail.get("chosen"),
            )
        return settled

    def work(self) -> datetime | None:
        """Plan until nothing is settled any more; the next alarm."""
        for _ in range(200):
            self.plannings += 1
            agenda = self.plan()
            if not self.settle(agenda):
                return agenda.wake_at
        raise AssertionError("it spins")

    def run_until(self, end: datetime) -> None:
        alarm = self.work()
        while alarm is not None and alarm <= end:
            assert alarm > self.now, "an alarm in the past would ring for ever"
            self.now = alarm
            alarm = self.work()
        self.now = end

    def hear(self, type_: str) -> None:
        number = len(self.heard) + 1
        self.heard.append(
            Event(id=number, type=type_, candidate_id=1, occurred_at=self.now, received_at=self.now)
        )


_hours = st.integers(0, 100).map(lambda each: Duration(amount=each, unit="hours"))
_some_hours = st.integers(1, 100).map(lambda each: Duration(amount=each, unit="hours"))
_entered = st.builds(lambda offset: Moment(offset=offset, before=False, anchor="entered"), _hours)
_repeats = st.builds(Repeat, every=_some_hours, at_most=st.integers(1, 4))


@st.composite
def trees(draw: st.DrawFn, depth: int = 2) -> tuple[Step, ...]:
    """Steps without ids: see `named`."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["after", "at", "gate", "branch", "repeat", "if"]))
        if kind == "branch" and depth:
            branch = Branch(
                condition=Says(draw(st.sampled_from(EVENTS))),
                then=draw(trees(depth - 1)),
                otherwise=draw(st.just(()) | trees(depth - 1)),
            )
            found.append(Step(id="", branch=branch, after=draw(st.none() | _hours)))
        elif kind == "gate":
            events = frozenset(draw(st.sets(st.sampled_from(EVENTS), min_size=1)))
            gate = WaitFor(
                events=events,
                up_to=draw(st.none() | _some_hours),
                since_entered=draw(st.booleans()),
            )
            found.append(Step(id="", wait_for=gate))
        else:
            mail = Step(id="", send="t", category="mail", after=draw(st.none() | _hours))
            if kind == "at":
                mail = replace(mail, at=draw(_entered), after=None, if_late="send")
            elif kind == "repeat":
                at = draw(st.none() | _entered)
                after = None if at else mail.after
                mail = replace(mail, repeat=draw(_repeats), at=at, after=after)
            elif kind == "if":
                mail = replace(mail, condition=Says(draw(st.sampled_from(EVENTS))))
            found.append(mail)
    return tuple(found)


def named(steps: tuple[Step, ...], before: str = "s") -> tuple[Step, ...]:
    """Each with the id of its place in the tree."""
    found = []
    for place, step in enumerate(steps):
        id_, branch = f"{before}{place}", step.branch
        if branch is not None:
            then, otherwise = named(branch.then, f"{id_}t"), named(branch.otherwise, f"{id_}e")
            branch = replace(branch, then=then, otherwise=otherwise)
        found.append(replace(step, id=id_, branch=branch))
    return tuple(found)


def campaign(steps: tuple[Step, ...]) -> Campaign:
    return Campaign(
        name="any",
        title="Any",
        status=CampaignStatus.LIVE,
        enter=Enter(on="custom.begin"),
        steps=named(steps),
    )


#: What comes in, and how long after what came before.
_news = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(1, 200)), max_size=6)


def lived(steps: tuple[Step, ...], news: list[tuple[str, int]]) -> Small:
    world = Small(campaign(steps))
    for event, hours in news:
        world.run_until(world.now + timedelta(hours=hours))
        world.hear(event)
        world.work()
    world.run_until(NOW + timedelta(days=3650))
    return world


@given(trees(), _news)
@settings(deadline=None, max_examples=60)
def test_a_branch_is_chosen_once_and_nothing_is_wanted_of_the_other_list(
    steps: tuple[Step, ...], news: list[tuple[str, int]]
) -> None:
    world = lived(steps, news)
    assert all(len(each) == 1 for each in world.chosen.values())
    for step in world.campaign.every_step():
        if step.branch is None:
            continue
        sides = {"then": step.branch.then, "else": step.branch.otherwise}
        taken = world.chosen.get(step.id, [""])[0]
        for side, inner in sides.items():
            if side != taken:
                assert not world.wanted & {each.id for each in inner}


@given(trees(), _news)
@settings(deadline=None, max_examples=60)
def test_no_step_is_sent_twice_and_repeats_rise_strictly_and_stop(
    steps: tuple[Step, ...], news: list[tuple[str, int]]
) -> None:
    world = lived(steps, news)
    assert max(Counter(key for key, _ in world.sent).values(), default=1) == 1
    times: dict[str, list[datetime]] = {}
    for key, at in world.sent:
        times.setdefault(key.step, []).append(at)
    for step in world.campaign.every_step():
        own = times.get(step.id, [])
        assert own == sorted(set(own)), "strictly later, each time"
        at_most = step.repeat.at_most if step.repeat else 1
        assert at_most is None or len(own) <= at_most


def below(steps: tuple[Step, ...], gate: str) -> set[str]:
    """The steps that wait below a gate in its own list, and all within them."""
    for place, step in enumerate(steps):
        if step.id == gate:
            under = [each for each in steps[place + 1 :] if each.at is None]
            inner = Campaign(name="x", title="x", enter=Enter(), steps=tuple(under))
            return {each.id for each in inner.every_step()}
        if step.branch is not None:
            found = below(step.branch.then, gate) | below(step.branch.otherwise, gate)
            if found:
                return found
    return set()


@given(trees(), _news)
@settings(deadline=None, max_examples=60)
def test_what_waits_below_a_gate_never_moves_before_it_opens(
    steps: tuple[Step, ...], news: list[tuple[str, int]]
) -> None:
    world = lived(steps, news)
    opened = {key.step: record.settled_at for key, record in world.records.items()}
    for step in world.campaign.every_step():
        if step.wait_for is None:
            continue
        under = below(world.campaign.steps, step.id)
        at = opened.get(step.id)
        for key, when in world.sent:
            if key.step in under:
                assert at is not None
                assert when >= at


@given(trees(), _news, st.integers(0, DAYS * 24))
@settings(deadline=None, max_examples=60)
def test_planning_again_says_the_same_and_settles_nothing_more(
    steps: tuple[Step, ...], news: list[tuple[str, int]], hours: int
) -> None:
    world = Small(campaign(steps))
    for event, wait in news:
        world.run_until(world.now + timedelta(hours=wait))
        world.hear(event)
    world.run_until(world.now + timedelta(hours=hours))
    world.work()
    first = world.plan()
    world.settle(first)
    again = world.plan()
    assert again == first
    assert not [item for item in again.items if item.final or item.verdict is Verdict.DONE]


@given(trees())
@settings(deadline=None, max_examples=60)
def test_a_step_with_at_does_not_depend_on_the_order_of_its_list(
    steps: tuple[Step, ...],
) -> None:
    own = [each for each in named(steps) if each.at is not None]
    others = [each for each in named(steps) if each.at is None]
    one = Small(replace(campaign(()), steps=(*own, *others)))
    two = Small(replace(campaign(()), steps=(*others, *own[::-1])))
    for world in (one, two):
        world.run_until(NOW + timedelta(days=DAYS))
    ids = {each.id for each in own}
    assert sorted(row for row in one.sent if row[0].step in ids) == sorted(
        row for row in two.sent if row[0].step in ids
    )


@given(trees())
@settings(deadline=None, max_examples=60)
def test_nobody_is_planned_by_time_when_only_an_event_can_change_anything(
    steps: tuple[Step, ...],
) -> None:
    world = Small(campaign(steps))
    world.run_until(NOW + timedelta(days=3650))
    before = world.plannings
    assert world.work() is None
    assert world.plannings == before + 1
