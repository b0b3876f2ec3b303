"""The tables and how they come to be, on both databases."""

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, text

from nurture.errors import OutsideError, UsageError
from nurture.store import alarm, planning, schema
from nurture.store.database import Database, sole
from nurture.store.tables import candidates, metadata

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    with database.read() as connection:
        migrated = MigrationContext.configure(connection)
        assert compare_metadata(migrated, metadata) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    schema.upgrade(database)
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 1


def test_sqlite_is_made_by_itself(tmp_path: Path) -> None:
    database = Database("sqlite:///var/nurture.db", tmp_path)
    schema.prepare(database, tmp_path / "backups", NOW)
    schema.prepare(database, tmp_path / "backups", NOW)
    assert not (tmp_path / "backups").exists(), "there was nothing to copy"
    database.close()


def test_an_older_sqlite_file_is_copied_before_it_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database("sqlite:///nurture.db", tmp_path)
    schema.prepare(database, tmp_path / "backups", NOW)
    with database.write() as connection:
        row = {"ref": "c1", "unsubscribed": [], "data": {}, "created_at": NOW}
        connection.execute(insert(candidates), row)

    newer = tmp_path / "migrations"
    shutil.copytree(Path(schema.__file__).parent / "migrations", newer)
    (newer / "versions/9999_more.py").write_text(
        f"from alembic import op\nrevision = '9999'\ndown_revision = '{schema.head()}'\n"
        "def upgrade():\n    op.execute('DROP TABLE marks')\n"
    )
    monkeypatch.setattr(schema, "_MIGRATIONS", newer)
    schema.prepare(database, tmp_path / "backups", NOW)
    database.close()

    (copied,) = (tmp_path / "backups").iterdir()
    tables = "SELECT name FROM sqlite_master WHERE name = 'marks'"
    with closing(sqlite3.connect(copied)) as before:
        assert before.execute("SELECT ref FROM candidates").fetchall() == [("c1",)]
        assert before.execute(tables).fetchall() == [("marks",)]
    with closing(sqlite3.connect(tmp_path / "nurture.db")) as after:
        assert after.execute(tables).fetchall() == []


def test_postgresql_is_not_migrated_behind_anybodys_back(
    new_postgres: Callable[[], str], tmp_path: Path
) -> None:
    database = Database(new_postgres())
    with pytest.raises(OutsideError, match="nurture db upgrade"):
        schema.prepare(database, tmp_path, NOW)
    schema.upgrade(database)
    schema.prepare(database, tmp_path, NOW)
    database.close()


def test_a_database_newer_than_the_code_is_refused(database: Database, tmp_path: Path) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for attempt in (
        lambda: schema.prepare(database, tmp_path, NOW),
        lambda: schema.upgrade(database),
    ):
        with pytest.raises(OutsideError, match="newer Nurture"):
            attempt()


def test_a_second_process_on_one_sqlite_file_is_refused(tmp_path: Path) -> None:
    one, two = (Database("sqlite:///nurture.db", tmp_path) for _ in range(2))
    with sole(one), pytest.raises(OutsideError, match="another nurture process"), sole(two):
        pass
    with sole(two):
        pass
    one.close()
    two.close()


def test_writes_of_another_connection_are_noticed_and_own_ones_do_no_harm(
    database: Database,
) -> None:
    other = Database(database.engine.url.render_as_string(hide_password=False))
    assert database.changed()  # what was written before anybody listened counts as well
    assert not database.changed()
    with other.write() as connection:
        connection.execute(
            insert(candidates),
            {"ref": "c1", "unsubscribed": [], "data": {}, "created_at": NOW},
        )
        alarm.ring(connection, [1], NOW)
    end = time.monotonic() + 10
    while not database.changed():  # a notification takes a moment on its way
        assert time.monotonic() < end
    assert not database.changed()
    with database.read() as connection:
        assert planning.next_alarm(connection) == NOW
    other.close()


@pytest.mark.parametrize(
    ("url", "error", "says"),
    [
        ("mysql://somewhere/x", UsageError, "neither sqlite nor postgresql"),
        ("nonsense", UsageError, "not an address"),
        ("postgresql+psycopg://nobody@127.0.0.1:1/none", OutsideError, "database: "),
    ],
)
def test_a_database_that_cannot_be_opened_says_so_in_one_line(
    url: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as caught, Database(url).read() as connection:
        connection.execute(text("SELECT 1"))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "nurture.db").write_text("This is a letter, not a database. " * 50)
    with pytest.raises(OutsideError, match="not a database"):
        schema.prepare(Database("sqlite:///nurture.db", tmp_path), tmp_path, NOW)
