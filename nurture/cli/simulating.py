"""What will happen in the next days? Printed, as JSON, or as a page."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from nurture.cli import report
from nurture.cli.printing import json_line, name_of, progress, say, table, when, zone_in
from nurture.cli.project import config_option, json_option, opened
from nurture.core.model import Reason, Verdict
from nurture.core.reasons import sentence
from nurture.engine.project import Project
from nurture.engine.simulate import Progress, simulate
from nurture.errors import OutsideError, shown
from nurture.store import history


@click.command("simulate", epilog="Example: nurture simulate --days 60 --html simulation.html")
@config_option
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result as a page.",
)
@json_option
def simulate_(days: int, page: Path | None, as_json: bool) -> None:
    """The next days on an imagined clock.

    The engine itself, over a copy of the data: nothing is written, nothing is sent.
    """
    with opened() as project:
        with progress(f"{days} days") as advance:

            def told(at: Progress) -> None:
                advance(at.share)

            rows = list(simulate(project, days, told))
        if page is None and as_json:
            for row in rows:
                json_line(row)
            return
        lines = list(_simulated(project, rows))
    if page is not None:
        _write(page, report.page(days, _COLUMNS, lines, _totals(rows)))
    if as_json:
        for row in rows:
            json_line(row)
        return
    if page is not None:
        say(f"{_totals(rows)}; written: {shown(page)}")
        return
    table(_COLUMNS, lines)
    say(f"\n{days} days: {_totals(rows)}. Nothing was written, nothing was sent.")


_COLUMNS = ("when", "candidate", "name", "campaign", "step", "category", "verdict", "why")


def _simulated(project: Project, rows: Iterable[dict[str, Any]]) -> Iterable[tuple[str, ...]]:
    with project.database.read() as connection:
        about = history.candidate_data(connection)
    for row in rows:
        data = about.get(row["candidate"], {})
        zone = zone_in({"ref": row["candidate"], "data": data}, project.config)
        at = datetime.fromisoformat(row["at"])
        verdict, reason = Verdict(row["verdict"]), Reason(row["reason"])
        why = sentence(verdict, reason, row["detail"], at=at, zone=zone)
        yield (
            when(at, zone),
            row["candidate"],
            name_of(data),
            row["campaign"],
            row["step"],
            row["category"] or "",
            row["verdict"],
            why,
        )


def _totals(rows: Iterable[dict[str, Any]]) -> str:
    count = Counter(row["verdict"] for row in rows)
    return f"{count['send']} mails, {count['task']} tasks, {count['skip']} skipped"


def _write(page: Path, html: str) -> None:
    try:
        page.write_text(html, encoding="utf-8")
    except OSError as error:
        raise OutsideError(f"{shown(page)} cannot be written: {error.strerror}") from error
