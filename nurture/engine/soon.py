"""Which news of an interview can not wait for the morning? Of one within the next hours."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from nurture.core.model import Event, Facts, Interview
from nurture.rendering.mime import message_id_for

NEAR = timedelta(hours=4)
#: What makes news of an interview, as a sentence goes on.
NEWS = {
    "interview.scheduled": "interview booked",
    "interview.rescheduled": "interview moved",
    "interview.cancelled": "interview cancelled",
    "candidate.replied": "replied",
}


def near(facts: Facts, now: datetime) -> Iterator[tuple[str, str]]:
    """Of the events of today's planning, those that somebody must know at once: whom (by e-mail),
    and about what, as `read` takes it. One occasion a person, kind of news and event."""
    for event in facts.events:
        if event.type not in NEWS or event.historical:
            continue
        for interview in _of(event, facts):
            if _is_near(interview, now) or _was_near(event, now):
                for person in _people(interview, facts):
                    yield person.casefold(), f"{event.id}:{event.type}:{interview.ref}"


def read(about: str) -> tuple[str, str]:
    """The kind of news and the interview's ref."""
    _, kind, ref = about.split(":", 2)
    return kind, ref


def _of(event: Event, facts: Facts) -> Iterable[Interview]:
    """The interviews that an event is news of: of a reply, all that are to come."""
    if event.type == "candidate.replied":
        return [each for each in facts.interviews.values() if each.status == "scheduled"]
    found = facts.interviews.get(event.interview or "")
    return [found] if found is not None else []


def _is_near(interview: Interview, now: datetime) -> bool:
    return interview.starts_at is not None and now <= interview.starts_at <= now + NEAR


def _was_near(event: Event, now: datetime) -> bool:
    """Whether it was to be soon, and was moved away from there."""
    was = event.data.get(WAS)
    if event.type != "interview.rescheduled" or not isinstance(was, str):
        return False
    return now <= datetime.fromisoformat(was) <= now + NEAR


#: In an event's data: when the interview was to be before it was moved by it.
WAS = "was_at"


def _people(interview: Interview, facts: Facts) -> set[str]:
    """Recruiter and coordinator of what it is for."""
    application = facts.applications.get(interview.application or "")
    if application is None:
        return set()
    return {each for each in (application.recruiter, application.coordinator) if each}


def occasion(sender: str, person: str, kind: str, about: str) -> tuple[str, str, str, str]:
    """A notice's person, kind, occasion and Message-ID, which is the same for the same for ever."""
    domain = sender.partition("@")[2]
    return person, kind, about, message_id_for(0, f"{kind} {person}", about, domain)
