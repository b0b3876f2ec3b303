"""To whom does a candidate say something in confidence?

Where the company names one person for it, to that one (`web.confidences_to`). Else to who books
the next interview, the coordinator of its application, or its recruiter; where there is nobody, to
the team's own address, and then only administrators find it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from nurture.config import Config
from nurture.core.model import Application, Candidate, Facts
from nurture.engine.project import Project
from nurture.intake.apply import apply_within
from nurture.intake.events import parse_event
from nurture.store import confidences
from nurture.store.database import Connection
from nurture.store.reading import load

_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Confidant:
    email: str
    name: str
    application: str | None = None  #: the one it is about, by ref


def confide(
    project: Project,
    candidate: Candidate,
    said: str,
    *,
    application: str | None = None,
    question: str | None = None,
) -> Confidant:
    """Keeps what they said for the one person it is for; who that is. Everybody else, campaigns
    too, hears by `candidate.confided` that something was said, and not what.

    `application` is the one it is about, where that is known; `question` what it answers.
    """
    now = project.clock.now()
    kind = confidences.ACCOMMODATION if question is None else confidences.ANSWER
    with project.database.write() as connection:
        to = confidant_of(connection, project.config, candidate, now, application)
        about = application or to.application
        news = confidences.tell(
            connection,
            candidate.id,
            said,
            person=to.email,
            application=about,
            kind=kind,
            question=question,
            now=now,
        )
        if news:
            event = {
                "type": "candidate.confided",
                "source": "confidences",
                "occurred_at": now.isoformat(),
                "candidate": {"id": candidate.ref},
            }
            if about is not None:
                event["application"] = {"id": about}
            apply_within(connection, parse_event(event), now)
    return to


def confidant_of(
    connection: Connection,
    config: Config,
    candidate: Candidate,
    now: datetime,
    application: str | None = None,
) -> Confidant:
    """`application`: the one that it is about, where that is known."""
    facts = load(connection, [candidate.id])[candidate.id]
    about = facts.applications.get(application or "") or _next(facts, now)
    ref = about.ref if about is not None else None
    named = config.web.confidences_to
    if named is None and about is not None:
        named = about.coordinator or about.recruiter
    if named is None:
        return Confidant(email=config.sender.email, name=config.sender.name, application=ref)
    person = facts.people.get(named.casefold())
    name = (person and person.name) or config.sender.name
    return Confidant(email=named, name=name, application=ref)


def _next(facts: Facts, now: datetime) -> Application | None:
    """The active application with the next interview, else the latest active one, else the latest
    of all."""
    coming = sorted(
        (each.starts_at, each.application)
        for each in facts.interviews.values()
        if each.status == "scheduled" and each.starts_at is not None and each.starts_at > now
        if each.application is not None
    )
    for _, ref in coming:
        found = facts.applications.get(ref)
        if found is not None and found.status == "active":
            return found
    ordered = sorted(
        facts.applications.values(),
        key=lambda each: (each.status == "active", each.applied_at or _EARLIEST, each.ref),
    )
    return ordered[-1] if ordered else None
