"""Who may sign in to the pages, and who did what? `user` and `audit`."""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import click

from nurture.cli.editing import login
from nurture.cli.instants import Instant
from nurture.cli.printing import json_line, say, table, when
from nurture.cli.project import config_option, json_option, opened
from nurture.cli.recorded import recorded
from nurture.engine import passwords
from nurture.engine.project import Project
from nurture.engine.silence import plain
from nurture.errors import NurtureError, OutsideError, UsageError, shown
from nurture.positions import did_you_mean
from nurture.store import accounts
from nurture.store import audit as log
from nurture.store.accounts import ADMIN, RECRUITER, ROLES, Account
from nurture.store.database import Connection

_role = click.option(
    "--role",
    type=click.Choice(ROLES),
    default=RECRUITER,
    show_default=True,
    help="Recruiters see their own candidates, marketers and admins all.",
)
_link = click.option(
    "--link", is_flag=True, help="Print a link by which they choose it themselves, once."
)
_email = click.argument("email")


@click.group(epilog="Example: nurture user add ida@example.com --role admin --link")
@config_option
def user() -> None:
    """Accounts of those who sign in to the pages."""


@user.command(epilog='Example: nurture user add ida@example.com --name "Ida Berg" --link')
@config_option
@_email
@_role
@click.option("--name", help="As colleagues call them.")
@click.option("--timezone", metavar="ZONE", help="Whose clock they live by; default: the house's.")
@_link
@click.option("--no-password", is_flag=True, help="None: the proxy in front signs them in.")
def add(
    email: str, role: str, name: str | None, timezone: str | None, link: bool, no_password: bool
) -> None:
    """A new account. Asks for its password, unless told otherwise."""
    if link and no_password:
        raise UsageError("--link or --no-password, not both")
    if not _is_address(email):
        raise UsageError(f'"{email}" is not an e-mail address')
    if timezone is not None and timezone not in available_timezones():
        hint = did_you_mean(timezone, available_timezones()) or "use a name such as Europe/Lisbon"
        raise UsageError(f'"{timezone}" is not a time zone; {hint}')
    with opened() as project:
        with project.database.read() as connection:
            if accounts.by_email(connection, email) is not None:
                raise NurtureError(f"there is an account of {accounts.key_of(email)} already")
        password = None if link or no_password else passwords.hashed(_asked(email))
        with project.database.write() as connection:
            made = accounts.add(
                connection,
                email,
                role,
                project.clock.now(),
                name=name,
                password=password,
                timezone=timezone,
            )
            _record(project, connection, "user-add", made, role=role)
            admins = any(each.role == ADMIN for each in accounts.everybody(connection))
        say(f"{made.email}: {role}")
        if link:
            _tell_link(project, made)
        if not admins:
            say("nobody is an admin yet: nurture user role EMAIL admin")


@user.command("list", epilog="Example: nurture user list")
@config_option
@json_option
def list_(as_json: bool) -> None:
    """Who may sign in."""
    with opened() as project:
        zone = ZoneInfo(project.config.timezone)
        with project.database.read() as connection:
            found = accounts.everybody(connection)
    if as_json:
        for each in found:
            json_line(
                {
                    "email": each.email,
                    "name": each.name,
                    "role": each.role,
                    "timezone": each.timezone,
                    "password": each.password is not None,
                    "created_at": each.created_at,
                    "disabled_at": each.disabled_at,
                }
            )
    elif found:
        table(
            ("email", "role", "name", "since", "state"),
            (
                (each.email, each.role, each.name, when(each.created_at, zone), _state(each))
                for each in found
            ),
        )
    else:
        say("there are no accounts: `nurture run` prints a link that lets one browser in")


@user.command(epilog="Example: nurture user password ida@example.com --link")
@config_option
@_email
@_link
def password(email: str, link: bool) -> None:
    """A new password. Whoever is signed in by the old one is signed out."""
    with opened() as project:
        account = _known(project, email)
        if account.disabled_at is not None:
            raise NurtureError(f"{account.email} is disabled: nurture user enable {account.email}")
        if link:
            with project.database.write() as connection:
                _record(project, connection, "user-link", account)
            _tell_link(project, account)
            return
        kept = passwords.hashed(_asked(account.email))
        _change(project, account, "user-password", password=kept)
    say(f"{account.email} has a new password")


@user.command(epilog="Example: nurture user role ida@example.com admin")
@config_option
@_email
@click.argument("role", type=click.Choice(ROLES))
def role(email: str, role: str) -> None:
    """What they may. They have to sign in again."""
    with opened() as project:
        account = _known(project, email)
        _change(project, account, "user-role", role=role)
    say(f"{account.email}: {role}")


@user.command(epilog="Example: nurture user disable ida@example.com")
@config_option
@_email
def disable(email: str) -> None:
    """They are signed out and cannot sign in any more. What they did stays on record."""
    with opened() as project:
        account = _known(project, email)
        if account.disabled_at is None:
            _change(project, account, "user-disable", disabled_at=project.clock.now())
    say(f"{account.email} cannot sign in")


@user.command(epilog="Example: nurture user enable ida@example.com")
@config_option
@_email
def enable(email: str) -> None:
    """They can sign in again, as before."""
    with opened() as project:
        account = _known(project, email)
        if account.disabled_at is not None:
            _change(project, account, "user-enable", disabled_at=None)
    say(f"{account.email} can sign in")


def _change(project: Project, account: Account, action: str, **columns: Any) -> None:
    with project.database.write() as connection:
        accounts.change(connection, account, **columns)
        _record(project, connection, action, account, role=columns.get("role"))


def _record(
    project: Project, connection: Connection, action: str, account: Account, **detail: Any
) -> None:
    recorded(project, connection, action, login(), about=f"account:{account.email}", **detail)


def _known(project: Project, email: str) -> Account:
    with project.database.read() as connection:
        found = accounts.by_email(connection, email)
        if found is None:
            known = [each.email for each in accounts.everybody(connection)]
            hint = did_you_mean(email, known) or "`nurture user list` names all"
            raise NurtureError(f'there is no account of "{email}" ({hint})')
    return found


def _asked(email: str) -> str:
    """Typed twice, and seen by nobody; from a pipe, one line each."""
    typed: str = click.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
    if said := passwords.refusal(typed, email):
        raise UsageError(said)
    return typed


def _tell_link(project: Project, account: Account) -> None:
    token = passwords.link(project.signer, account, project.clock.now())
    hours = passwords.LINK_FOR.total_seconds() / 3600
    say(f"{project.config.web.address}/sign-in/{token}")
    say(f"it sets the password, once, within {hours:.0f} hours: give it to nobody else")


def _state(account: Account) -> str:
    if account.disabled_at is not None:
        return "disabled"
    return "" if account.password is not None else "no password"


def _is_address(email: str) -> bool:
    name, _, domain = email.strip().rpartition("@")
    plain = email.isprintable() and not any(letter in email for letter in ' <>,;"')
    return bool(name and domain) and "@" not in name and plain and len(email) <= 254


# --- who did what --------------------------------------------------------------------------------

_COLUMNS = ("id", "at", "who", "action", "candidate", "about", "detail")


@click.command(epilog="Example: nurture audit --since 2026-11-01 --csv november.csv")
@config_option
@click.option("--since", type=Instant(), help="From this day or instant on.")
@click.option(
    "--csv",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write all of it there, for a spreadsheet.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="How many are listed."
)
@json_option
def audit(since: datetime | None, file: Path | None, limit: int, as_json: bool) -> None:
    """Who did what, on pages and by commands; the newest first.

    With --csv or --json all of it, the oldest first.
    """
    with opened() as project:
        if file is not None:
            many = _write(project, since, file)
            say(f"{shown(file)}: {many} deeds")
        elif as_json:
            for each in _all(project, since):
                json_line(each)
        else:
            _list(project, since, limit)


def _list(project: Project, since: datetime | None, limit: int) -> None:
    zone = ZoneInfo(project.config.timezone)
    with project.database.read() as connection:
        found = log.rows(connection, since=since, limit=limit + 1)
    table(
        ("when", "who", "did", "candidate", "about"),
        (
            (when(row["at"], zone), row["who"], row["action"], row["ref"], log.said(row))
            for row in found[:limit]
        ),
    )
    if len(found) > limit:
        say("and more: --since, --limit, or all of it with --csv FILE")
    elif not found:
        say("nothing is on record")


def _all(project: Project, since: datetime | None) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        with project.database.read() as connection:
            found = log.rows(connection, since=since, after=after, limit=1_000)
        for row in found:
            yield {
                "id": row["id"],
                "at": row["at"],
                "who": row["who"],
                "action": row["action"],
                "candidate": row["ref"],
                "about": row["about"],
                "detail": row["detail"],
            }
        if not found:
            return
        after = found[-1]["id"]


def _write(project: Project, since: datetime | None, file: Path) -> int:
    many = 0
    try:
        with file.open("w", encoding="utf-8", newline="") as opened_file:
            rows = csv.writer(opened_file)
            rows.writerow(_COLUMNS)
            for each in _all(project, since):
                many += 1
                detail = json.dumps(each["detail"], ensure_ascii=False) if each["detail"] else ""
                told = {**each, "at": each["at"].isoformat(), "detail": detail}
                rows.writerow(
                    [plain("" if told[name] is None else str(told[name])) for name in _COLUMNS]
                )
    except OSError as error:
        raise OutsideError(f"{shown(file)}: {error.strerror}") from error
    return many
