"""Is this the password? How one is kept, which one is refused, and the link that sets the first."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from nurture.errors import OutsideError
from nurture.rendering.links import Signer
from nurture.store.accounts import Account

SHORTEST, LONGEST = 12, 200  #: characters
LINK_FOR = timedelta(hours=48)  #: how long a link that sets a password can be used

_PURPOSE = "set-password"
_hasher = PasswordHasher()  # argon2id as RFC 9106 4 recommends where memory is scarce
#: Each takes 64 MB and a core for a moment: a crowd at the door waits instead of filling memory.
_seats = threading.BoundedSemaphore(2)
_PATIENCE = 5  # seconds


class Crowded(OutsideError):  # noqa: N818 - a state, as its siblings in errors.py
    """Too many passwords are looked at already."""


@contextmanager
def _at_once() -> Iterator[None]:
    if not _seats.acquire(timeout=_PATIENCE):
        raise Crowded("too many sign in at once")
    try:
        yield
    finally:
        _seats.release()


def hashed(password: str) -> str:
    """As it is kept. Raises Crowded."""
    with _at_once():
        return _hasher.hash(password)


def matches(account: Account | None, password: str) -> bool:
    """Whether this account is entered by it. Without an account, or one that has no password, the
    answer takes as long: nobody learns by the clock who has one. Raises Crowded."""
    kept = account.password if account is not None and account.disabled_at is None else None
    if len(password) > LONGEST:
        password, kept = "", None
    with _at_once():
        try:
            return _hasher.verify(kept or _nobodys(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_old(kept: str) -> bool:
    """Kept in a way that is weaker than today's."""
    return _hasher.check_needs_rehash(kept)


def refusal(password: str, email: str) -> str:
    """Why this is no good password, in a sentence; empty: it is one."""
    if len(password) < SHORTEST:
        return f"A password needs {SHORTEST} characters or more; a few words make a good one."
    if len(password) > LONGEST:
        return f"A password has {LONGEST} characters at most."
    if len(set(password.casefold())) < 5:
        return "This password is too easily guessed."
    if password.casefold() in (email.casefold(), email.casefold() * 2):
        return "The address is no good password."
    return ""


def link(signer: Signer, account: Account, now: datetime) -> str:
    """A token by which this account's password can be set, once, for LINK_FOR."""
    until = int((now + LINK_FOR).timestamp())
    return f"{account.id:x}.{until:x}.{signer.seal(_PURPOSE, _content(account, until))}"


def linked(token: str) -> int | None:
    """Which account a token says it is for. It says so; `opens` tells whether it is true."""
    number = token.partition(".")[0]
    try:
        return int(number, 16) if 0 < len(number) <= 15 and number.isalnum() else None
    except ValueError:
        return None


def opens(signer: Signer, token: str, account: Account | None, now: datetime) -> bool:
    """Whether the token still sets this account's password: a new one, or a new role, ends it."""
    parts = token.split(".")
    if account is None or account.disabled_at is not None or len(parts) != 3:
        return False
    try:
        until = int(parts[1], 16) if len(parts[1]) <= 12 else 0
    except ValueError:
        return False
    fits = signer.holds(_PURPOSE, _content(account, until), parts[2])
    return fits and until > now.timestamp() and parts[0] == f"{account.id:x}"


def _content(account: Account, until: int) -> bytes:
    """What a link is sealed over: with the password it replaces, so that it works once."""
    return f"{account.id}\0{until}\0{account.role}\0{account.password or ''}".encode()


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this password")
