"""What does a recruiter see? Today, the campaigns, the candidates and one candidate's agenda."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from nurture.authoring.expressions import CompiledCondition
from nurture.core import reasons
from nurture.core.model import (
    Application,
    Campaign,
    Candidate,
    Condition,
    Facts,
    Interview,
    Reason,
    Step,
    Verdict,
)
from nurture.core.timing import show_duration, show_moment
from nurture.engine.outlook import Entry, outlook
from nurture.engine.project import Project
from nurture.errors import Problem
from nurture.rendering.context import zone_of
from nurture.store import facts as rows_to_facts
from nurture.store import history
from nurture.store.database import Connection
from nurture.store.reading import load
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
            titles=_titles(project),
            problems=project.library.problems,
            trouble=project.pulse.trouble,
            why=why,
        )

    @router.api_route("/campaigns", methods=_LOOK)
    def campaigns(request: Request) -> Response:
        with project.database.read() as connection:
            enrolled = history.counts(connection)["enrolled"]
        return looks.page(request, "campaigns", enrolled=enrolled, **campaign_cards(project))

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
    def candidate(request: Request, ref: str) -> Response:
        found = outlook(project, ref)
        if found is None:
            return looks.notice(request, 404, "There is no candidate of this id or address.")
        past = list(reversed(found.past))
        return looks.page(
            request,
            "candidate",
            now=project.clock.now(),
            about=found.candidate,
            named=name_of(found.candidate),
            badges=badges(found.candidate, project.clock.now()),
            zone=found.zone,
            assumed=found.candidate.timezone is None,
            ahead=[entry for entry in found.ahead if entry.at is not None],
            dateless=[entry for entry in found.ahead if entry.at is None],
            past=past[:_PAST],
            older=past[_PAST:],
            matters=_matters(found.facts),
            titles=_titles(project),
            chip=chip,
        )

    return router


# --- campaigns in words --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Line:
    """One step, as people say it."""

    kind: str  #: send | task
    what: str
    when: str
    limits: tuple[str, ...]  #: if, until, if_late and the like, one sentence each


@dataclass(frozen=True, kw_only=True)
class Card:
    campaign: Campaign
    enters: str
    leaves: str
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]
    stale: bool  #: the file as it is now has errors: the last good version is in force


def campaign_cards(project: Project) -> dict[str, Any]:
    """What is in force, and which files are not: every problem is shown where it belongs."""
    library = project.library
    cards, told = [], set()
    for campaign in library.campaigns.values():
        own = tuple(each for each in library.problems if each.file == campaign.file)
        told |= set(own)
        cards.append(
            Card(
                campaign=campaign,
                enters=enters(campaign),
                leaves=leaves(campaign),
                lines=tuple(
                    _step(step, first=step is campaign.steps[0]) for step in campaign.steps
                ),
                problems=own,
                stale=any(each.severity == "error" for each in own),
            )
        )
    others = [each for each in library.problems if each not in told]
    return {"cards": cards, "others": others, "missing": sorted(library.missing)}


def enters(campaign: Campaign) -> str:
    """`On interview.scheduled, if ..., once per interview`"""
    enter = campaign.enter
    condition = _if(enter.condition)
    return f"On {enter.on}{', ' + condition if condition else ''}, once per {enter.once_per}"


def leaves(campaign: Campaign) -> str:
    """`Leaves on offer.accepted, offer.sent; if ...`, or nothing."""
    ways = []
    for leave in campaign.leave:
        on = f"on {', '.join(sorted(leave.on))}" if leave.on else ""
        ways.append(" ".join(part for part in (on, _if(leave.condition)) if part))
    return f"Leaves {'; '.join(ways)}" if ways else ""


def _step(step: Step, *, first: bool) -> Line:
    if step.at is not None:
        when = show_moment(step.at)
    elif step.after is not None and step.after.amount:
        above = "entering" if first else "the step above"
        when = f"{show_duration(step.after)} after {above}"
    else:
        when = "on entering" if first else "right after the step above"
    limits = [_if(step.condition)]
    if step.until is not None:
        limits.append(f"until {show_moment(step.until)}")
    if step.if_late == "send":
        limits.append("sent at once if it is late")
    if step.again_if_moved:
        limits.append("again if it moves")
    if step.task is not None:
        limits.append(f"for the {step.task.to.replace('_', ' ')}")
        limits.append(f"due in {show_duration(step.task.due)}")
    return Line(
        kind="task" if step.task else "send",
        what=step.task.text if step.task else step.send or "",
        when=when,
        limits=tuple(limit for limit in limits if limit),
    )


def _if(condition: Condition | None) -> str:
    return f"if {condition.source}" if isinstance(condition, CompiledCondition) else ""


# --- candidates ----------------------------------------------------------------------------------


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
    if entry.verdict == "sent" and entry.reason != "due":
        return "stop", "In doubt"
    return {
        "send": ("go", "Now"),
        "wait": ("wait", "About" if entry.about else "Waits"),
        "task": ("task", "Task"),
        "skip": ("calm", "Not sent"),
        "sent": ("go", "Sent"),
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


def _titles(project: Project) -> dict[str, str]:
    return {name: each.title for name, each in project.library.campaigns.items()}


def why(reason: str | None) -> str:
    """A reason without its particulars: `its moment has not come`."""
    utc = ZoneInfo("UTC")
    said = reasons.sentence(Verdict.SKIP, Reason(reason or "scheduled"), {}, at=None, zone=utc)
    return said.partition(": ")[2]


def _once_each(rows: Sequence[Any]) -> list[Any]:
    """A mail that carries several steps is one mail."""
    return list({row["id"]: row for row in rows}.values())
