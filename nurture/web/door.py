"""Whose browser is this? Tokens, cookies, and how long they hold.

A browser holds a random token with our seal on it; the database knows the token's digest only, so
who reads the database cannot sign in. A new token is made at each sign-in.
"""

import hmac
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from fastapi import Response
from starlette.requests import Request

from nurture.engine.project import Project
from nurture.store import accounts, audit
from nurture.store.accounts import ADMIN, Account
from nurture.store.database import Connection
from nurture.web.rights import Refused, Viewer

IDLE = timedelta(hours=12)  #: unused for so long, a token holds no longer
LONGEST = timedelta(days=7)  #: nor after so long, however it was used
_NOTED = timedelta(minutes=10)  # between notes that it was used: looking rarely writes

_PURPOSE = "session"


@dataclass(frozen=True, kw_only=True)
class Entered:
    viewer: Viewer
    token: str


class Door:
    """Lets in, knows again, and sees out."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.signer = project.signer
        # Of each project its own name: cookies of one machine are not told apart by port.
        self._name = f"nurture_{sha256(self.signer.seal('cookie', b'').encode()).hexdigest()[:8]}"
        self._opener: str | None = None
        self._lock = threading.Lock()

    def cookie(self, *, secure: bool) -> str:
        """Its name. With `__Host-` no sibling domain can set one of ours (RFC 6265bis 4.1.3)."""
        return f"__Host-{self._name}" if secure else self._name

    # --- signing in and out ----------------------------------------------------------------------

    def enter(self, connection: Connection, account: Account | None) -> str:
        """A new token for this account; None: for the person at this machine."""
        now, token = self.project.clock.now(), secrets.token_urlsafe(32)
        number = account.id if account is not None else None
        accounts.begin(connection, digest_of(token), number, now, now + LONGEST)
        return token

    def enter_named(self, email: str, old: str | None) -> Entered:
        """Whom a proxy that is trusted names. Raises Refused where they have no account, and
        newcomers get none."""
        now, proxy = self.project.clock.now(), self.project.config.web.proxy
        with self.project.database.write() as connection:
            account = accounts.by_email(connection, email)
            if account is None and proxy is not None and proxy.newcomers is not None:
                account = accounts.add(connection, email, proxy.newcomers, now)
                about = f"account:{account.email}"
                audit.write(
                    connection, now, account.email, "user-add", about=about, role=account.role
                )
            if account is None or account.disabled_at is not None:
                raise Refused(
                    f"{accounts.key_of(email)} has no account here. Whoever looks after Nurture can"
                    " make one."
                )
            if old is not None:
                self.leave(connection, old)
            token = self.enter(connection, account)
            audit.write(connection, now, account.email, "sign-in", by="proxy")
        return Entered(viewer=self.viewer(account), token=token)

    def leave(self, connection: Connection, token: str) -> None:
        accounts.end(connection, digest_of(token))

    def give(self, response: Response, token: str, *, secure: bool) -> None:
        """The browser is to hold this token."""
        response.set_cookie(
            self.cookie(secure=secure),
            self.sealed(token),
            max_age=int(LONGEST.total_seconds()),
            path="/",
            secure=secure,
            httponly=True,
            samesite="lax",  # not strict: links in the morning's mail lead here
        )

    def take(self, response: Response, *, secure: bool) -> None:
        """The browser is to forget it."""
        name = self.cookie(secure=secure)
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")

    def sealed(self, token: str) -> str:
        """As a cookie has it."""
        return f"{token}.{self.signer.seal(_PURPOSE, token.encode())}"

    # --- knowing again ---------------------------------------------------------------------------

    def entered(self, request: Request, *, secure: bool) -> Entered | None:
        """Who holds the token that came with this request. That it was used is noted now and then:
        the only thing that looking at a page ever writes."""
        token = self._token(request.cookies.get(self.cookie(secure=secure), ""))
        if token is None:
            return None
        now, digest = self.project.clock.now(), digest_of(token)
        with self.project.database.read() as connection:
            found = accounts.signed_in(connection, digest)
        if found is None or found.until <= now or found.seen_at + IDLE <= now:
            return None
        if found.seen_at + _NOTED <= now:
            with self.project.database.write() as connection:
                accounts.seen(connection, digest, now)
        return Entered(viewer=self.viewer(found.account), token=token)

    def _token(self, held: str) -> str | None:
        token, _, seal = held.partition(".")
        return token if token and self.signer.holds(_PURPOSE, token.encode(), seal) else None

    def viewer(self, account: Account | None) -> Viewer:
        config = self.project.config
        if account is None:
            return Viewer(
                id=None,
                email=accounts.key_of(config.sender.email),
                name="This machine",
                role=ADMIN,
                zone=ZoneInfo(config.timezone),
            )
        return Viewer(
            id=account.id,
            email=account.email,
            name=account.name or account.email,
            role=account.role,
            zone=ZoneInfo(account.timezone or config.timezone),
        )

    # --- the link that is printed at the start ---------------------------------------------------

    def opener(self) -> str | None:
        """A new token that lets one browser of this machine in, once; None where there are accounts
        to sign in with."""
        with self.project.database.read() as connection:
            if accounts.are_there_any(connection):
                return None
        with self._lock:
            self._opener = secrets.token_urlsafe(24)
            return self._opener

    def is_opener(self, token: str) -> bool:
        kept = self._opener
        return kept is not None and hmac.compare_digest(kept.encode(), token.encode())

    def open(self, token: str) -> bool:
        """Whether it is the opener; it was, from now on."""
        with self._lock:
            if not self.is_opener(token):
                return False
            self._opener = None
            return True


def digest_of(token: str) -> str:
    return sha256(token.encode()).hexdigest()
