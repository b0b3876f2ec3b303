"""How do facts come in by hand? Files of candidates, and lines of events."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from nurture.cli.printing import complain, counting, say
from nurture.cli.project import config_option, opened
from nurture.errors import OutsideError, Problem, shown
from nurture.intake.apply import Counts, apply_all
from nurture.intake.csv_file import ImportReport, import_csv, read_mapping
from nurture.intake.events import read_events

_STDIN = Path("-")


@click.command("import", epilog="Example: nurture import candidates.csv --dry-run")
@config_option
@click.argument("file", metavar="FILE.csv", type=click.Path(exists=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option(
    "--map",
    "mapping",
    metavar="MAP.yaml",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the file's own headers and dates mean.",
)
@click.option("--live", is_flag=True, help="Let the rows start campaigns; otherwise none does.")
def import_(file: Path, dry_run: bool, mapping: Path | None, live: bool) -> int:
    """Take in candidates from a CSV file.

    One row is a candidate, or one application of a candidate.

    Historical unless --live: nobody gets mail because of it. Rows that cannot be used are left
    out, and kept in a file under var/rejected/ with the reason; the exit code is then 1.
    """
    meant = read_mapping(mapping) if mapping is not None else None
    with opened() as project, counting(f"import {file.name}") as progress:
        now = project.clock.now()
        report = import_csv(
            project.database,
            file,
            now,
            dry_run=dry_run,
            live=live,
            mapping=meant,
            rejected=project.config.var / "rejected" / f"{file.stem}-{now:%Y%m%dT%H%M%SZ}.csv",
            progress=progress,
        )
    _report(report.warnings, report.rejected)
    _imported(report, file, dry_run=dry_run)
    return 1 if report.rejected else 0


def _imported(report: ImportReport, file: Path, *, dry_run: bool) -> None:
    read = ", ".join(f"{header} as {field}" for header, field in report.columns.items() if field)
    left = [header for header, field in report.columns.items() if not field]
    say(f"{file.name}: {report.encoding}; {read}")
    if left:
        say(f"columns left out: {', '.join(left)}")
    would = "would be " if dry_run else ""
    say(
        f"candidates: {report.created} {would}new, {report.updated} {would}updated,"
        f" {report.unchanged} unchanged; rows left out: {len(report.rejected)}"
    )
    if report.rejected_file is not None:
        say(f"rows left out are in {shown(report.rejected_file)}")


@click.command(epilog="Example: nurture events today.jsonl   (or: ... | nurture events -)")
@config_option
@click.argument(
    "file", metavar="FILE.jsonl", type=click.Path(exists=True, allow_dash=True, path_type=Path)
)
def events(file: Path) -> int:
    """Take in events, one JSON object a line.

    FILE may be - for standard input. Good lines are taken whatever the others are; bad ones are
    told with their numbers, and the exit code is then 1. The same event twice counts once.
    """
    name = "standard input" if file == _STDIN else shown(file)
    with ExitStack() as stack:
        project = stack.enter_context(opened())
        try:
            stream = stack.enter_context(click.open_file(str(file), encoding="utf-8"))
        except OSError as error:
            raise OutsideError(f"{name} cannot be read: {error.strerror}") from error
        progress = stack.enter_context(counting(f"events {name}"))
        counts = apply_all(
            project.database, read_events(stream, name), project.clock.now(), progress=progress
        )
    _report(counts.problems, ())
    say(_taken(counts))
    return 1 if any(problem.severity == "error" for problem in counts.problems) else 0


def _taken(counts: Counts) -> str:
    refused = sum(problem.severity == "error" for problem in counts.problems)
    return (
        f"events: {counts.applied} taken ({counts.created} new candidates,"
        f" {counts.unchanged} told nothing new), {counts.duplicates} known already,"
        f" {refused} problems"
    )


def _report(warnings: Sequence[Problem], problems: Sequence[Problem]) -> None:
    for problem in (*warnings, *problems):
        complain(str(problem))
