"""What needs a person this morning, and how is it done from the page?"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse

from nurture.core.calling import OUTCOMES
from nurture.engine.project import Project
from nurture.engine.tasks import finish
from nurture.engine.today import LISTED, Item, Reading, left, named, today, yesterday_evening
from nurture.errors import NurtureError
from nurture.store import history, morning
from nurture.store.accounts import RECRUITER
from nurture.store.database import Connection
from nurture.store.morning import After
from nurture.store.ownership import owned
from nurture.store.reading import load
from nurture.store.tables import CALL
from nurture.web import rights
from nurture.web.campaigns import held_lines
from nurture.web.looks import Looks
from nurture.web.rights import Acting, Viewer

_LOOK = ["GET", "HEAD"]
_PAGE = 50
_RECENT = 8  # mails that left, below all else
_HELD_SHOWN = 5  # of what is stopped or held, which may be a thousand candidates
#: What came of something done on a page, by the word in its address.
_SAID = {
    "spoke": "Written down: you spoke with them.",
    "voicemail": "Written down: you left a message. The call stays here for another try.",
    "no_answer": "Written down: nobody took the call. It stays here for another try.",
    "wrong_number": "Written down: the number is wrong. The mail goes instead.",
    "over": "Written down: that was the second try, so the mail goes instead.",
    "done": "Done.",
    "gone": "That task was not open any more. Nothing was changed.",
}
_PLACES = ("/", "/tasks")  # where a task can be done

#: The lists that have pages of their own: their title, how they are read, and what there is to say
#: where one is empty.
_Read = Callable[[Reading, After], Sequence[Item]]
_LISTS: dict[str, tuple[str, _Read, str]] = {
    "promises": (
        "Promises",
        lambda reading, after: reading.promises(_PAGE + 1, after=after),
        "Nothing is owed to anybody.",
    ),
    "silence": (
        "Silence",
        lambda reading, after: reading.silences(_PAGE + 1, after=after),
        "Nobody waits for word.",
    ),
    "tasks": (
        "Tasks",
        lambda reading, after: reading.tasks(_PAGE + 1, after=after),
        "Nothing. Campaigns put tasks here when a person has to act.",
    ),
}


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/", methods=_LOOK)
    def morning_page(request: Request, whose: str = "", said: str = "") -> Response:
        viewer, now = rights.viewer(request), project.clock.now()
        mine = _mine(viewer, whose)
        with project.database.read() as connection:
            found = today(connection, project, now, email=viewer.email, mine=mine, zone=viewer.zone)
            lists = (found.promises, found.silences, found.tasks)
            owners = _owners(connection, [item for each in lists for item in each])
            aside = morning.set_aside(connection, _whose(viewer, mine=mine), LISTED)
            recent = [] if mine else morning.recent(connection, _RECENT)
            anybody = bool(recent or mine) or bool(history.candidate_rows(connection, limit=1))
        return looks.page(
            request,
            "today",
            now=now,
            found=found,
            aside=aside,
            recent=recent,
            anybody=anybody,
            evening=_evening(yesterday_evening(now, viewer.zone), now.astimezone(viewer.zone)),
            owners=owners,
            named=named,
            problems=project.library.problems,
            trouble=project.pulse.trouble,
            held=held_lines(project, viewer.zone),
            held_shown=_HELD_SHOWN,
            **_around(viewer, mine=mine, said=said),
        )

    for name in _LISTS:
        router.add_api_route(f"/{name}", _list_page(project, looks, name), methods=_LOOK)

    @router.post("/tasks/{number}")
    def task_done(number: int, acting: Acting) -> Response:
        acting.demand("act")
        outcome = acting.form.get("outcome") or None
        with project.database.read() as connection:
            row = history.task_row(connection, number) if number < 2**63 else None
            if row is None or not _sees(connection, acting.viewer, row["candidate_id"]):
                raise HTTPException(404)
        if row["state"] != "open":
            return _back(acting.form, "gone")
        over = _finish(project, acting, row, outcome)
        second = over and outcome in ("voicemail", "no_answer")
        return _back(acting.form, "over" if second else outcome or "done")

    return router


def _finish(project: Project, acting: rights.Acts, row: Any, outcome: str | None) -> bool:
    """Whether it is done. Raises HTTPException for what is no outcome of it."""
    if (row["kind"] == CALL) != (outcome in OUTCOMES):
        raise HTTPException(400)
    who = acting.who if "@" in acting.who else None
    try:
        with project.database.write() as connection:
            over = finish(connection, row, outcome, who, project.clock.now())
            acting.audit(
                connection,
                "log-call" if outcome else "finish-task",
                row["candidate_id"],
                f"task:{row['id']}",
                **({"outcome": outcome} if outcome else {}),
            )
    except NurtureError:
        raise HTTPException(400) from None
    return over


def _list_page(project: Project, looks: Looks, name: str) -> Callable[..., Response]:
    """All of one list, a page at a time."""
    title, read, none = _LISTS[name]

    def page(request: Request, whose: str = "", after: str = "", said: str = "") -> Response:
        viewer, now = rights.viewer(request), project.clock.now()
        mine = _mine(viewer, whose)
        with project.database.read() as connection:
            reading = Reading(connection, project, now, _whose(viewer, mine=mine))
            rows = read(reading, _after(after, number=name == "tasks"))
            owners = _owners(connection, rows)
        more = rows[_PAGE - 1] if len(rows) > _PAGE else None
        return looks.page(
            request,
            "waiting",
            now=now,
            which=name,
            title=title,
            rows=rows[:_PAGE],
            owners=owners,
            none=none,
            following=more and quote(f"{more.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f},{more.key}"),
            first=not after,
            **_around(viewer, mine=mine, said=said),
        )

    return page


def _around(viewer: Viewer, *, mine: bool, said: str) -> dict[str, Any]:
    """What these pages have in common."""
    return {
        "mine": mine,
        "may_switch": viewer.role != RECRUITER and "@" in viewer.email,
        "acts": rights.may(viewer, "act"),
        "approves": rights.may(viewer, "approve"),
        "zone": viewer.zone,
        "said": _SAID.get(said, ""),
        "left": left,
        "dialled": dialled,
        "counted": counted,
    }


def _mine(viewer: Viewer, whose: str) -> bool:
    """A recruiter sees their own candidates; others all, or their own where they ask for that."""
    return viewer.role == RECRUITER or whose == "mine"


def _whose(viewer: Viewer, *, mine: bool) -> morning.Whose:
    return owned(viewer.email) if mine else None


def _owners(connection: Connection, items: Sequence[Item]) -> dict[str, str]:
    return morning.names_of(connection, {item.owner for item in items if item.owner})


def _sees(connection: Connection, viewer: Viewer, candidate_id: int) -> bool:
    facts = load(connection, [candidate_id]).get(candidate_id)
    return facts is not None and rights.sees(viewer, facts)


def _after(told: str, *, number: bool) -> After:
    """The key that a page's address names; none that cannot be read."""
    at, _, own = told.partition(",")
    try:
        instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
        return (instant, int(own) if number else own) if own else None
    except ValueError:
        return None


def _back(form: Any, said: str) -> Response:
    """To the page it came from, which is one of ours."""
    place = form.get("back", "/")
    place = place if place in _PLACES else "/"
    whose = "&whose=mine" if form.get("whose") == "mine" else ""
    return RedirectResponse(f"{place}?said={said}{whose}", 303)


# --- as people say it ----------------------------------------------------------------------------


def _evening(at: datetime, now: datetime) -> str:
    """`yesterday evening`, or over a weekend `Friday evening`."""
    yesterday = (now.date() - at.date()).days == 1
    return f"{'yesterday' if yesterday else f'{at:%A}'} evening"


def dialled(phone: str) -> str:
    """A number as a telephone takes it."""
    return "".join(char for char in phone if char in "+0123456789")


def counted(number: int, most: int) -> str:
    """`7`, or `100 or more`."""
    return f"{number} or more" if number >= most else str(number)
