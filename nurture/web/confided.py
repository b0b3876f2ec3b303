"""What was I told in confidence? A list for the one person it is for.

Administrators see all of it, because somebody has to when that person is away; for everybody else
there is nothing here.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from nurture.engine.project import Project
from nurture.store import accounts, confidences
from nurture.store.accounts import ADMIN
from nurture.store.database import Connection
from nurture.web.looks import Looks
from nurture.web.rights import Acting, Viewer, viewer

LISTED = 50  #: on a page

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/confidences", methods=_LOOK)
    def look(request: Request, after: int = 0) -> Response:
        who = viewer(request)
        with project.database.read() as connection:
            rows = confidences.page(
                connection,
                None if who.role == ADMIN else who.email,
                project.clock.now(),
                after=after,
                limit=LISTED + 1,
            )
            people = {row["person"] for row in rows}
            theirs = {each for each in people if may_read(connection, who, each)}
        return looks.page(
            request,
            "confided",
            listed=[_shown(row, who, theirs) for row in rows[:LISTED]],
            next=rows[LISTED - 1]["id"] if len(rows) > LISTED else None,
        )

    @router.post("/confidences/{number}/read")
    def read(acting: Acting, number: int) -> Response:
        """Says that its person has read it: the words are deleted later, and by no one's click."""
        now = project.clock.now()
        with project.database.write() as connection:
            person = confidences.person_of(connection, number, now)
            if person is not None and may_read(connection, acting.viewer, person):
                about = confidences.read(connection, number, now)
                acting.audit(connection, "read-confidence", about, f"confidence:{number}")
        return RedirectResponse("/confidences", 303)

    return router


def may_read(connection: Connection, who: Viewer, person: str) -> bool:
    """Whether this viewer says for `person` that it was read: the person, and for one who has no
    account an administrator."""
    if accounts.key_of(who.email) == person:
        return True
    return who.role == ADMIN and accounts.by_email(connection, person) is None


def _shown(row: Any, who: Viewer, theirs: set[str]) -> dict[str, Any]:
    data = row["data"]
    name = " ".join(data[each] for each in ("first_name", "last_name") if data.get(each))
    return {
        "number": row["id"],
        "candidate": row["ref"],
        "named": name or row["ref"],
        "said": row["said"],
        "told_at": row["told_at"].astimezone(who.zone),
        "seen_at": row["seen_at"] and row["seen_at"].astimezone(who.zone),
        "until": row["until"] and row["until"].astimezone(who.zone),
        "person": row["person"],
        "own": row["person"] == accounts.key_of(who.email),
        "to_read": row["seen_at"] is None and row["person"] in theirs,
    }
