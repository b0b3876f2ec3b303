"""The pages as a browser gets them: served by a real server on a free port of this machine."""

import contextlib
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import select

from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.intake.apply import apply, apply_all
from nurture.intake.events import parse_event
from nurture.intake.sample import sample_events
from nurture.store.database import Database
from nurture.store.tables import metadata
from nurture.web.app import create_app
from nurture.wiring import open_project
from tests.conftest import MONDAY, REPOSITORY

Serve = Callable[[Project], AbstractContextManager[str]]


@contextlib.contextmanager
def served(project: Project) -> Iterator[str]:
    """Serves the project's pages; their address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(create_app(project), log_level="critical", access_log=False, ws="none")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture
def serve() -> Serve:
    return served


def populate(project: Project) -> Project:
    now = project.clock.now()
    events = sample_events(project.config.root / "sample/events.jsonl", now)
    apply_all(project.database, events, now)
    while project.planner.tick():
        pass
    return project


@pytest.fixture
def populated(standing: Project, tmp_path: Path, clock: SetClock) -> Iterator[Project]:
    """The starter project with its sample candidates, planned once, on a database of one's own."""
    with contextlib.closing(sqlite3.connect(tmp_path / "own.db")) as own:
        assert standing.database.file is not None
        with contextlib.closing(sqlite3.connect(standing.database.file)) as source:
            source.backup(own)
    project = Project(
        config=standing.config,
        clock=clock,
        database=Database(f"sqlite:///{tmp_path}/own.db"),
        library=standing.library,
        signer=standing.signer,
    )
    yield project
    project.close()


@pytest.fixture
def edited(project: Project, serve: Serve) -> Iterator[httpx.Client]:
    """A browser's view of a populated `project` with files of its own, to be edited."""
    populate(project)
    with serve(project) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The same, made once for all tests that only look."""
    folder = tmp_path_factory.mktemp("standing")
    for name in ("campaigns", "templates", "sample"):
        shutil.copytree(REPOSITORY / name, folder / name)
    project = populate(open_project(folder / "config.yaml", SetClock(MONDAY), env={}))
    yield project
    project.close()


@pytest.fixture(scope="session")
def site(standing: Project) -> Iterator[httpx.Client]:
    """A browser's view of it."""
    with served(standing) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def client(populated: Project, serve: Serve) -> Iterator[httpx.Client]:
    with serve(populated) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def snapshot() -> Callable[[Project], dict[str, list[Any]]]:
    """Every row of every table, to prove that nothing was written."""

    def take(project: Project) -> dict[str, list[Any]]:
        with project.database.read() as connection:
            return {
                table.name: [tuple(row) for row in connection.execute(select(table))]
                for table in metadata.sorted_tables
            }

    return take


@pytest.fixture
def tell(populated: Project) -> Callable[..., None]:
    """An event that happens now."""

    def happened(type_: str, **objects: Any) -> None:
        now: datetime = populated.clock.now()
        event = {"type": type_, "source": "test", "occurred_at": now.isoformat(), **objects}
        apply(populated.database, parse_event(event), now)

    return happened
