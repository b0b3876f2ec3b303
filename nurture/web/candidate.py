"""What comes next for one candidate, what was, and what can somebody do about it?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from nurture.config import Config
from nurture.core import wishes
from nurture.core.calling import OUTCOMES
from nurture.core.model import Application, Approval, Facts, Interview, Pace, Promise, Reason
from nurture.core.reasons import passed_over
from nurture.engine import timeline
from nurture.engine.by_hand import Change, changed, foreseen
from nurture.engine.hindsight import Hindsight, hindsight
from nurture.engine.outlook import Entry, Outlook, outlook
from nurture.engine.project import Project
from nurture.engine.stops import stop_line
from nurture.errors import NurtureError, UsageError
from nurture.store.stops import CANDIDATE, EVERYTHING, active
from nurture.store.timeline import Place
from nurture.web import rights
from nurture.web.deeds import DONE, LENGTHS, Deed, WrongError, do, word
from nurture.web.looks import Looks
from nurture.web.people import badges, name_of, topic_name
from nurture.web.rights import Acting, Acts, Viewer

_LOOK = ["GET", "HEAD"]
_NOBODY = "There is no candidate of this id or address."
_NO_PAST = "That is no instant gone by, such as 2026-11-22T09:00 on the candidate's clock."
_NO_STEP = "That step is not to come any more. Their page says what is."
#: Steps of which nobody decides anything yet: they are not reached, or are no mail and no task.
_NOT_REACHED = frozenset(
    {
        *(Reason.AFTER_STEP, Reason.NO_ANCHOR, Reason.WAIT_FOR, Reason.CAMPAIGN_MISSING),
        *(Reason.OPENED, Reason.WAITED, Reason.CHOSEN),
    }
)


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/candidates/{ref:path}", methods=_LOOK)
    def candidate(
        request: Request,
        ref: str,
        at: str = "",
        before: str = "",
        since: str = "",
        did: str = "",
        enrollment: str = "",
        step: str = "",
        occurrence: str = "",
    ) -> Response:
        viewer = rights.viewer(request)
        found = _found(project, ref, viewer)
        if found is None:
            return looks.notice(request, 404, _NOBODY)
        if step:
            key = (enrollment, step, occurrence)
            return _deciding(request, project, looks, found, key)
        try:
            then = _then(project, ref, at)
        except (ValueError, UsageError):
            return looks.notice(request, 400, _NO_PAST)
        values = _shown(project, viewer, found, before=before, then=then)
        values |= {"done": DONE.get(did, ""), "changes": _since(project, found, since)}
        return looks.page(request, "candidate", **values)

    @router.post("/candidates/{ref:path}")
    def act(request: Request, ref: str, acting: Acting) -> Response:
        found = _found(project, ref, acting.viewer)
        if found is None:
            return looks.notice(request, 404, _NOBODY)
        deed = Deed(project=project, acting=acting, facts=found.facts, now=project.clock.now())
        try:
            did = do(deed)
        except WrongError as wrong:
            return _again(request, project, looks, found, acting, str(wrong))
        asked = urlencode({"since": deed.now.isoformat(), "did": did})
        return RedirectResponse(f"/candidates/{quote(found.candidate.ref, safe='')}?{asked}", 303)

    return router


def _found(project: Project, ref: str, viewer: Viewer) -> Outlook | None:
    found = outlook(project, ref)
    return found if found is not None and rights.sees(viewer, found.facts) else None


def _shown(
    project: Project,
    viewer: Viewer,
    found: Outlook,
    *,
    before: str = "",
    then: Hindsight | None = None,
) -> dict[str, Any]:
    """Everything that stands on the page, now or as it stood then."""
    now, about = project.clock.now(), found.candidate
    place = timeline.as_place(before)
    with project.database.read() as connection:
        if then is None:
            past, more = timeline.past(project, connection, about.id, found.zone, place)
        else:
            past, more = [_of_then(each) for each in reversed(then.past)], None
        halts = [each for each in active(connection) if each.candidate_id == about.id]
        halts += [each for each in active(connection) if each.scope == EVERYTHING]
    ahead = then.ahead if then is not None else found.ahead
    return {
        "now": now,
        "about": about,
        "named": name_of(about),
        "badges": badges(about, now),
        "zone": found.zone,
        "here": viewer.zone,
        "assumed": about.timezone is None,
        "then": then and then.at,
        "ahead": [each for each in ahead if each.at is not None and not place],
        "dateless": [each for each in ahead if each.at is None and not place],
        "past": _runs(past),
        "more": timeline.as_text(more) if more is not None else "",
        "further": place is not None,
        "matters": _matters(found.facts),
        "wishes": _wishes(found, now),
        "promises": _promises(found.facts),
        "owners": {ref: person.name for ref, person in found.facts.people.items() if person.name},
        "read_first": _read_first(project.config),
        "titles": project.library.titles,
        "chip": chip,
        "decidable": decidable,
        "stopped": [stop_line(vars(each), viewer.zone, how=False) for each in halts],
        "is_stopped": any(each.scope == CANDIDATE for each in halts),
        "is_paused": about.paused_until is not None and about.paused_until > now,
        "is_careful": (end := about.wishes.sensitive_until) is not None and end > now,
        "may": lambda deed: rights.may(viewer, deed) and then is None,
        "lengths": LENGTHS,
        "outcomes": OUTCOMES,
        "today": now.astimezone(found.zone).date().isoformat(),
        "done": "",
        "changes": (),
        "wrong": "",
        "form": {},
    }


def _again(
    request: Request, project: Project, looks: Looks, found: Outlook, acting: Acts, wrong: str
) -> Response:
    """The page that was filled in, with what is wrong and what was typed."""
    form = acting.form
    if form.get("step"):
        key = (form.get("enrollment", ""), form["step"], form.get("occurrence", ""))
        return _deciding(request, project, looks, found, key, wrong=wrong, form=form)
    values = _shown(project, acting.viewer, found)
    return looks.page(request, "candidate", 400, **values | {"wrong": wrong, "form": form})


# --- one step, by hand ---------------------------------------------------------------------------


def decidable(entry: Entry) -> bool:
    """Whether a person can send it at once, put it off or skip it."""
    return (
        entry.verdict in ("send", "wait", "task")
        and entry.reason not in _NOT_REACHED
        and entry.enrollment is not None
        and entry.occurrence is not None
    )


def _deciding(
    request: Request,
    project: Project,
    looks: Looks,
    found: Outlook,
    key: tuple[str, str, str],
    *,
    wrong: str = "",
    form: Mapping[str, str] | None = None,
) -> Response:
    """What would come of each that can be done about one step, before anything is."""
    viewer = rights.viewer(request)
    rights.demand(viewer, "act")
    entry = next(
        (
            each
            for each in found.ahead
            if (str(each.enrollment), each.step, each.occurrence) == key and decidable(each)
        ),
        None,
    )
    if entry is None:
        return looks.notice(request, 404, _NO_STEP)
    at_once = _foreseen(project, viewer, found, key, "send-now") if entry.template else ()
    own = next((each.after for each in at_once if each.after and _is(each.after, key)), None)
    skipped = _foreseen(project, viewer, found, key, "skip")
    told = any(
        _is(each.after, key) and each.after.verdict == "task" for each in skipped if each.after
    )
    goes = own is not None and own.verdict == "send"
    over = own.detail if own is not None and goes else {}
    return looks.page(
        request,
        "decide",
        400 if wrong else 200,
        about=found.candidate,
        named=name_of(found.candidate),
        zone=found.zone,
        here=viewer.zone,
        entry=entry,
        title=project.library.titles.get(entry.campaign, entry.campaign),
        goes_at_once=goes or entry.verdict == "send",
        instead=own or entry,
        over=passed_over(over, found.zone, project.library.titles),
        others=[each for each in at_once if not _is(each.after or each.before, key)],
        skipped=[each for each in skipped if not _is(each.after or each.before, key)],
        becomes_task=told,
        lengths=LENGTHS,
        today=project.clock.now().astimezone(found.zone).date().isoformat(),
        wrong=wrong,
        form=form or {},
        titles=project.library.titles,
    )


def _is(entry: Entry | None, key: tuple[str, str, str]) -> bool:
    return entry is not None and (str(entry.enrollment), entry.step, entry.occurrence) == key


def _foreseen(
    project: Project, viewer: Viewer, found: Outlook, key: tuple[str, str, str], name: str
) -> Sequence[Change]:
    form = {"do": name, "why": "…"}
    form |= dict(zip(("enrollment", "step", "occurrence"), key, strict=True))
    supposed = Acts(viewer=viewer, form=form, fields=tuple(form.items()), clock=project.clock)
    deed = Deed(project=project, acting=supposed, facts=found.facts, now=project.clock.now())
    try:
        return foreseen(project, found.candidate.ref, word(deed))
    except NurtureError:
        return ()


# --- what the page is made of --------------------------------------------------------------------


def _then(project: Project, ref: str, at: str) -> Hindsight | None:
    """What was on record at an instant as typed; None: none was. A plus sign of an offset may have
    become a blank on its way."""
    return (
        hindsight(project, ref, datetime.fromisoformat(at.strip().replace(" ", "+")))
        if at
        else None
    )


def _of_then(entry: Entry) -> timeline.Happening:
    at = entry.at or entry.recorded_at or datetime.min.replace(tzinfo=UTC)
    return timeline.Happening(at=at, place=Place(at, 0, 0), entry=entry)


def _since(project: Project, found: Outlook, since: str) -> Sequence[Change]:
    """What is another since somebody did something, by the address they were led to."""
    try:
        at = datetime.fromisoformat(since.replace(" ", "+")).astimezone(UTC)
        return changed(project, found.candidate.ref, at) if since else ()
    except (ValueError, OverflowError, UsageError):
        return ()


def _read_first(config: Config) -> frozenset[str]:
    """The categories whose letters wait for a person when their moment has come."""
    each = config.categories.values()
    return frozenset(one.name for one in each if one.approval is not Approval.AUTO)


def _runs(past: Sequence[timeline.Happening]) -> list[list[timeline.Happening]]:
    """What follows each other and only says that a step was for others is one line of the page."""
    runs = groupby(enumerate(past), lambda one: None if _was_for_others(one[1]) else one[0])
    return [[each for _, each in run] for _, run in runs]


def _was_for_others(each: timeline.Happening) -> bool:
    return each.entry is not None and each.entry.reason is Reason.CONDITION


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One application and what belongs to it."""

    application: Application | None
    title: str
    recruiter: str
    interviews: tuple[Interview, ...]


_CAPPED = frozenset({Reason.CAP, Reason.GAP, Reason.SLOT_RESERVED, Reason.PACE})


def chip(entry: Entry) -> tuple[str, str]:
    """A verdict as a tone and a word."""
    if entry.reason == "unknown_outcome":
        return "stop", "In doubt"
    if entry.verdict == "wait" and not entry.about:
        if entry.reason in _CAPPED:
            return "wait", "Capped"
        return {
            "bundled": ("wait", "Bundled"),
            "approval": ("task", "To approve"),
            "stopped": ("stop", "Stopped"),
        }.get(entry.reason, ("wait", "Waits"))
    return {
        "send": ("go", "Now"),
        "wait": ("wait", "About"),
        "task": ("task", "Task"),
        "skip": ("calm", "Not sent"),
        "sent": ("go", "Sent"),
        "done": ("calm", "Went on"),
    }[entry.verdict]


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


_PACES = {
    Pace.AS_IT_HAPPENS: "",
    Pace.TWICE_A_WEEK: "twice a week at most",
    Pace.WEEKLY: "once a week",
    Pace.ONLY_WHAT_MATTERS: "only what matters",
}


def _wishes(found: Outlook, now: datetime) -> list[tuple[str, str]]:
    """What they asked of us, and what we may do, in pairs of a name and words."""
    about, own = found.candidate, found.candidate.wishes
    hours = [wishes.show_hours(each) for each in own.only]
    hours += [f"not {wishes.show_hours(each)}" for each in own.not_in]
    quiet = [_days(*each) for each in own.quiet_days if each[1] >= now.date()]
    consent = about.consent_until
    pairs = [
        ("Reach them by", "phone first" if own.phone_first else "e-mail"),
        ("Phone", str(about.fields.get("phone") or "")),
        ("Pace", _PACES[own.pace]),
        ("Hours", "; ".join(hours)),
        ("Quiet days", "; ".join(quiet)),
        ("Does not want", ", ".join(map(topic_name, sorted(about.unsubscribed)))),
        ("Paused until", _day(about.paused_until, now, found.zone)),
        ("Special care until", _day(own.sensitive_until, now, found.zone)),
        ("Language", about.locale or ""),
        ("Consent until", f"{consent.day} {consent:%b %Y}" if consent else "not recorded"),
    ]
    return [(name, words) for name, words in pairs if words]


def _days(first: Any, last: Any) -> str:
    start = f"{first.day} {first:%b}"
    return start if first == last else f"{start} to {last.day} {last:%b}"


def _day(at: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    if at is None or at <= now:
        return ""
    local = at.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y}"


def _promises(facts: Facts) -> list[Promise]:
    """Those still owed, the most urgent first, then what was settled of late."""
    far = datetime.max.replace(tzinfo=UTC)
    owed = [each for each in facts.promises.values() if each.status == "open"]
    settled = [each for each in facts.promises.values() if each.status != "open"]
    settled.sort(key=lambda each: each.settled_at or each.made_at, reverse=True)
    return [*sorted(owed, key=lambda each: each.due_at or far), *settled[:3]]
