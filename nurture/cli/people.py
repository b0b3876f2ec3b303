"""What waits for a person? Tasks to do and messages to approve."""

import click

from nurture.cli.printing import json_line, name_of, say, table, when, zone_in
from nurture.cli.project import config_option, json_option, opened
from nurture.engine.project import Project
from nurture.errors import NurtureError
from nurture.store import desk, history


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
                    row["text"],
                )
                for row in rows
            ),
        )
    else:
        say("no tasks" if everything else "no open tasks")


@tasks.command(epilog="Example: nurture tasks done 3")
@config_option
@click.argument("id_", metavar="ID", type=click.IntRange(1, 2**63 - 1))
def done(id_: int) -> None:
    """Tick a task off."""
    with opened() as project:
        with project.database.write() as connection:
            found = desk.finish_task(connection, id_, project.clock.now())
        if not found:
            raise NurtureError(f"there is no open task {id_}: see `nurture tasks`")
    say(f"task {id_} is done")


@click.command(epilog="Example: nurture approve 12 13   (the ids are in `nurture messages`)")
@config_option
@click.argument("ids", metavar="ID...", type=click.IntRange(1, 2**63 - 1), nargs=-1, required=True)
def approve(ids: tuple[int, ...]) -> None:
    """Let messages go that are held for approval.

    Either all that are named, or none. They go out as soon as caps and hours allow.
    """
    with opened() as project, project.database.write() as connection:
        words = project.letters.renderer.digests
        states = desk.approve(connection, ids, words, project.clock.now())
        for id_ in ids:
            if states.get(id_) != "held":
                said = f"it is {states[id_]}" if id_ in states else "there is no such message"
                raise NurtureError(
                    f"message {id_} does not wait for approval, {said}; none was approved"
                )
    say(f"approved: {', '.join(str(id_) for id_ in dict.fromkeys(ids))}")
