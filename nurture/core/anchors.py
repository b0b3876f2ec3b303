"""What is the value of each anchor for this enrollment, as far as it is known?"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from nurture.core import timing
from nurture.core.hours import LATEST, Calendar
from nurture.core.model import Application, Category, Duration, Enrollment, Facts, Interview
from nurture.core.subject import (
    application_of,
    decided_at,
    interview_of,
    last_contact,
    offer_of,
    promise_of,
    to_be_told,
    told_by,
)


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What `stand` reads besides the campaign: the same for all enrollments of a candidate."""

    facts: Facts
    calendar: Calendar
    now: datetime
    known_at: datetime  #: since when today's facts are known: the arrival of the newest of them
    interview_minutes: int = 60
    silence: Mapping[str, Duration] = field(default_factory=dict)
    legal: Duration | None = None  #: after the last interview, until they are told
    categories: Mapping[str, Category] = field(default_factory=dict)


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
            case ["candidate", "paused_until"]:
                found = facts.candidate.paused_until
            case ["candidate", part]:
                found = facts.candidate.fields.get(part)
        return _instant(found, ground.calendar)

    return value


def _of_interview(interview: Interview, part: str, ground: Ground) -> Any:
    if part == "ends_at" and interview.ends_at is None and interview.starts_at is not None:
        return interview.starts_at + timedelta(minutes=ground.interview_minutes)
    return getattr(interview, part)


def _of_application(application: Application, part: str, ground: Ground) -> Any:
    match part:
        case "last_contact":
            heard = last_contact(ground.facts, application.ref, ground.categories, ground.now)
            return heard or application.applied_at or application.stage_since
        case "silence_due":
            return _silence_due(application, ground)
        case "legal_due":
            return _legal_due(application, ground)
    return getattr(application, part)


def silence_due(application: Application, ground: Ground) -> datetime | None:
    """By when somebody who can be written to must hear from us about this; None: they wait for
    nothing. What was decided before they were brought in is nobody's silence here."""
    decided = application.status != "active"
    if ground.facts.candidate.do_not_contact or (decided and application.fields.get("imported")):
        return None
    return _instant(_silence_due(application, ground), ground.calendar)


def _silence_due(application: Application, ground: Ground) -> datetime | None:
    """The end of the longest silence: of the stage while it is active; of a decision until they
    are told, counted from the decision."""
    if application.status == "active":
        since = _of_application(application, "last_contact", ground)
        ceiling = ground.silence.get(application.stage or "")
    elif to_be_told(ground.facts, application):
        since, ceiling = decided_at(application), ground.silence.get("rejected")
    else:
        return None
    return timing.shift(since, ceiling, ground.calendar) if since and ceiling else None


def _legal_due(application: Application, ground: Ground) -> datetime | None:
    """By when the law wants them told, if they were interviewed and have not been told."""
    last = last_interview(application, ground.facts.interviews.values(), ground)
    if ground.legal is None or last is None or application.status in ("withdrawn", "hired"):
        return None
    if told_by(ground.facts, application, last) is not None:
        return None
    return timing.shift(last, ground.legal, ground.calendar)


def last_interview(
    application: Application, interviews: Iterable[Interview], ground: Ground
) -> datetime | None:
    """The end of the last interview that took place."""
    ends = (
        _of_interview(each, "ends_at", ground)
        for each in interviews
        if each.application == application.ref and each.status != "cancelled"
    )
    return max((at for at in ends if at is not None and at <= ground.now), default=None)


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
