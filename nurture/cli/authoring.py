"""Is what people wrote right?"""

import os
import sys
from pathlib import Path
from typing import Literal

import click

from nurture.authoring.check import check_all
from nurture.authoring.codes import explain, near, overview, page
from nurture.authoring.telling import Style, format_problems
from nurture.cli.printing import say
from nurture.cli.project import config_option, config_path, environment
from nurture.errors import Problem, UsageError


@click.command(epilog="Example: nurture check campaigns/interview-preparation.yaml")
@config_option
@click.argument(
    "paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    help="For people, as JSON lines, or as annotations of a GitHub workflow.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours; auto: on a terminal, unless NO_COLOR is set.",
)
@click.option("--explain", "code", metavar="CODE", help="What a problem's code means; all: each.")
def check(
    paths: tuple[Path, ...],
    style: Style,
    as_json: bool,
    color: Literal["auto", "always", "never"],
    code: str | None,
) -> int:
    """Every problem in configuration and campaigns.

    Their templates included. With PATHs only the problems of those files and folders. The exit
    code is 1 if there is an error; warnings alone leave it 0.
    """
    if code is not None:
        say(_explained(code))
        return 0
    found = check_all(config_path(), environment())
    within = [_real(path) for path in paths]
    found = [each for each in found if not within or _is_within(each, within)]
    if found:
        colour = color == "always" or (color == "auto" and _is_colourful())
        told = format_problems(found, "json" if as_json else style, colour=colour)
        click.echo(told, color=colour)  # it has no control characters but its own colours
    elif style == "text" and not as_json:
        say("no problems")
    return 1 if any(problem.severity == "error" for problem in found) else 0


def _explained(code: str) -> str:
    if code in ("all", "page"):
        return overview() if code == "all" else page().rstrip("\n")
    told = explain(code)
    if told is None:
        raise UsageError(f'there is no code "{code}"; {near(code)}')
    return told


def _is_colourful() -> bool:
    """Whether colours are welcome: https://no-color.org."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _real(path: Path) -> Path:
    """Where it really is; of a link to itself, where the link is."""
    return Path(os.path.realpath(path))


def _is_within(problem: Problem, paths: list[Path]) -> bool:
    file = _real(Path(problem.file))
    return any(file == path or path in file.parents for path in paths)
