"""Who may ask, and what must every answer say? Host, origin, who it is; headers; a last resort."""

import logging
import traceback
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nurture.engine.project import Project
from nurture.errors import NurtureError
from nurture.store.accounts import key_of
from nurture.web.door import Door, Entered
from nurture.web.looks import Looks
from nurture.web.rights import CSRF, Refused, csrf_of
from nurture.web.ways import Way, open_to, way

log = logging.getLogger("nurture.web")

#: Behind these stands a signed token, or nothing that is about anybody.
PUBLIC = ("/u/", "/p/", "/a/", "/static/")
SIGN_IN = "/sign-in"
HEALTH = "/healthz"

#: Nothing from elsewhere; forms go to ourselves; nobody frames us; no script, but on recruiters'
#: pages our own files of it.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SCRIPTED = f"{POLICY}; script-src 'self'; connect-src 'self'"
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",  # a token in an address is told to nobody
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",  # candidates' data stay out of caches
}
_LOOKING = ("GET", "HEAD")
_UNNAMED = "The proxy in front did not say who you are. Please sign in there."


class Guard:
    """ASGI middleware around everything: what is not public is reached by nobody unknown, and by no
    way but those of `ways`."""

    def __init__(self, app: ASGIApp, project: Project, looks: Looks, door: Door) -> None:
        self.app = app
        self.project = project
        self.looks = looks
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, cookies = False, Response()
        public = scope["path"].startswith(PUBLIC)

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                if scope["path"].startswith("/static/"):
                    headers.setdefault("cache-control", "no-cache")  # asked again, sent once
                if not public:
                    headers.setdefault("content-security-policy", SCRIPTED)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                for value in cookies.headers.getlist("set-cookie"):
                    headers.append("set-cookie", value)
            await send(message)

        # What forms of the page bring along is known wherever in this request it is written.
        before = CSRF.set("")
        try:
            refused = await self._refused(scope, cookies)
            await (refused or self.app)(scope, receive, answer)
        except Exception as error:
            if started:
                raise
            log.error(_told(error), extra={"action": "page-failed", "page": _page(scope)})
            status = 503 if isinstance(error, NurtureError) else 500
            await self.looks.notice(Request(scope), status)(scope, receive, answer)
        finally:
            CSRF.reset(before)

    async def _refused(self, scope: Scope, cookies: Response) -> Response | None:
        """The answer to who may not ask this; None: they may, and the request says who they are.
        What their browser has to remember is set in `cookies`."""
        request, path, web = Request(scope), scope["path"], self.project.config.web
        if not open_to(scope, web):
            return self.looks.notice(request, 403)
        if path.startswith(PUBLIC):
            return None
        came = way(scope, web)
        if came is None or (path == HEALTH and came.proxied):
            return self.looks.notice(request, 403)
        if path == HEALTH:
            return None
        looking = scope["method"] in _LOOKING
        if not looking and not _of_ours(request):
            return self.looks.notice(request, 403, "This was sent by a page of somebody else.")
        state = scope.setdefault("state", {})
        state |= {"signer": self.project.signer, "clock": self.project.clock}
        state |= {"secure": came.secure, "address": came.address, "named": came.named}
        if came.named and came.person is None:
            return self.looks.notice(request, 401, _UNNAMED)
        try:
            entered = await run_in_threadpool(self._entered, request, came, cookies)
        except Refused as refused:
            return self.looks.notice(request, refused.status_code, refused.detail)
        if entered is not None:
            state |= {"viewer": entered.viewer, "token": entered.token}
            CSRF.set(csrf_of(self.project.signer, entered.token))
        elif path != SIGN_IN and not path.startswith(f"{SIGN_IN}/"):
            return self._sign_in(request, looking=looking)
        return None

    def _entered(self, request: Request, came: Way, cookies: Response) -> Entered | None:
        """Who asks. Whom the proxy names is let in as soon as they look at a page; raises Refused
        where they have no account."""
        entered = self.door.entered(request, secure=came.secure)
        if came.person is None:
            return entered
        if entered is not None and entered.viewer.email == key_of(came.person):
            return entered
        if request.method not in _LOOKING:
            return None
        entered = self.door.enter_named(came.person, old=entered.token if entered else None)
        self.door.give(cookies, entered.token, secure=came.secure)
        return entered

    def _sign_in(self, request: Request, *, looking: bool) -> Response:
        """Nobody is signed in: where they can."""
        part = "hx-request" in request.headers  # of a page that is open: the whole has to go there
        if looking and not part:
            asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            there = SIGN_IN if asked == "/" else f"{SIGN_IN}?next={quote(asked, safe='/')}"
            return RedirectResponse(there, 303)
        answer = self.looks.notice(request, 401)
        if part:
            answer.headers["hx-redirect"] = SIGN_IN
        return answer


def _of_ours(request: Request) -> bool:
    """Whether the browser says nothing against it that a page of ours sent this. A page that tells
    nobody where a request comes from has the origin `null`: then the form's own proof decides."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "null")
    return origin == "null" or urlsplit(origin).netloc == request.headers.get("host")


def _page(scope: Scope) -> str:
    """Which page, without the token or the person in its address."""
    path: str = scope["path"]
    return "/" + path.split("/")[1]


def _told(error: Exception) -> str:
    """What failed and where. Not the words of an unforeseen error: they may quote a person."""
    if isinstance(error, NurtureError):
        return str(error)
    frames: Any = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/nurture/" in frame.filename] or frames
    return f"{type(error).__name__} in {own[-1].filename}:{own[-1].lineno}" if own else repr(error)
