"""Who enters which campaign, and who leaves it? Events and facts become enrollments."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from nurture.authoring.narrowing import Narrowed
from nurture.core.agenda import Policy
from nurture.core.audience import Fact, possible
from nurture.core.model import (
    Application,
    Campaign,
    CampaignStatus,
    Condition,
    Duration,
    Enrollment,
    Event,
    Facts,
    MessageClass,
    Subject,
    Truth,
)
from nurture.core.subject import decided_at
from nurture.core.touching import touches
from nurture.engine.truths import Truths

#: How an application stands, as audiences may ask it.
STATUS = Fact("application", "status")
#: A campaign entered by one of these is not ended by the closing it was entered for.
CLOSING = frozenset(
    {
        "application.rejected",
        "application.withdrawn",
        "application.hired",
        "application.closed",
        "job.closed",
    }
)

#: Campaigns that take nobody in.
_SHUT = frozenset({CampaignStatus.DRAFT, CampaignStatus.ENDED})
_ALWAYS = datetime.min.replace(tzinfo=UTC)


@dataclass
class Roll:
    """A candidate's enrollments after today's events. New ones have negative ids."""

    truths: Truths  #: what was asked of them, and may be asked again
    active: list[Enrollment] = field(default_factory=list)
    entered: list[Enrollment] = field(default_factory=list)
    ended: list[tuple[Enrollment, str]] = field(default_factory=list)
    alarms: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Around:
    """What entering depends on besides the facts."""

    campaigns: Mapping[str, Campaign]
    policy: Policy
    truths: Truths
    now: datetime
    later: Callable[[datetime, Duration], datetime]  #: on the candidate's calendar
    narrowed: Callable[[Campaign], Narrowed]  #: what can be said of an audience beforehand


def enroll(facts: Facts, around: Around) -> Roll:
    """Go through the events not yet planned on, in order: first who leaves, then who enters. Then
    who leaves by what is true now, and last who is in an audience now."""
    active = [each for each in facts.enrollments if each.ended_at is None]
    roll = Roll(truths=around.truths, active=active)
    campaigns = around.campaigns
    for event in facts.events:
        for enrollment in list(roll.active):
            campaign = campaigns.get(enrollment.campaign)
            if taken_out(event, enrollment) or (
                campaign is not None and leaves(event, enrollment, campaign, around.policy, facts)
            ):
                _end(roll, enrollment, event.type)
        for campaign in campaigns.values():
            if campaign.enter.on == event.type and campaign.status not in _SHUT:
                _enter_by(event, campaign, facts, roll, around)
    for enrollment in list(roll.active):
        campaign = campaigns.get(enrollment.campaign)
        if campaign is None:
            continue
        why = _closed(enrollment, campaign, facts, around)
        if why is None:
            truth = _left(campaign, around.truths.of(enrollment))
            why = "if" if truth.value else None
            _alarm(roll, truth.changes_at)
        if why:
            _end(roll, enrollment, why)
    for campaign in campaigns.values():
        if is_open_audience(campaign) and not facts.candidate.do_not_contact:
            _enter_audience(campaign, facts, roll, around)
    return roll


def taken_out(event: Event, enrollment: Enrollment) -> bool:
    """Whether a person ended it, whatever its file says, or there is none any more."""
    left = event.type == "campaign.left" and event.data.get("campaign") == enrollment.campaign
    return left and event.received_at >= enrollment.entered_at


def leaves(
    event: Event, enrollment: Enrollment, campaign: Campaign, policy: Policy, facts: Facts
) -> bool:
    """Whether this event ends the enrollment: it is named in `leave` and touches it, or it is an
    accepted offer, which ends everything promotional, or it closes an audience's application, or
    it is an answer that says so."""
    if event.type == "offer.accepted" and _promotional(campaign, policy):
        return True
    if event.type == "answer.given" and enrollment.id in _left_by_answer(event):
        return True
    named = any(event.type in leave.on for leave in campaign.leave)
    if campaign.enter.on is None and not enrollment.about.startswith("candidate:"):
        # Unless its closing was the entry: then it was entered after that.
        closed = event.type == "application.closed" and event.received_at > enrollment.entered_at
        named = named or closed
    return named and touches(event, enrollment, facts)


def _left_by_answer(event: Event) -> Collection[int]:
    """The enrollments that an answer ends: those whose mail asked a question with `then: leave`."""
    told = event.data.get("answer")
    leaves = told.get("leaves") if isinstance(told, Mapping) else None
    return leaves if isinstance(leaves, list) else ()


# --- audiences ---------------------------------------------------------------------------------


def is_open_audience(campaign: Campaign) -> bool:
    """Whether people enter this campaign by what is true of them, and may do so now."""
    return campaign.enter.on is None and campaign.status is CampaignStatus.LIVE


def admission(campaign: Campaign, reads: Callable[[Condition], Truth]) -> Truth:
    """Whether this person is in the audience now, and when time alone may change that. Nobody
    enters what they would leave at once."""
    condition = campaign.enter.condition
    wanted = Truth(value=True) if condition is None else reads(condition)
    if not campaign.leave:
        return wanted
    left = _left(campaign, reads)
    changes = [at for at in (wanted.changes_at, left.changes_at) if at is not None]
    return Truth(value=wanted.value and not left.value, changes_at=min(changes, default=None))


def newcomer(
    campaign: Campaign, candidate: int, application: str | None, at: datetime
) -> Enrollment:
    """A first enrollment in an audience: of this candidate, or of this application of theirs."""
    once_per = campaign.enter.once_per
    return Enrollment(
        id=-1,
        candidate_id=candidate,
        campaign=campaign.name,
        subject=Subject(application=application),
        about=f"{once_per}:{candidate if application is None else application}",
        entered_at=at,
    )


def _enter_audience(campaign: Campaign, facts: Facts, roll: Roll, around: Around) -> None:
    if campaign.enter.once_per == "application":
        of: Iterable[str | None] = [
            each.ref for each in facts.applications.values() if _may_be_of(campaign, each, around)
        ]
    else:
        of = [None]
    for application in of:
        new = newcomer(campaign, facts.candidate.id, application, around.now)
        before = _before(new, facts, roll)
        opens_at = _opens_at(campaign, before, roll, around)
        if opens_at is None:
            continue
        if opens_at > around.now:
            _alarm(roll, opens_at)
            continue
        truth = admission(campaign, around.truths.of(new))
        if truth.value:
            _enter(new, before, roll)
        else:
            _alarm(roll, truth.changes_at)


def _may_be_of(campaign: Campaign, application: Application, around: Around) -> bool:
    """Whether an application in this status may be in the audience."""
    return possible(around.narrowed(campaign).tree, {STATUS: application.status})


# --- entering ----------------------------------------------------------------------------------


def _enter_by(event: Event, campaign: Campaign, facts: Facts, roll: Roll, around: Around) -> None:
    """The enrollment this event makes, unless one for the same object stands against it."""
    subject = _subject(event, facts)
    ref = {
        "candidate": str(event.candidate_id),
        "application": subject.application,
        "interview": subject.interview,
        "offer": subject.offer,
        "promise": subject.promise,
        "event": str(event.id),
    }[campaign.enter.once_per]
    if ref is None:
        return
    new = Enrollment(
        id=-1,
        candidate_id=event.candidate_id,
        campaign=campaign.name,
        subject=subject,
        about=f"{campaign.enter.once_per}:{ref}",
        entered_at=event.received_at,
    )
    before = _before(new, facts, roll)
    opens_at = _opens_at(campaign, before, roll, around)
    if opens_at is None or opens_at > new.entered_at:
        return
    condition = campaign.enter.condition
    if condition is None or around.truths.of(new)(condition).value:
        _enter(new, before, roll)


def _before(new: Enrollment, facts: Facts, roll: Roll) -> list[Enrollment]:
    """Earlier enrollments of the same object in the same campaign."""
    return sorted(
        (
            each
            for each in (*facts.enrollments, *roll.entered)
            if each.campaign == new.campaign and each.about == new.about
        ),
        key=lambda each: each.number,
    )


def _opens_at(
    campaign: Campaign, before: list[Enrollment], roll: Roll, around: Around
) -> datetime | None:
    """From when on the same object may enter once more. None: not while things are as they are."""
    again = campaign.enter.again
    if not before:
        return _ALWAYS
    if isinstance(again, Duration):
        return around.later(before[-1].entered_at, again)
    if again == "when_left" and not any(each in roll.active for each in before):
        return _ALWAYS
    return None


def _enter(new: Enrollment, before: list[Enrollment], roll: Roll) -> None:
    for former in [each for each in before if each in roll.active]:
        _end(roll, former, "again")
    number = before[-1].number + 1 if before else 1
    entered = replace(new, id=-1 - len(roll.entered), number=number)
    roll.entered.append(entered)
    roll.active.append(entered)


def _subject(event: Event, facts: Facts) -> Subject:
    application = event.application
    interview = facts.interviews.get(event.interview or "")
    offer = facts.offers.get(event.offer or "")
    if application is None and interview is not None:
        application = interview.application
    if application is None and offer is not None:
        application = offer.application
    promise = facts.promises.get(event.promise or "")
    if application is None and promise is not None:
        application = promise.application
    return Subject(
        application=application,
        interview=event.interview,
        offer=event.offer,
        promise=promise.ref if promise else None,
    )


# --- leaving -----------------------------------------------------------------------------------


def _closed(enrollment: Enrollment, campaign: Campaign, facts: Facts, around: Around) -> str | None:
    """What ended by itself: a cancelled interview, a settled promise, a closed application."""
    about = enrollment.about.partition(":")[0]
    interview = facts.interviews.get(enrollment.subject.interview or "")
    cancelled = about == "interview" and interview is not None and interview.status == "cancelled"
    if cancelled and campaign.enter.on != "interview.cancelled":
        return "interview.cancelled"
    promise = facts.promises.get(enrollment.subject.promise or "")
    settled = about == "promise" and promise is not None and promise.status != "open"
    if settled and promise is not None and campaign.enter.on == "promise.made":
        return f"promise.{promise.status}"
    application = facts.applications.get(enrollment.subject.application or "")
    if application is None or application.status == "active" or about == "candidate":
        return None
    if campaign.enter.on is None:
        over = not _may_be_of(campaign, application, around)
    else:
        over = not _outlives(enrollment, campaign.enter.on, application, facts)
    return "application.closed" if over else None


def _outlives(enrollment: Enrollment, on: str, application: Application, facts: Facts) -> bool:
    """Whether what began with this event goes on although the application is closed: the closing
    was the beginning; the offer was accepted, and being hired or the job's being filled is what
    follows; or something was promised to somebody who had been told no by then."""
    if on in CLOSING:
        return True
    offer = facts.offers.get(enrollment.subject.offer or "")
    if offer is not None and offer.status == "accepted":
        return application.status in ("hired", "closed")
    decided = decided_at(application)
    return on == "promise.made" and decided is not None and enrollment.entered_at >= decided


def _left(campaign: Campaign, reads: Callable[[Condition], Truth]) -> Truth:
    """Whether one of `leave.if` is true, and the first instant at which that may change."""
    truths = [reads(leave.condition) for leave in campaign.leave if leave.condition is not None]
    changes = [truth.changes_at for truth in truths if truth.changes_at is not None]
    return Truth(value=any(truth.value for truth in truths), changes_at=min(changes, default=None))


def _promotional(campaign: Campaign, policy: Policy) -> bool:
    kinds: Collection[MessageClass] = {
        policy.categories[step.category].klass
        for step in campaign.every_step()
        if step.category is not None
    }
    return set(kinds) == {MessageClass.NURTURE}


def _alarm(roll: Roll, at: datetime | None) -> None:
    if at is not None:
        roll.alarms.append(at)


def _end(roll: Roll, enrollment: Enrollment, why: str) -> None:
    roll.active.remove(enrollment)
    roll.ended.append((enrollment, why))
