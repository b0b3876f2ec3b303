"""What does the person type who looks after it? Backups, and a mail to try the way out."""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from nurture import wiring
from nurture.cli.printing import complain, json_line, say
from nurture.cli.project import candidate_of, config_option, environment, json_option, opened
from nurture.core.model import Accepted, Facts
from nurture.engine.backup import Restored, back_up, fingerprint, secret_in
from nurture.engine.backup import restore as put_back
from nurture.engine.project import Project
from nurture.engine.trial import carried, kept_in, trial
from nurture.errors import OutsideError, UsageError, shown
from nurture.intake.apply import apply_all
from nurture.intake.events import read_events
from nurture.rendering.links import add_keys, keys
from nurture.store.facts import find_candidate
from nurture.store.reading import load

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog="Example: nurture backup /backups/monday.nurture")
@config_option
@click.argument("file", metavar="FILE", type=_FILE)
@click.option("--with-secret", is_flag=True, help="Also the keys of var/secret: guard the file.")
@json_option
def backup(file: Path, with_secret: bool, as_json: bool) -> None:
    """Everything in the database, in one new file, while others go on working.

    The same form for SQLite and PostgreSQL. Files of the project are not in it: config.yaml,
    campaigns and templates are yours to keep.
    """
    with opened() as project:
        var = wiring.var(project.config)
        secret = var / "secret"
        kept = secret.read_text(encoding="ascii") if with_secret and secret.exists() else None
        own = [fingerprint(key) for key in keys(var, environment())]
        manifest = back_up(project, file, own, kept)
    rows = sum(manifest.rows.values())
    if as_json:
        size = file.stat().st_size
        made_at, people = manifest.made_at, manifest.rows["candidates"]
        json_line(
            {
                "file": str(file),
                "made_at": made_at,
                "candidates": people,
                "rows": rows,
                "bytes": size,
                "secret": manifest.secret,
            }
        )
        return
    say(f"{shown(file)}: {manifest.rows['candidates']} candidates, {rows} rows")
    if with_secret and kept is None:
        complain("there is no var/secret: the keys of NURTURE_SECRET are yours to keep")
    elif not with_secret:
        say(
            "without var/secret: keep a copy of it apart, or links in mails sent so far are dead"
            " after a loss"
        )


@click.command(epilog="Example: nurture restore /backups/monday.nurture --replace")
@config_option
@click.argument("file", metavar="FILE", type=_FILE)
@click.option(
    "--replace", is_flag=True, help="Put it in the place of what is there, after a copy of that."
)
@click.option(
    "--events",
    "told",
    metavar="FILE.jsonl",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Events since the backup, told before anything is decided.",
)
@click.option("--by", metavar="EMAIL", help="Who does this.")
@json_option
def restore(
    file: Path, replace: bool, told: tuple[Path, ...], by: str | None, as_json: bool
) -> int:
    """Put a backup into this database. It comes up stopped, and mails nobody twice.

    What may have gone since the backup was made is in doubt: `nurture settle` lists it.
    """
    with opened() as project:
        var, now = wiring.var(project.config), project.clock.now()
        secret = secret_in(file)
        added = add_keys(var, secret.split()) if secret else 0
        own = [fingerprint(key) for key in keys(var, environment())]
        copy = var / "backups" / f"before-restore-{now:%Y%m%dT%H%M%SZ}.nurture"
        refused: list[str] = []
        found = put_back(
            project,
            file,
            own,
            by=by,
            safety=copy if replace else None,
            tell=_teller(told, refused),
        )
    for problem in refused:
        complain(problem)
    if as_json:
        json_line(
            {
                "made_at": found.manifest.made_at,
                "candidates": found.manifest.rows["candidates"],
                "in_doubt": found.doubtful,
                "copy": None if found.safety_copy is None else str(found.safety_copy),
                "other_config": found.other_config,
                "missing_keys": found.missing_keys,
                "refused_events": len(refused),
            }
        )
    else:
        _tell(found, added)
    return 1 if refused else 0


def _teller(files: Sequence[Path], refused: list[str]) -> Callable[[Project], None]:
    def tell(project: Project) -> None:
        for file in files:
            with file.open(encoding="utf-8") as stream:
                events = read_events(stream, shown(file))
                counts = apply_all(project.database, events, project.clock.now())
            refused.extend(str(each) for each in counts.problems if each.severity == "error")

    return tell


def _tell(found: Restored, added: int) -> None:
    manifest = found.manifest
    made_at = f"{manifest.made_at:%Y-%m-%d %H:%M} UTC"
    say(f"restored: {manifest.rows['candidates']} candidates, as of {made_at}")
    if found.safety_copy is not None:
        say(f"what was there is in {shown(found.safety_copy)}")
    if added:
        say("var/secret has the keys of the backup besides its own")
    if found.missing_keys:
        complain("mails were signed by a key that is not here: put the old var/secret back")
    if found.other_config:
        complain("config.yaml is another than it was when the backup was made")
    if found.doubtful:
        say(f"{found.doubtful} mails may have gone since then: nurture settle")
    say("nothing leaves until you say so: nurture status, then nurture resume everything")


@click.command(
    "send-test", epilog="Example: nurture send-test notes/welcome --to you@yours.example"
)
@config_option
@click.argument("template")
@click.option("--to", metavar="EMAIL", required=True, help="Your own address.")
@click.option("--candidate", "who", metavar="ID", help="Whose data it shows; else an invented one.")
@click.option("--yes", is_flag=True, help="Also to the address of a candidate.")
@json_option
def send_test(template: str, to: str, who: str | None, yes: bool, as_json: bool) -> None:
    """One mail through the configured transport, to you.

    As a preview is written, with [Test] in its subject. Its links lead nowhere and it is in no
    record.
    """
    with opened() as project:
        letter = trial(project, template, to, _checked(project, to, who, yes))
        carrier: Any = wiring.carrier(project.config)
        with closing(carrier):
            outcome = carried(carrier, letter)
        config = project.config
    accepted = isinstance(outcome, Accepted)
    said = getattr(outcome, "text", "")
    if as_json:
        about = {"template": template, "to": to, "candidate": letter.about}
        what = type(outcome).__name__.lower()
        json_line({**about, "message_id": letter.message_id, "outcome": what, "said": said})
    if not accepted:
        raise OutsideError(f"the mail server did not take it: {said or 'no answer'}")
    if not as_json:
        say(f"sent to {to}, with the data of {letter.about}: {letter.message_id} {said}".rstrip())
        folder = kept_in(config, letter.to)
        if folder is not None:
            say(f"it is a file in {shown(folder)}")


def _checked(project: Project, to: str, who: str | None, yes: bool) -> Facts | None:
    with project.database.read() as connection:
        known = find_candidate(connection, to) if "@" in to else None
        if known is not None and not yes:
            raise UsageError(
                f"{to} is the address of candidate {known.ref}: a test is for yourself (--yes if"
                " that is you)"
            )
        if who is None:
            return None
        candidate = candidate_of(connection, who)
        return load(connection, [candidate.id])[candidate.id]
