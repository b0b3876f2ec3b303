"""By which words was that sent? The answer outlives every edit."""

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

from nurture.store import revisions
from nurture.store.tables import messages
from tests.world import World

FILE = """\
name: Welcome
status: live
enter:
  on: application.created
  once_per: application
steps:
  - send: notes/hello

  # A week later, and no sooner.
  - send: notes/second
    after: {days} days
"""


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def told(world: World) -> World:
    """Somebody who got the first mail."""
    for name in ("hello", "second"):
        world.template(f"notes/{name}", "receipt")
    world.campaign("welcome", FILE.format(days=7))
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.work()
    return world


def sent_by(world: World) -> list[tuple[str | None, ...]]:
    query = select(messages).where(messages.c.state == "sent").order_by(messages.c.id)
    with world.database.read() as connection:
        return [
            (row.campaign_digest, row.template_digest, row.layout_digest)
            for row in connection.execute(query)
        ]


def test_a_message_knows_the_files_it_was_sent_by(told: World) -> None:
    files = ("campaigns/welcome.yaml", "templates/notes/hello.md", "templates/layouts/letter.html")
    assert sent_by(told) == [tuple(digest(told.folder / file) for file in files)]
    with told.database.read() as connection:
        for kind, name, file in zip(
            ("campaign", "template", "layout"),
            ("welcome", "notes/hello", "letter"),
            files,
            strict=True,
        ):
            path = told.folder / file
            kept = revisions.content(connection, kind, name, digest(path))
            assert kept is not None
            assert kept.encode() == path.read_bytes()
