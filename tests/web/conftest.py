"""The pages as a browser gets them: served by a real server on a free port of this machine."""

import contextlib
import socket
import sqlite3
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import select

from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.intake.apply import apply, apply_all
from nurture.intake.events import parse_event
from nurture.intake.sample import sample_events
from nurture.store import accounts
from nurture.store.database import Database
from nurture.store.tables import metadata
from nurture.web.app import create_app
from nurture.web.door import Door, digest_of
from nurture.web.rights import csrf_of
from nurture.wiring import open_project
from tests.conftest import MONDAY, starter

expect.set_options(timeout=20_000)  # ms: two browsers on two cores may be slow, and are right

Serve = Callable[[Project], AbstractContextManager[str]]

ADMIN = "admin@example.com"  #: whom the clients of these tests are signed in as
#: All is said on loopback; the world's certificates take longer to read than most pages.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_LATER = MONDAY + timedelta(days=3650)  # clocks of tests run on, and their people stay signed in


class Client(httpx.Client):
    """A browser without a screen, signed in as somebody."""

    def __init__(self, address: str, project: Project, token: str) -> None:
        super().__init__(base_url=address, timeout=30, verify=NO_TLS)
        self.csrf = csrf_of(project.signer, token)
        self.cookies.update(cookies_of(project, token))

    def act(self, path: str, **form: Any) -> httpx.Response:
        """Sends a form as a page of ours would; a list is a field that stands there many times."""
        return self.post(path, data={**form, "csrf": self.csrf})


def enter(project: Project, role: str = "admin", email: str = ADMIN) -> str:
    """The token of somebody who is signed in; their account is made where there is none."""
    door, now = Door(project), project.clock.now()
    token = digest_of(f"{email} {role}")
    with project.database.write() as connection:
        account = accounts.by_email(connection, email)
        if account is None:
            account = accounts.add(connection, email, role, now, name=email.partition("@")[0])
        door.leave(connection, token)
        accounts.begin(connection, digest_of(token), account.id, _LATER, _LATER + timedelta(1))
    return token


def cookies_of(project: Project, token: str) -> dict[str, str]:
    door = Door(project)
    return {door.cookie(secure=False): door.sealed(token)}


def signed_in(
    context: BrowserContext, project: Project, role: str = "admin", email: str = ADMIN
) -> None:
    """The same for a real browser."""
    for name, value in cookies_of(project, enter(project, role, email)).items():
        context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": "/"}])


@contextlib.contextmanager
def served(
    project: Project, carry: Callable[[], Any] | None = None, app: Any = None
) -> Iterator[str]:
    """Serves the project's pages; their address. `carry`: the way out for trials."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            app or create_app(project, carry),
            proxy_headers=False,
            log_level="critical",
            access_log=False,
            ws="none",
        )
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
def edited(project: Project, serve: Serve) -> Iterator[Client]:
    """A browser's view of a populated `project` with files of its own, to be edited."""
    populate(project)
    with serve(project) as address, Client(address, project, enter(project)) as client:
        yield client


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The same, made once for all tests that only look."""
    folder = starter(tmp_path_factory.mktemp("standing"))
    project = populate(open_project(folder / "config.yaml", SetClock(MONDAY), env={}))
    enter(project)
    yield project
    project.close()


@pytest.fixture(scope="session")
def site(standing: Project) -> Iterator[Client]:
    """An admin's view of it."""
    with served(standing) as address, Client(address, standing, enter(standing)) as client:
        yield client


@pytest.fixture
def client(populated: Project, serve: Serve) -> Iterator[Client]:
    """An admin's view of `populated`."""
    with serve(populated) as address, Client(address, populated, enter(populated)) as client:
        yield client


@pytest.fixture
def client_of(populated: Project, client: Client) -> Iterator[Callable[..., Client]]:
    """The same pages as others see them: `client_of("recruiter", "ida@example.com")`."""
    with contextlib.ExitStack() as stack:

        def of(role: str, email: str) -> Client:
            token = enter(populated, role, email)
            return stack.enter_context(Client(str(client.base_url), populated, token))

        yield of


@pytest.fixture
def stranger(client: Client) -> Iterator[httpx.Client]:
    """The same pages, for who has not signed in."""
    with httpx.Client(base_url=client.base_url, timeout=30, verify=NO_TLS) as stranger:
        yield stranger


@pytest.fixture
def page(browser: Browser, standing: Project) -> Iterator[Page]:
    """A browser's page, of somebody who has signed in to `site` and to `client`."""
    context = browser.new_context()
    signed_in(context, standing)
    yield context.new_page()
    context.close()


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
