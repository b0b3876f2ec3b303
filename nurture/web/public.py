"""What may a candidate decide by a link in a mail? Unsubscribe, come back, pause.

Mail scanners open every link, so GET only shows a form and POST decides (RFC 8058). The address
says all: which button was pressed is in the path and no body is read, so a mail provider's
one-click request works in whatever form it comes.
"""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from nurture.core.model import Candidate
from nurture.engine.project import Project
from nurture.intake.apply import apply
from nurture.intake.events import parse_event
from nurture.rendering.context import zone_of
from nurture.rendering.links import PREFERENCES, UNSUBSCRIBE
from nurture.rendering.times import day
from nurture.store.facts import find_number
from nurture.web.looks import Looks

ALL = "all"  #: the topic that is every nurture mail
PAUSE = timedelta(days=91)  # "three months"
LANGUAGE = "en"  # of these pages

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()
    _unsubscribing(router, project, looks)
    _preferring(router, project, looks)
    return router


def _unsubscribing(router: APIRouter, project: Project, looks: Looks) -> None:
    """All answers are the same for a token that is ours and one that is not: nothing is learned by
    trying."""

    @router.api_route("/u/{token}", methods=_LOOK)
    def ask(request: Request, token: str) -> Response:
        return looks.page(request, "unsubscribe", token=token, state="ask")

    @router.post("/u/{token}")
    def unsubscribe(request: Request, token: str) -> Response:
        """Ends all nurture mail, mail already queued included. 200 and no redirect (RFC 8058)."""
        candidate = _owner(project, UNSUBSCRIBE, token)
        if candidate is not None:
            leave(project, candidate, source="unsubscribe")
        return looks.page(request, "unsubscribe", token=token, state="gone")

    @router.post("/u/{token}/undo")
    def undo(request: Request, token: str) -> Response:
        candidate = _owner(project, UNSUBSCRIBE, token)
        if candidate is not None:
            come_back(project, candidate, [ALL], source="unsubscribe")
        return looks.page(request, "unsubscribe", token=token, state="back")


def _preferring(router: APIRouter, project: Project, looks: Looks) -> None:
    def shown(request: Request, token: str, done: str = "") -> Response:
        candidate = _owner(project, PREFERENCES, token)
        if candidate is None:
            said = "This link is not whole. Please open it from the mail again, or reply to the "
            return looks.notice(request, 404, said + "mail: a person will read it.")
        zone, now = zone_of(candidate, project.config), project.clock.now()
        paused = candidate.paused_until
        return looks.page(
            request,
            "preferences",
            token=token,
            done=done,
            silent=candidate.do_not_contact,
            gone=ALL in candidate.unsubscribed,
            topics=sorted(candidate.unsubscribed - {ALL}),
            paused=_day(paused, zone) if paused is not None and paused > now else "",
            pause_would_end=_day(now + PAUSE, zone),
        )

    @router.api_route("/p/{token}", methods=_LOOK)
    def look(request: Request, token: str) -> Response:
        return shown(request, token)

    @router.post("/p/{token}/{wish}")
    def decide(request: Request, token: str, wish: str) -> Response:
        candidate = _owner(project, PREFERENCES, token)
        if candidate is None:
            return shown(request, token)
        match wish:
            case "unsubscribe":
                leave(project, candidate, source="preferences")
            case "resubscribe":
                topics = sorted(candidate.unsubscribed)
                come_back(project, candidate, topics, source="preferences")
            case "pause":
                until = (project.clock.now() + PAUSE).isoformat()
                _tell(project, candidate, "candidate.paused", "preferences", until=until)
            case "resume":
                _tell(project, candidate, "candidate.resumed", "preferences")
            case _:
                return looks.notice(request, 404)
        return shown(request, token, done=wish)


def leave(project: Project, candidate: Candidate, *, source: str) -> None:
    """No nurture mail any more, in one transaction; saying it again changes nothing."""
    if ALL not in candidate.unsubscribed:
        _tell(project, candidate, "candidate.unsubscribed", source)


def come_back(project: Project, candidate: Candidate, topics: list[str], *, source: str) -> None:
    """These topics are wanted again, as far as they were not."""
    wanted = {topic: True for topic in topics if topic in candidate.unsubscribed}
    if wanted:
        _tell(project, candidate, "candidate.preferences", source, preferences={"topics": wanted})


def _owner(project: Project, purpose: str, token: str) -> Candidate | None:
    number = project.signer.read(purpose, token)
    if number is None:
        return None
    with project.database.read() as connection:
        return find_number(connection, number)


def _tell(project: Project, candidate: Candidate, type_: str, source: str, **told: Any) -> None:
    """Through the one door for facts: history is kept, and the candidate's alarm rings."""
    now = project.clock.now()
    event = {"type": type_, "source": source, "occurred_at": now.isoformat(), **told}
    apply(project.database, parse_event({**event, "candidate": {"id": candidate.ref}}), now)


def _day(at: Any, zone: ZoneInfo) -> str:
    return day(at, zone, LANGUAGE)
