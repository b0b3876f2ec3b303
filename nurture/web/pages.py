"""What does a recruiter see? Today, the campaigns, the candidates and one candidate's agenda."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from nurture.core import reasons
from nurture.core.model import (
    Application,
    Campaign,
    Candidate,
    Facts,
    Interview,
    Reason,
    Verdict,
)
from nurture.engine import stops
from nurture.engine.flowchart import flowchart
from nurture.engine.held import held_line
from nurture.engine.hindsight import Hindsight, hindsight
from nurture.engine.outlook import Entry, outlook
from nurture.engine.picture import Picture, picture, whereabouts
from nurture.engine.project import Project
from nurture.engine.stops import stop_line
from nurture.errors import Problem, UsageError
from nurture.rendering.context import zone_of
from nurture.store import facts as rows_to_facts
from nurture.store import history
from nurture.store.census import Census, census
from nurture.store.database import Connection
from nurture.store.reading import load
from nurture.store.stops import CAMPAIGN, EVERYTHING, active
from nurture.web.looks import Looks
from nurture.web.previews import name_of

_LISTED = 100  # candidates on one page; the search finds the others
_RECENT = 15  # mails on the first page
_PAST = 40  # entries of the past that are shown at once; the rest is folded away

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/", methods=_LOOK)
    def today(request: Request) -> Response:
        with project.database.read() as connection:
            counts = history.counts(connection)
            recent = _once_each(history.message_rows(connection, state="sent", limit=2 * _RECENT))
            open_tasks = history.task_rows(connection)
            ids = {row["candidate_id"] for row in (*recent, *open_tasks)}
            names = _names(connection, ids)
        return looks.page(
            request,
            "today",
            now=project.clock.now(),
            counts=counts,
            recent=recent[:_RECENT],
            tasks=open_tasks,
            names=names,
            titles=project.library.titles,
            problems=project.library.problems,
            trouble=project.pulse.trouble,
            held=held_lines(project),
            why=why,
        )

    @router.api_route("/campaigns", methods=_LOOK)
    def campaigns(request: Request) -> Response:
        with project.database.read() as connection:
            enrolled = history.counts(connection)["enrolled"]
        return looks.page(request, "campaigns", enrolled=enrolled, **campaign_cards(project))

    @router.api_route("/campaigns/{name}", methods=_LOOK)
    def campaign(request: Request, name: str) -> Response:
        found = project.library.campaigns.get(name)
        if found is None:
            return looks.notice(request, 404, "There is no good campaign of this name.")
        with project.database.read() as connection:
            counted = census(connection, name)
        return looks.page(
            request,
            "campaign",
            held=held_lines(project, name),
            card=_card(project, found, counted),
            mermaid=flowchart(picture(found, counted)),
            whereabouts=whereabouts,
        )

    @router.api_route("/candidates", methods=_LOOK)
    def candidates(request: Request, q: str = "") -> Response:
        with project.database.read() as connection:
            rows = history.candidate_rows(connection, search=q.strip(), limit=_LISTED + 1)
        now = project.clock.now()
        return looks.page(
            request,
            "candidates",
            q=q.strip(),
            people=[_line(project, row, now) for row in rows[:_LISTED]],
            more=len(rows) > _LISTED,
        )

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


# --- campaigns in words --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Card:
    picture: Picture
    problems: tuple[Problem, ...]
    stale: bool  #: the file as it is now has errors: the last good version is in force


def held_lines(project: Project, campaign: str | None = None) -> list[str]:
    """What is stopped, and edits that wait for a word from a person or are being counted: of all
    campaigns, or one."""
    halts = stops.listed(project.database)
    about = (None, campaign)
    told = [
        stop_line(each)
        for each in halts
        if campaign is None or (each["scope"] in (CAMPAIGN, EVERYTHING) and each["ref"] in about)
    ]
    listed = project.planner.guard.listed()
    return told + [held_line(each) for each in listed if campaign in (None, each["campaign"])]


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


def campaign_cards(project: Project) -> dict[str, Any]:
    """What is in force, and which files are not: every problem is shown where it belongs."""
    library = project.library
    cards = [_card(project, campaign) for campaign in library.campaigns.values()]
    told = {problem for card in cards for problem in card.problems}
    others = [each for each in library.problems if each not in told]
    missing = sorted(library.missing)
    return {"cards": cards, "others": others, "missing": missing, "held": held_lines(project)}


def _card(project: Project, campaign: Campaign, census: Census | None = None) -> Card:
    own = tuple(each for each in project.library.problems if each.file == campaign.file)
    return Card(
        picture=picture(campaign, census),
        problems=own,
        stale=any(each.severity == "error" for each in own),
    )


# --- candidates ----------------------------------------------------------------------------------


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


def badges(candidate: Candidate, now: datetime) -> list[tuple[str, str]]:
    """What everybody must know before they write to somebody: a tone and a word for each."""
    found = []
    if candidate.do_not_contact:
        found.append(("stop", "do not contact"))
    if candidate.suppressed:
        found.append(("stop", f"address does not work: {candidate.suppressed}"))
    if "all" in candidate.unsubscribed:
        found.append(("calm", "unsubscribed"))
    elif candidate.unsubscribed:
        found.append(("calm", "unsubscribed from " + ", ".join(sorted(candidate.unsubscribed))))
    if candidate.paused_until is not None and candidate.paused_until > now:
        found.append(
            ("calm", f"paused until {candidate.paused_until.day} {candidate.paused_until:%b %Y}")
        )
    if not candidate.email:
        found.append(("stop", "no address"))
    return found


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


def _line(project: Project, row: Any, now: datetime) -> dict[str, Any]:
    candidate = rows_to_facts.candidate_from_row(row)
    zone: ZoneInfo = zone_of(candidate, project.config)
    return {
        "about": candidate,
        "named": name_of(candidate),
        "zone": zone,
        "theirs": f"{now.astimezone(zone):%a %H:%M}",
        "sent": row["sent"],
        "problem": row["problem"],
        "badges": badges(candidate, now),
    }


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


def _names(connection: Connection, ids: set[int]) -> dict[int, str]:
    return {id_: name_of(each.candidate) for id_, each in load(connection, ids).items()}


def why(reason: str | None) -> str:
    """A reason without its particulars: `its moment has not come`."""
    utc = ZoneInfo("UTC")
    said = reasons.sentence(Verdict.SKIP, Reason(reason or "scheduled"), {}, at=None, zone=utc)
    return said.partition(": ")[2]


def _once_each(rows: Sequence[Any]) -> list[Any]:
    """A mail that carries several steps is one mail."""
    return list({row["id"]: row for row in rows}.values())
