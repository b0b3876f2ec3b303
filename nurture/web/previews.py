"""What would this person read? Any template and any mail of theirs, exactly as it would go out.

The letter's HTML is an answer of its own, shown in a sandboxed frame: it is untrusted, and must
load nothing, or a recruiter's look at it would count as the candidate's.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from nurture.core.model import Accepted, Candidate
from nurture.delivery.transport import Transport
from nurture.engine import looking
from nurture.engine.checked import Checked
from nurture.engine.letters import Preview, names_in
from nurture.engine.looking import Sight
from nurture.engine.project import Project
from nurture.engine.trial import addressed, carried, kept_in
from nurture.errors import shown
from nurture.rendering.anatomy import in_scheme
from nurture.rendering.errors import RenderError
from nurture.rendering.templates import chosen_for
from nurture.store import audit, beside
from nurture.store.accounts import RECRUITER
from nurture.store.beside import Whose
from nurture.store.database import Connection
from nurture.store.facts import find_candidate
from nurture.store.ownership import owned
from nurture.web import letter_page
from nurture.web.looks import Looks
from nurture.web.people import badges, name_of
from nurture.web.rights import Acting, Acts, Refused, Viewer, back, sees, viewer

#: Measured in Chromium: `sandbox` alone still loads pictures, @import and frames; with this header
#: nothing is asked for.
LETTER_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
        "base-uri 'none'; frame-ancestors 'self'; sandbox"
    ),
    "x-dns-prefetch-control": "off",
}
#: How many trials one person may send in an hour: a loop of somebody's is no reason to be blocked
#: by one's own mail server.
TRIALS, WITHIN = 20, timedelta(hours=1)
_SENT_TEST = "send-test"
_OFFERED = 12  # candidates that may be meant

#: What became of a trial, by the word in the address.
SAID = {
    "sent": "The test is on its way to {to}.",
    "kept": "The test is a file in {folder}: no mail server gets what goes to {to}.",
}

_LOOK = ["GET", "HEAD"]
#: Makes the way out that this project's mail takes.
Carry = Callable[[], Transport]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which letter, as addresses and forms name it: a message, a step to come, or a template for
    somebody."""

    template: str = ""
    candidate: str = ""
    message: str = ""
    enrollment: str = ""
    step: str = ""

    @classmethod
    def by(cls, words: Mapping[str, str]) -> "Asked":
        return cls(**{name: words.get(name, "").strip() for name in cls.__dataclass_fields__})

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in asdict(self).items() if value})


@dataclass(frozen=True)
class Meant:
    """Nobody is called exactly so, but these begin like it."""

    people: list[Candidate]


def routes(project: Project, looks: Looks, carry: Carry | None = None) -> APIRouter:
    """`carry`: without it there is no trial to send."""
    router = APIRouter()
    desk = _Desk(project, looks, carry)

    @router.api_route("/preview", methods=_LOOK)
    def preview(request: Request, view: str = "", said: str = "") -> Response:
        return desk.page(request, Asked.by(request.query_params), view, said)

    @router.api_route("/preview/html", methods=_LOOK)
    def letter(request: Request, scheme: str = "") -> Response:
        return desk.letter(request, Asked.by(request.query_params), scheme)

    @router.post("/preview/test")
    def test(request: Request, acting: Acting) -> Response:
        return desk.try_out(request, acting)

    return router


def template_names(project: Project) -> list[str]:
    return sorted({each.name for each in project.library.templates.values()})


class _Desk:
    """Where letters are laid out to be looked at."""

    def __init__(self, project: Project, looks: Looks, carry: Carry | None) -> None:
        self.project, self.looks, self.carry = project, looks, carry
        self.checked = Checked(project.library, project.config, project.clock)

    def page(self, request: Request, asked: Asked, view: str, said: str) -> Response:
        who, project = viewer(request), self.project
        names = template_names(project)
        beside_them: tuple[str | None, str | None] = (None, None)
        with project.database.read() as connection:
            sight = self.sight(connection, asked, who)
            if isinstance(sight, Sight):
                number = sight.facts.candidate.id
                beside_them = beside.beside(connection, number, _whose(who))
        if not isinstance(sight, Sight):
            people = [(each, name_of(each)) for each in sight.people] if sight else []
            return self.looks.page(
                request, "preview-nobody", names=names, people=people, asked=asked
            )
        letter, wrong = _written(sight)
        views = letter_page.views(letter) if letter else {}
        view = view if view in views else letter_page.LETTER
        about, single = sight.facts.candidate, not asked.message and not asked.enrollment
        if single:
            asked = Asked(template=sight.template, candidate=about.ref)
        return self.looks.page(
            request,
            "preview",
            asked=asked,
            single=single,
            view=view,
            views=views,
            folders=_by_folder(names),
            sight=sight,
            about=about,
            named=name_of(about),
            badges=badges(about, project.clock.now()),
            before=beside_them[0],
            after=beside_them[1],
            whys=letter_page.reasons(sight, project.library.campaigns),
            around=letter_page.around(sight),
            letter=letter,
            wrong=wrong,
            said=self._said(said, who),
            to=who.email if self.carry else "",
            kept_in=self._kept_in(who),
            **self._checked(sight),
            **(self._parts(letter, view, about) if letter else {}),
        )

    def letter(self, request: Request, asked: Asked, scheme: str) -> Response:
        """The letter's own page, by light or by dark, for a frame."""
        with self.project.database.read() as connection:
            try:
                sight = self.sight(connection, asked, viewer(request))
            except Refused as error:
                sight, status = None, error.status_code
            else:
                status = 404
        if not isinstance(sight, Sight):
            return HTMLResponse("<p>There is no such letter.", status, headers=LETTER_HEADERS)
        letter, _ = _written(sight)
        if letter is None:
            return HTMLResponse("<p>It cannot be written.", 404, headers=LETTER_HEADERS)
        shown = in_scheme(letter.rendered.html, "dark" if scheme == "dark" else "light")
        return HTMLResponse(shown, headers=LETTER_HEADERS)

    # --- which one --------------------------------------------------------------------------------

    def sight(self, connection: Connection, asked: Asked, who: Viewer) -> Sight | Meant | None:
        """What is asked for; None: there is nothing to look at yet. Raises Refused where there is
        no such thing, and of candidates whom this viewer may not see."""
        if asked.message or asked.enrollment:
            found = self._on_record(connection, asked)
        else:
            names = template_names(self.project)
            template = asked.template or next(iter(names), "")
            if template and not set(names_in(template, self.project.library.templates)) <= set(
                names
            ):
                raise Refused(f"There is no template “{template}”.", 404)
            whom = self._whom(connection, asked.candidate, who)
            if not template or not isinstance(whom, int):
                return whom if isinstance(whom, Meant) else None
            found = looking.template_for(self.project, connection, template, whom)
        if found is None or not sees(who, found.facts):
            raise Refused(_NOBODY if asked.candidate else _NO_MAIL, 404)
        return found

    def _on_record(self, connection: Connection, asked: Asked) -> Sight | None:
        if asked.message:
            number = _number(asked.message)
            return looking.message_of(self.project, connection, number)
        number = _number(asked.enrollment)
        return looking.step_to_come(self.project, connection, number, asked.step)

    def _whom(self, connection: Connection, called: str, who: Viewer) -> int | Meant | None:
        """The number of who is meant; of nobody named, the first there is."""
        if not called:
            return beside.first(connection, _whose(who))
        found = find_candidate(connection, called)
        if found is not None:
            return found.id
        people = beside.beginning_with(connection, called, _whose(who), _OFFERED)
        if not people:
            raise Refused(_NOBODY, 404)
        return people[0].id if len(people) == 1 else Meant(people)

    # --- what is told of it -----------------------------------------------------------------------

    def _parts(self, letter: Preview, view: str, about: Candidate) -> Mapping[str, Any]:
        ours = self.project.config.web.public_url.rstrip("/")
        return {
            "inbox": letter_page.inbox(letter),
            "size": letter_page.size(letter),
            **letter_page.parts(letter, view, ours, about),
        }

    def _checked(self, sight: Sight) -> Mapping[str, Any]:
        """What the check says of the files, and which campaigns send them."""
        library, config = self.project.library, self.project.config
        names = names_in(sight.template, library.templates)
        reader = sight.facts.candidate
        found = [chosen_for(library.templates, name, reader, config) for name in names]
        templates = [each for each in found if each is not None]
        return {
            "files": [each.file for each in templates],
            "problems": self.checked.of(templates),
            "senders": self.checked.senders(names),
        }

    # --- a trial ----------------------------------------------------------------------------------

    def try_out(self, request: Request, acting: Acts) -> Response:
        """Sends what is looked at to whoever looks at it, and to nobody else."""
        asked, who, project = Asked.by(acting.form), acting.viewer, self.project
        if self.carry is None:
            raise Refused("Nothing can be sent from here.", 404)
        with project.database.read() as connection:
            sight = self.sight(connection, asked, who)
        if not isinstance(sight, Sight):
            raise Refused(_NO_MAIL, 404)
        try:
            letter = addressed(project.config, sight.facts, who.email, sight.write)
        except RenderError as error:
            return self._failed(request, 422, f"It cannot be written: {error.why}.")
        with project.database.write() as connection:
            since = project.clock.now() - WITHIN
            if audit.count(connection, acting.viewer.who, _SENT_TEST, since) >= TRIALS:
                raise Refused(
                    f"That were {TRIALS} tests within an hour. Please wait a little.", 429
                )
            acting.audit(
                connection,
                _SENT_TEST,
                candidate_id=sight.facts.candidate.id,
                about=f"template:{sight.template}",
                to=who.email,
                message_id=letter.message_id,
            )
        with closing(self.carry()) as carrier:
            outcome = carried(carrier, letter)
        if not isinstance(outcome, Accepted):
            text = getattr(outcome, "text", "") or "no answer"
            return self._failed(request, 502, f"The mail server did not take it: {text}")
        word = "kept" if kept_in(project.config, letter.to) else "sent"
        view = acting.form.get("view", "")
        return back(f"/preview?{asked.query}&{urlencode({'view': view, 'said': word})}")

    def _failed(self, request: Request, status: int, said: str) -> Response:
        return self.looks.page(
            request, "notice", status, title="The test did not go", text=said, frame="base.html"
        )

    def _kept_in(self, who: Viewer) -> str:
        folder = kept_in(self.project.config, who.email)
        return "" if folder is None else shown(folder)

    def _said(self, word: str, who: Viewer) -> str:
        return SAID.get(word, "").format(to=who.email, folder=self._kept_in(who))


_NOBODY = "There is no candidate of this id or address."
_NO_MAIL = "There is no such mail."


def _whose(who: Viewer) -> Whose:
    return owned(who.email) if who.role == RECRUITER else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _written(sight: Sight) -> tuple[Preview | None, RenderError | None]:
    try:
        return sight.write(sight.facts, ""), None
    except RenderError as error:
        return None, error


def _by_folder(names: list[str]) -> list[tuple[str, list[str]]]:
    return [
        (folder, list(own))
        for folder, own in groupby(names, key=lambda name: name.rpartition("/")[0])
    ]
