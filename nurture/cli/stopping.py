"""How is mail stopped in an emergency, and how does it go on? `pause` and `resume`."""

from zoneinfo import ZoneInfo

import click

from nurture.cli.editing import login
from nurture.cli.printing import json_line, say
from nurture.cli.project import candidate_of, config_option, json_option, opened
from nurture.cli.recorded import recorded
from nurture.engine import stops
from nurture.engine.project import Project
from nurture.engine.stops import called, stop_line
from nurture.errors import NurtureError, UsageError
from nurture.positions import did_you_mean
from nurture.store import stops as rows
from nurture.store.database import Connection
from nurture.store.stops import CAMPAIGN, CANDIDATE, EVERYTHING, JOB, SCOPES

_JOBS = 1000  # that are looked through for one that was meant

_what = click.argument("what", type=click.Choice(SCOPES), required=False)
_which = click.argument("which", metavar="[ID]", required=False)
_by = click.option("--by", metavar="NAME", help="Who says so; default your login name.")


@click.command(
    epilog='Example: nurture pause campaign welcome --why "wrong date" --by ida@example.com'
)
@config_option
@_what
@_which
@click.option("--why", metavar="TEXT", default="", help="What is wrong; shown wherever it waits.")
@_by
@json_option
def pause(what: str | None, which: str | None, why: str, by: str | None, as_json: bool) -> None:
    """Stop mail: of a candidate, a job, a campaign, or everything; or list what is stopped.

    Obeyed within a second, by every process, also by one that is just sending. What is stopped
    waits and is not lost. `nurture resume` lifts it.
    """
    with opened() as project:
        zone = ZoneInfo(project.config.timezone)
        if what is not None:
            scope, ref, number = _meant(project, what, which, must_exist=True)
            now = project.clock.now()
            said = " ".join(why.split())
            who = by or login()
            with project.database.write() as connection:
                new = stops.pause(connection, scope, ref, why=said, by=who, now=now)
                if new:
                    _record(project, connection, "pause", scope, ref, number, who)
        elif which is not None or why or by:
            raise UsageError(f"pause what? {', '.join(SCOPES)}")
        listed = stops.listed(project.database)
    if what is not None:
        listed = [each for each in listed if (each["scope"], each["ref"]) == (scope, ref)]
        if not new and not as_json:
            say("it is stopped already:")
    if as_json:
        for each in listed:
            json_line(each)
    elif listed:
        for each in listed:
            say(stop_line(each, zone))
    else:
        say("nothing is stopped")


@click.command(epilog="Example: nurture resume campaign welcome --by ida@example.com")
@config_option
@_what
@_which
@_by
def resume(what: str | None, which: str | None, by: str | None) -> None:
    """Let go on what `nurture pause`, or a guardrail, has stopped.

    Where more people than release_at_most would get mail at once, it is held for `nurture apply`.
    """
    if what is None:
        raise UsageError(f"resume what? {', '.join(SCOPES)}; `nurture pause` lists what is stopped")
    with opened() as project:
        scope, ref, candidate_id = _meant(project, what, which, must_exist=False)
        who, now = by or login(), project.clock.now()
        with project.database.write() as connection:
            found = stops.resume(connection, scope, ref, candidate_id=candidate_id, by=who, now=now)
            _record(project, connection, "resume", found.scope, found.ref, candidate_id, who)
    say(f"{called(found.scope, found.ref)} goes on")


def _record(
    project: Project,
    connection: Connection,
    action: str,
    scope: str,
    ref: str | None,
    candidate_id: int | None,
    by: str,
) -> None:
    about = f"{scope}:{ref}" if ref is not None else scope
    recorded(project, connection, action, by, candidate_id=candidate_id, about=about)


def _meant(
    project: Project, what: str, which: str | None, *, must_exist: bool
) -> tuple[str, str | None, int | None]:
    """Scope, name and, of a candidate, the number. A name that nobody knows stops nothing, which
    has to be said at once."""
    if what == EVERYTHING:
        if which is not None:
            raise UsageError("`everything` has no name after it")
        return what, None, None
    if which is None:
        raise UsageError(f"which {what}?")
    with project.database.read() as connection:
        if what == CANDIDATE:
            candidate = candidate_of(connection, which)
            return what, candidate.ref, candidate.id
        if not must_exist:
            return what, which, None
        if what == JOB and not rows.is_job(connection, which):
            hint = did_you_mean(which, rows.jobs_in_use(connection, _JOBS))
            raise NurtureError(f'there is no job "{which}" ({hint or "as its events call it"})')
        if what == CAMPAIGN:
            known = {*project.library.campaigns, *rows.campaigns_with_people(connection)}
            if which not in known:
                hint = did_you_mean(which, known) or f"there are: {', '.join(sorted(known))}"
                raise NurtureError(f'there is no campaign "{which}" ({hint})')
    return what, which, None
