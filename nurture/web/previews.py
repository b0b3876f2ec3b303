"""What would this person read? Any template for any candidate, exactly as it would go out.

The letter's HTML is an answer of its own, shown in a sandboxed frame: it is untrusted, and must
load nothing, or a recruiter's look at it would count as the candidate's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from nurture.core.model import Facts
from nurture.engine.letters import Preview, names_in
from nurture.engine.project import Project
from nurture.errors import NurtureError
from nurture.rendering.errors import RenderError
from nurture.store import history
from nurture.store.facts import find_candidate
from nurture.store.reading import load
from nurture.web.looks import Looks
from nurture.web.people import name_of

#: Measured in Chromium: `sandbox` alone still loads pictures, @import and frames; with this header
#: nothing is asked for.
LETTER_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'; sandbox"
    ),
    "x-dns-prefetch-control": "off",
}
VIEWS = ("letter", "text", "source")
_LISTED = 500  # candidates offered in the list and by next and previous

_LOOK = ["GET", "HEAD"]


@dataclass(frozen=True)
class Beside:
    """Whom to look at next, in the order in which candidates came."""

    before: str | None = None
    after: str | None = None


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()

    @router.api_route("/preview", methods=_LOOK)
    def preview(
        request: Request, template: str = "", candidate: str = "", view: str = "letter"
    ) -> Response:
        names = template_names(project)
        template = template or next(iter(names), "")
        facts, listed, beside = _people(project, candidate)
        if candidate and facts is None:
            return looks.notice(request, 404, "There is no candidate of this id or address.")
        if template and not set(names_in(template, project.library.templates)) <= set(names):
            return looks.notice(request, 404, f"There is no template “{template}”.")
        letter, wrong = _written(project, template, facts) if template and facts else (None, None)
        return looks.page(
            request,
            "preview",
            folders=_by_folder(names),
            template=template,
            about=facts.candidate if facts else None,
            named=facts and name_of(facts.candidate),
            listed=listed,
            beside=beside,
            view=view if view in VIEWS else VIEWS[0],
            letter=letter,
            wrong=wrong,
            parts=_parts(letter) if letter else None,
        )

    @router.api_route("/preview/html", methods=_LOOK)
    def letter(template: str = "", candidate: str = "") -> Response:
        facts, _, _ = _people(project, candidate)
        if facts is None:
            return HTMLResponse("<p>No such candidate.", 404, headers=LETTER_HEADERS)
        try:
            found = project.letters.preview(template, facts)
        except NurtureError:
            return HTMLResponse("<p>It cannot be written.", 404, headers=LETTER_HEADERS)
        return HTMLResponse(found.rendered.html, headers=LETTER_HEADERS)

    return router


def template_names(project: Project) -> list[str]:
    return sorted({each.name for each in project.library.templates.values()})


def _people(project: Project, who: str) -> tuple[Facts | None, list[Mapping[str, object]], Beside]:
    """The facts of whom is asked for (nobody named: the first there is), and who else there is."""
    with project.database.read() as connection:
        rows = history.candidate_rows(connection, limit=_LISTED)
        found = find_candidate(connection, who or (rows[0]["ref"] if rows else ""))
        facts = load(connection, [found.id]).get(found.id) if found else None
    refs = [row["ref"] for row in rows]
    if facts is None or facts.candidate.ref not in refs:
        return facts, [dict(row) for row in rows], Beside()
    at = refs.index(facts.candidate.ref)
    before = refs[at - 1] if at else None
    after = refs[at + 1] if at + 1 < len(refs) else None
    return facts, [dict(row) for row in rows], Beside(before, after)


def _written(
    project: Project, template: str, facts: Facts
) -> tuple[Preview | None, RenderError | None]:
    try:
        return project.letters.preview(template, facts), None
    except RenderError as error:
        return None, error


def _parts(letter: Preview) -> Mapping[str, str]:
    """The raw message, in two: its headers, and what follows."""
    head, _, body = letter.raw.decode("ascii", "replace").partition("\r\n\r\n")
    return {"head": head.replace("\r\n", "\n"), "body": body.replace("\r\n", "\n")}


def _by_folder(names: list[str]) -> list[tuple[str, list[str]]]:
    return [
        (folder, list(own))
        for folder, own in groupby(names, key=lambda name: name.rpartition("/")[0])
    ]
