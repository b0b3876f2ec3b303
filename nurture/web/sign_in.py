"""How does somebody sign in and out? By password, or by a link that works once."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from nurture.engine import passwords
from nurture.engine.project import Project
from nurture.store import accounts, audit
from nurture.store.accounts import Account
from nurture.web.door import Door
from nurture.web.guard import SIGN_IN
from nurture.web.looks import Looks
from nurture.web.rights import CSRF, Acting, Refused, back, form_of, own_path
from nurture.web.tries import Key, Tries

_LOOK = ["GET", "HEAD"]
_PURPOSE = "sign-in"
_COOKIE = "nurture_sign_in"
_KNOWN = "nurture_known"  # a cookie: by this browser an account has been entered before
_KNOWN_FOR = 365 * 86_400  # seconds
_TOO_OFTEN = "Too many tries. Please wait a quarter of an hour, then try again."
_WRONG = "Address and password do not fit together."
_GONE = (
    "This link has been used already, or its time is over. `nurture run` prints a new one at its"
    " start, and `nurture user password` one for an account."
)


def routes(project: Project, looks: Looks, door: Door) -> APIRouter:
    router = APIRouter()
    entrance = _Entrance(project, looks, door)

    async def form(request: Request) -> Mapping[str, str]:
        """A form of our own sign-in page, in the browser that has loaded it: else somebody could be
        signed in as another without noticing."""
        fields = dict(await form_of(request))
        held = request.cookies.get(_COOKIE, "").encode()
        if not held or not project.signer.holds(_PURPOSE, held, fields.get("csrf", "")):
            raise Refused("This form is too old. Please load the page again, and try once more.")
        return fields

    Form = Annotated[Mapping[str, str], Depends(form)]  # noqa: N806 - a type

    @router.api_route(SIGN_IN, methods=_LOOK)
    def ask(request: Request, next: str = "/") -> Response:  # noqa: A002 - in the address
        return entrance.asked(request, next=own_path(next))

    @router.post(SIGN_IN)
    def enter(request: Request, form: Form) -> Response:
        return entrance.by_password(request, form)

    @router.api_route(SIGN_IN + "/{token}", methods=_LOOK)
    def follow(request: Request, token: str) -> Response:
        return entrance.link(request, token)

    @router.post(SIGN_IN + "/{token}")
    def use(request: Request, token: str, form: Form) -> Response:
        return entrance.by_link(request, token, form)

    @router.post("/sign-out")
    def leave(request: Request, acting: Acting) -> Response:
        with project.database.write() as connection:
            door.leave(connection, request.scope["state"]["token"])
            acting.audit(connection, "sign-out")
        state, proxy = request.scope["state"], project.config.web.proxy
        elsewhere = proxy.sign_out if proxy is not None and state["named"] else None
        answer = RedirectResponse(elsewhere or SIGN_IN, 303)
        door.take(answer, secure=state["secure"])
        return answer

    return router


class _Entrance:
    def __init__(self, project: Project, looks: Looks, door: Door) -> None:
        self.project, self.looks, self.door = project, looks, door
        self.tries = Tries()

    def asked(self, request: Request, status: int = 200, **values: Any) -> Response:
        """The page with the form, with a proof that only this browser can bring back."""
        held = request.cookies.get(_COOKIE, "")
        if not (held.isalnum() and len(held) == 32):
            held = secrets.token_hex(16)
        CSRF.set(self.project.signer.seal(_PURPOSE, held.encode()))
        with self.project.database.read() as connection:
            there_are = accounts.are_there_any(connection)
        shown = {"accounts": there_are, "email": "", "wrong": "", "next": "/", "kind": "password"}
        answer = self.looks.page(request, "sign-in", status, **(shown | values))
        secure = request.scope["state"]["secure"]
        answer.set_cookie(
            _COOKIE, held, path=SIGN_IN, secure=secure, httponly=True, samesite="strict"
        )
        return answer

    # --- by password -----------------------------------------------------------------------------

    def by_password(self, request: Request, form: Mapping[str, str]) -> Response:
        email, password = form.get("email", "")[:254], form.get("password", "")
        there = own_path(form.get("next", "/"))
        keys = self._counted(request, email)
        if not self.tries.begin(keys, self.project.clock.now()):
            return self.asked(request, 429, wrong=_TOO_OFTEN, email=email, next=there)
        with self.project.database.read() as connection:
            account = accounts.by_email(connection, email)
        try:
            right = passwords.matches(account, password)
        except passwords.Crowded:
            self.tries.worked(keys)
            return self.asked(request, 429, wrong=_TOO_OFTEN, email=email, next=there)
        if not right or account is None:
            self._failed(account)
            return self.asked(request, 401, wrong=_WRONG, email=email, next=there)
        self.tries.worked(keys)
        if account.password is not None and passwords.is_old(account.password):
            stronger = passwords.hashed(password)
            with self.project.database.write() as connection:
                accounts.better_hash(connection, account, stronger)
        return self._entered(request, account, there)

    def _counted(self, request: Request, email: str) -> list[Key]:
        """For what a try is counted: this address, and the account as far as it is guessed at."""
        who = accounts.key_of(email)
        known = request.cookies.get(_KNOWN, "")
        own = self.project.signer.holds(_KNOWN, who.encode("utf-8", "replace"), known)
        address = request.scope["state"]["address"]
        return [("browser" if own else "account", who), ("address", address)]

    def _failed(self, account: Account | None) -> None:
        """The audit log has it; not what was typed as an address: it may be a password."""
        who = account.email if account is not None else "unknown"
        with self.project.database.write() as connection:
            audit.write(connection, self.project.clock.now(), who, "sign-in-failed")

    # --- by link ---------------------------------------------------------------------------------

    def link(self, request: Request, token: str) -> Response:
        if self.door.is_opener(token):
            return self.asked(request, kind="opener")
        account = self._linked(token)
        if account is None:
            return self.asked(request, 404, kind="gone", wrong=_GONE)
        return self.asked(request, kind="set", email=account.email)

    def by_link(self, request: Request, token: str, form: Mapping[str, str]) -> Response:
        if self.door.open(token):
            return self._entered(request, None, "/")
        account = self._linked(token)
        if account is None:
            return self.asked(request, 404, kind="gone", wrong=_GONE)
        password = form.get("password", "")
        wrong = passwords.refusal(password, account.email)
        if not wrong and password != form.get("again", ""):
            wrong = "The two are not the same."
        if wrong:
            return self.asked(request, 400, kind="set", email=account.email, wrong=wrong)
        kept = passwords.hashed(password)
        now = self.project.clock.now()
        with self.project.database.write() as connection:
            account = self._still(accounts.by_number(connection, account.id), token)
            if account is None:
                return self.asked(request, 404, kind="gone", wrong=_GONE)
            accounts.change(connection, account, password=kept)
            audit.write(
                connection, now, account.email, "user-password", about=f"account:{account.email}"
            )
        return self._entered(request, account, "/")

    def _linked(self, token: str) -> Account | None:
        number = passwords.linked(token)
        if number is None:
            return None
        with self.project.database.read() as connection:
            return self._still(accounts.by_number(connection, number), token)

    def _still(self, account: Account | None, token: str) -> Account | None:
        now = self.project.clock.now()
        return account if passwords.opens(self.project.signer, token, account, now) else None

    # --- in --------------------------------------------------------------------------------------

    def _entered(self, request: Request, account: Account | None, there: str) -> Response:
        state = request.scope["state"]
        who = self.door.viewer(account).who
        with self.project.database.write() as connection:
            if "token" in state:  # whoever was signed in here before is so no longer
                self.door.leave(connection, state["token"])
            token = self.door.enter(connection, account)
            audit.write(connection, self.project.clock.now(), who, "sign-in")
        answer = back(there)
        self.door.give(answer, token, secure=state["secure"])
        if account is not None:
            seal = self.project.signer.seal(_KNOWN, account.email.encode("utf-8", "replace"))
            answer.set_cookie(
                _KNOWN,
                seal,
                max_age=_KNOWN_FOR,
                path=SIGN_IN,
                secure=state["secure"],
                httponly=True,
                samesite="strict",
            )
        return answer
