"""What do we hold of one candidate, and what comes next? Their agenda, past and to come."""

from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response

from nurture.core.model import Application, Facts, Interview
from nurture.engine.hindsight import Hindsight, hindsight
from nurture.engine.outlook import Entry, outlook
from nurture.engine.project import Project
from nurture.engine.stops import stop_line
from nurture.errors import UsageError
from nurture.store.stops import EVERYTHING, active
from nurture.web.looks import Looks
from nurture.web.people import badges, name_of

_PAST = 40  # entries of the past that are shown at once; the rest is folded away

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/candidates/{ref:path}", methods=_LOOK)
    def candidate(request: Request, ref: str, at: str = "") -> Response:
        found = outlook(project, ref)
        if found is None:
            return looks.notice(request, 404, "There is no candidate of this id or address.")
        try:
            then = _then(project, ref, at)
        except (ValueError, UsageError):
            return looks.notice(request, 400, _NO_PAST)
        shown = then or found
        past = list(reversed(shown.past))
        return looks.page(
            request,
            "candidate",
            now=project.clock.now(),
            about=found.candidate,
            named=name_of(found.candidate),
            badges=badges(found.candidate, project.clock.now()),
            zone=found.zone,
            assumed=found.candidate.timezone is None,
            then=then and then.at,
            ahead=[entry for entry in shown.ahead if entry.at is not None],
            dateless=[entry for entry in shown.ahead if entry.at is None],
            past=past[:_PAST],
            older=past[_PAST:],
            matters=_matters(found.facts),
            titles=project.library.titles,
            chip=chip,
            stopped=stopped_lines(project, found.facts),
        )

    return router


_NO_PAST = "That is no instant gone by, such as 2026-11-22T09:00 on the candidate's clock."


def _then(project: Project, ref: str, at: str) -> Hindsight | None:
    """What was on record at an instant as typed; None: none was. A plus sign of an offset may have
    become a blank on its way."""
    return (
        hindsight(project, ref, datetime.fromisoformat(at.strip().replace(" ", "+")))
        if at
        else None
    )


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One application and what belongs to it."""

    application: Application | None
    title: str
    recruiter: str
    interviews: tuple[Interview, ...]


def chip(entry: Entry) -> tuple[str, str]:
    """A verdict as a tone and a word."""
    if entry.reason == "unknown_outcome":
        return "stop", "In doubt"
    return {
        "send": ("go", "Now"),
        "wait": ("wait", "About" if entry.about else "Waits"),
        "task": ("task", "Task"),
        "skip": ("calm", "Not sent"),
        "sent": ("go", "Sent"),
        "done": ("calm", "Went on"),
    }[entry.verdict]


def stopped_lines(project: Project, facts: Facts) -> list[str]:
    """What keeps all mail back from one candidate."""
    with project.database.read() as connection:
        halts = active(connection)
    own = [
        each
        for each in halts
        if each.scope == EVERYTHING or each.candidate_id == facts.candidate.id
    ]
    return [stop_line(vars(each)) for each in own]


def _matters(facts: Facts) -> list[Matter]:
    def of(ref: str | None) -> tuple[Interview, ...]:
        own = [each for each in facts.interviews.values() if each.application == ref]
        return tuple(sorted(own, key=lambda each: (each.starts_at is None, each.starts_at)))

    found = []
    for application in facts.applications.values():
        job = facts.jobs.get(application.job or "")
        person = facts.people.get(application.recruiter or "")
        found.append(
            Matter(
                application=application,
                title=(job and job.title) or application.job or "Application",
                recruiter=(person and person.name) or application.recruiter or "",
                interviews=of(application.ref),
            )
        )
    if loose := of(None):
        found.append(Matter(application=None, title="Interviews", recruiter="", interviews=loose))
    return found
