"""A template whose mails were once filled in wrongly goes the slow and right way, and says so."""

import quopri
from pathlib import Path

import pytest

from nurture.clock import SetClock
from nurture.rendering import shapes
from nurture.rendering.inline import inline
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.world import World

RECEIPT = """\
name: Receipt
status: live
enter: {on: application.created, once_per: application}
steps:
  - send: notes/receipt
"""


@pytest.fixture
def wrong(empty_folder: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which every shape says something else than its template."""
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    world = World(empty_folder, database, clock)
    world.template("notes/receipt", "receipt")
    world.campaign("receipt", RECEIPT)
    world.reload()
    shapes._inlined.cache_clear()

    def planted(page: str) -> str:
        done = inline(page)
        return done.replace("Hello", "Goodbye") if shapes.tokens_in(done) else done

    monkeypatch.setattr(shapes, "inline", planted)
    yield world
    shapes._inlined.cache_clear()
    database.close()


def test_a_wrong_shape_sends_nothing_wrong_and_is_remembered_until_an_edit(
    wrong: World, caplog: pytest.LogCaptureFixture
) -> None:
    mails = []
    keep = wrong.postman.hand_over

    def noted(sender: str, to: str, raw: bytes, message_id: str) -> object:
        mails.append(quopri.decodestring(raw).decode())
        return keep(sender, to, raw, message_id)

    wrong.postman.hand_over = noted  # type: ignore[method-assign,assignment]
    for number in range(3):
        about = {"id": f"c{number}", "email": f"c{number}@example.com", "first_name": "Zuzana"}
        wrong.tell("application.created", candidate=about, application={"id": f"a{number}"})
    wrong.work()
    assert len(mails) == 3
    assert all(mail.count("Hello, this is notes/receipt") == 2 for mail in mails)
    assert not any("Goodbye" in mail for mail in mails)
    said = [record for record in caplog.records if getattr(record, "action", "") == "pinned"]
    assert len(said) == 1
    assert "notes/receipt" in vars(said[0])["templates"]
    assert "Zuzana" not in str(vars(said[0]))
    project = wrong.project
    assert project.pins.listed(project.library.templates) == ["notes/receipt"]
    project.reload()
    wrong.restart()
    assert wrong.project.pins.listed(wrong.project.library.templates) == ["notes/receipt"]
    wrong.template("notes/receipt", "receipt", topic="news")
    wrong.reload()
    assert wrong.project.pins.listed(wrong.project.library.templates) == []
