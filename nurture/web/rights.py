"""Who is asking, and what may they do?

The guard finds out who asks before any page of a recruiter is reached. A handler that changes
something takes `acting: Acting`, which lets nobody through without the page's own form.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote
from zoneinfo import ZoneInfo

from fastapi import Depends, HTTPException, Request
from fastapi.responses import RedirectResponse

from nurture.clock import Clock
from nurture.core.model import Facts
from nurture.rendering.links import Signer
from nurture.store import audit
from nurture.store.accounts import ADMIN, MARKETER, RECRUITER, key_of
from nurture.store.database import Connection

LARGEST = 256_000  #: bytes of a form
_FIELDS = 2_000  # of a form

#: What each role may do beside looking. An admin may do everything.
_MAY: Mapping[str, frozenset[str]] = {
    RECRUITER: frozenset({"approve", "act", "pause"}),
    MARKETER: frozenset({"release", "pause-campaign", "pause"}),
}
DEEDS = frozenset({"users", "audit"}).union(*_MAY.values())

#: What a form of the page that is being written has to bring along; `parts.csrf()` writes it.
CSRF: ContextVar[str] = ContextVar("csrf", default="")
_PURPOSE = "csrf"


@dataclass(frozen=True, kw_only=True)
class Viewer:
    """Whoever has signed in."""

    id: int | None  #: of the account; None: the person at this machine, while there are no accounts
    email: str  #: case-folded
    name: str
    role: str  #: recruiter | marketer | admin
    zone: ZoneInfo

    @property
    def who(self) -> str:
        """As the audit log knows them."""
        return self.email if self.id is not None else "this machine"


class Refused(HTTPException):
    """What was asked for is not done; `detail` says why, in a sentence for the person."""

    def __init__(self, said: str, status: int = 403) -> None:
        super().__init__(status, said)


def viewer(request: Request) -> Viewer:
    """Who is looking. There always is somebody on a page that is not public."""
    found: Viewer | None = request.scope.get("state", {}).get("viewer")
    if found is None:
        raise Refused("Please sign in first.", 401)
    return found


def sees(viewer: Viewer, facts: Facts) -> bool:
    """Whether these are facts about a candidate of theirs. To whom one may not see, there is none.

    A recruiter sees whom they are the recruiter, coordinator or hiring manager of, in whatever an
    application's status; marketing and admins see all. In lists `store.ownership.owned` narrows.
    """
    if viewer.role != RECRUITER:
        return True
    who = key_of(viewer.email)
    return any(
        who == key_of(named)
        for each in facts.applications.values()
        for named in (each.recruiter, each.coordinator, each.hiring_manager)
        if named
    )


def may(viewer: Viewer, deed: str) -> bool:
    """Whether their role lets them do it, to whomever they see. The deeds:

    `approve` mail that waits for it; `act` on a candidate; `pause` a candidate or stop their mail;
    `release` held edits; `pause-campaign`; `users`; `audit`.
    """
    if deed not in DEEDS:
        raise ValueError(f"no such deed: {deed}")
    return viewer.role == ADMIN or deed in _MAY.get(viewer.role, frozenset())


def demand(viewer: Viewer, deed: str) -> None:
    """Raises Refused where `may` says no."""
    if not may(viewer, deed):
        raise Refused(f"As a {viewer.role} you cannot do that here.")


@dataclass(frozen=True, kw_only=True)
class Acts:
    """Somebody who changes something, by a form of a page of ours."""

    viewer: Viewer
    form: Mapping[str, str]
    fields: tuple[tuple[str, str], ...]
    clock: Clock

    @property
    def who(self) -> str:
        """For `by`: their e-mail."""
        return self.viewer.email

    def every(self, name: str) -> list[str]:
        """All values of a field that stands there more than once."""
        return [value for field, value in self.fields if field == name]

    def demand(self, deed: str) -> None:
        """Raises Refused where their role may not."""
        demand(self.viewer, deed)

    def audit(
        self,
        connection: Connection,
        action: str,
        candidate_id: int | None = None,
        about: str | None = None,
        **detail: Any,
    ) -> None:
        """Writes down that they did it."""
        now = self.clock.now()
        audit.write(
            connection,
            now,
            self.viewer.who,
            action,
            candidate_id=candidate_id,
            about=about,
            **detail,
        )


async def acting(request: Request) -> Acts:
    """Raises Refused without a session, or without the form of one of its pages."""
    who = viewer(request)
    state = request.scope["state"]
    fields = await form_of(request)
    given = dict(fields).get(_PURPOSE, "")
    if not state["signer"].holds(_PURPOSE, state["token"].encode(), given):
        raise Refused("This form is too old. Please load the page again, and try once more.")
    return Acts(
        viewer=who,
        form={name: value for name, value in fields if name != _PURPOSE},
        fields=fields,
        clock=state["clock"],
    )


Acting = Annotated[Acts, Depends(acting)]


async def form_of(request: Request) -> tuple[tuple[str, str], ...]:
    """The fields of a form, as a browser sends them. Raises Refused for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise Refused("That is too much for one form.", 413)
    if body and kind != "application/x-www-form-urlencoded":
        raise Refused("This is no form of ours.", 415)
    try:
        told = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_FIELDS,
            errors="strict",
        )
    except ValueError:
        raise Refused("This form cannot be read.", 400) from None
    return tuple((name, value.replace("\0", "")) for name, value in told)


def csrf_of(signer: Signer, token: str) -> str:
    """What proves that a form is of a page that was made for whoever holds this token."""
    return signer.seal(_PURPOSE, token.encode())


def own_path(asked: str) -> str:
    """The path that was asked for, where it leads to a page of ours; else the first page.

    A browser reads `//host`, `/\\host` and both with a tab inside as another site's address.
    """
    own = asked.startswith("/") and not asked.startswith("//") and "\\" not in asked
    return asked if own and asked.isprintable() and " " not in asked else "/"


def back(path: str) -> RedirectResponse:
    """After something was done: to a page of ours, which is then loaded by GET."""
    return RedirectResponse(quote(own_path(path), safe="/?&=%#:@+,;!~*'()$"), 303)
