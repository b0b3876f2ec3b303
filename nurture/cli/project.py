"""Which project does a command work on? The folder of the config.yaml in use, opened and closed."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from nurture.clock import Clock, SystemClock
from nurture.config import Config, load_config
from nurture.core.model import Candidate
from nurture.engine.project import Project
from nurture.errors import NurtureError, UsageError, shown
from nurture.positions import did_you_mean
from nurture.store import history
from nurture.store.database import Connection
from nurture.store.facts import find_candidate
from nurture.wiring import open_project

DEFAULT = Path("config.yaml")
_KEY = "nurture.config"

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class Given:
    """What stands in for the machine's own clock and environment; a command's `obj`."""

    clock: Clock | None = None
    env: Mapping[str, str] | None = None


def config_option(command: Command) -> Command:
    """`--config PATH`; a subcommand has it from the command before it."""
    return click.option(
        "--config",
        metavar="PATH",
        type=click.Path(dir_okay=False, exists=True, path_type=Path),
        callback=_remember,
        expose_value=False,
        help="The project's config.yaml; default ./config.yaml.",
    )(command)


def json_option(command: Command) -> Command:
    return click.option(
        "--json", "as_json", is_flag=True, help="JSON, one object a line, and nothing else."
    )(command)


def _remember(context: click.Context, _option: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.meta[_KEY] = value


def config_path() -> Path:
    """Raises UsageError where there is no project."""
    path: Path = click.get_current_context().meta.get(_KEY, DEFAULT)
    if not path.exists() and not path.with_name("campaigns").is_dir():
        raise UsageError(
            f"there is neither {shown(path)} nor a folder campaigns/ here: go to the project's"
            " folder, or name its configuration with --config PATH"
        )
    return path


def given() -> Given:
    return click.get_current_context().find_object(Given) or Given()


def clock() -> Clock:
    return given().clock or SystemClock()


def configured() -> Config:
    """The configuration alone: nothing is opened."""
    return load_config(config_path(), environment())


def environment() -> Mapping[str, str]:
    env = given().env
    return os.environ if env is None else env


@contextmanager
def opened() -> Iterator[Project]:
    """The project of this command, closed when it is done."""
    project = open_project(config_path(), given().clock, given().env)
    try:
        yield project
    finally:
        project.close()


def candidate_of(connection: Connection, who: str) -> Candidate:
    """The candidate of this ref, e-mail address or number. Raises NurtureError: nobody."""
    candidate = find_candidate(connection, who)
    if candidate is None:
        raise nobody(connection, who)
    return candidate


def nobody(connection: Connection, who: str) -> NurtureError:
    refs = [row["ref"] for row in history.candidate_rows(connection, limit=1000)]
    hint = did_you_mean(who, refs) or "by id, address or number; `nurture status` counts them"
    return NurtureError(f'there is no candidate "{who}" ({hint})')
