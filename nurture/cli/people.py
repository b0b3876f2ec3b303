"""What is there for a person to do? Tasks."""

from typing import Any
from zoneinfo import ZoneInfo

import click

from nurture.cli.editing import login
from nurture.cli.printing import json_line, name_of, say, table, when, zone_in
from nurture.cli.project import config_option, json_option, opened
from nurture.cli.recorded import recorded
from nurture.core.calling import OUTCOMES
from nurture.engine.project import Project
from nurture.engine.tasks import finish
from nurture.errors import NurtureError, UsageError
from nurture.store import history
from nurture.store.tables import CALL


@click.group(invoke_without_command=True, epilog="Example: nurture tasks --all")
@config_option
@click.option("--all", "everything", is_flag=True, help="Also those that are done.")
@json_option
@click.pass_context
def tasks(context: click.Context, everything: bool, as_json: bool) -> None:
    """Tasks for recruiters, the most urgent first."""
    if context.invoked_subcommand is None:
        with opened() as project:
            _tasks(project, everything=everything, as_json=as_json)


def _tasks(project: Project, *, everything: bool, as_json: bool) -> None:
    with project.database.read() as connection:
        rows = history.task_rows(connection, state=None if everything else "open")
    if as_json:
        for row in rows:
            json_line(
                {
                    "id": row["id"],
                    "candidate": row["ref"],
                    "application": row["application"],
                    "campaign": row["campaign"],
                    "step": row["step"],
                    "text": row["text"],
                    "to": row["role"],
                    "assignee": row["assignee"],
                    "state": row["state"],
                    "created_at": row["created_at"],
                    "due_at": row["due_at"],
                    "done_at": row["done_at"],
                    "kind": row["kind"],
                    "phone": row["data"].get("phone") if row["kind"] == CALL else None,
                    "template": row["template"],
                    "best_at": row["best_at"],
                    "fallback_at": row["fallback_at"],
                    "outcome": row["outcome"],
                    "tries": row["tries"],
                }
            )
    elif rows:
        table(
            ("id", "candidate", "name", "due", "for", "state", "task"),
            (
                (
                    row["id"],
                    row["ref"],
                    name_of(row["data"]),
                    when(row["due_at"], zone_in(row, project.config)),
                    row["assignee"] or row["role"],
                    row["state"],
                    row["text"].partition("\n")[0],
                )
                for row in rows
            ),
        )
        for row in rows:
            if row["kind"] == CALL and row["state"] == "open":
                _call(row, project)
    else:
        say("no tasks" if everything else "no open tasks")


def _call(row: Any, project: Project) -> None:
    """Whom to ring, when, and what to say."""
    first, _, points = row["text"].partition("\n")
    house = ZoneInfo(project.config.timezone)
    own = zone_in(row, project.config)
    best = when(row["best_at"], own)
    if own.key != house.key:
        best = f"{best}, {when(row['best_at'], house)}"
    say(f"\n{row['id']}: {first}")
    say(f"   {row['data'].get('phone') or 'no number'}, best at {best}")
    tried = f"; tried {row['tries']} times, last {row['outcome']}" if row["tries"] else ""
    say(f"   the mail goes {when(row['fallback_at'], own)} if nobody gets through{tried}")
    for line in points.strip("\n").split("\n"):
        say(f"   | {line}".rstrip())


@tasks.command(epilog="Example: nurture tasks done 3 --outcome no_answer --by ida@example.com")
@config_option
@click.argument("id_", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option(
    "--outcome",
    type=click.Choice(OUTCOMES),
    help="What came of a call. The mail goes after a wrong number, or two calls nobody took.",
)
@click.option("--by", metavar="EMAIL", help="Who rang.")
def done(id_: int, outcome: str | None, by: str | None) -> None:
    """Tick a task off; of a call, say what came of it."""
    with opened() as project:
        with project.database.read() as connection:
            row = history.task_row(connection, id_)
        if row is None or row["state"] != "open":
            raise NurtureError(f"there is no open task {id_}: see `nurture tasks`")
        if row["kind"] == CALL and outcome is None:
            hint = f"--outcome {'|'.join(OUTCOMES)}"
            raise UsageError(f"task {id_} is a call, say what came of it: {hint}")
        if row["kind"] != CALL and (outcome is not None or by is not None):
            raise UsageError(f"task {id_} is no call: --outcome and --by are for calls")
        with project.database.write() as connection:
            over = finish(connection, row, outcome, by, project.clock.now())
            recorded(
                project,
                connection,
                "task-done",
                by or login(),
                candidate_id=row["candidate_id"],
                about=f"task:{id_}",
                outcome=outcome,
            )
    if over:
        say(f"task {id_} is done")
    else:
        say(f"task {id_}: {outcome}; it stays open for another try")
