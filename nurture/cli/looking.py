"""What did they get, what will they get, and why? And how is everything?"""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from nurture.cli.instants import Instant
from nurture.cli.printing import json_line, say, table, when, zone_in
from nurture.cli.project import candidate_of, config_option, json_option, nobody, opened
from nurture.core.model import MessageState
from nurture.engine import stops
from nurture.engine.held import held_line
from nurture.engine.hindsight import Hindsight, hindsight
from nurture.engine.outlook import AHEAD, Entry, Outlook, outlook
from nurture.engine.project import Project
from nurture.engine.stops import stop_line
from nurture.engine.versions import SHORT
from nurture.errors import NurtureError
from nurture.store import history, planning, presence


@click.command(epilog="Example: nurture agenda c-17")
@config_option
@click.argument("candidate")
@json_option
def agenda(candidate: str, as_json: bool) -> None:
    """What a candidate got, and gets in the next 30 days.

    CANDIDATE is an id, an e-mail address or a number.
    """
    with opened() as project:
        seen = _outlook(project, candidate, everything=False)
    entries = (*seen.past, *seen.ahead)
    if as_json:
        for entry in entries:
            json_line(entry.as_json())
        return
    _whose(seen)
    table(
        ("when", "campaign", "step", "category", "verdict", "why"),
        (
            (
                _about(entry, seen.zone),
                entry.campaign,
                entry.step,
                entry.category,
                entry.verdict,
                entry.sentence,
            )
            for entry in entries
        ),
    )


@click.command(epilog="Example: nurture explain c-17 --words")
@config_option
@click.argument("candidate", required=False)
@click.option("--message", "message_id", type=int, metavar="ID", help="One mail, with its words.")
@click.option("--words", is_flag=True, help="With the words and the rules each was sent by.")
@click.option("--at", type=Instant(), help="As it stood then: an instant gone by (ISO 8601; UTC).")
@json_option
def explain(
    candidate: str | None,
    message_id: int | None,
    words: bool,
    at: datetime | None,
    as_json: bool,
) -> None:
    """Why, why not and when, for a candidate.

    Every step of every campaign they are in, however far ahead; what was sent also says by which
    version of its files. With --words these are shown, as they were then. With --at it is what
    was on record at that instant: what waited, why, and until when.

    CANDIDATE is an id, an e-mail address or a number.
    """
    if (candidate is None) == (message_id is None):
        raise click.UsageError("name a candidate, or one mail with --message ID")
    if at is not None and message_id is not None:
        raise click.UsageError("--at is for a candidate; a mail has one story")
    seen: Outlook | Hindsight
    with opened() as project:
        who = candidate if message_id is None else _owner(project, message_id)
        if at is None:
            seen = _outlook(project, str(who), everything=True)
        else:
            seen = _hindsight(project, str(who), at)
    entries = [*seen.past, *seen.ahead]
    if message_id is not None:
        words, entries = True, [each for each in entries if each.message == message_id]
        if not entries:
            raise NurtureError(f"message {message_id} is not sent (`nurture explain {who}`)")
    if as_json:
        for entry in entries:
            json_line(_explained(entry, words=words))
        return
    _whose(seen)
    for campaign in dict.fromkeys(entry.campaign for entry in entries):
        say(f"\n{campaign}")
        for entry in entries:
            if entry.campaign == campaign:
                about = f" ({entry.application})" if entry.application else ""
                say(f"  {entry.step}{about}: {entry.sentence}")
                _sent_by(entry, seen.zone, words=words)


def _owner(project: Project, message_id: int) -> str:
    with project.database.read() as connection:
        ref = history.owner(connection, message_id)
    if ref is None:
        raise NurtureError(f"there is no message {message_id} (`nurture messages` lists them)")
    return ref


def _explained(entry: Entry, *, words: bool) -> dict[str, Any]:
    version = entry.version and entry.version.as_json(words=words)
    own = {"sentence": entry.sentence, "message": entry.message, "sent_by": version}
    return {**entry.as_json(), **own, "recorded_at": entry.recorded_at}


def _sent_by(entry: Entry, zone: ZoneInfo, *, words: bool) -> None:
    """The files of a mail, each with its version; with their words, as an editor shows them."""
    version = entry.version
    if version is None:
        return
    for passage in version.passages:
        since = f", since {when(passage.since, zone)}" if passage.since else ""
        say(f"      {passage.place} as of {passage.digest[:SHORT]}{since}")
        if words and passage is not version.layout:
            for number, line in passage.numbered():
                say(f"        {number:>4} | {line}".rstrip())


@click.command(epilog="Example: nurture messages --state held --since 2026-11-22")
@config_option
@click.option("--candidate", "who", metavar="ID", help="Id, e-mail or number.")
@click.option("--state", type=click.Choice([state.value for state in MessageState]))
@click.option("--since", type=Instant(), help="Made since this day or instant (ISO 8601; UTC).")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True)
@json_option
def messages(
    who: str | None, state: str | None, since: datetime | None, limit: int, as_json: bool
) -> None:
    """Every message and its state, newest first."""
    with opened() as project, project.database.read() as connection:
        candidate_id = candidate_of(connection, who).id if who is not None else None
        rows = history.message_rows(
            connection, candidate_id=candidate_id, state=state, since=since, limit=limit
        )
        if as_json:
            for row in rows:
                json_line({name: row["ref" if name == "candidate" else name] for name in _MESSAGE})
            return
    if not rows:
        say("no messages")
        return
    table(
        ("id", "candidate", "campaign", "step", "template", "category", "state", "made", "sent"),
        (
            (
                row["id"],
                row["ref"],
                row["campaign"],
                row["step"],
                row["template"],
                row["category"],
                f"{row['state']} ({row['reason']})" if row["reason"] else row["state"],
                when(row["created_at"], zone_in(row, project.config)),
                when(row["sent_at"], zone_in(row, project.config)),
            )
            for row in rows
        ),
    )


_MESSAGE = (
    *("id", "message_id", "candidate", "campaign", "step", "template", "category"),
    *("state", "created_at", "sent_at", "reason", "section"),
)


@click.command(epilog="Example: nurture status")
@config_option
@json_option
def status(as_json: bool) -> None:
    """Counts, campaigns, what is due, what is wrong."""
    with opened() as project:
        seen = _status(project)
    if as_json:
        json_line(seen)
        return
    say(f"candidates: {seen['candidates']}; open tasks: {seen['tasks']}")
    say(f"messages: {_counted(seen['messages'])}")
    say(f"waiting: {_counted(seen['waiting'])}")
    say(f"next work: {when(seen['next_due'], ZoneInfo('UTC')) or 'none'}{_overdue(seen)}\n")
    table(
        ("campaign", "status", "enrolled", "version", "title"),
        (
            (each["name"], each["status"], each["enrolled"], each["digest"][:12], each["title"])
            for each in seen["campaigns"]
        ),
    )
    if seen["processes"]:
        at_work = [
            f"{each['kind']} on {each['host']} ({each['pid']})" for each in seen["processes"]
        ]
        say(f"\nat work: {', '.join(at_work)}")
    for each in seen["scans"]:
        say(f"\n{each['campaign']}: looked at {each['seen']:,} of {each['total']:,} candidates")
    for each in seen["stopped"]:
        say(f"\n{stop_line(each)}")
    for each in seen["held"]:
        say(f"\n{held_line(each)}")
    for name in seen["missing"]:
        say(f"\nno good version of campaigns/{name}.yaml, and people are enrolled in it")
    for name in seen["pinned"]:
        say(f"\n{name}: filled in, one mail was wrong; each is inlined by itself until an edit")
    for problem in seen["problems"]:
        say(f"\n{problem['file']}:{problem['line']}:{problem['column']}: {problem['message']}")
    for ref, problem in seen["set_aside"].items():
        say(f"\nset aside: {ref}: {problem}")


def _status(project: Project) -> dict[str, Any]:
    with project.database.read() as connection:
        counts = history.counts(connection)
        due = planning.next_alarm(connection)
        at_work = presence.at_work(connection, project.clock.now())
    campaigns = project.library.campaigns
    return {
        "candidates": counts["candidates"],
        "tasks": counts["tasks"],
        "messages": counts["messages"],
        "waiting": counts["waiting"],
        "next_due": due,
        "overdue": due is not None and due <= project.clock.now(),
        "campaigns": [
            {
                "name": name,
                "title": each.title,
                "status": each.status.value,
                "enrolled": counts["enrolled"].get(name, 0),
                "digest": each.digest,
            }
            for name, each in sorted(campaigns.items())
        ],
        "processes": [
            {name: row[name] for name in ("kind", "host", "pid", "started_at", "seen_at")}
            for row in at_work
        ],
        "scans": [asdict(each) for each in project.planner.audiences.under_way()],
        "stopped": stops.listed(project.database),
        "held": project.planner.guard.listed(),
        "pinned": project.pins.listed(project.library.templates),
        "missing": sorted(counts["enrolled"].keys() - campaigns.keys()),
        "problems": [problem.as_json() for problem in project.library.problems],
        "set_aside": counts["set_aside"],
    }


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _overdue(seen: dict[str, Any]) -> str:
    return " (overdue: is `nurture run` running?)" if seen["overdue"] else ""


def _outlook(project: Project, who: str, *, everything: bool) -> Outlook:
    seen = outlook(project, who, None if everything else AHEAD)
    if seen is None:
        with project.database.read() as connection:
            raise nobody(connection, who)
    return seen


def _hindsight(project: Project, who: str, at: datetime) -> Hindsight:
    seen = hindsight(project, who, at)
    if seen is None:
        with project.database.read() as connection:
            raise nobody(connection, who)
    return seen


def _whose(seen: Outlook | Hindsight) -> None:
    person = seen.candidate
    name = " ".join(part for part in (person.first_name, person.last_name) if part)
    say(", ".join(part for part in (name, person.ref, person.email, seen.zone.key) if part))
    if isinstance(seen, Hindsight):
        say(f"as it stood {when(seen.at, seen.zone)}")
        if not (seen.past or seen.ahead):
            say("nothing had been decided about them by then")
        return
    if person.do_not_contact:
        say("must not be contacted")
    if person.suppressed:
        say(f"the address does not work: {person.suppressed}")
    if person.unsubscribed:
        say(f"unsubscribed from: {', '.join(sorted(person.unsubscribed))}")
    if not (seen.past or seen.ahead):
        say("in no campaign so far")


def _about(entry: Entry, zone: ZoneInfo) -> str:
    shown_at = when(entry.at, zone)
    return f"about {shown_at}" if entry.about and shown_at else shown_at
