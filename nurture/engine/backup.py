"""How does a project come back after its database is lost, and nobody get yesterday's mail twice?

A backup is one file, the same for SQLite and PostgreSQL: a ZIP of every table as lines of JSON, and
what is needed to judge them. A restore knows nothing of what was sent after it was made. So it
comes up stopped; all that was on its way then, and all that would have gone between the backup
and the restore, is in doubt: counted, never sent by itself, and listed by `nurture settle` with the
Message-ID that it had if it went. What is told late of that time is held in the same way.
"""

import hashlib
import hmac
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from nurture import __version__
from nurture.clock import SetClock
from nurture.core.agenda import Item
from nurture.core.journey import Key
from nurture.core.model import MessageClass, Reason
from nurture.engine.guard import TICKED
from nurture.engine.planner import Planned
from nurture.engine.project import Project
from nurture.engine.recording import by_key
from nurture.engine.stops import pause
from nurture.errors import NurtureError, OutsideError, shown
from nurture.rendering.mime import message_id_for
from nurture.store import alarm, dump, planning, presence, restored, schema, settling
from nurture.store.database import Connection, Database, sole
from nurture.store.restored import Lost
from nurture.store.stops import EVERYTHING, RESTORED

FORMAT = 1
_MANIFEST, _SECRET = "manifest.json", "secret"
#: New candidates' numbers keep so far from those that may have been given since the backup.
_NUMBERS = 1_000_000
_BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup says of itself."""

    format: int
    version: str  #: of Nurture
    schema: str | None  #: of the tables
    made_at: datetime
    config: str  #: sha256 of config.yaml, empty where there was none
    keys: list[str]  #: fingerprints of the signing keys, newest first
    secret: bool  #: whether the keys of var/secret are in it
    last_number: int  #: the last that was given to a candidate
    rows: dict[str, int]  #: by table


@dataclass(frozen=True, kw_only=True)
class Restored:
    manifest: Manifest
    doubtful: int  #: mails that wait for `settle`
    safety_copy: Path | None
    other_config: bool  #: config.yaml is another than it was
    missing_keys: int  #: keys by which mails were signed, and that nobody has here


def back_up(
    project: Project, file: Path, keys: list[str], secret: str | None, *, replacing: bool = False
) -> Manifest:
    """Everything as of one instant, in a new file that only its owner can read, while others go on
    working. `keys`: fingerprints of those that sign; `secret`: what var/secret holds, if it is to
    be in the file. Nobody ever sees half of a backup.
    """
    if file.exists() and not replacing:
        raise NurtureError(f"{shown(file)} is there already: name a new file")
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w+b") as target:
            manifest = _write(project, target, keys, secret)
            target.flush()
            os.fsync(target.fileno())
        unfinished.replace(file)
    except OSError as error:
        raise OutsideError(f"{shown(file)} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
    return manifest


def _write(project: Project, target: IO[bytes], keys: list[str], secret: str | None) -> Manifest:
    rows: dict[str, int] = {}
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        dump.snapshot(project.database) as connection,
    ):
        last_number = dump.last_number(connection)
        made_at = project.clock.now()
        for table in dump.TABLES:
            rows[table] = 0
            with archive.open(f"{table}.jsonl", "w", force_zip64=True) as lines:
                for line in dump.lines(connection, table):
                    lines.write(line)
                    rows[table] += 1
        manifest = Manifest(
            format=FORMAT,
            version=__version__,
            schema=schema.head(),
            made_at=made_at,
            config=config_digest(project),
            keys=keys,
            secret=secret is not None,
            last_number=last_number,
            rows=rows,
        )
        if secret is not None:
            archive.writestr(_SECRET, secret)
        said = asdict(manifest) | {"made_at": made_at.isoformat()}
        archive.writestr(_MANIFEST, json.dumps(said, indent=1))
    return manifest


def fingerprint(key: str) -> str:
    """Tells whether two keys are the same, and nothing else about them."""
    return hmac.digest(key.encode(), b"nurture backup", "sha256")[:8].hex()


def config_digest(project: Project) -> str:
    file = project.config.root / "config.yaml"
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


# --- back again -----------------------------------------------------------------------------------


@contextmanager
def opened(file: Path) -> Iterator[tuple[Manifest, zipfile.ZipFile]]:
    """A backup that is whole. Raises NurtureError where it is none or damaged, OutsideError where
    it is of a newer version."""
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(file))
            manifest = _manifest(archive)
            damaged = archive.testzip()
        except FileNotFoundError:
            raise NurtureError(f"there is no file {shown(file)}") from None
        except (zipfile.BadZipFile, KeyError, ValueError, EOFError, zlib.error) as error:
            said = f"{shown(file)} is damaged, or no backup made by `nurture backup`"
            raise NurtureError(said) from error
        except OSError as error:
            raise OutsideError(f"{shown(file)} cannot be read: {error.strerror}") from error
        if damaged is not None:
            raise NurtureError(f"{shown(file)} is damaged: {damaged} is not as it was written")
        yield manifest, archive


def _manifest(archive: zipfile.ZipFile) -> Manifest:
    said = json.loads(archive.read(_MANIFEST))
    if said["format"] != FORMAT or not schema.knows(said["schema"]):
        raise OutsideError(
            f"backup: it was made by Nurture {said['version']}, which is newer: install that"
        )
    return Manifest(**{**said, "made_at": datetime.fromisoformat(said["made_at"])})


def secret_in(file: Path) -> str | None:
    """The keys of var/secret, where the backup has them."""
    with opened(file) as (manifest, archive):
        return archive.read(_SECRET).decode("ascii") if manifest.secret else None


def restore(
    project: Project,
    file: Path,
    keys: list[str],
    *,
    by: str | None,
    safety: Path | None = None,
    tell: Callable[[Project], None] = lambda _project: None,
) -> Restored:
    """Put a backup into this database, stopped, with all in doubt that may have gone since.

    Refused where there is anything already, unless `safety` names a file for a copy of it. `tell`
    is called before anything is decided: events since the backup are best told then. `keys`:
    fingerprints of those that this project has.
    """
    now = project.clock.now()
    with opened(file) as (manifest, archive), sole(project.database):
        _refuse_others(project.database, now)
        with project.database.read() as connection:
            empty = dump.is_empty(connection)
        if not empty:
            if safety is None:
                raise NurtureError(
                    "the database is not empty: `--replace` puts the backup in its place, after a"
                    " copy to var/backups/"
                )
            back_up(project, safety, keys, None)
        lost = _put(project.database, manifest, archive, now)
        # Nobody else may plan before what is due has become what it is: in doubt.
        then = replace(project, clock=SetClock(now))
        tell(then)
        then.begin()
        doubt(then)
        # Last, because mail that is stopped is not looked at. What is held needs no stop to stay.
        database, why = project.database, _why(lost)
        with database.write() as connection:
            pause(connection, EVERYTHING, None, cause=RESTORED, why=why, by=by, now=now)
        with project.database.read() as connection:
            doubtful = len(settling.in_doubt(connection))
    return Restored(
        manifest=manifest,
        doubtful=doubtful,
        safety_copy=None if empty else safety,
        other_config=manifest.config != config_digest(project),
        missing_keys=len(set(manifest.keys) - set(keys)),
    )


def _refuse_others(database: Database, now: datetime) -> None:
    with database.read() as connection:
        busy = len(presence.at_work(connection, now))
    if busy:
        raise OutsideError(
            f"{busy} nurture processes are at work on this database: stop them first"
        )


def _put(database: Database, manifest: Manifest, archive: zipfile.ZipFile, now: datetime) -> Lost:
    """All or nothing, and with what was on its way in doubt in the same transaction."""
    with database.write() as connection:
        dump.clear(connection)
        for table in dump.TABLES:
            if f"{table}.jsonl" in archive.namelist():
                with archive.open(f"{table}.jsonl") as lines:
                    many = dump.take(connection, table, lines)
                if many != manifest.rows[table]:
                    raise OutsideError(f"backup: {table} has {many} rows of {manifest.rows[table]}")
        dump.number_from(connection, manifest.last_number + _NUMBERS)
        lost = restored.remember(connection, manifest.made_at, now)
        planning.set_mark(connection, TICKED, now.isoformat())
        restored.put_all_in_doubt(connection, manifest.made_at, _why(lost), now)
    return lost


def _why(lost: Lost) -> str:
    since, until = (at.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") for at in lost)
    return f"restored: a backup of {since}, put back at {until}"


def doubt(project: Project) -> int:
    """Decide for everybody who is due, and put in doubt what a restore holds; how many mails.

    A mail in doubt counts from when it would have gone, so what follows it may be held as well:
    until nothing more is.
    """
    many = 0
    while True:
        while project.planner.tick():
            pass
        found = put_held_in_doubt(project)
        if not found:
            return many
        many += found


def put_held_in_doubt(project: Project) -> int:
    """What the planner holds because of a restore; how many mails."""
    now = project.clock.now()
    many = 0
    with project.database.read() as connection:
        ids = restored.held(connection)
        lost = restored.lost(connection) if ids else None
    if lost is None:
        return 0
    for start in range(0, len(ids), _BATCH):
        with project.database.write() as connection:
            chunk = ids[start : start + _BATCH]
            alarm.lock(connection, chunk)
            rows = [row for id_ in chunk for row in _doubtful(project, connection, id_, lost)]
            restored.put_in_doubt(connection, rows, _why(lost), now)
            alarm.ring(connection, chunk, now)
            many += len(rows)
    return many


def _doubtful(
    project: Project, connection: Connection, id_: int, lost: Lost
) -> list[tuple[Key, dict[str, Any], int | None]]:
    planned = project.planner.view(connection, id_)
    if planned is None:
        return []
    known = by_key(planned.facts.messages)
    return [
        (item.key, _row(project, item, planned, lost), known[item.key].id)
        if item.key in known
        else (item.key, _row(project, item, planned, lost), None)
        for item in planned.agenda.items
        if item.reason is Reason.RELEASE
        and item.detail.get("cause") == "restore"
        and item.key.enrollment_id > 0  # stored already
    ]


def _row(project: Project, item: Item, planned: Planned, lost: Lost) -> dict[str, Any]:
    """The message that it would have been."""
    domain = project.config.sender.email.partition("@")[2]
    return {
        "candidate_id": planned.facts.candidate.id,
        "message_id": message_id_for(*item.key, domain),
        "campaign": item.campaign,
        "template": item.step.send,
        "category": item.category.name if item.category else "",
        "klass": item.category.klass if item.category else MessageClass.SERVICE,
        "application": item.application,
        "until": item.until,
        "sent_at": min(max(item.moment_at or lost.since, lost.since), lost.until),
        "attempts": 0,
    }
