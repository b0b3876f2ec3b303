"""How does every template look? Cards of all, and a page a template, for the three who sit.

They are invented, so everybody who has signed in may see all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from nurture.engine.gallery import by_name, portrait, portraits, senders
from nurture.engine.project import Project
from nurture.engine.sitters import sitters
from nurture.rendering.anatomy import in_scheme
from nurture.rendering.templates import Template
from nurture.web.looks import Looks
from nurture.web.previews import LETTER_HEADERS
from nurture.web.rights import Refused

_LOOK = ["GET", "HEAD"]


@dataclass(frozen=True, kw_only=True)
class Card:
    """A template on the first page."""

    name: str
    versions: Sequence[Template]

    @property
    def chips(self) -> list[str]:
        first = self.versions[0]
        return [
            first.category,
            first.tone.value,
            *(each.locale for each in self.versions if each.locale),
        ]


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/gallery", methods=_LOOK)
    def every(request: Request) -> Response:
        cards = [Card(name=name, versions=each) for name, each in by_name(project).items()]
        people = sitters(project.clock.now())
        return looks.page(request, "gallery", cards=cards, people=people)

    @router.api_route("/gallery/html", methods=_LOOK)
    def letter(template: str = "", sitter: str = "", scheme: str = "") -> Response:
        """One mail's own page, by light or by dark, for a frame."""
        found = project.library.templates.get(template)
        people = [each for each in sitters(project.clock.now()) if each.slug == sitter]
        if found is None or not people:
            return HTMLResponse("<p>There is no such letter.", 404, headers=LETTER_HEADERS)
        written = portrait(project, found, people[0])
        if written.preview is None:
            return HTMLResponse("<p>It cannot be written.", 404, headers=LETTER_HEADERS)
        html = written.preview.rendered.html
        shown = in_scheme(html, "dark" if scheme == "dark" else "light")
        return HTMLResponse(shown, headers=LETTER_HEADERS)

    @router.api_route("/gallery/{name:path}", methods=_LOOK)
    def one(request: Request, name: str, language: str = "") -> Response:
        """In one of its languages: each mail is four frames, and there are three people."""
        names = by_name(project)
        if name not in names:
            raise Refused(f"There is no template “{name}”.", 404)
        people, order = sitters(project.clock.now()), list(names)
        at = order.index(name)
        versions = names[name]
        shown = next((each for each in versions if (each.locale or "") == language), versions[0])
        return looks.page(
            request,
            "gallery-template",
            template=name,
            versions=versions,
            own=project.config.locale,
            shown=shown,
            senders=senders(project, name),
            mails=list(portraits(project, shown, people)),
            before=order[at - 1] if at else None,
            after=order[at + 1] if at + 1 < len(order) else None,
        )

    return router
