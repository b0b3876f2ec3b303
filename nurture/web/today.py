"""What needs a person this morning?"""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from nurture.core import reasons
from nurture.core.model import Reason, Verdict
from nurture.engine.project import Project
from nurture.store import history
from nurture.store.database import Connection
from nurture.store.reading import load
from nurture.web.campaigns import held_lines
from nurture.web.looks import Looks
from nurture.web.people import name_of

_RECENT = 15  # mails on the first page


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/", methods=["GET", "HEAD"])
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

    return router


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
