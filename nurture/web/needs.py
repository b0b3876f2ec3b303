"""What does a candidate need for an interview? Told to one person, and shown to nobody else.

The page never repeats what was told: whoever was forwarded a mail has its links.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from nurture.engine.confiding import confidant_of, confide
from nurture.engine.project import Project
from nurture.rendering.links import CONFIDENCES
from nurture.store import confidences
from nurture.store.database import Connection
from nurture.web.held import name_of
from nurture.web.looks import Looks
from nurture.web.reader import Reader, reader_of
from nurture.web.rights import form_of

AT_MOST = 2_000  #: characters

_LOOK = ["GET", "HEAD"]

Form = Annotated[tuple[tuple[str, str], ...], Depends(form_of)]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    def shown(
        request: Request, reader: Reader, done: str = "", wrong: str = "", written: str = ""
    ) -> Response:
        if reader.candidate is None:
            return looks.notice(request, 404, reader.say("page.not_whole"))
        token = project.signer.token(CONFIDENCES, reader.candidate.id)
        now = project.clock.now()
        with project.database.read() as connection:
            to = confidant_of(connection, project.config, reader.candidate, now)
            told = [
                {"at": each.told_at, "seen": each.seen_at, "name": _name(project, connection, each)}
                for each in confidences.told(connection, reader.candidate.id, now)
            ]
        return reader.page(
            looks,
            request,
            "needs",
            status=422 if wrong else 200,
            token=token,
            to=to.name,
            told=told,
            done=done,
            wrong=wrong,
            written=written,
            at_most=AT_MOST,
        )

    @router.api_route("/p/needs/{token}", methods=_LOOK)
    def look(request: Request, token: str) -> Response:
        return shown(request, reader_of(project, request, CONFIDENCES, token))

    @router.post("/p/needs/{token}")
    def say(request: Request, token: str, form: Form) -> Response:
        reader = reader_of(project, request, CONFIDENCES, token)
        written = dict(form).get("said", "").replace("\r\n", "\n").strip()
        if reader.candidate is None:
            return shown(request, reader)
        if not written:
            return shown(request, reader, wrong="needs.empty")
        if len(written) > AT_MOST:
            return shown(request, reader, wrong="needs.long", written=written)
        confide(project, reader.candidate, written)
        return shown(request, reader, done="given")

    @router.post("/p/needs/{token}/take-back")
    def take_back(request: Request, token: str) -> Response:
        reader = reader_of(project, request, CONFIDENCES, token)
        if reader.candidate is not None:
            with project.database.write() as connection:
                confidences.take_back(connection, reader.candidate.id, project.clock.now())
        return shown(request, reader, done="taken_back")

    return router


def _name(project: Project, connection: Connection, told: confidences.Told) -> str:
    return name_of(connection, project, told.person)
