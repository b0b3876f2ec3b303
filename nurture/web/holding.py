"""What is stopped or held, what would go if it were not, and who lets it go?

A recruiter reads it; marketing and admins pause, resume and release, each with who and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from nurture.engine import stops
from nurture.engine.effect import Effect, template_of
from nurture.engine.project import Project
from nurture.engine.stops import called
from nurture.errors import NurtureError
from nurture.store import releases
from nurture.store import stops as rows
from nurture.store.database import Connection
from nurture.store.reading import load
from nurture.store.stops import CAMPAIGN, CANDIDATE, EVERYTHING, JOB, Halt
from nurture.web import rights
from nurture.web.people import name_of
from nurture.web.rights import Acting, Refused, Viewer

#: What a page says after one of these: the address carries the word, never the sentence.
SAID: Mapping[str, str] = {
    "paused": "It is stopped. Nothing of it leaves any more, also of what is just being sent.",
    "already": "It was stopped already: the first word stands.",
    "resumed": "It goes on. What it kept back is counted first: where that is more than may go at"
    " once, it is held below until somebody lets it through.",
    "not-stopped": "It was not stopped any more.",
    "released": "It goes out, as caps and everybody’s hours allow.",
    "spread": "It goes out by and by, each candidate at an instant of their own.",
    "not-held": "It was not held any more.",
}

#: People are counted so far, and no further.
_MOST = 10_000
_LONGEST_WHY = 500
_DAYS = 60  # over which a release may be spread

_CAUSES = {
    rows.BOUNCES: "Stopped by itself: too much of its mail bounces",
    rows.COMPLAINTS: "Stopped by itself: too many people complain about its mail",
    rows.REFUSED: "Stopped by itself: the mail server refuses us",
    rows.RESTORED: "Stopped since a backup was restored",
}
_HELD = {
    "edit": "An edit is held",
    "resume": "What became due while it was stopped is held",
    "audience": "A new audience is held",
    "stop": "What became due while nobody ran is held",
    "restore": "What became due since the backup is held",
}


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """A kill switch that was thrown."""

    halt: Halt
    what: str  #: `campaign welcome`
    title: str
    by_itself: bool
    people: int  #: for whom mail waits because of it, as far as they were planned
    over: bool  #: there are more
    limit: int | None  #: so many may get mail at once when it is lifted; None: one person


@dataclass(frozen=True, kw_only=True)
class Example:
    """Somebody who waits, and for what."""

    ref: str
    name: str
    template: str | None
    step: str
    moment_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Held:
    effect: Effect
    title: str
    examples: tuple[Example, ...]


def stopped(project: Project, connection: Connection, halt: Halt) -> Stopped:
    """With what would go if it were lifted."""
    many = None
    if halt.scope != CANDIDATE:
        many = rows.kept_back(connection, halt.scope, halt.ref, _MOST + 1)
    name = releases.resumed(halt.scope, halt.ref)
    if halt.scope == CAMPAIGN and halt.ref:
        name = halt.ref
    limit = None
    if many is not None:
        limit = project.config.release_limit(releases.enrolled(connection, name))
    return Stopped(
        halt=halt,
        what=called(halt.scope, halt.ref),
        title=_CAUSES.get(halt.cause, f"Stopped by {halt.by}" if halt.by else "Stopped"),
        by_itself=halt.by is None,
        people=min(many or 0, _MOST),
        over=(many or 0) > _MOST,
        limit=limit,
    )


def held(project: Project, connection: Connection, effect: Effect, viewer: Viewer) -> Held:
    """With people as examples: of those whom the viewer may see."""
    known = load(connection, {each.candidate_id for each in effect.examples})
    examples = [
        Example(
            ref=facts.candidate.ref,
            name=name_of(facts.candidate),
            template=template_of(project, each.campaign, each.step),
            step=each.step,
            moment_at=each.moment_at,
        )
        for each in effect.examples
        if (facts := known.get(each.candidate_id)) is not None and rights.sees(viewer, facts)
    ]
    return Held(effect=effect, title=_HELD[effect.row.cause], examples=tuple(examples))


# --- a person's word -----------------------------------------------------------------------------


def routes(project: Project) -> APIRouter:
    router = APIRouter()

    @router.post("/stops/pause")
    def pause(acting: Acting) -> RedirectResponse:
        scope, ref = _about(project, acting.form)
        acting.demand("pause-campaign")
        why = " ".join(acting.form.get("why", "").split())[:_LONGEST_WHY]
        if not why:
            raise Refused("Please say what is wrong: it is shown wherever mail waits.", 400)
        now = project.clock.now()
        with project.database.write() as connection:
            new = stops.pause(connection, scope, ref, why=why, by=acting.who, now=now)
            if new:
                _note(connection, acting, "stop", scope, ref, why=why)
        return _back(scope, ref, "paused" if new else "already")

    @router.post("/stops/resume")
    def resume(acting: Acting) -> RedirectResponse:
        scope, ref = _about(project, acting.form, known=False)
        acting.demand("pause-campaign")
        try:
            with project.database.write() as connection:
                stops.resume(connection, scope, ref, by=acting.who, now=project.clock.now())
                _note(connection, acting, "resume", scope, ref)
        except NurtureError:
            return _back(scope, ref, "not-stopped")
        return _back(scope, ref, "resumed")

    @router.post("/held/release")
    def release(acting: Acting) -> RedirectResponse:
        acting.demand("release")
        name, days = acting.form.get("name", ""), acting.form.get("days", "0")
        if not days.isascii() or not days.isdigit() or len(days) > 3 or int(days) > _DAYS:
            raise Refused(f"Days are a number, and at most {_DAYS}.", 400)
        spread = timedelta(days=int(days)) if int(days) else None
        with project.database.read() as connection:
            there = {row.campaign: row for row in releases.rows(connection)}
        row = there.get(name)
        if row is None or row.state == releases.RELEASED:
            return _to(project, name, "not-held")
        now = project.clock.now()
        project.planner.guard.apply([name], by=acting.who, now=now, spread=spread)
        with project.database.write() as connection:
            acting.audit(
                connection, "release", about=f"held:{name}", due=row.due, days=int(days) or None
            )
        return _to(project, name, "spread" if spread else "released")

    return router


def _about(
    project: Project, form: Mapping[str, str], *, known: bool = True
) -> tuple[str, str | None]:
    """Scope and name as a form gives them. What is not there cannot be stopped."""
    scope, ref = form.get("scope", ""), form.get("ref") or None
    if scope == EVERYTHING and ref is None:
        return scope, None
    if scope not in (CAMPAIGN, JOB) or ref is None or (known and scope != CAMPAIGN):
        raise Refused("That cannot be stopped here.", 400)
    if known and ref not in project.library.campaigns:
        raise Refused("There is no good campaign of this name.", 404)
    return scope, ref


def _note(
    connection: Connection, acting: Acting, action: str, scope: str, ref: str | None, **detail: Any
) -> None:
    acting.audit(connection, action, about=f"{scope}:{ref}" if ref else scope, **detail)


def _back(scope: str, ref: str | None, said: str) -> RedirectResponse:
    page = f"/campaigns/{quote(ref, safe='')}" if scope == CAMPAIGN and ref else "/campaigns"
    return RedirectResponse(f"{page}?said={said}", 303)


def _to(project: Project, name: str, said: str) -> RedirectResponse:
    own = name in project.library.campaigns
    return _back(CAMPAIGN if own else EVERYTHING, name if own else None, said)
