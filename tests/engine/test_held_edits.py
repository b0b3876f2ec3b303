"""What an edit makes due at once waits for a word from a person, if it is for too many."""

from datetime import timedelta

import pytest

from nurture.store import releases
from tests.world import World

FILE = """\
name: Welcome
status: {status}
enter:
  on: application.created
  once_per: application
steps:
  - send: notes/hello
{steps}"""
SECOND = "  - send: notes/second\n    after: {days} days\n"


def write(world: World, days: int = 5, status: str = "live", steps: str = "") -> None:
    steps = SECOND.format(days=days) + steps
    world.campaign("welcome", FILE.format(status=status, steps=steps))


def people(world: World, count: int, first: int = 0) -> list[str]:
    names = [f"c{number}" for number in range(first, first + count)]
    for name in names:
        world.tell(
            "application.created",
            candidate={"id": name, "email": f"{name}@example.com"},
            application={"id": f"a-{name}"},
        )
    world.work()
    return names


def got(world: World, step: str, names: list[str]) -> list[str]:
    return [name for name in names if step in dict(world.sent(name))]


def rows(world: World) -> dict[str, releases.Release]:
    with world.database.read() as connection:
        return {row.campaign: row for row in releases.rows(connection)}


def let_go(world: World, *, spread: timedelta | None = None, campaign: str = "welcome") -> None:
    world.project.planner.guard.apply([campaign], by="ida", now=world.clock.now(), spread=spread)


@pytest.fixture
def house(world: World) -> World:
    """Room for three at once; a step that has a cap, and people who wait at it."""
    (world.folder / "config.yaml").write_text(
        "release_at_most: 3\ncontact_hours: {holidays: none}\n"
    )
    world.restart()
    world.template("notes/hello", "receipt")
    for name in ("second", "third"):
        world.template(f"notes/{name}", "help")
    write(world)
    world.reload()
    return world


def test_an_edit_that_makes_mail_due_for_few_goes_through(house: World) -> None:
    names = people(house, 3)
    house.run_for(days=2)
    write(house, days=1)
    house.reload()
    house.work()
    assert got(house, "second", names) == names
    assert rows(house) == {}


def test_one_for_too_many_waits_for_a_word_and_goes_then(house: World) -> None:
    names = people(house, 4)
    house.run_for(days=2)
    write(house, days=1)
    house.reload()
    house.work()
    assert got(house, "second", names) == []
    assert house.entry("second", "c0").reason == "release"
    held = rows(house)["welcome"]
    assert (held.state, held.due, held.cause) == ("held", 4, "edit")

    let_go(house)
    house.work()
    assert got(house, "second", names) == names
    assert len(house.postman.offered) == 8
    assert rows(house) == {}


def test_while_it_is_held_everybody_gets_what_the_version_before_would_have_sent(
    house: World,
) -> None:
    names = people(house, 4)
    house.run_for(days=2)
    write(house, days=1)
    house.reload()
    house.run_for(days=2)
    assert got(house, "second", names) == []
    house.run_for(days=4)  # the fifth day is a Saturday, by the version before
    assert got(house, "second", names) == names
    assert rows(house)["welcome"].state == "held"
