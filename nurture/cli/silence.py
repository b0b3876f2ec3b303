"""Who waits for word from us, and what do we owe whom?"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from nurture.cli.printing import json_line, name_of, say, table, when, zone_in
from nurture.cli.project import config_option, json_option, opened
from nurture.engine import silence as reports
from nurture.engine.project import Project
from nurture.errors import OutsideError, shown

_LIMIT = click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="How many, worst first."
)


@click.command(epilog="Example: nurture silence --limit 20")
@config_option
@_LIMIT
@click.option(
    "--proof",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Write who was told in time after an interview, and how.",
)
@json_option
def silence(limit: int, proof: Path | None, as_json: bool) -> None:
    """Who waits longest for word from us, worst first.

    Hours until the ceiling of their stage (`silence` in config.yaml) is broken; below zero it is.
    """
    with opened() as project:
        if proof is not None:
            _prove(project, proof)
            return
        rows = reports.waiting(project)
        if as_json:
            for row in rows[:limit]:
                told = asdict(row)
                del told["person"]
                json_line(told)
            return
        table(
            ("hours", "candidate", "name", "application", "stage", "owner", "due", "last", "state"),
            ([f"{row.hours:+.1f}", *_waits(row, project)] for row in rows[:limit]),
        )
    _more(len(rows), limit, "nobody waits")


def _waits(row: reports.Waiting, project: Project) -> list[Any]:
    zone = zone_in({"ref": row.candidate, "data": row.person}, project.config)
    state = ["not told yet"] if row.to_be_told else []
    state += [f"{row.tasks} open task{'s' if row.tasks > 1 else ''}"] if row.tasks else []
    return [
        row.candidate,
        name_of(row.person),
        row.application,
        row.stage,
        row.owner,
        when(row.due_at, zone),
        when(row.last_contact_at, zone),
        ", ".join(state),
    ]


def _prove(project: Project, path: Path) -> None:
    rows = list(reports.proof(project))
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            count = reports.write_proof(rows, file)
    except OSError as error:
        raise OutsideError(f"{shown(path)} cannot be written: {error.strerror}") from error
    late = sum(row["met"] == "no" for row in rows)
    say(f"{count} interviewed, {late} not told in time: {shown(path)}")


@click.command(epilog="Example: nurture promises --summary")
@config_option
@click.option("--all", "everything", is_flag=True, help="Also those that are settled.")
@click.option("--summary", is_flag=True, help="Counts by recruiter and job, of all there were.")
@_LIMIT
@json_option
def promises(everything: bool, summary: bool, limit: int, as_json: bool) -> None:
    """What we owe to candidates, worst first.

    Hours until it is due; below zero it slipped.
    """
    with opened() as project:
        rows = reports.promised(project, everything=everything or summary)
        if summary:
            _scores(reports.scores(rows), limit, as_json=as_json)
            return
        if as_json:
            for row in rows[:limit]:
                told = asdict(row)
                del told["person"]
                json_line(told)
            return
        table(
            ("hours", "due", "candidate", "name", "application", "owner", "status", "what"),
            ([f"{row.hours:+.1f}", *_owes(row, project)] for row in rows[:limit]),
        )
    _more(len(rows), limit, "no promises" if everything else "no open promises")


def _owes(row: reports.Owed, project: Project) -> list[Any]:
    zone = zone_in({"ref": row.candidate, "data": row.person}, project.config)
    return [
        when(row.due_at, zone),
        row.candidate,
        name_of(row.person),
        row.application,
        row.owner,
        row.status,
        row.what,
    ]


def _scores(rows: list[reports.Score], limit: int, *, as_json: bool) -> None:
    if as_json:
        for row in rows[:limit]:
            json_line(asdict(row))
        return
    table(
        ("slipped", "open", "kept", "broken", "owner", "job"),
        ((row.slipped, row.open, row.kept, row.broken, row.owner, row.job) for row in rows[:limit]),
    )
    _more(len(rows), limit, "no promises")


def _more(count: int, limit: int, none: str) -> None:
    if not count:
        say(none)
    elif count > limit:
        say(f"... and {count - limit} more (--limit)")
