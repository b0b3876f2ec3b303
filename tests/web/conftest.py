"""The pages as a browser gets them: served by a real server on a free port of this machine."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import select

from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.store.tables import metadata
from nurture.web.app import create_app

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


@pytest.fixture
def populated(project: Project, clock: SetClock) -> Project:
    """The starter project with its sample candidates, planned once."""
    events = sample_events(project.config.root / "sample/events.jsonl", clock.now())
    apply_all(project.database, events, clock.now())
    while project.planner.tick():
        pass
    return project


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
def tell(project: Project) -> Callable[..., None]:
    """An event that happens now."""
    from nurture.intake.apply import apply
    from nurture.intake.events import parse_event

    def happened(type_: str, **objects: Any) -> None:
        now: datetime = project.clock.now()
        event = {"type": type_, "source": "test", "occurred_at": now.isoformat(), **objects}
        apply(project.database, parse_event(event), now)

    return happened
