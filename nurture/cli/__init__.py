"""What can people type? The commands, and how each of them ends: exit codes, one line an error.

Commands print values that the other rooms compute. Standard output carries what was asked for,
standard error everything else.
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

import click

from nurture import __version__
from nurture.cli import (
    approving,
    authoring,
    database,
    declining,
    doctor,
    editing,
    ending,
    gallery,
    intake,
    looking,
    operating,
    people,
    picture,
    previewing,
    requests,
    running,
    schemas,
    settling,
    silence,
    simulating,
    stopping,
    users,
)
from nurture.cli.printing import clean
from nurture.errors import NurtureError, Problems, UsageError

__all__ = ["main"]

#: A defect of Nurture itself; 128 + SIGINT for who pressed Ctrl-C (sysexits.h, POSIX shells).
DEFECT, INTERRUPTED = 70, 130


class Commands(click.Group):
    """A group whose every end is an exit code, and every error one line on standard error."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        def run() -> Any:
            return super(Commands, self).main(
                args, prog_name or "nurture", complete_var, standalone_mode=False, **extra
            )

        return sys.exit(_ended(run)) if standalone_mode else run()


@click.group("nurture", cls=Commands, epilog="Example: nurture run", no_args_is_help=False)
@click.version_option(__version__, prog_name="nurture", message="%(prog)s %(version)s")
def main() -> None:
    """The right mail at the right moment for every candidate.

    Every command works on the project of ./config.yaml, or of the one given with --config.
    Exit codes: 0 done, 1 problems in what was written, 2 wrong usage, 3 a part outside failed.
    """


for command in (
    running.run,
    running.plan,
    running.send,
    running.web,
    authoring.check,
    previewing.preview,
    gallery.gallery,
    schemas.schema,
    intake.import_,
    intake.events,
    looking.agenda,
    looking.explain,
    simulating.simulate_,
    picture.show,
    editing.diff,
    editing.apply,
    stopping.pause,
    stopping.resume,
    ending.end,
    looking.messages,
    looking.status,
    people.tasks,
    requests.requests,
    approving.approvals,
    approving.approve,
    approving.decline,
    settling.settle,
    silence.silence,
    silence.promises,
    declining.declines,
    doctor.doctor,
    operating.send_test,
    operating.backup,
    operating.restore,
    users.user,
    users.audit,
    database.db,
):
    main.add_command(command)


def _ended(run: Callable[[], Any]) -> int:
    """What `run` ends with, as an exit code; what went wrong is told."""
    try:
        code = run()
    except click.ClickException as error:
        return _told(_usage(error), error.exit_code)
    except click.Abort:
        return _told("nurture: interrupted", INTERRUPTED)
    except Problems as error:
        return _told(str(error), error.exit_code)
    except NurtureError as error:
        return _told(f"nurture: {_one_line(str(error))}", error.exit_code)
    except Exception as error:
        if os.environ.get("NURTURE_DEBUG"):
            traceback.print_exc()
        said = _one_line(f"{type(error).__name__}: {error}")
        hint = "set NURTURE_DEBUG=1 for the trace"
        return _told(f"nurture: internal error: {said} ({hint})", DEFECT)
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException) -> str:
    said = _one_line(error.format_message()).rstrip(".")
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
    return f"nurture: {said} (see `{where} --help`)" if where else f"nurture: {said}"


def _told(line: str, code: int) -> int:
    click.echo(line, err=True)
    return code


def _one_line(text: str) -> str:
    return clean(" ".join(text.split())) or UsageError.__name__
