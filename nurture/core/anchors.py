"""What is the value of each anchor for this enrollment, as far as it is known?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from nurture.core import timing
from nurture.core.hours import LATEST, Calendar
from nurture.core.model import Application, Category, Duration, Enrollment, Facts, Interview
from nurture.core.subject import application_of, interview_of, last_contact, offer_of, promise_of


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
