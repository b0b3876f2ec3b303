"""How fast is each page with a hundred thousand candidates and a million messages on SQLite?

Every page that the application has, as an admin and as a recruiter of two hundred candidates see
it, asked for through ASGI: all but the network and the browser.
"""

import asyncio
import statistics
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from fastapi import APIRouter
from fastapi.routing import APIRoute
from sqlalchemy import ColumnElement, Table, select

from bench.rounds import Spent, loop, median
from bench.town import NOW, Town, town
from nurture.__main__ import rest
from nurture.core.model import MessageState
from nurture.engine.project import Project
from nurture.engine.tally import COUNTING
from nurture.rendering.links import CONFIDENCES, PREFERENCES, UNSUBSCRIBE
from nurture.store import accounts, tables
from nurture.store.accounts import ADMIN, RECRUITER
from nurture.web.app import create_app
from nurture.web.door import Door, digest_of

#: What nobody waits for: no page, or one that comes with an address of its own.
_NO_PAGES = ("/healthz", "/static", "/sign-in", "/sign-out", "/a/")
_OF_ADMINS = ("/audit",)
_RECRUITER = "r7@example.com"
_WARM = 3  # first answers that are not counted: templates are compiled, statements prepared


def pages(quick: bool) -> dict[str, float]:
    """How long does the slowest twentieth of the answers of each page take?"""
    size, rounds = ((2_000, 20_000), 20) if quick else ((100_000, 1_000_000), 60)
    with TemporaryDirectory(prefix="nurture-pages-") as folder:
        made = town(Path(folder) / "project", *size)
        rest()  # what the town was built of is not looked through while pages are asked for
        try:
            answers = asyncio.run(_asked(made, rounds))
        finally:
            made.project.close()
    return {"candidates": made.candidates, "messages": made.messages, **answers}


async def _asked(made: Town, rounds: int) -> dict[str, float]:
    project = made.project
    app = create_app(project)
    door = Door(project)
    answers: dict[str, float] = {}
    loops = []
    slowest = busiest = 0.0
    for role in (ADMIN, RECRUITER):
        email = _RECRUITER if role == RECRUITER else "admin@example.com"
        cookie = _enter(project, door, email, role)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", cookies=cookie, timeout=120
        ) as client:
            for name, addresses in _pages(project, app.routes, role, rounds + _WARM).items():
                loops.append(loop())
                took: list[Spent] = []
                for number, address in enumerate(addresses):
                    if number == _WARM:
                        _counted()
                    wall, cpu = time.perf_counter(), time.process_time()
                    answer = await client.get(address)
                    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                    took.append(Spent(wall=wall, cpu=cpu))
                    assert answer.status_code == 200, f"{answer.status_code} {address}"
                wall = _late(each.wall for each in took[_WARM:])
                cpu = _late(each.cpu for each in took[_WARM:])
                slowest, busiest = max(slowest, wall), max(busiest, cpu)
                answers[f"{role}: {name}: ms, 95th percentile"] = wall
                answers[f"{role}: {name}: CPU ms, 95th percentile"] = cpu
    answers["the slowest page: ms, 95th percentile"] = slowest
    answers["the busiest page: CPU ms, 95th percentile"] = busiest
    answers["a million turns of the loop: ms"] = median(loops) * 1000
    return answers


def _counted() -> None:
    """Wait for what is counted aside. It takes a twentieth of the time at most; here, where all
    is looked at for the first time, it would be most of it."""
    for thread in threading.enumerate():
        if thread.name == COUNTING:
            thread.join()


def _late(seconds: Iterable[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1] * 1000


def _enter(project: Project, door: Door, email: str, role: str) -> dict[str, str]:
    """An account, and the cookie of its session."""
    token, later = digest_of(email), NOW + timedelta(days=1)
    with project.database.write() as connection:
        account = accounts.add(connection, email, role, NOW, name=email)
        accounts.begin(connection, digest_of(token), account.id, NOW, later)
    return {door.cookie(secure=False): door.sealed(token)}


def _pages(project: Project, routes: list[object], role: str, many: int) -> dict[str, list[str]]:
    """By the page's name, addresses to ask for: about other people each time."""
    people = _people(project, many)
    hidden = _NO_PAGES if role == ADMIN else _NO_PAGES + _OF_ADMINS
    return {
        name: addresses
        for path in _paths(routes)
        if not path.startswith(hidden)
        for name, addresses in _filled(project, path, people, many)
    }


def _paths(routes: Iterable[object]) -> Iterator[str]:
    """Of all that can be looked at, those of routers within routers too."""
    for route in routes:
        if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
            yield route.path
        within = getattr(route, "original_router", None)
        if isinstance(within, APIRouter):
            yield from _paths(within.routes)


def _filled(
    project: Project, path: str, people: list[tuple[int, str]], many: int
) -> Iterator[tuple[str, list[str]]]:
    """One kind of page, with what its address names put in."""
    sign = project.signer.token
    if path == "/campaigns/{name}":
        for name in ("interview-preparation", "no-silence"):
            yield (
                f"/campaigns/{name}",
                [f"/campaigns/{name}?days={(30, 90)[n % 2]}" for n in range(many)],
            )
    elif path == "/candidates":
        yield path, [path] * many
        yield f"{path}?q=", [f"{path}?q={ref}" for _, ref in people]
    elif path == "/candidates/{ref:path}":
        yield path, [f"/candidates/{ref}" for _, ref in people]
    elif path in ("/preview", "/preview/html"):
        template = "template=culture/how-we-decide"
        yield path, [f"{path}?{template}&candidate={ref}" for _, ref in people]
        if path == "/preview":
            sent, to_come = _sent(project, people), _watched(project, people)
            yield f"{path}?message=", [f"{path}?message={id_}" for id_ in sent]
            step = "step=still-in-review"
            yield f"{path}?enrollment=", [f"{path}?enrollment={id_}&{step}" for id_ in to_come]
    elif "{token}" in path:
        ways = {"/u/": UNSUBSCRIBE, "/p/needs": CONFIDENCES, "/p/": PREFERENCES}
        purpose = next(ways[way] for way in ways if path.startswith(way))
        yield path, [path.replace("{token}", sign(purpose, id_)) for id_, _ in people]
    elif path == "/gallery/{name:path}":
        yield "/gallery/", ["/gallery/interview-prep/confirmation"] * many
    elif path == "/gallery/html":
        yield path, [f"{path}?template=interview-prep/confirmation&sitter=known"] * many
    elif path == "/approvals/{id_}/letter":
        yield path, [f"/approvals/{id_}/letter" for id_ in _waiting(project, people)]
    elif "{" not in path:
        yield path, [path] * many
    else:
        raise LookupError(f"a page that this measurement does not know: {path}")


def _people(project: Project, many: int) -> list[tuple[int, str]]:
    """Numbers and ids of the recruiter's two hundred, in turn."""
    candidates, applications = tables.candidates, tables.applications
    own = select(applications.c.candidate_id).where(applications.c.recruiter == _RECRUITER)
    query = select(candidates.c.id, candidates.c.ref).where(candidates.c.id.in_(own))
    with project.database.read() as connection:
        rows = [(row[0], row[1]) for row in connection.execute(query.order_by(candidates.c.id))]
    step = max(len(rows) // many, 1)
    return [rows[n * step % len(rows)] for n in range(many)]


def _waiting(project: Project, people: list[tuple[int, str]]) -> list[int]:
    """Mail to these people that waits for an approval."""
    return _own(project, people, tables.messages, tables.messages.c.state == MessageState.HELD)


def _sent(project: Project, people: list[tuple[int, str]]) -> list[int]:
    """Mail that these people have had."""
    return _own(project, people, tables.messages, tables.messages.c.state == MessageState.SENT)


def _watched(project: Project, people: list[tuple[int, str]]) -> list[int]:
    """Enrollments of those of these people who are in a process."""
    enrollments = tables.enrollments
    watched = enrollments.c.campaign == "no-silence", enrollments.c.ended_at.is_(None)
    return _own(project, people, enrollments, *watched)


def _own(
    project: Project, people: list[tuple[int, str]], table: Table, *which: ColumnElement[bool]
) -> list[int]:
    """As many as there are people: numbers of such rows that are about them, in turn."""
    own = table.c.candidate_id.in_([id_ for id_, _ in people])
    with project.database.read() as connection:
        found = list(connection.execute(select(table.c.id).where(own, *which)).scalars())
    step = max(len(found) // len(people), 1)
    return [found[n * step % len(found)] for n in range(len(people))]
