"""Is what people wrote right, and what will it look like?"""

from email import message_from_bytes, policy
from pathlib import Path
from typing import Literal

import click

from nurture.authoring.check import check as problems_of
from nurture.authoring.check import format_problems
from nurture.cli.printing import json_line, say
from nurture.cli.project import candidate_of, config_option, configured, json_option, opened
from nurture.engine.letters import Preview
from nurture.errors import OutsideError, Problem, Problems, shown
from nurture.store.reading import load

Style = Literal["text", "json", "github"]


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
def check(paths: tuple[Path, ...], style: Style, as_json: bool) -> int:
    """Every problem in configuration and campaigns.

    Their templates included. With PATHs only the problems of those files and folders. The exit
    code is 1 if there is an error; warnings alone leave it 0.
    """
    try:
        found = problems_of(configured())
    except Problems as unreadable:
        found = list(unreadable.problems)
    within = [path.resolve() for path in paths]
    found = [each for each in found if not within or _is_within(each, within)]
    if found:
        say(format_problems(found, "json" if as_json else style))
    elif style == "text" and not as_json:
        say("no problems")
    return 1 if any(problem.severity == "error" for problem in found) else 0


def _is_within(problem: Problem, paths: list[Path]) -> bool:
    file = Path(problem.file).resolve()
    return any(file == path or path in file.parents for path in paths)


@click.command(epilog="Example: nurture preview interview-prep/confirmation --candidate c-17")
@config_option
@click.argument("template")
@click.option("--candidate", "who", required=True, metavar="ID", help="Id, e-mail or number.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the .html, .txt and .eml there.",
)
@json_option
def preview(template: str, who: str, out: Path | None, as_json: bool) -> None:
    """A template for one candidate, as it would go out.

    Exactly as it would now: the sender uses the same rendering. Nothing is sent.
    """
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
