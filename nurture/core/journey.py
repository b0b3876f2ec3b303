"""Where does an enrollment stand, and which steps does it want next?

Position is the set of settled step ids; nothing refers to a step by its place in the file. Moments
are derived from facts each time, so a moved interview or an edited file takes effect by itself.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple

from nurture.core import timing
from nurture.core.hours import LATEST, Calendar
from nurture.core.model import (
    Application,
    Campaign,
    Category,
    Condition,
    Duration,
    Enrollment,
    Facts,
    Interview,
    MessageState,
    Reason,
    Step,
    StepRecord,
    StepState,
    Truth,
    Verdict,
)
from nurture.core.subject import application_of, interview_of, last_contact, offer_of, promise_of

#: Anchor values closer than this are the same occasion: a room change is not a new interview.
SAME_OCCASION = timedelta(minutes=30)

ENTIRELY_TRUE = Truth(value=True)


class Key(NamedTuple):
    """One occurrence of one step of one enrollment."""

    enrollment_id: int
    step: str
    occurrence: str


@dataclass(frozen=True, kw_only=True)
class Want:
    """A step whose moment is known."""

    key: Key
    campaign: Campaign
    step: Step
    enrollment: Enrollment
    moment_at: datetime
    known_at: datetime
    anchor_at: datetime | None = None
    until: datetime | None = None
    truth: Truth = ENTIRELY_TRUE
    firm: bool = True  #: False: its anchor still moves with what will be sent; reserves nothing


@dataclass(frozen=True, kw_only=True)
class Standstill:
    """A step that wants no instant: settled by time just now, or waiting for something else."""

    key: Key
    campaign: Campaign
    step: Step
    enrollment: Enrollment
    verdict: Verdict
    reason: Reason
    final: bool = False
    above: Key | None = None  #: the step it waits for
    moment_at: datetime | None = None
    known_at: datetime | None = None
    anchor_at: datetime | None = None
    at: datetime | None = None  #: until when it waits, where that is known
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What `stand` reads besides the campaign: the same for all enrollments of a candidate."""

    facts: Facts
    calendar: Calendar
    now: datetime
    known_at: datetime  #: since when today's facts are known: the arrival of the newest of them
    interview_minutes: int = 60
    silence: Mapping[str, Duration] = field(default_factory=dict)
    categories: Mapping[str, Category] = field(default_factory=dict)


def stand(
    campaign: Campaign,
    enrollment: Enrollment,
    ground: Ground,
    truth: Callable[[Condition], Truth],
) -> list[Want | Standstill]:
    """Every unsettled step, in file order, with its moment or why it has none."""
    return list(_Walk(campaign, enrollment, ground, truth).steps())


class _Walk:
    """One pass over a campaign's steps for one enrollment."""

    def __init__(
        self,
        campaign: Campaign,
        enrollment: Enrollment,
        ground: Ground,
        truth: Callable[[Condition], Truth],
    ) -> None:
        self.campaign = campaign
        self.enrollment = enrollment
        self.ground = ground
        self.truth = truth
        self.anchors = anchors(enrollment, ground)
        siblings = {
            other.id
            for other in ground.facts.enrollments
            if other.campaign == enrollment.campaign and other.about == enrollment.about
        }
        self.records: dict[str, list[StepRecord]] = {}
        for record in ground.facts.records:
            if record.enrollment_id in siblings:
                self.records.setdefault(record.step, []).append(record)
        self.in_flight = {
            (message.enrollment_id, message.step, message.occurrence)
            for message in ground.facts.messages
            if message.state is MessageState.SENDING
        }

    def steps(self) -> Iterator[Want | Standstill]:
        above: tuple[Key, datetime | None] | None = None  # the step above, and when it was settled
        last_settled = self._last_settled_waiting()
        for index, step in enumerate(self.campaign.steps):
            if step.at is not None:
                anchor_at = self.anchors(step.at.anchor)
                if anchor_at is None:
                    key = Key(enrollment_id=self.enrollment.id, step=step.id, occurrence="")
                    yield self._standstill(
                        key, step, Reason.NO_ANCHOR, detail={"anchor": step.at.anchor}
                    )
                    continue  # holds up nobody: what waits below looks further up
                key = self._key(step, anchor_at.isoformat())
                settled_at = self._settled(step, key, anchor_at)
                if settled_at is None:
                    yield self._at_anchor(step, key, anchor_at)
            else:
                key = self._key(step, "1")
                settled_at = self._settled(step, key, None)
                if settled_at is None and index > last_settled:
                    yield self._after(step, key, above)
            # What is still being handed over may yet be refused: those below wait for the answer.
            above = (key, None if key in self.in_flight else settled_at)

    def _at_anchor(self, step: Step, key: Key, anchor_at: datetime) -> Want | Standstill:
        moment = step.at
        assert moment is not None  # noqa: S101 - the caller's branch
        moment_at = timing.derive(moment, anchor_at, self.ground.calendar)
        known_at = self._known_at(step, key, moment_at)
        if moment_at < known_at and step.if_late == "skip":
            return self._standstill(
                key,
                step,
                Reason.LATE,
                verdict=Verdict.SKIP,
                final=True,
                moment_at=moment_at,
                known_at=known_at,
                anchor_at=anchor_at,
                detail={"moment": moment_at.isoformat()},
            )
        until = self._until(step)
        if until is None and moment.before:
            until = anchor_at
        firm = moment.anchor not in timing.DYNAMIC_ANCHORS or moment_at <= self.ground.now
        return self._want(step, key, moment_at, known_at, anchor_at, until=until, firm=firm)

    def _after(
        self, step: Step, key: Key, above: tuple[Key, datetime | None] | None
    ) -> Want | Standstill:
        if above is not None and above[1] is None:
            return self._standstill(
                key, step, Reason.AFTER_STEP, above=above[0], detail={"step": above[0].step}
            )
        since = self.enrollment.entered_at if above is None else above[1]
        assert since is not None  # noqa: S101 - excluded above
        delay = step.after or Duration(amount=0, unit="minutes")
        moment_at = timing.shift(since, delay, self.ground.calendar)
        return self._want(step, key, moment_at, since, None, until=self._until(step))

    def _want(
        self,
        step: Step,
        key: Key,
        moment_at: datetime,
        known_at: datetime,
        anchor_at: datetime | None,
        *,
        until: datetime | None,
        firm: bool = True,
    ) -> Want:
        return Want(
            key=key,
            campaign=self.campaign,
            step=step,
            enrollment=self.enrollment,
            moment_at=moment_at,
            known_at=known_at,
            anchor_at=anchor_at,
            until=until,
            truth=ENTIRELY_TRUE if step.condition is None else self.truth(step.condition),
            firm=firm,
        )

    def _standstill(
        self,
        key: Key,
        step: Step,
        reason: Reason,
        *,
        verdict: Verdict = Verdict.WAIT,
        **more: Any,
    ) -> Standstill:
        return Standstill(
            key=key,
            campaign=self.campaign,
            step=step,
            enrollment=self.enrollment,
            verdict=verdict,
            reason=reason,
            **more,
        )

    def _key(self, step: Step, occurrence: str) -> Key:
        return Key(enrollment_id=self.enrollment.id, step=step.id, occurrence=occurrence)

    def _until(self, step: Step) -> datetime | None:
        if step.until is None:
            return None
        anchor_at = self.anchors(step.until.anchor)
        if anchor_at is None:
            return None
        return timing.derive(step.until, anchor_at, self.ground.calendar)

    def _known_at(self, step: Step, key: Key, moment_at: datetime) -> datetime:
        """Since when the moment has been where it is: what was past by then is late."""
        mine = [
            record
            for record in self.records.get(step.id, ())
            if record.enrollment_id == self.enrollment.id and record.moment_at is not None
        ]
        for record in mine:
            if record.occurrence == key.occurrence and record.moment_at == moment_at:
                return record.known_at
        if not mine and self.enrollment.entered_at >= self.ground.known_at:
            return self.enrollment.entered_at
        return self.ground.known_at

    def _settled(self, step: Step, key: Key, anchor_at: datetime | None) -> datetime | None:
        """When this step was settled for this anchor value, or None."""
        if (key.enrollment_id, key.step, key.occurrence) in self.in_flight:
            return self.ground.now
        for record in self.records.get(step.id, ()):
            if record.state is StepState.OPEN:
                continue
            mine = record.enrollment_id == self.enrollment.id
            if mine and record.occurrence == key.occurrence:
                return record.settled_at
            if record.state is StepState.SKIPPED or (anchor_at is None and not mine):
                continue
            if _same_occasion(record, anchor_at) or (mine and not step.again_if_moved):
                return record.settled_at
        return None

    def _last_settled_waiting(self) -> int:
        """The place of the last waiting step that is settled: what is above it was passed over."""
        return max(
            (
                index
                for index, step in enumerate(self.campaign.steps)
                if step.at is None and self._settled(step, self._key(step, "1"), None) is not None
            ),
            default=-1,
        )


def _same_occasion(record: StepRecord, anchor_at: datetime | None) -> bool:
    if record.anchor_at is None or anchor_at is None:
        return False
    return abs(record.anchor_at - anchor_at) < SAME_OCCASION


def anchors(enrollment: Enrollment, ground: Ground) -> Callable[[str], datetime | None]:
    """What each anchor's value is for this enrollment, by its name in the campaign language."""
    facts, subject = ground.facts, enrollment.subject
    application = application_of(facts, subject)
    interview, _ = interview_of(facts, subject, ground.now)
    offer = offer_of(facts, subject)
    promise = promise_of(facts, subject, enrollment.id)

    @cache  # most steps of a campaign hang on the same anchor
    def value(name: str) -> datetime | None:
        found: Any = None
        match name.split("."):
            case ["entered"]:
                return enrollment.entered_at
            case ["interview", part] if interview:
                found = _of_interview(interview, part, ground)
            case ["application", part] if application:
                found = _of_application(application, part, ground)
            case ["offer", part] if offer:
                found = getattr(offer, part)
            case ["promise", "due"] if promise:
                found = promise.due_at
            case ["candidate", "last_contact"]:
                return last_contact(facts, None, ground.categories, ground.now)
            case ["candidate", "consent_until"]:
                found = facts.candidate.consent_until
            case ["candidate", part]:
                found = facts.candidate.fields.get(part)
        return _instant(found, ground.calendar)

    return value


def _of_interview(interview: Interview, part: str, ground: Ground) -> Any:
    if part == "ends_at" and interview.ends_at is None and interview.starts_at is not None:
        return interview.starts_at + timedelta(minutes=ground.interview_minutes)
    return getattr(interview, part)


def _of_application(application: Application, part: str, ground: Ground) -> Any:
    if part not in ("last_contact", "silence_due"):
        return getattr(application, part)
    heard = last_contact(ground.facts, application.ref, ground.categories, ground.now)
    since = heard or application.applied_at
    ceiling = ground.silence.get(application.stage or "")
    if part == "last_contact" or since is None:
        return since
    return timing.shift(since, ceiling, ground.calendar) if ceiling else None


def _instant(value: Any, calendar: Calendar) -> datetime | None:
    """A date stands for its first moment in the candidate's zone; the end of time ("never") for an
    instant with which one can still reckon."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return min(value, LATEST) if value.tzinfo else None
    return min(calendar.instant(value, time.min), LATEST) if isinstance(value, date) else None
