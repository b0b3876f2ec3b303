"""Why do candidates say no to us?"""

from dataclasses import asdict

import click

from nurture.cli.printing import json_line, say, table
from nurture.cli.project import config_option, json_option, opened
from nurture.engine.declines import declined


@click.command(epilog="Example: nurture declines --days 90")
@config_option
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How far back."
)
@json_option
def declines(days: int, as_json: bool) -> None:
    """Why candidates withdrew or declined an offer, by job: the one with the most first."""
    with opened() as project:
        rows = declined(project, days)
    if as_json:
        for row in rows:
            json_line(asdict(row))
        return
    table(
        ("people", "job", "how", "last", "reason"),
        (
            (row.count, row.job, row.how, f"{row.last_at:%Y-%m-%d}", row.reason or "nobody said")
            for row in rows
        ),
    )
    if not rows:
        say(f"nobody said no in {days} days")
