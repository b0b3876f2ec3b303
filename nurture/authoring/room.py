"""Would caps and hours ever let this step through?

A campaign is tried on people who have nothing else: entering on each weekday, at several hours,
with their interview soon or far off. What never finds room for any of them never will. Only steps
that are certain to go out take room from others, so nothing is called impossible that is not.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

from nurture.config import Config
from nurture.core.caps import Hold, Limits, Taken, earliest
from nurture.core.holding import hours_of_tone
from nurture.core.hours import ANY, Calendar, Openings, Pattern
from nurture.core.model import Campaign, Category, Hours, MessageClass, Step
from nurture.core.timing import derive, shift

_MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # no change of clocks near it
_ENTERED = [
    _MONDAY + timedelta(days=day, hours=hour)
    for day, hour in product((1, 4, 0, 2, 3, 5, 6), (10, 22))
]
_AHEAD = [timedelta(days=days) for days in (10, 3, 1, 40, 0, 400, -3)]
_HOURS = (timedelta(0), timedelta(hours=5), timedelta(hours=-5))
_FUTURE = frozenset(
    {"interview.starts_at", "interview.ends_at", "offer.expires_at", "candidate.consent_until"}
)
_PAST = frozenset({"entered", "interview.booked_at", "application.stage_since", "offer.sent_at"})
_FUTURE |= {"application.start_date", "candidate.paused_until"}
_PAST |= {"application.rejected_at", "application.applied_at"}


@dataclass(frozen=True)
class Crowded:
    """A step that never finds room, and what has taken it: a step, or nothing but closed hours."""

    step: Step
    by: Step | None


@dataclass(frozen=True)
class _Person:
    """Somebody who enters: the values of their anchors."""

    entered_at: datetime
    ahead_at: datetime

    def anchor(self, name: str) -> datetime | None:
        if name in _PAST:
            return self.entered_at
        if name == "interview.ends_at":
            return self.ahead_at + timedelta(hours=1)
        return self.ahead_at if name in _FUTURE else None


def crowded_out(campaign: Campaign, config: Config) -> Iterator[Crowded]:
    """The mails that can never go out, whoever enters and whenever."""
    tried = _Trial(campaign, config)
    for step in tried.doubtful():
        refused: list[Step | None] = []
        for person in _people():
            placed, taken_by = tried.place(step, person)
            if placed:
                break
            if placed is False:
                refused.append(taken_by)
        else:
            if refused:
                yield Crowded(step, refused[0])


def _people() -> Iterable[_Person]:
    for ahead, entered_at, later in product(_AHEAD, _ENTERED, _HOURS):
        day = entered_at.replace(hour=12)
        yield _Person(entered_at, day + ahead + later)


class _Trial:
    def __init__(self, campaign: Campaign, config: Config) -> None:
        self.campaign = campaign
        self.config = config
        self.calendar = Calendar(ZoneInfo(config.timezone), lambda _: None, "anybody")
        hours = config.contact_hours
        self.openings = {
            Hours.CONTACT: self._open(Pattern(hours.days, hours.from_, hours.to)),
            Hours.WIDE: self._open(Pattern(frozenset(range(7)), time(7), time(21))),
            Hours.ANY: self._open(ANY),
        }
        self.certain = [step for step in campaign.steps if step.send and step.condition is None]

    def _open(self, pattern: Pattern) -> Openings:
        return Openings(self.calendar, pattern)

    def category(self, step: Step) -> Category | None:
        return self.config.categories.get(step.category or "")

    def doubtful(self) -> Iterator[Step]:
        """Mails that must be sent by some time, and that caps or hours can hold back."""
        for step in self.campaign.steps:
            category = self.category(step)
            if step.send is None or category is None or self.until_is_unknown(step):
                continue
            ends = step.until is not None or category.klass is MessageClass.NURTURE
            if ends and (category.capped or category.hours is not Hours.ANY):
                yield step

    def until_is_unknown(self, step: Step) -> bool:
        """Whether it hangs on what is sent meanwhile, or on a date of the candidate's own."""
        moments = [moment for moment in (step.at, step.until) if moment is not None]
        return any(moment.anchor not in _PAST | _FUTURE for moment in moments)

    def place(self, asked: Step, person: _Person) -> tuple[bool | None, Step | None]:
        """Whether a step finds room for this person, and if not, which step has taken it; None
        where it is not wanted, or not at a time that is certain."""
        steps = [step for step in self.campaign.steps if step in self.certain or step is asked]
        wanted = self._moments(person)
        if asked.id not in wanted:
            return None, None
        steps = [step for step in steps if step.id in wanted]
        taken: list[Taken] = []
        for step in sorted(steps, key=lambda step: self._order(step, wanted[step.id], person)):
            at, by = self._earliest(step, wanted[step.id], person, taken)
            until = self._until(step, wanted[step.id], person)
            fits = at is not None and (until is None or at <= until)
            if step is asked:
                return fits, next((one for one in steps if one.id == by), None)
            category = self.category(step)
            if at is not None and fits and category is not None:
                taken.append(Taken(at, category.klass, category.name, step.id))
        return None, None

    def _moments(self, person: _Person) -> Mapping[str, datetime]:
        """When each step of the campaign's own list is wanted, as far as that is certain."""
        found: dict[str, datetime] = {}
        above: datetime | None = person.entered_at
        for step in self.campaign.steps:
            if step.branch is not None or step.wait_for is not None or step.repeat is not None:
                above = None
                continue
            at: datetime | None = None
            if step.at is not None:
                anchor_at = person.anchor(step.at.anchor)
                at = derive(step.at, anchor_at, self.calendar) if anchor_at else None
                if at is not None and at < person.entered_at:
                    at = person.entered_at if step.if_late == "send" else None
            elif above is not None:
                at = shift(above, step.after, self.calendar) if step.after else above
            if at is not None:
                found[step.id] = at
            above = at
        return found

    def _until(self, step: Step, moment_at: datetime, person: _Person) -> datetime | None:
        if step.until is not None:
            anchor_at = person.anchor(step.until.anchor)
            return derive(step.until, anchor_at, self.calendar) if anchor_at else None
        category = self.category(step)
        if category is not None and category.klass is MessageClass.NURTURE:
            return moment_at + self.config.max_wait
        return None

    def _order(self, step: Step, moment_at: datetime, person: _Person) -> tuple[object, ...]:
        category, until = self.category(step), self._until(step, moment_at, person)
        capped = category is not None and category.capped
        priority = category.priority if category else 0
        return capped, -priority, until is None, until or moment_at, moment_at, step.id

    def _earliest(
        self, step: Step, moment_at: datetime, person: _Person, taken: list[Taken]
    ) -> tuple[datetime | None, str | None]:
        category = self.category(step)
        if category is None:
            return None, None
        openings = self.openings[category.hours]
        start = moment_at
        if step.at is not None and step.at.before and not openings.is_open(moment_at):
            last = openings.last_open(moment_at)
            start = last if last is not None and last >= person.entered_at else moment_at
        holds: list[Hold] = hours_of_tone(self.config.never, step.tone, self.calendar)
        if category.capped:
            caps, gap = self.config.caps, self.config.gap
            limits = Limits(caps, gap, taken, person.entered_at, timedelta(0))
            holds += limits.of(category.klass, category.name)
        at, pushed = earliest(start, openings, holds)
        return at, pushed.by[-1].label if pushed is not None and pushed.by else None
