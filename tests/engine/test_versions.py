"""By which words was that sent? The answer outlives every edit."""

import hashlib
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from nurture.core.model import Deferred
from nurture.engine.versions import Version, versions
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


def reword(world: World, template: str, words: str) -> None:
    path = world.folder / f"templates/{template}.md"
    path.write_text(path.read_text().replace("Hello", words))


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


@pytest.mark.acceptance("A3.4")
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


def version(world: World, step: str) -> Version:
    found = world.entry(step).version
    assert found is not None
    return found


def test_words_and_rules_of_then_are_shown_after_every_edit(told: World) -> None:
    words = (told.folder / "templates/notes/hello.md").read_text()
    told.run_for(days=8)
    reword(told, "notes/hello", "Quite other words")
    reword(told, "notes/second", "Quite other words")
    told.campaign("welcome", FILE.format(days=3))
    (told.folder / "templates/layouts/letter.html").write_text("<html>{{ body }}</html>")
    told.reload()
    told.tell(
        "application.created",
        candidate={"id": "c2", "email": "b@example.com"},
        application={"id": "a2"},
    )
    told.run_for(days=8)
    told.restart()

    first, second = version(told, "hello"), version(told, "second")
    assert first.template is not None
    assert first.step is not None
    assert second.step is not None
    assert (first.template.file, first.template.text) == ("templates/notes/hello.md", words)
    assert (first.step.file, first.step.lines) == ("campaigns/welcome.yaml", (7, 7))
    assert second.step.lines == (10, 11)
    assert second.step.text == "  - send: notes/second\n    after: 7 days"

    found = told.entry("second", "c2").version
    assert found is not None
    assert found.step is not None
    assert found.template is not None
    assert found.layout is not None
    assert found.step.text == "  - send: notes/second\n    after: 3 days"
    assert "Quite other words" in found.template.text
    assert found.layout.text == "<html>{{ body }}</html>"
    assert found.step.since is not None
    assert first.step.since is not None
    assert found.step.since > first.step.since


def test_words_outlive_their_files(told: World) -> None:
    shutil.rmtree(told.folder / "templates/notes")
    (told.folder / "campaigns/welcome.yaml").unlink()
    told.project.reload()
    told.restart()
    told.project.catch_up()
    found = version(told, "hello")
    assert found.step is not None
    assert found.template is not None
    assert "Hello, this is notes/hello." in found.template.text
    assert found.step.text == "  - send: notes/hello"


def test_a_step_is_found_under_the_id_that_it_had_then(told: World) -> None:
    text = FILE.format(days=7)
    for number, (new, old) in enumerate([("b", "hello"), ("c", "b"), ("d", "c")]):
        named = text.replace(
            "  - send: notes/hello", f"  - send: notes/hello\n    id: {new}\n    was: {old}"
        )
        told.clock.advance(timedelta(hours=number))
        told.campaign("welcome", named)
        told.reload()
    row = {"message": 1, "campaign": "welcome", "step": "d", "template": "notes/hello"}
    (digests,) = sent_by(told)
    names = ("campaign_digest", "template_digest", "layout_digest")
    with told.database.read() as connection:
        (found,) = versions(connection, [{**row, **dict(zip(names, digests, strict=True))}])
    assert found is not None
    assert found.step is not None
    assert found.step.text == "  - send: notes/hello"


def test_a_translation_is_shown_to_those_who_got_it(world: World) -> None:
    for name in ("hello", "second"):
        world.template(f"notes/{name}", "receipt")
    german = world.folder / "templates/notes/hello.de.md"
    german.write_text("---\nsubject: Hallo\n---\n\nGuten Tag.\n")
    world.campaign("welcome", FILE.format(days=7))
    world.reload()
    world.tell(
        "application.created",
        candidate={"id": "c1", "email": "ana@example.com", "locale": "de-AT"},
        application={"id": "a1"},
    )
    world.work()
    found = version(world, "hello").template
    assert found is not None
    assert (found.file, found.digest) == ("templates/notes/hello.de.md", digest(german))
    assert "Guten Tag." in found.text


def test_a_mail_that_is_tried_again_is_sent_by_what_is_in_force_then(told: World) -> None:
    told.clock.advance(timedelta(days=7))
    told.postman.answers = [Deferred(text="450 later", code=450)]
    told.work()
    reword(told, "notes/second", "Other words")
    told.reload()
    told.run_for(days=1)
    assert [step for step, _ in told.sent()] == ["hello", "second"]
    found = version(told, "second").template
    assert found is not None
    assert "Other words" in found.text


def test_what_is_sent_is_kept_also_where_it_could_not_be_when_it_came_into_force(
    world: World,
) -> None:
    for name in ("hello", "second"):
        world.template(f"notes/{name}", "receipt")
    world.campaign("welcome", FILE.format(days=7))
    world.project.library.reload()  # and nothing is told to the database
    world.project.letters.renderer = world.project._renderer()
    world.tell("application.created", application={"id": "a1"})
    world.work()
    found = version(world, "hello")
    assert [bool(each and each.text) for each in (found.step, found.template, found.layout)] == [
        True,
        True,
        True,
    ]


def test_what_was_not_sent_was_sent_by_nothing(told: World) -> None:
    told.campaign("welcome", FILE.format(days=7).replace("  - send: notes/second\n    after", "#"))
    told.reload()
    told.work()
    assert (told.entry("second").verdict, told.entry("second").version) == ("skip", None)
