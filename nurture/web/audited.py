"""Who did what? The audit log, for admins."""

from fastapi import APIRouter, Request, Response

from nurture.engine.project import Project
from nurture.store import audit
from nurture.web.looks import Looks
from nurture.web.rights import demand, viewer

_PAGE = 50


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/audit", methods=["GET", "HEAD"])
    def audited(request: Request, after: int | None = None) -> Response:
        """The newest first; `after` is the number of the last one of the page before."""
        who = viewer(request)
        demand(who, "audit")
        with project.database.read() as connection:
            found = audit.rows(connection, before=_number(after), limit=_PAGE + 1)
        rows = found[:_PAGE]
        return looks.page(
            request,
            "audit",
            rows=[(row, audit.said(row)) for row in rows],
            zone=who.zone,
            first=after is None,
            further=rows[-1]["id"] if len(found) > _PAGE else None,
        )

    return router


def _number(after: int | None) -> int | None:
    """As the database can hold it."""
    return None if after is None else max(min(after, 2**63 - 1), 0)
