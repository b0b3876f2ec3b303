"""What will happen in the next days? Printed, as JSON, or as a page."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from nurture.cli import report as pages
from nurture.cli.instants import Instant
from nurture.cli.printing import complain, json_line, progress, say, table, when
from nurture.cli.project import candidate_of, config_option, config_path, given, json_option, opened
from nurture.core.model import CampaignStatus
from nurture.engine.differences import compare
from nurture.engine.former import THE_DAEMONS, version_of
from nurture.engine.invented import with_invented_people
from nurture.engine.project import Project
from nurture.engine.report import Report, report
from nurture.engine.simulate import Course, Progress, Version, foretell
from nurture.errors import OutsideError, UsageError, shown
from nurture.positions import did_you_mean
from nurture.store import history


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is to be simulated."""

    days: int
    start: datetime | None
    campaign: str | None
    candidate: str | None
    against: str | None


@click.command("simulate", epilog="Example: nurture simulate --days 60 --html simulation.html")
@config_option
@click.option("--days", type=click.IntRange(1, 3660), default=30, show_default=True)
@click.option("--from", "start", type=Instant(), help="From when (ISO 8601; UTC); default now.")
@click.option("--campaign", metavar="NAME", help="Only the steps of this campaign.")
@click.option("--candidate", metavar="ID", help="Only this one: id, e-mail or number.")
@click.option(
    "--against",
    metavar="REV",
    help=f"What differs from `{THE_DAEMONS}` (what the daemon runs) or a Git revision.",
)
@click.option("--sample", is_flag=True, help="The invented people of sample/, and nobody else.")
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the result as a page.",
)
@json_option
def simulate_(page: Path | None, as_json: bool, sample: bool, **asked: Any) -> None:
    """The next days on an imagined clock.

    The engine itself, over a copy of the data: nothing is written, nothing is sent. The working
    files are simulated; --against shows who gets what, when, by them and not by others.
    """
    with opened() as project, _people(project, sample, asked["start"]) as peopled:
        seen = _report(peopled, _Asked(**asked))
    if page is not None:
        _write(page, pages.page(seen, about=_about(**asked)))
    if as_json:
        if seen.comparison is None:
            for line in seen.lines:
                json_line(line.row)
        for change in seen.changes:
            json_line(change.difference.as_json())
    elif page is not None:
        say(f"{seen.totals()}; written: {shown(page)}")
    elif seen.comparison is None:
        _tell(seen)
    else:
        _tell_differences(seen)


def _report(project: Project, asked: _Asked) -> Report:
    names = project.library.campaigns
    if asked.campaign is not None and asked.campaign not in names and asked.against is None:
        hint = did_you_mean(asked.campaign, sorted(names)) or f"there are {', '.join(names)}"
        raise UsageError(f'there is no campaign "{asked.campaign}" ({hint})')
    with project.database.read() as connection:
        who = candidate_of(connection, asked.candidate).id if asked.candidate else None
        people = history.candidate_data(connection)
    _warn(project, asked, people)

    def course(version: Version | None, told: Callable[[Progress], None]) -> Course:
        return foretell(
            project, asked.days, told, version=version, start=asked.start, candidate_id=who
        )

    if asked.against is None:
        with _bar(asked.days) as told:
            now = course(None, told)
        return report(now, project.config, people, campaign=asked.campaign)
    env = given().env
    where = os.environ if env is None else env
    with (
        version_of(project, asked.against, config_path().name, where) as other,
        _bar(asked.days, f" by {asked.against}") as told,
    ):
        before = course(other, told)
    with _bar(asked.days) as told:
        now = course(None, told)
    seen = compare(before, now, asked.against)
    return report(now, project.config, people, campaign=asked.campaign, comparison=seen)


@contextmanager
def _people(project: Project, sample: bool, start: datetime | None) -> Iterator[Project]:
    if not sample:
        yield project
        return
    with with_invented_people(project, start) as invented:
        yield invented


@contextmanager
def _bar(days: int, what: str = "") -> Iterator[Callable[[Progress], None]]:
    with progress(f"{days} days{what}") as advance:
        yield lambda at: advance(at.share)


def _warn(project: Project, asked: _Asked, people: Mapping[str, Any]) -> None:
    """What would make an empty or an old answer a riddle."""
    broken = sorted({each.file for each in project.library.problems if each.severity == "error"})
    if broken:
        complain(
            f"simulated with the last good version of {', '.join(broken)}: see `nurture check`"
        )
    if not people:
        complain("there are no candidates yet: --sample simulates the invented ones of sample/")
    campaign = project.library.campaigns.get(asked.campaign or "")
    if campaign is not None and campaign.status is not CampaignStatus.LIVE:
        complain(f"{campaign.name} is {campaign.status.value}: nobody gets anything of it")


def _about(campaign: str | None, candidate: str | None, **_rest: Any) -> str:
    parts = []
    if campaign is not None:
        parts.append(f"Only the campaign {campaign}, in the company of all others")
    if candidate is not None:
        parts.append(f"Only the candidate {candidate}")
    return ". ".join(parts)


def _tell(seen: Report) -> None:
    table(
        ("when", "candidate", "name", "campaign", "step", "category", "verdict", "why"),
        (
            (
                when(line.at, line.person.zone),
                line.person.ref,
                line.person.name,
                line.row["campaign"],
                line.row["step"],
                line.row["category"] or "",
                line.row["verdict"],
                line.said,
            )
            for line in seen.lines
        ),
    )
    say(f"\n{seen.days} days: {seen.totals()}. Nothing was written, nothing was sent.")


def _tell_differences(seen: Report) -> None:
    assert seen.comparison is not None  # noqa: S101 - asked for
    table(
        ("change", "candidate", "name", "campaign", "step", "before", "after"),
        (
            (
                change.difference.change,
                change.person.ref,
                change.person.name,
                change.difference.row["campaign"],
                change.difference.row["step"],
                change.before.said if change.before else "nothing",
                change.after.said if change.after else "nothing",
            )
            for change in seen.changes
        ),
    )
    if seen.changes:
        say("")
    say(pages.files(seen.comparison))
    if not seen.changes:
        say("The same people get the same at the same times.")
    if seen.comparison.reworded:
        say(f"{seen.comparison.reworded} mails go out as before with other words.")
    say(f"{seen.days} days: {seen.totals()}. Nothing was written, nothing was sent.")


def _write(page: Path, html: str) -> None:
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(html, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutsideError(f"{shown(page)} cannot be written: {error.strerror}") from error
