"""Which letters wait for me to read them, and may they go?

One page: the list, and the letter that is open beside it. Every button is a form that leads back to
the page, with the next letter open; a script swaps a part of it instead, and makes keys of buttons.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from nurture.core.model import Approval, Category, Facts, MessageClass
from nurture.engine import approving
from nurture.engine.approving import ChangedError, Read, WordsError
from nurture.engine.project import Project
from nurture.engine.unread import Allowed, Opened, legible, opened, waiting
from nurture.errors import NurtureError
from nurture.store import approvals
from nurture.store.accounts import MARKETER, RECRUITER
from nurture.store.approvals import Place
from nurture.store.beside import Whose
from nurture.store.database import Connection
from nurture.store.ownership import owned
from nurture.web import rights
from nurture.web.looks import Looks
from nurture.web.people import badges, name_of
from nurture.web.previews import LETTER_HEADERS
from nurture.web.rights import Acting, Acts, Viewer, back, sees, viewer

_LOOK = ["GET", "HEAD"]
_SHOWN = 8  # approvals that can be taken back, below the list
#: A letter that was opened longer ago than this is to be read again: a promise in it has grown old.
_OLD = timedelta(hours=12)

#: What came of something done on this page, by the word in its address.
_SAID = {
    "approved": "Approved.",
    "together": "Approved, with all others in the same words.",
    "taken-back": "Taken back: it waits again.",
    "declined": "Declined: it does not go.",
    "task": "Declined: it is a task now, because somebody has to tell them.",
    "changed": "Nothing was approved: the letter has changed since you opened it. Read it again.",
    "gone": "Nothing was done: that letter does not wait any more.",
    "why": "Nothing was done: say why it is not to go.",
    "advocate": "It stands in the letter now. Read it, then approve.",
    "words": "Nothing was written. Say it in one plain sentence about their work, without an"
    " exclamation mark and without a word about age, family, health, accent or personality.",
}
_WRONG = ("changed", "gone", "why", "words")
_STAYS = ("changed", "why", "taken-back", "advocate", "words")  #: the same letter stays open


def routes(project: Project, looks: Looks) -> APIRouter:
    router = APIRouter()
    desk = _Desk(project, looks)

    @router.api_route("/approvals", methods=_LOOK)
    def page(request: Request, after: str = "", said: str = "", of: str = "") -> Response:
        return desk.page(request, request.query_params.get("open", ""), after, said, of)

    @router.api_route("/approvals/{id_}/letter", methods=_LOOK)
    def letter(request: Request, id_: int, as_of: str = "") -> Response:
        return desk.letter(viewer(request), id_, as_of)

    @router.post("/approvals/{id_}/approve")
    def approve(acting: Acting, id_: int) -> Response:
        return desk.done(acting, id_, desk.approve)

    @router.post("/approvals/{id_}/together")
    def together(acting: Acting, id_: int) -> Response:
        return desk.done(acting, id_, desk.together)

    @router.post("/approvals/{id_}/advocate")
    def advocate(acting: Acting, id_: int) -> Response:
        return desk.done(acting, id_, desk.advocate)

    @router.post("/approvals/{id_}/decline")
    def decline(acting: Acting, id_: int) -> Response:
        return desk.done(acting, id_, desk.decline)

    @router.post("/approvals/{id_}/take-back")
    def take_back(acting: Acting, id_: int) -> Response:
        return desk.done(acting, id_, desk.take_back)

    return router


def allowed(viewer: Viewer) -> Allowed:
    """Recruiters read letters to their own candidates, marketing those of nurture campaigns that
    are approved together, admins all."""

    def may(facts: Facts, category: Category, how: Approval) -> bool:
        if not sees(viewer, facts):
            return False
        if viewer.role == MARKETER:
            return how is Approval.BATCH and category.klass is MessageClass.NURTURE
        return rights.may(viewer, "approve")

    return may


class _Desk:
    """Where letters lie that are to be read."""

    def __init__(self, project: Project, looks: Looks) -> None:
        self.project = project
        self.looks = looks

    def page(self, request: Request, open_: str, after: str, said: str, of: str) -> Response:
        who = viewer(request)
        project, now = self.project, self.project.clock.now()
        place = _place(after)
        with project.database.read() as connection:
            found, more = waiting(
                project,
                connection,
                allowed(who),
                whose=_whose(who),
                categories=self.categories(who),
                after=place,
            )
            ids = [each.id for each in found]
            at = ids.index(int(open_)) if open_.isdecimal() and int(open_) in ids else 0
            known = {each.facts.candidate.id: each.facts for each in found}
            letter = self.opened(connection, who, ids[at], known=known) if ids else None
            undoable = self.undoable(connection, who)
            outcome = self.outcome(connection, said, of, undoable)
            total = approvals.how_many(connection, _whose(who)) if who.role != MARKETER else None
        return self.looks.page(
            request,
            "approvals",
            found=found,
            letter=letter,
            line=found[at] if ids else None,
            following=ids[at + 1] if at + 1 < len(ids) else None,
            before=ids[at - 1] if at and ids else None,
            after=str(place) if place else "",
            more=str(more) if more else "",
            undoable=undoable,
            said=_SAID.get(said, ""),
            wrong=said in _WRONG,
            changed_at=_instant(found[at].changed.get("at", "")) if ids else None,
            outcome=outcome,
            total=total,
            now=now,
            zone=who.zone,
            name_of=name_of,
            badges=badges(letter.facts.candidate, now) if letter else [],
            batch=Approval.BATCH,
            window=project.config.undo_window,
        )

    def categories(self, who: Viewer) -> list[str] | None:
        if who.role != MARKETER:
            return None
        known = self.project.config.categories.values()
        return [each.name for each in known if each.klass is MessageClass.NURTURE]

    def opened(self, connection: Connection, who: Viewer, id_: int, **more: Any) -> Opened | None:
        return opened(self.project, connection, id_, allowed(who), whose=_whose(who), **more)

    def letter(self, who: Viewer, id_: int, as_of: str) -> Response:
        """The HTML alone, for its frame."""
        with self.project.database.read() as connection:
            found = self.opened(connection, who, id_, as_of=_instant(as_of))
        if found is None or found.letter is None:
            return HTMLResponse("<p>There is no letter.", 404, headers=LETTER_HEADERS)
        return HTMLResponse(legible(self.project, found), headers=LETTER_HEADERS)

    def undoable(self, connection: Connection, who: Viewer) -> list[Mapping[str, Any]]:
        """What was approved and has not left, the latest first."""
        since = self.project.clock.now() - max(self.project.config.undo_window, timedelta(days=1))
        rows = approvals.approved(connection, since, _whose(who), _SHOWN)
        mine = allowed(who)
        found = self.project.planner.read(connection, {row["candidate_id"] for row in rows})
        seen: list[Mapping[str, Any]] = []
        for row in rows:
            category = self.project.config.categories.get(row["category"])
            facts = found.get(row["candidate_id"])
            if facts and category and mine(facts, category, category.approval):
                seen.append({**row, "name": name_of(facts.candidate)})
        return seen

    def outcome(
        self, connection: Connection, said: str, of: str, undoable: list[Mapping[str, Any]]
    ) -> str:
        """What becomes of the letter that was just approved."""
        if said != "approved" or not of.isdecimal():
            return ""
        row = approvals.letter(connection, int(of))
        if row is None or int(of) not in {each["id"] for each in undoable}:
            return ""
        name = next(each["name"] for each in undoable if each["id"] == row["id"])
        return f"{name}: {approving.what_now(self.project, connection, row['id'])}"

    # --- what is said of a letter

    def done(self, acting: Acts, id_: int, deed: Callable[[Acts, int, Allowed], str]) -> Response:
        """To the next letter; where nothing was done, to the same."""
        try:
            said = deed(acting, id_, allowed(acting.viewer))
        except ChangedError:
            said = "changed"
        except NurtureError:
            said = "gone"
        form = acting.form
        following = str(id_) if said in _STAYS else form.get("next", "")
        where = {
            "open": following if following.isdecimal() else "",
            "after": form.get("after", ""),
            "said": said,
            "of": str(id_),
        }
        return back(f"/approvals?{urlencode({name: each for name, each in where.items() if each})}")

    def approve(self, acting: Acts, id_: int, may: Allowed) -> str:
        approving.approve(
            self.project, [id_], acting.who, may, read=self.read(acting), who=acting.viewer.who
        )
        return "approved"

    def together(self, acting: Acts, id_: int, may: Allowed) -> str:
        """The one that was read, then the others in its words."""
        with self.project.database.read() as connection:
            found = self.opened(connection, acting.viewer, id_)
        others = found.alike if found is not None else ()
        self.approve(acting, id_, may)
        approving.approve_together(self.project, others, acting.who, may, who=acting.viewer.who)
        return "together"

    def advocate(self, acting: Acts, id_: int, may: Allowed) -> str:
        line = acting.form.get("line", "").strip()[:1000]
        try:
            approving.advocate(self.project, id_, line, acting.who, may, who=acting.viewer.who)
        except WordsError:
            return "words"
        return "advocate"

    def decline(self, acting: Acts, id_: int, may: Allowed) -> str:
        why = acting.form.get("why", "").strip()[:1000]
        if not why:
            return "why"
        task = acting.form.get("to") == "task"
        became = approving.decline(
            self.project, id_, acting.who, why, task=task, allowed=may, who=acting.viewer.who
        )
        return "task" if became else "declined"

    def take_back(self, acting: Acts, id_: int, may: Allowed) -> str:
        approving.take_back(self.project, [id_], acting.who, may, who=acting.viewer.who)
        return "taken-back"

    def read(self, acting: Acts) -> Read:
        """The letter that the form's page showed. Raises ChangedError where it was long ago."""
        as_of = _instant(acting.form.get("as_of", ""))
        if as_of is None or as_of < self.project.clock.now() - _OLD:
            raise ChangedError("it was opened too long ago")
        return Read(as_of=as_of, digest=acting.form.get("digest", ""))


def _whose(who: Viewer) -> Whose:
    return owned(who.email) if who.role == RECRUITER else None


def _place(text: str) -> Place | None:
    try:
        return Place.read(text.replace(" ", "+")) if text else None
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
