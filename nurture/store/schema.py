"""Do the tables fit this code, and if not, how do they come to?"""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from nurture.errors import OutsideError, shown
from nurture.store.database import Database, sole

_MIGRATIONS = Path(__file__).parent / "migrations"


def prepare(database: Database, backups: Path, now: datetime) -> None:
    """Bring SQLite up to date, after a copy to `backups`; on PostgreSQL ask for it to be done.

    A database that is newer than this code is refused: an older version would write nonsense.
    """
    with database.read() as connection:
        at = _revision(connection)
    if at == head():
        return
    _refuse_newer(at)
    if database.dialect != "sqlite":
        raise OutsideError(
            "database: its tables are not those of this version; run `nurture db upgrade`"
            " (after a backup), then start again"
        )
    with sole(database):  # never beneath a daemon of the version before
        if at is not None and database.file is not None:
            _copy(database.file, backups / f"{database.file.stem}-{now:%Y%m%dT%H%M%SZ}.db")
        upgrade(database)


def upgrade(database: Database) -> None:
    """Run every revision that is missing, in one transaction."""
    with database.write() as connection:
        _refuse_newer(_revision(connection))
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def head() -> str | None:
    """The revision this code was written for."""
    return ScriptDirectory.from_config(_alembic()).get_current_head()


def revision(database: Database) -> str | None:
    """Of its tables; None: there are none."""
    with database.read() as connection:
        return _revision(connection)


def knows(revision: str | None) -> bool:
    """Whether tables of this revision can be understood by this code."""
    scripts = ScriptDirectory.from_config(_alembic()).walk_revisions()
    return revision in {script.revision for script in scripts}


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _refuse_newer(at: str | None) -> None:
    if at is not None and not knows(at):
        raise OutsideError(
            f"database: it was written by a newer Nurture (schema {at}): install that version,"
            " or restore a backup made before the upgrade"
        )


def _copy(file: Path, to: Path) -> None:
    """SQLite's own online copy: right even while others write."""
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(to)) as target:
            source.backup(target)
    except (OSError, sqlite3.Error) as error:
        raise OutsideError(f"backup to {shown(to)}: {error}") from error


def _alembic() -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config
