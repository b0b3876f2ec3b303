"""Which pages are there? Recruiters' pages for this machine, candidates' pages for everybody."""

from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from nurture.engine.project import Project
from nurture.web import (
    answers,
    approvals,
    audited,
    campaigns,
    candidate,
    candidates,
    choices,
    confided,
    gallery,
    health,
    held,
    needs,
    previews,
    public,
    sign_in,
    today,
)
from nurture.web.door import Door
from nurture.web.guard import Guard
from nurture.web.looks import Looks
from nurture.web.rights import Refused

STATIC = Path(__file__).parent / "static"


def create_app(project: Project, carry: previews.Carry | None = None) -> FastAPI:
    """The whole web side of an opened project, as an ASGI application.

    It looks and renders through the project. A GET or HEAD changes nothing. All that it sends is a
    trial to whoever asks for it, by the way out that `carry` makes; without that it sends nothing.
    Recruiters' pages answer to whoever has signed in, and as /healthz to loopback host names only;
    the pages behind a signed token answer to any. `app.state.door` makes the link for the first.
    """
    looks = Looks(project.config, project.letters.title)
    door = Door(project)
    # The framework's own API pages would load scripts from elsewhere.
    app = FastAPI(title="Nurture", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.door = door
    app.add_middleware(Guard, project=project, looks=looks, door=door)
    app.include_router(sign_in.routes(project, looks, door))
    app.include_router(public.routes(project, looks))
    app.include_router(needs.routes(project, looks))
    app.include_router(held.routes(project, looks))
    app.include_router(choices.routes(project, looks))
    app.include_router(confided.routes(project, looks))
    app.include_router(answers.routes(project, looks))
    app.include_router(today.routes(project, looks))
    app.include_router(approvals.routes(project, looks))
    app.include_router(candidates.routes(project, looks))
    app.include_router(candidate.routes(project, looks))
    app.include_router(campaigns.routes(project, looks))
    app.include_router(previews.routes(project, looks, carry))
    app.include_router(gallery.routes(project, looks))
    app.include_router(audited.routes(project, looks))
    app.include_router(health.routes(project))
    app.add_api_route("/static/brand.css", looks.brand, methods=["GET", "HEAD"])
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.exception_handler(HTTPException)
    def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        said = error.detail if isinstance(error, Refused) else ""
        return looks.notice(request, status, said)

    @app.exception_handler(RequestValidationError)
    def unreadable(request: Request, _: Exception) -> Response:
        """A number in an address that is none."""
        return looks.notice(request, 404)

    return app
