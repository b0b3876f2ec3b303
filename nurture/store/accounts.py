"""Who may sign in, and who is signed in? Accounts, and the digests of what their browsers hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select, update

from nurture.errors import NurtureError
from nurture.store.database import Connection
from nurture.store.tables import sessions, users

RECRUITER, MARKETER, ADMIN = "recruiter", "marketer", "admin"
ROLES = (RECRUITER, MARKETER, ADMIN)


@dataclass(frozen=True, kw_only=True)
class Account:
    id: int
    email: str  #: case-folded
    name: str | None
    role: str
    password: str | None  #: as argon2 keeps it; None: signs in elsewhere, or not yet
    timezone: str | None
    created_at: datetime
    disabled_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """What one browser's token stands for."""

    account: Account | None  #: None: the person at this machine, while there are no accounts
    created_at: datetime
    seen_at: datetime
    until: datetime


def key_of(email: str) -> str:
    """As an address is kept: one person has one account, however they write it."""
    return email.strip().casefold()


def add(
    connection: Connection,
    email: str,
    role: str,
    now: datetime,
    *,
    name: str | None = None,
    password: str | None = None,
    timezone: str | None = None,
) -> Account:
    """Raises NurtureError where there is one already."""
    if by_email(connection, email) is not None:
        raise NurtureError(f"there is an account of {key_of(email)} already")
    columns: dict[str, Any] = {
        "email": key_of(email),
        "name": name,
        "role": role,
        "password": password,
        "timezone": timezone,
        "created_at": now,
        "disabled_at": None,
    }
    number = connection.execute(insert(users).values(columns).returning(users.c.id)).scalar_one()
    return Account(id=number, **columns)


def by_email(connection: Connection, email: str) -> Account | None:
    row = connection.execute(select(users).where(users.c.email == key_of(email))).mappings().first()
    return None if row is None else _account(row)


def by_number(connection: Connection, number: int) -> Account | None:
    row = connection.execute(select(users).where(users.c.id == number)).mappings().first()
    return None if row is None else _account(row)


def everybody(connection: Connection) -> Sequence[Account]:
    """By address, with those that are disabled."""
    return [
        _account(row)
        for row in connection.execute(select(users).order_by(users.c.email)).mappings()
    ]


def are_there_any(connection: Connection) -> bool:
    return connection.execute(select(users.c.id).limit(1)).first() is not None


def change(connection: Connection, account: Account, **columns: object) -> None:
    """A new password or role, disabled or not: whoever is signed in by it is so no longer."""
    connection.execute(update(users).where(users.c.id == account.id).values(**columns))
    end_all(connection, account.id)


def better_hash(connection: Connection, account: Account, password: str) -> None:
    """The same password, kept in a stronger way: nobody is signed out by it."""
    connection.execute(
        update(users)
        .where(users.c.id == account.id, users.c.password == account.password)
        .values(password=password)
    )


# --- who is signed in ----------------------------------------------------------------------------


def begin(
    connection: Connection, digest: str, account_id: int | None, now: datetime, until: datetime
) -> None:
    """From now on the token of this digest is theirs. What has run out is forgotten."""
    connection.execute(delete(sessions).where(sessions.c.until <= now))
    connection.execute(
        insert(sessions).values(
            digest=digest, user_id=account_id, created_at=now, seen_at=now, until=until
        )
    )


def signed_in(connection: Connection, digest: str) -> SignedIn | None:
    """None for a digest that is nobody's: never begun, ended, of a disabled account, or of the
    person at this machine since there are accounts. Whether it has run out is the reader's."""
    found = (
        connection.execute(select(sessions).where(sessions.c.digest == digest)).mappings().first()
    )
    if found is None:
        return None
    account = None
    if found["user_id"] is not None:
        account = by_number(connection, found["user_id"])
        if account is None or account.disabled_at is not None:
            return None
    elif are_there_any(connection):
        return None
    return SignedIn(
        account=account,
        created_at=found["created_at"],
        seen_at=found["seen_at"],
        until=found["until"],
    )


def seen(connection: Connection, digest: str, now: datetime) -> None:
    connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen_at=now))


def end(connection: Connection, digest: str) -> None:
    connection.execute(delete(sessions).where(sessions.c.digest == digest))


def end_all(connection: Connection, account_id: int) -> None:
    connection.execute(delete(sessions).where(sessions.c.user_id == account_id))


def _account(row: RowMapping) -> Account:
    return Account(**row)
