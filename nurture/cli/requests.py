"""What did candidates ask of us about their data? Listed, answered, and the copy to answer with."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from nurture.cli.editing import login
from nurture.cli.printing import json_line, name_of, say, table, when, zone_in
from nurture.cli.project import config_option, json_option, opened
from nurture.engine.project import Project
from nurture.errors import NurtureError, UsageError, shown
from nurture.store import audit
from nurture.store import requests as store
from nurture.store.database import Connection
from nurture.store.dossier import dossier

_number = click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))


@click.group(invoke_without_command=True, epilog="Example: nurture requests --all")
@config_option
@click.option("--all", "everything", is_flag=True, help="Also those that were answered.")
@json_option
@click.pass_context
def requests(context: click.Context, everything: bool, as_json: bool) -> None:
    """What candidates asked for: a copy of their data, or deletion; the longest wait first.

    The law gives a month. A deletion is done by a `candidate.erased` event, which closes it.
    """
    if context.invoked_subcommand is None:
        with opened() as project:
            _listed(project, everything=everything, as_json=as_json)


def _listed(project: Project, *, everything: bool, as_json: bool) -> None:
    with project.database.read() as connection:
        rows = (
            store.every_request(connection)
            if everything
            else store.open_requests(connection, limit=None)
        )
    if as_json:
        for row in rows:
            json_line(
                {
                    "id": row["id"],
                    "candidate": row["ref"],
                    "kind": row["kind"],
                    "asked_at": row["asked_at"],
                    "due_at": store.due_at(row["asked_at"]),
                    "done_at": row["done_at"],
                    "done_by": row["done_by"],
                }
            )
    elif rows:
        names = ("id", "candidate", "name", "asked for", "on", "due", "answered")
        table(names, [_cells(project, row) for row in rows])
    else:
        say("no requests" if everything else "no open requests")


def _cells(project: Project, row: Any) -> tuple[object, ...]:
    zone = zone_in(row, project.config)
    return (
        row["id"],
        row["ref"],
        name_of(row["data"]),
        row["kind"],
        when(row["asked_at"], zone),
        when(store.due_at(row["asked_at"]), zone),
        f"{when(row['done_at'], zone)} ({row['done_by']})" if row["done_at"] else "",
    )


@requests.command(epilog="Example: nurture requests done 3 --by ida@example.com")
@config_option
@_number
@click.option("--by", metavar="NAME", help="Who answered; default your login name.")
def done(number: int, by: str | None) -> None:
    """Say that a request was answered."""
    with opened() as project, project.database.write() as connection:
        row = _found(connection, number)
        now = project.clock.now()
        if not store.done(connection, number, by or login(), now):
            raise NurtureError(f"request {number} is not open: see `nurture requests --all`")
        _noted(connection, now, "answer-request", row)
    say(f"request {number} is answered")


@requests.command(epilog="Example: nurture requests copy 3 --out ana.json")
@config_option
@_number
@click.option(
    "--out",
    metavar="FILE",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file, readable by you only.",
)
def copy(number: int, out: Path) -> None:
    """What is held about whoever asked, as one JSON file to be sent to them.

    Without why they were rejected, what colleagues noted, and what they told in confidence.
    """
    with opened() as project, project.database.write() as connection:
        row = _found(connection, number)
        now = project.clock.now()
        fields = project.config.candidate_fields
        held = dossier(connection, row["candidate_id"], fields, now)
        _noted(connection, now, "copy-data", row)
        _written(out, held)
    say(f"{shown(out)}: what is held about {row['ref']}; look at it before you send it")


def _found(connection: Connection, number: int) -> Any:
    row = store.find(connection, number)
    if row is None:
        raise NurtureError(f"there is no request {number}: see `nurture requests --all`")
    return row


def _noted(connection: Connection, now: datetime, action: str, row: Any) -> None:
    about = f"request:{row['id']}"
    audit.write(
        connection, now, audit.COMMAND_LINE, action, candidate_id=row["candidate_id"], about=about
    )


def _written(out: Path, held: dict[str, Any]) -> None:
    text = json.dumps(held, ensure_ascii=False, indent=2, default=_text) + "\n"
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{shown(out)} exists already: name a new file") from None
    except OSError as error:
        raise UsageError(f"{shown(out)}: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
