"""How do all templates look, side by side? A folder of pages that open anywhere."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from nurture.cli import gallery_pages
from nurture.cli.gallery_pages import Shown
from nurture.cli.instants import Instant
from nurture.cli.printing import json_line, progress, say
from nurture.cli.project import candidate_of, config_option, json_option, opened
from nurture.clock import SetClock
from nurture.engine.gallery import Portrait, by_name, portraits
from nurture.engine.project import Project
from nurture.engine.sitters import Sitter, of_their_own, sitters
from nurture.errors import OutsideError, shown
from nurture.rendering.anatomy import in_scheme
from nurture.store.reading import load

#: How a mail is shown, and what its file is called.
SCHEMES = ("light", "dark")


@click.command(epilog="Example: nurture gallery --out gallery")
@config_option
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Where the pages go; DIR/index.html is the first.",
)
@click.option(
    "--candidate", "who", metavar="ID", help="One of your candidates, instead of the three."
)
@click.option("--from", "start", type=Instant(), help="As of when (ISO 8601; UTC); default now.")
@json_option
def gallery(out: Path, who: str | None, start: datetime | None, as_json: bool) -> None:
    """Every template on pages of its own, to look at and hand around.

    Each in every language and form of address, at a desk, on a phone, by dark and as plain text,
    for three invented people: one of whom everything is known, one of whom nearly nothing is, one
    with long names. It is the sender's own rendering. Nothing is sent, nothing is loaded, and no
    link leads anywhere.
    """
    with opened() as found:
        project = found if start is None else replace(found, clock=SetClock(start))
        people = sitters(project.clock.now()) if who is None else (_own(project, who),)
        with progress("every template") as advance:
            all_of_it = list(_shown(project, people, out, advance))
        index = _write(out / "index.html", gallery_pages.index(project, people, all_of_it))
        for each in all_of_it:
            _write(out / each.page, gallery_pages.page(project, each, all_of_it))
    mails = [one for each in all_of_it for one in each.portraits]
    there = sum(one.preview is not None for one in mails)
    told = {
        "index": shown(index),
        "templates": len(all_of_it),
        "versions": sum(len(each.versions) for each in all_of_it),
        "mails": there,
        "missing": len(mails) - there,
    }
    if as_json:
        json_line(told)
        return
    left = f", {told['missing']} that cannot be written" if told["missing"] else ""
    say(f"{told['templates']} templates, {there} mails{left}; written: {told['index']}")


def _own(project: Project, who: str) -> Sitter:
    with project.database.read() as connection:
        candidate = candidate_of(connection, who)
        return of_their_own(load(connection, [candidate.id])[candidate.id])


def _shown(
    project: Project, people: tuple[Sitter, ...], out: Path, advance: Callable[[float], None]
) -> Iterator[Shown]:
    """Each template with all its mails, whose files are written by then."""
    names, done = by_name(project), 0
    for name, versions in names.items():
        mails: list[Portrait] = []
        for version in versions:
            mails += portraits(project, version, people)
            done += 1
            advance(done / len(project.library.templates))
        for each in mails:
            if each.preview is not None:
                for scheme in SCHEMES:
                    page = gallery_pages.quiet(in_scheme(each.preview.rendered.html, scheme))
                    _write(out / gallery_pages.mail(each, scheme), page)
                _write(out / gallery_pages.mail(each, "txt"), each.preview.rendered.text)
        yield Shown(name=name, versions=tuple(versions), portraits=tuple(mails))


def _write(path: Path, text: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutsideError(f"{shown(path)} cannot be written: {error.strerror}") from error
    return path
