"""What will a template look like for this person?"""

from email import message_from_bytes, policy
from pathlib import Path

import click

from nurture.cli.printing import json_line, say
from nurture.cli.project import candidate_of, config_option, json_option, opened
from nurture.engine.letters import Preview
from nurture.errors import OutsideError, shown
from nurture.store.reading import load


@click.command(epilog="Example: nurture preview interview-prep/confirmation --candidate c-17")
@config_option
@click.argument("template")
@click.option("--candidate", "who", metavar="ID", required=True, help="Id, e-mail or number.")
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the .html, .txt and .eml there.",
)
@json_option
def preview(template: str, who: str, out: Path | None, as_json: bool) -> None:
    """A template for one candidate, as it would go out.

    Exactly as it would now: the sender uses the same rendering. Nothing is sent. Two that go as one
    mail are written A+B. `nurture gallery` shows all templates.
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
