"""Which letters wait to be approved, and what does somebody say of them?"""

from typing import Any
from zoneinfo import ZoneInfo

import click

from nurture.cli.editing import login
from nurture.cli.printing import json_line, say, table, when
from nurture.cli.project import config_option, json_option, opened
from nurture.engine import approving, unread
from nurture.engine.unread import Waiting
from nurture.errors import UsageError
from nurture.store.audit import COMMAND_LINE

_NUMBER = click.IntRange(1, 2**63 - 1)
_BY = click.option("--by", metavar="EMAIL", help="Who says so, if not your login name.")


@click.command(epilog="Example: nurture approvals --limit 200 --json")
@config_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
def approvals(limit: int, as_json: bool) -> None:
    """Letters that wait for somebody's approval, the worst first."""
    with opened() as project:
        with project.database.read() as connection:
            found, more = unread.waiting(project, connection, limit=limit)
        house = ZoneInfo(project.config.timezone)
    if as_json:
        for each in found:
            json_line(_as_json(each))
        return
    if not found:
        say("nothing waits for approval")
        return
    table(
        ("id", "candidate", "how", "category", "good until", "promised", "silence", "subject"),
        (
            (
                each.id,
                each.candidate,
                each.how.value,
                each.category,
                *(
                    when(at, house) if at is not None else ""
                    for at in (each.until, each.promised_at, each.silent_at)
                ),
                each.subject,
            )
            for each in found
        ),
    )
    if more is not None:
        say(f"and more: --limit {2 * limit} shows them")


def _as_json(each: Waiting) -> dict[str, Any]:
    return {
        "id": each.id,
        "candidate": each.candidate,
        "campaign": each.campaign,
        "step": each.step,
        "template": each.template,
        "category": each.category,
        "approval": each.how.value,
        "subject": each.subject,
        "why": each.why,
        "since": each.since,
        "until": each.until,
        "promised_at": each.promised_at,
        "silence_due_at": each.silent_at,
        "changed": each.changed or None,
    }


@click.command(epilog="Example: nurture approve 12 13   (the ids are in `nurture approvals`)")
@config_option
@click.argument("ids", metavar="ID...", type=_NUMBER, nargs=-1, required=True)
@click.option("--undo", is_flag=True, help="Take an approval back, while the mail has not left.")
@click.option(
    "--advocate",
    metavar="TEXT",
    help="One true sentence about what you liked, for the letter of somebody who came far.",
)
@_BY
def approve(ids: tuple[int, ...], undo: bool, advocate: str | None, by: str | None) -> None:
    """Let messages go that are held for approval, as they read now.

    Either all that are named, or none. They go out as soon as caps and hours allow, and not
    before `undo_window` has passed.
    """
    named = list(dict.fromkeys(ids))
    if advocate is not None and (undo or len(named) > 1):
        raise UsageError("--advocate is about one person: approve that letter by itself")
    with opened() as project:
        if advocate is not None:
            approving.advocate(project, named[0], advocate, by or login(), who=COMMAND_LINE)
        if undo:
            approving.take_back(project, named, by or login(), who=COMMAND_LINE)
        else:
            approving.approve(project, named, by or login(), who=COMMAND_LINE)
        with project.database.read() as connection:
            after = [(id_, approving.what_now(project, connection, id_)) for id_ in named]
    done = "taken back" if undo else "approved"
    say(f"{done}: {', '.join(map(str, named))}")
    for id_, said in after:
        say(f"   {id_}: {said}")


@click.command(
    epilog='Example: nurture decline 12 --why "she knows it from me" --by ida@example.com'
)
@config_option
@click.argument("id_", metavar="ID", type=_NUMBER)
@click.option("--why", required=True, metavar="TEXT", help="Kept, and shown with the message.")
@click.option("--task", is_flag=True, help="Somebody is to tell the candidate: a task for them.")
@_BY
def decline(id_: int, why: str, task: bool, by: str | None) -> None:
    """A message that is held for approval never goes.

    Where the end of a silence or a promise asks for it, it always becomes a task.
    """
    with opened() as project:
        became = approving.decline(project, id_, by or login(), why, task=task, who=COMMAND_LINE)
    say(f"declined: {id_}{', and a task' if became else ''}")
