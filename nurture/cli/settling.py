"""What became of mails in doubt? Listed with all that is known; a person who looked says so."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from nurture.cli.instants import Instant
from nurture.cli.printing import json_line, say, table, when
from nurture.cli.project import config_option, json_option, opened
from nurture.cli.recorded import recorded
from nurture.core.model import Candidate
from nurture.engine.project import Project
from nurture.engine.settling import Doubt, doubts
from nurture.engine.settling import settle as settle_now
from nurture.errors import UsageError
from nurture.rendering.context import zone_of


@click.command(epilog="Example: nurture settle 12 13 --sent --by ida@example.com")
@config_option
@click.argument("ids", metavar="[ID]...", type=click.IntRange(1, 2**63 - 1), nargs=-1)
@click.option("--sent", "verdict", flag_value="sent", help="They left: your server's log has them.")
@click.option(
    "--not-sent",
    "verdict",
    flag_value="not-sent",
    help="They never left: each is decided again, and goes if it still may.",
)
@click.option("--by", metavar="EMAIL", help="Who looked.")
@click.option(
    "--all-before",
    "before",
    type=Instant(),
    help="Those that left before this day or instant, instead of IDs.",
)
@json_option
def settle(
    ids: tuple[int, ...],
    verdict: str | None,
    by: str | None,
    before: datetime | None,
    as_json: bool,
) -> None:
    """Mails of which nobody knows whether they arrived; or say what became of them.

    Without --sent or --not-sent it lists them: look for the Message-ID in your mail server's log.
    Either all that are named are settled, or none.
    """
    if ids and before is not None:
        raise UsageError("name IDs or --all-before, not both")
    with opened() as project:
        if verdict is None:
            if ids or by:
                raise UsageError("say what became of them: --sent or --not-sent")
            _list(project, doubts(project, before), as_json=as_json)
            return
        if not ids and before is None:
            raise UsageError("name the messages (`nurture settle` lists them), or --all-before")
        if not by:
            raise UsageError("say who looked: --by EMAIL")
        chosen = list(dict.fromkeys(ids)) or [each.id for each in doubts(project, before)]
        settle_now(project, chosen, sent=verdict == "sent", by=by)
        with project.database.write() as connection:
            for id_ in chosen:
                about = f"message:{id_}"
                recorded(project, connection, "settle", by, about=about, as_=verdict)
    _settled(chosen, verdict, as_json=as_json)


def _list(project: Project, found: Sequence[Doubt], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            json_line(each.as_json())
        return
    if not found:
        say("nothing is in doubt")
        return
    table(
        ("id", "candidate", "template", "left", "message-id", "what is known"),
        (
            (
                each.id,
                each.candidate,
                each.template,
                _left(each, project),
                each.message_id,
                each.said,
            )
            for each in found
        ),
    )
    say("\nin your mail server's log? nurture settle ID --sent --by EMAIL; if not, --not-sent")


def _left(doubt: Doubt, project: Project) -> str:
    of = Candidate(id=0, ref=doubt.candidate, timezone=doubt.facts.get("timezone"))
    zone: ZoneInfo = zone_of(of, project.config)
    return when(doubt.left_at, zone)


def _settled(ids: Sequence[int], verdict: str, *, as_json: bool) -> None:
    if as_json:
        for id_ in ids:
            json_line({"id": id_, "settled": verdict})
        return
    if not ids:
        say("nothing was in doubt")
        return
    then = "sent" if verdict == "sent" else "not sent: what still may go is decided again"
    say(f"settled as {then}: {', '.join(map(str, ids))}")
