"""What does an edit do, before it is saved and after? `diff` and `apply`."""

import getpass
import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click

from nurture.cli.printing import complain, json_line, progress, say, table, when
from nurture.cli.project import config_option, json_option, opened
from nurture.cli.recorded import recorded
from nurture.config import parse_length
from nurture.engine import edits
from nurture.engine.held import about, held_line
from nurture.engine.project import Project
from nurture.errors import NurtureError, UsageError
from nurture.positions import did_you_mean

_SHORT = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Length(click.ParamType[timedelta]):
    """`3 days`, `6 hours`, or short: `3d`, `6h`."""

    name = "length"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        short = re.fullmatch(r"(\d+) *([mhdw])", value.strip())
        try:
            length = parse_length(f"{short[1]} {_SHORT[short[2]]}" if short else value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not timedelta() < length <= timedelta(days=366):
            self.fail("more than nothing, and at most a year", param, ctx)
        return length


@click.command(epilog="Example: nurture diff")
@config_option
@json_option
def diff(as_json: bool) -> None:
    """What the files would change for people under way.

    Compares campaigns and templates as they are now with those in force. Writes nothing.
    Exit code 1 if a file has problems; the last good version of it is compared.
    """
    with opened() as project:
        problems = [each for each in project.library.problems if each.severity == "error"]
        for problem in problems:
            complain(str(problem))
        with progress("comparing") as done:
            found = edits.compare(project, done)
        zone = ZoneInfo(project.config.timezone)
        at_most = project.config.release_at_most
    if as_json:
        for each in found:
            json_line(each.as_json())
    elif found:
        for each in found:
            _tell(each, zone, at_most)
    else:
        say("nothing: the files are as they are in force")
    if problems:
        raise SystemExit(1)


def _tell(edit: edits.Edit, zone: ZoneInfo, at_most: int | str) -> None:
    say(f"\n{edit.campaign} ({edit.kind})")
    for change in edit.changes:
        say(f"  {change.text}")
    say(f"  people enrolled: {edit.enrolled}; touched: {edit.affected}")
    if edit.due_at_once:
        limit = (
            f"release_at_most ({at_most}{f', here {edit.limit}' if at_most != edit.limit else ''})"
        )
        what = "is more" if edit.held else "is not more"
        then = ": it would be held" if edit.held else ""
        say(f"  due at once: for {edit.due_at_once} people, which {what} than {limit}{then}")
    if edit.moves:
        say(f"  the next mail moves (times in {zone.key}):")
        table(
            ("candidate", "from", "", "to", ""),
            (
                (
                    move.candidate,
                    when(move.was_at, zone) or "-",
                    move.was_step or "",
                    "now" if move.due else when(move.at, zone) or "-",
                    move.step or "",
                )
                for move in edit.moves
            ),
        )
        if edit.more:
            say(f"  and for {edit.more} more")


@click.command(epilog='Example: nurture apply --spread "3 days" welcome')
@config_option
@click.argument("campaigns", metavar="[CAMPAIGN]...", nargs=-1)
@click.option("--release", is_flag=True, help="Let what is held go.")
@click.option("--spread", type=Length(), help="Let it go little by little, within so long.")
@click.option("--by", metavar="NAME", help="Who says so; default your login name.")
@json_option
def apply(
    campaigns: tuple[str, ...],
    release: bool,
    spread: timedelta | None,
    by: str | None,
    as_json: bool,
) -> None:
    """What is held because it makes much due at once; or let it go.

    Without an option it lists what is held. With --release or --spread it is let go: of these
    CAMPAIGNs, or all.
    """
    if release and spread is not None:
        raise UsageError("--release or --spread, not both")
    with opened() as project:
        listed = project.planner.guard.listed()
        chosen = _chosen(listed, campaigns)
        if release or spread is not None:
            _let_go(project, chosen, by or login(), spread)
            chosen = [each for each in project.planner.guard.listed() if each in chosen or spread]
    if as_json:
        for each in chosen:
            json_line(each)
    elif release or spread is not None:
        return
    elif chosen:
        for each in chosen:
            say(held_line(each))
    else:
        say("nothing is held")


def _chosen(listed: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    known = {each["campaign"]: each for each in listed}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or (
                f"held: {', '.join(known)}" if known else "nothing is held"
            )
            raise NurtureError(f'nothing of "{name}" is held ({hint})')
    return [known[name] for name in dict.fromkeys(names)] if names else listed


def _let_go(
    project: Project, chosen: list[dict[str, Any]], by: str, spread: timedelta | None
) -> None:
    if not chosen:
        say("nothing is held")
        return
    names = [each["campaign"] for each in chosen]
    project.planner.guard.apply(names, by=by, now=project.clock.now(), spread=spread)
    with project.database.write() as connection:
        for name in names:
            how_long = None if spread is None else str(spread)
            recorded(project, connection, "release", by, about=f"campaign:{name}", spread=how_long)
    for each in chosen:
        how = "goes out by and by" if spread else "goes out"
        say(f"{about(each)}: {how} (by {by})")


def login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user, as in some containers
        return "unknown"
