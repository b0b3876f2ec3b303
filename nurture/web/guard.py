"""Who may ask, and what must every answer say? Host check, security headers, a last resort."""

import logging
import traceback
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nurture.config import is_loopback
from nurture.errors import NurtureError
from nurture.web.looks import Looks

log = logging.getLogger("nurture.web")

#: Behind these stands a signed token, or nothing that is about anybody.
PUBLIC = ("/u/", "/p/", "/a/", "/static/")

#: No page of ours has a script; forms go to ourselves; nobody frames us.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",  # a token in an address is told to nobody
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",  # candidates' data stay out of caches
}


class Guard:
    """ASGI middleware around everything.

    Recruiters' pages have no accounts yet, so they answer only where the browser asked for this
    machine by a loopback name. That stops DNS rebinding (a foreign site whose name suddenly means
    127.0.0.1). What a proxy passes on is refused too: one that was told to publish everything, and
    that names us 127.0.0.1, publishes /u/, /p/ and /a/ and no more.
    """

    def __init__(self, app: ASGIApp, looks: Looks) -> None:
        self.app = app
        self.looks = looks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                if scope["path"].startswith("/static/"):
                    headers.setdefault("cache-control", "no-cache")  # asked again, sent once
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if not scope["path"].startswith(PUBLIC) and not _at_this_machine(scope):
            await self.looks.notice(Request(scope), 403)(scope, receive, answer)
            return
        try:
            await self.app(scope, receive, answer)
        except Exception as error:
            if started:
                raise
            log.error(_told(error), extra={"action": "page-failed", "page": _page(scope)})
            status = 503 if isinstance(error, NurtureError) else 500
            await self.looks.notice(Request(scope), status)(scope, receive, answer)


def _at_this_machine(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    passed_on = any(name == "forwarded" or name.startswith("x-forwarded-") for name in headers)
    return is_loopback(_host(scope)) and not passed_on and "via" not in headers


def _host(scope: Scope) -> str:
    """The host a browser asked for, without its port."""
    host = Headers(scope=scope).get("host", "")
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


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
