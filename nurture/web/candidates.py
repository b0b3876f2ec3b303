"""Whom do we know? The candidates, and the way to each."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from nurture.engine.project import Project
from nurture.rendering.context import zone_of
from nurture.store import facts as rows_to_facts
from nurture.store import history
from nurture.web.looks import Looks
from nurture.web.people import badges, name_of

_LISTED = 100  # candidates on one page; the search finds the others

_LOOK = ["GET", "HEAD"]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

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

    return router


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
