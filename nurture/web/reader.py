"""Who reads this page of a candidate's, and in which language and by which clock?"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response

from nurture.core.model import Candidate
from nurture.engine.project import Project
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.context import zone_of
from nurture.rendering.times import day
from nurture.store.facts import find_number
from nurture.web.looks import Looks
from nurture.web.phrases import Phrases, phrases_for, spoken


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Whoever holds a link."""

    candidate: Candidate | None  #: None: the link is not ours, or of somebody who was erased
    say: Phrases
    zone: ZoneInfo

    def day(self, at: datetime | date) -> str:
        """`Thursday, 3 December 2026`, where they are."""
        return day(at, self.zone, self.say.locale)

    def page(self, looks: Looks, request: Request, name: str, **values: Any) -> Response:
        status = values.pop("status", 200)
        return looks.page(
            request, name, status, say=self.say, lang=self.say.language, day=self.day, **values
        )


def reader_of(project: Project, request: Request, purpose: str, token: str) -> Reader:
    """The same reader for every token that is nobody's: nothing is learned by trying."""
    number = project.signer.read(purpose, token)
    found = None
    if number is not None:
        with project.database.read() as connection:
            found = find_number(connection, number)
    if found is None or erased(found):
        return stranger(project, request)
    return known(project, found)


def known(project: Project, candidate: Candidate) -> Reader:
    say = phrases_for(candidate.locale or project.config.locale)
    return Reader(candidate=candidate, say=say, zone=zone_of(candidate, project.config))


def stranger(project: Project, request: Request) -> Reader:
    """Of whom nothing is known but what their browser says of languages."""
    accepted = request.headers.get("accept-language", "")
    say = phrases_for(spoken(accepted, project.config.locale))
    return Reader(candidate=None, say=say, zone=ZoneInfo(project.config.timezone))


def erased(candidate: Candidate) -> bool:
    """Whether nothing is left of them but that they must not be written to."""
    told = (candidate.email, candidate.first_name, candidate.last_name, *candidate.fields)
    return candidate.do_not_contact and not any(told)


def tell(project: Project, candidate: Candidate, type_: str, source: str, **told: Any) -> None:
    """What they decided, through the one door for facts: history is kept, and their alarm rings in
    the same transaction, so that mail already queued is decided anew."""
    now = project.clock.now()
    event = {"type": type_, "source": source, "occurred_at": now.isoformat(), **told}
    apply(project.database, parse_event({**event, "candidate": {"id": candidate.ref}}), now)
