"""How does a campaign come to its end for everybody in it? `end`."""

from collections.abc import Iterator
from datetime import datetime

import click

from nurture.cli.editing import login
from nurture.cli.printing import counting, say
from nurture.cli.project import config_option, opened
from nurture.cli.recorded import recorded
from nurture.errors import NurtureError
from nurture.intake.apply import apply_all
from nurture.intake.events import IncomingEvent, parse_event
from nurture.positions import did_you_mean
from nurture.store.census import enrolled_in
from nurture.store.stops import campaigns_with_people


@click.command(
    epilog='Example: nurture end old-welcome --why "the new one is live" --by ida@example.com'
)
@config_option
@click.argument("campaign")
@click.option("--why", metavar="TEXT", required=True, help="Kept on record with each of them.")
@click.option("--by", metavar="NAME", help="Who says so; default your login name.")
@click.option("--dry-run", is_flag=True, help="Say how many there are, and end nothing.")
def end(campaign: str, why: str, by: str | None, dry_run: bool) -> None:
    """Take everybody out of a campaign, for good: one whose file is gone, above all.

    Nothing more of it is sent to those who are in it now. It can be entered again while its file
    is live; to let nobody in, write `status: ended` into the file.
    """
    with opened() as project:
        with project.database.read() as connection:
            known = campaigns_with_people(connection)
            refs = enrolled_in(connection, campaign)
        if not refs:
            hint = did_you_mean(campaign, known) or f"people are in: {', '.join(sorted(known))}"
            raise NurtureError(f'nobody is in a campaign "{campaign}" ({hint})')
        if dry_run:
            say(f"{len(refs)} people would leave {campaign}")
            return
        now = project.clock.now()
        by = by or login()
        told = {"campaign": campaign, "by": by, "reason": " ".join(why.split())}
        with counting(f"end {campaign}") as progress:
            apply_all(project.database, _left(refs, told, now), now, progress=progress)
        with project.database.write() as connection:
            about, many = f"campaign:{campaign}", len(refs)
            recorded(project, connection, "end", told["by"], about=about, people=many)
    say(f"{len(refs)} people leave {campaign}: `nurture run` sees to it at once")


def _left(refs: list[str], told: dict[str, str], now: datetime) -> Iterator[IncomingEvent]:
    told = {"type": "campaign.left", "source": "end", "occurred_at": now.isoformat(), **told}
    return (parse_event({**told, "candidate": {"id": ref}}) for ref in refs)
