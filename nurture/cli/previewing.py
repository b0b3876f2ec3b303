"""What will a template look like? For one person, or all templates on pages of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from pathlib import Path

import click

from nurture.cli import gallery
from nurture.cli.instants import Instant
from nurture.cli.printing import json_line, progress, say
from nurture.cli.project import candidate_of, config_option, json_option, opened
from nurture.clock import SetClock
from nurture.core.model import Facts
from nurture.engine.fitting import Fitting, fittings
from nurture.engine.invented import with_invented_people
from nurture.engine.letters import NOBODYS, Preview
from nurture.engine.project import Project
from nurture.errors import OutsideError, UsageError, shown
from nurture.store import history
from nurture.store.reading import load

_LOOKED_AT = 500  #: candidates among whom somebody fitting is looked for


def _unless_all(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    if value is None and not context.params.get("every"):
        raise click.MissingParameter(ctx=context, param=option)
    return value


@click.command(epilog="Example: nurture preview interview-prep/confirmation --candidate c-17")
@config_option
@click.argument("template", required=False, callback=_unless_all)
@click.option(
    "--candidate", "who", metavar="ID", callback=_unless_all, help="Id, e-mail or number."
)
@click.option(
    "--all", "every", is_flag=True, is_eager=True, help="Every template in each of its languages."
)
@click.option("--sample", is_flag=True, help="With --all: the invented people of sample/.")
@click.option(
    "--from", "start", type=Instant(), help="With --all: as of when (ISO 8601; UTC); default now."
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the .html, .txt and .eml there; with --all pages and an index.",
)
@json_option
def preview(
    template: str | None,
    who: str | None,
    every: bool,
    sample: bool,
    start: datetime | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """A template for one candidate, as it would go out.

    Exactly as it would now: the sender uses the same rendering. Nothing is sent. Two that go as one
    mail are written A+B. With --all every
    template for somebody whom it fits, on pages with an index.
    """
    if every:
        if template is not None or out is None:
            raise UsageError("--all takes no TEMPLATE, and needs --out DIR")
        with opened() as project, _for_looking(project, sample, start) as shown_project:
            _all(shown_project, who, out, as_json)
        return
    if sample or start is not None:
        raise UsageError("--sample and --from belong to --all")
    assert template is not None  # noqa: S101 - asked for by `_unless_all`
    assert who is not None  # noqa: S101
    _one(template, who, out, as_json)


def _all(project: Project, who: str | None, out: Path, as_json: bool) -> None:
    with project.database.read() as connection:
        if who is not None:
            ids = [candidate_of(connection, who).id]
        else:
            ids = [row["id"] for row in history.candidate_rows(connection, limit=_LOOKED_AT)]
        facts = load(connection, ids)
    with progress("every template") as advance:
        index, shown_ones, missing = gallery.write(
            project, _told(project, [facts[id_] for id_ in ids], advance), out
        )
    if as_json:
        json_line({"index": shown(index), "shown": shown_ones, "missing": missing})
        return
    left = f", {missing} that nobody fits" if missing else ""
    say(f"{shown_ones} mails{left}; written: {shown(index)}")


def _told(
    project: Project, people: list[Facts], advance: Callable[[float], None]
) -> Iterator[Fitting]:
    for number, each in enumerate(fittings(project, people), 1):
        yield each
        advance(number / len(project.library.templates))


@contextmanager
def _for_looking(project: Project, sample: bool, start: datetime | None) -> Iterator[Project]:
    """The project whose mails may be passed around; invented people are only enrolled."""
    if not sample:
        clock = project.clock if start is None else SetClock(start)
        yield replace(project, signer=NOBODYS, clock=clock)
        return
    with with_invented_people(project, start) as invented:
        while invented.planner.tick():
            pass
        yield replace(invented, signer=NOBODYS)


def _one(template: str, who: str, out: Path | None, as_json: bool) -> None:
    with opened() as project:
        with project.database.read() as connection:
            candidate = candidate_of(connection, who)
            facts = load(connection, [candidate.id])[candidate.id]
        seen = project.letters.preview(template, facts)
    files = _write(seen, out, template.replace("/", "-")) if out is not None else []
    mail = message_from_bytes(seen.raw, policy=policy.default)
    if as_json:
        json_line(
            {
                "template": template,
                "candidate": candidate.ref,
                "category": seen.category,
                "subject": seen.rendered.subject,
                "preheader": seen.rendered.preheader,
                "headers": {name: str(value) for name, value in mail.items()},
                "text": seen.rendered.text,
                "html": seen.rendered.html,
                "files": [shown(file) for file in files],
            }
        )
        return
    for name, value in mail.items():
        say(f"{name}: {value}")
    say(f"\n{seen.rendered.text.rstrip()}")
    for file in files:
        say(f"\nwritten: {shown(file)}" if file is files[0] else f"written: {shown(file)}")


def _write(seen: Preview, folder: Path, name: str) -> list[Path]:
    parts = {
        "html": seen.rendered.html.encode(),
        "txt": seen.rendered.text.encode(),
        "eml": seen.raw,
    }
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, content in parts.items():
            file = folder / f"{name}.{suffix}"
            file.write_bytes(content)
            written.append(file)
    except OSError as error:
        raise OutsideError(f"{shown(folder)} cannot be written: {error.strerror}") from error
    return written
