"""Whom do we know? The candidates a viewer may see, and the way to each."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from nurture.engine.project import Project
from nurture.rendering.context import zone_of
from nurture.store import facts as rows_to_facts
from nurture.store import finding
from nurture.store.accounts import RECRUITER
from nurture.store.ownership import owned
from nurture.web import rights
from nurture.web.looks import Looks
from nurture.web.people import badges, name_of

_LISTED = 50  # candidates on one page

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/candidates", methods=_LOOK)
    def candidates(request: Request, q: str = "", after: str = "") -> Response:
        viewer, asked = rights.viewer(request), " ".join(q.split())
        whose = owned(viewer.email) if viewer.role == RECRUITER else None
        with project.database.read() as connection:
            if asked:
                ids = finding.found(connection, asked, whose, _LISTED + 1)
                rows = finding.these(connection, ids)
            else:
                rows = finding.page(connection, whose, _LISTED + 1, after=_number(after))
            sent = finding.mails_of(connection, [row["id"] for row in rows])
        now = project.clock.now()
        more = rows[_LISTED - 1]["id"] if len(rows) > _LISTED else None
        return looks.page(
            request,
            "candidates",
            q=asked,
            people=[_line(project, row, sent, now) for row in rows[:_LISTED]],
            more=more,
            first=not _number(after),
            narrowed=whose is not None,
        )

    return router


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _line(project: Project, row: Any, sent: dict[int, int], now: datetime) -> dict[str, Any]:
    candidate = rows_to_facts.candidate_from_row(row)
    zone: ZoneInfo = zone_of(candidate, project.config)
    return {
        "about": candidate,
        "named": name_of(candidate),
        "zone": zone,
        "theirs": f"{now.astimezone(zone):%a %H:%M}",
        "sent": sent.get(candidate.id, 0),
        "problem": row["problem"],
        "badges": badges(candidate, now),
    }
