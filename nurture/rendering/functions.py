"""What can conditions and templates ask about this person, besides naming a field?"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Undefined

from nurture.core.model import Contact, Enrollment, Facts, Interview, Section

_EVER = datetime.min.replace(tzinfo=UTC)

#: Of these, what reads the answer to a question that templates ask.
ANSWERS = ("answered", "answered_here")
#: What can be called, with the number of arguments.
FUNCTIONS: Mapping[str, int] = {
    "sent": 1,
    "sent_count": 0,
    "replied": 0,
    "answered": 1,
    "answered_here": 1,
    "sent_for_kind": 1,
    "hours_since": 1,
    "days_since": 1,
    "consents": 1,
}


def functions(
    facts: Facts,
    enrollment: Enrollment | None,
    zone: ZoneInfo,
    now: datetime,
    changes: list[datetime],
) -> dict[str, Any]:
    """By name. Each instant at which a value that was asked for changes by time alone is added to
    `changes`."""
    candidate = facts.candidate

    def sent(what: str) -> bool:
        """Whether this person was ever sent that template, or the step of that name."""
        return any(
            what in (part.template, part.step)
            for contact in facts.contacts
            if not contact.human
            for part in contact.sections or (contact,)
        )

    def sent_count() -> int:
        """How many mails this person has had from us, of those that caps still look at."""
        return sum(not contact.human for contact in facts.contacts)

    def replied() -> bool:
        """Whether they have written back; in a campaign: since they entered it."""
        if facts.replied_at is None:
            return False
        return enrollment is None or facts.replied_at >= enrollment.entered_at

    def answered(question: str) -> Any:
        """Their stored answer, or None."""
        answers = candidate.fields.get("answers")
        return answers.get(question) if isinstance(answers, Mapping) else None

    def consents(topic: str) -> bool:
        return not candidate.unsubscribed & {topic, "all"}

    def hours_since(instant: Any) -> Any:
        """Whole hours since then; below zero before it."""
        return whole_since(instant, timedelta(hours=1), zone, now, changes)

    def days_since(instant: Any) -> Any:
        """Whole 24-hour days since an instant; calendar days since a date."""
        return whole_since(instant, timedelta(days=1), zone, now, changes)

    return {
        "sent": sent,
        "sent_count": sent_count,
        "replied": replied,
        "answered": answered,
        "answered_here": lambda question: _answered_here(facts, enrollment, question),
        "sent_for_kind": lambda what: _sent_for_kind(facts, enrollment, what),
        "consents": consents,
        "hours_since": hours_since,
        "days_since": days_since,
    }


def _answered_here(facts: Facts, enrollment: Enrollment | None, question: str) -> Any:
    """The stored answer to what this campaign asked them this time; None where they answered an
    earlier mail of it than the last one that asked."""
    mail = facts.candidate.answered_in.get(question)
    if not mail or not _last_of_its_step(facts, enrollment, mail):
        return None
    return facts.candidate.fields["answers"].get(question)


def _sent_for_kind(facts: Facts, enrollment: Enrollment | None, what: str) -> bool:
    """Whether that template, or the step of that name, was sent to them for an interview of the
    kind that this one is, in the same application, since it is of that kind."""
    this = _interview_of(facts, enrollment.id if enrollment else None)
    if this is None:
        return False
    return any(
        what in (part.template, part.step)
        and (other := _interview_of(facts, part.enrollment_id)) is not None
        and (other.application, other.kind) == (this.application, this.kind)
        and contact.at >= _kind_since(other)
        for contact in facts.contacts
        for part in contact.sections or (contact,)
    )


def _last_of_its_step(facts: Facts, enrollment: Enrollment | None, mail: str) -> bool:
    """Whether this mail, by its Message-ID, is of this enrollment, and the last of its step."""
    asked: Contact | Section | None = None
    for contact in facts.contacts:
        part = _part_of(contact, enrollment)
        if contact.header == mail:
            asked = part
        elif asked is not None and part is not None and part.step == asked.step:
            asked = None
    return asked is not None


def _part_of(contact: Contact, enrollment: Enrollment | None) -> Contact | Section | None:
    """What of a mail was sent by this enrollment."""
    parts: tuple[Contact | Section, ...] = contact.sections or (contact,)
    own = (each for each in parts if enrollment and each.enrollment_id == enrollment.id)
    return next(own, None)


def _interview_of(facts: Facts, enrollment_id: int | None) -> Interview | None:
    """The interview that an enrollment was entered for."""
    for each in facts.enrollments:
        if each.id == enrollment_id and each.subject.interview is not None:
            return facts.interviews.get(each.subject.interview)
    return None


def _kind_since(interview: Interview) -> datetime:
    since = interview.fields.get("kind_since")
    return datetime.fromisoformat(since) if since else _EVER


def whole_since(
    since: Any, unit: timedelta, zone: ZoneInfo, now: datetime, changes: list[datetime]
) -> Any:
    if isinstance(since, Undefined):
        return since  # a missing fact stays missing, with the name that it was asked by
    if isinstance(since, datetime):
        passed = (now - since) // unit
        changes.append(since + (passed + 1) * unit)
        return passed
    if not isinstance(since, date):
        raise TypeError("hours_since and days_since take an instant or a date")
    if unit >= timedelta(days=1):
        today = now.astimezone(zone).date()
        changes.append(_midnight(today + timedelta(days=1), zone))
        return (today - since).days
    return whole_since(_midnight(since, zone), unit, zone, now, changes)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)
