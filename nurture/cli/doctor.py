"""Is this fit to send? Asked before going live, and whenever something seems wrong."""

from collections.abc import Iterator

import click

from nurture.authoring.check import check_all
from nurture.cli.printing import json_line, say
from nurture.cli.project import clock, config_option, config_path, environment, json_option
from nurture.config import Config, load_config
from nurture.delivery.names import Dns
from nurture.engine import doctor as look
from nurture.engine.doctor import Finding, Level
from nurture.errors import NurtureError, OutsideError, Problems
from nurture.rendering.broad_reasons import load_reasons
from nurture.wiring import open_database, var

_MARKS = {Level.OK: "ok", Level.WARNING: "warning", Level.PROBLEM: "PROBLEM"}


@click.command(epilog="Example: nurture doctor --json")
@config_option
@json_option
def doctor(as_json: bool) -> int:
    """Is this fit to send? Looks at everything that mail needs, and sends nothing.

    Exit code 1: something is wrong; 3: a part outside (database, mail server) cannot be reached.
    """
    worst, outside = Level.OK, False
    for finding in _findings():
        if as_json:
            json_line(finding.as_json())
        else:
            _tell(finding)
        if finding.level is Level.PROBLEM:
            worst, outside = Level.PROBLEM, outside or finding.outside
        elif finding.level is Level.WARNING and worst is Level.OK:
            worst = Level.WARNING
    if not as_json:
        said = {Level.OK: "fit to send", Level.WARNING: "fit to send, with warnings"}
        say(f"\n{said.get(worst, 'not fit to send')}")
    if worst is not Level.PROBLEM:
        return 0
    return 3 if outside else 1


def _tell(finding: Finding) -> None:
    say(f"{_MARKS[finding.level]:8} {finding.check}: {finding.said}")
    if finding.hint:
        say(f"{'':8}   -> {finding.hint}")


def _findings() -> Iterator[Finding]:
    """Config first: without it there is nothing else to look at."""
    path, env = config_path(), environment()
    yield from _of_files()
    try:
        config = load_config(path, env)
    except Problems as error:
        yield look.problem("config", f"{len(error.problems)} problems in it", "`nurture check`")
        return
    yield look.of_secret(var(config), bool(env.get("NURTURE_SECRET")))
    yield from _of_database(config)
    yield from look.of_transport(config)
    yield from look.of_domain(config, Dns())
    yield look.of_public_url(config)
    yield look.of_daemon(config)


def _of_files() -> Iterator[Finding]:
    try:
        found = check_all(config_path(), environment())
    except NurtureError as error:
        yield look.problem("files", str(error), "`nurture check`")
        return
    errors = sum(each.severity == "error" for each in found)
    if errors:
        yield look.problem("files", f"{errors} problems in files", "`nurture check` names them")
    elif found:
        yield look.warning("files", f"{len(found)} warnings in files", "`nurture check`")
    else:
        yield look.ok("files", "config, campaigns, templates and content have no problems")
    for each in found:
        if each.code == "stale-text":
            yield look.warning("fresh texts", f"{each.file}: {each.message}", each.hint)


def _of_database(config: Config) -> Iterator[Finding]:
    try:
        database = open_database(config)
    except OutsideError as error:
        yield look.problem("database", str(error), "mend its address", outside=True)
        return
    try:
        reasons, _ = load_reasons(config.root, ())  # what is wrong with it is told with the files
        yield from look.of_database(database, clock().now(), reasons)
    finally:
        database.close()
