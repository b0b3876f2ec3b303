"""Who enters which campaign, and who leaves it? Events and facts become enrollments."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nurture.core.agenda import Policy
from nurture.core.model import (
    Campaign,
    CampaignStatus,
    Condition,
    Enrollment,
    Event,
    Facts,
    MessageClass,
    Subject,
    Truth,
)

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

#: Reads a condition for an enrollment that may not be stored yet.
Reads = Callable[[Condition, Enrollment], Truth]


@dataclass
class Roll:
    """A candidate's enrollments after today's events. New ones have negative ids."""

    active: list[Enrollment] = field(default_factory=list)
    entered: list[Enrollment] = field(default_factory=list)
    ended: list[tuple[Enrollment, str]] = field(default_factory=list)
    alarms: list[datetime] = field(default_factory=list)


def enroll(
    facts: Facts,
    campaigns: Mapping[str, Campaign],
    policy: Policy,
    reads: Reads,
) -> Roll:
    """Go through the events not yet planned on, in order: first who leaves, then who enters."""
    roll = Roll(active=[each for each in facts.enrollments if each.ended_at is None])
    for event in facts.events:
        for enrollment in list(roll.active):
            campaign = campaigns.get(enrollment.campaign)
            if campaign is not None and leaves(event, enrollment, campaign, policy):
                _end(roll, enrollment, event.type)
        for campaign in campaigns.values():
            entered = _entry(event, campaign, facts, roll)
            if entered is not None and _admits(campaign, entered, reads):
                roll.entered.append(entered)
                roll.active.append(entered)
    for enrollment in list(roll.active):
        campaign = campaigns.get(enrollment.campaign)
        why = campaign and (
            _closed(enrollment, campaign, facts) or _if(campaign, enrollment, reads, roll)
        )
        if why:
            _end(roll, enrollment, why)
    return roll


def leaves(event: Event, enrollment: Enrollment, campaign: Campaign, policy: Policy) -> bool:
    """Whether this event ends the enrollment: it is named in `leave` and touches it, or it is an
    accepted offer, which ends everything promotional, or an answer that says so."""
    if event.type == "offer.accepted" and _promotional(campaign, policy):
        return True
    if event.type == "answer.given" and enrollment.id in _left_by_answer(event):
        return True
    named = any(event.type in leave.on for leave in campaign.leave)
    return named and touches(event, enrollment)


def _left_by_answer(event: Event) -> Collection[int]:
    """The enrollments that an answer ends: those whose mail asked a question with `then: leave`."""
    told = event.data.get("answer")
    leaves = told.get("leaves") if isinstance(told, Mapping) else None
    return leaves if isinstance(leaves, list) else ()


def touches(event: Event, enrollment: Enrollment) -> bool:
    """An event touches what is about the same object or within it; whatever is about the candidate
    is touched by everything of that candidate."""
    if enrollment.about.startswith("candidate:"):
        return True
    if event.promise is not None and enrollment.subject.promise is not None:
        return event.promise == enrollment.subject.promise
    if event.type.startswith("interview."):
        return event.interview == enrollment.subject.interview
    if event.application is not None:
        return event.application == enrollment.subject.application
    return True


def _entry(event: Event, campaign: Campaign, facts: Facts, roll: Roll) -> Enrollment | None:
    """The enrollment this event would make, unless there has been one for the same object."""
    if campaign.enter.on != event.type or campaign.status in (
        CampaignStatus.DRAFT,
        CampaignStatus.ENDED,
    ):
        return None
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
        return None
    about = f"{campaign.enter.once_per}:{ref}"
    before = [
        each
        for each in [*facts.enrollments, *roll.entered]
        if each.campaign == campaign.name and each.about == about
    ]
    # A booking that was cancelled and made anew prepares anew; everything else happens once.
    if before and (campaign.enter.once_per != "interview" or before[-1] in roll.active):
        return None
    return Enrollment(
        id=-1 - len(roll.entered),
        candidate_id=event.candidate_id,
        campaign=campaign.name,
        subject=subject,
        about=about,
        number=1 + max((each.number for each in before), default=0),
        entered_at=event.received_at,
    )


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


def _admits(campaign: Campaign, enrollment: Enrollment, reads: Reads) -> bool:
    condition = campaign.enter.condition
    return condition is None or reads(condition, enrollment).value


def _closed(enrollment: Enrollment, campaign: Campaign, facts: Facts) -> str | None:
    """What ended by itself: a cancelled interview, a closed application."""
    about = enrollment.about.partition(":")[0]
    interview = facts.interviews.get(enrollment.subject.interview or "")
    cancelled = about == "interview" and interview is not None and interview.status == "cancelled"
    if cancelled and campaign.enter.on != "interview.cancelled":
        return "interview.cancelled"
    application = facts.applications.get(enrollment.subject.application or "")
    over = application is not None and application.status != "active"
    if over and about != "candidate" and campaign.enter.on not in CLOSING:
        return "application.closed"
    return None


def _if(campaign: Campaign, enrollment: Enrollment, reads: Reads, roll: Roll) -> str | None:
    for leave in campaign.leave:
        if leave.condition is not None:
            truth = reads(leave.condition, enrollment)
            if truth.value:
                return "if"
            if truth.changes_at is not None:
                roll.alarms.append(truth.changes_at)
    return None


def _promotional(campaign: Campaign, policy: Policy) -> bool:
    kinds: Collection[MessageClass] = {
        policy.categories[step.category].klass
        for step in campaign.steps
        if step.category is not None
    }
    return set(kinds) == {MessageClass.NURTURE}


def _end(roll: Roll, enrollment: Enrollment, why: str) -> None:
    roll.active.remove(enrollment)
    roll.ended.append((enrollment, why))
