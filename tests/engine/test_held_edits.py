"""What an edit makes due at once waits for a word from a person, if it is for too many."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from nurture.intake.apply import apply_all
from nurture.intake.events import parse_event
from nurture.store import releases
from nurture.store.tables import candidates, message_steps, messages
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
    now = world.clock.now()
    told = [
        {
            "type": "application.created",
            "source": "test",
            "occurred_at": now.isoformat(),
            "candidate": {"id": name, "email": f"{name}@example.com"},
            "application": {"id": f"a-{name}"},
        }
        for name in names
    ]
    apply_all(world.database, [parse_event(event) for event in told], now)
    world.work()
    return names


def got(world: World, step: str, names: list[str]) -> list[str]:
    """Who of these was sent a step, from the ledger, in one question."""
    query = (
        select(candidates.c.ref)
        .join(messages, messages.c.candidate_id == candidates.c.id)
        .join(message_steps, message_steps.c.message_id == messages.c.id)
        .where(messages.c.state == "sent", message_steps.c.step == step)
    )
    with world.database.read() as connection:
        found = set(connection.execute(query).scalars())
    return [name for name in names if name in found]


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


def test_taking_the_edit_back_takes_the_hold_away(house: World) -> None:
    names = people(house, 4)
    house.run_for(days=2)
    write(house, days=1)
    house.reload()
    house.work()
    assert rows(house)["welcome"].state == "held"
    write(house)
    house.reload()
    house.work()
    assert rows(house) == {}
    assert house.entry("second", "c0").reason == "contact_hours"  # its day is a Saturday
    assert got(house, "second", names) == []


def test_a_further_edit_is_compared_with_the_version_before_the_first(house: World) -> None:
    people(house, 4)
    house.run_for(days=2)
    write(house, days=1)
    house.reload()
    house.work()
    first = rows(house)["welcome"]
    write(house, days=2)  # due for all of them as well, and by the held version it was so already
    house.reload()
    house.work()
    assert rows(house)["welcome"].before == first.before
    assert rows(house)["welcome"].state == "held"
    assert house.entry("second", "c0").reason == "release"


def test_only_words_are_never_held(house: World) -> None:
    people(house, 4)
    house.run_for(days=2)
    text = (house.folder / "campaigns/welcome.yaml").read_text()
    house.campaign("welcome", text.replace("name: Welcome", "name: Hello and welcome"))
    house.reload()
    assert rows(house) == {}


def test_mail_without_a_cap_is_never_held(house: World) -> None:
    house.template("notes/urgent", "logistics")
    names = people(house, 4)
    house.run_for(days=2)
    write(
        house,
        days=1,
        steps="  - send: notes/urgent\n    at: 1 day after entered\n    if_late: send\n",
    )
    house.reload()
    house.work()
    assert got(house, "urgent", names) == names
    assert got(house, "second", names) == []


def test_spread_lets_each_through_at_an_instant_of_their_own(house: World) -> None:
    (house.folder / "config.yaml").write_text(
        'release_at_most: 3\ncontact_hours: {days: mon-sun, from: "00:00", to: "23:59",'
        " holidays: none, spread: 0 minutes}\n"
    )
    house.restart()
    names = people(house, 8)
    house.run_for(days=2)
    write(house, days=1)
    house.reload()
    house.work()
    assert rows(house)["welcome"].state == "held"
    let_go(house, spread=timedelta(days=2))
    start = house.clock.now()
    house.run_for(days=2, minutes=1)
    at = [dict(house.sent(name))["second"] for name in names]
    assert len(set(at)) == len(names)
    assert start <= min(at) < max(at) <= start + timedelta(days=2)
    assert max(at) - min(at) > timedelta(hours=12)
    house.work()
    assert rows(house) == {}


def test_it_stays_held_over_a_restart(house: World) -> None:
    names = people(house, 4)
    house.run_for(days=2)
    write(house, days=1)
    house.reload()
    house.work()
    house.restart()
    house.project.begin()
    house.work()
    assert got(house, "second", names) == []
    assert rows(house)["welcome"].state == "held"
    let_go(house)
    house.work()
    assert got(house, "second", names) == names


def test_an_edit_made_while_nobody_ran_is_held_too(house: World) -> None:
    names = people(house, 4)
    house.run_for(days=2)
    write(house, days=1)
    house.restart()
    house.project.begin()
    house.work()
    assert got(house, "second", names) == []
    assert rows(house)["welcome"].state == "held"


def test_after_a_long_stop_nurture_mail_waits_and_other_mail_goes(house: World) -> None:
    house.template("notes/culture", "culture")
    write(house, days=3, steps="  - send: notes/culture\n    at: 2 days after entered\n")
    house.reload()
    names = people(house, 4)
    house.clock.advance(timedelta(days=3))
    house.restart()
    house.project.begin()
    house.work()
    assert rows(house)["*"].state == "held"
    assert house.entry("culture", "c0").reason == "release"
    assert got(house, "second", names) == names  # of another class
    let_go(house, campaign="*")
    house.run_for(days=2)  # the caps put it where they have room
    assert got(house, "culture", names) == names
    assert rows(house) == {}


def test_overdue_people_of_a_paused_campaign_wait_and_tomorrows_reminder_does_not(
    house: World,
) -> None:
    (house.folder / "config.yaml").write_text("contact_hours: {holidays: none}\n")
    house.restart()
    house.template("interview/reminder", "logistics")
    house.campaign(
        "interviews",
        "name: Interviews\nstatus: live\nenter: {on: interview.scheduled}\nsteps:\n"
        "  - send: interview/reminder\n    at: 20 hours before interview.starts_at\n"
        "    if_late: send\n",
    )
    house.reload()
    house.tell(
        "interview.scheduled",
        candidate={"id": "i1", "email": "i1@example.com"},
        application={"id": "ai1"},
        interview={"id": "i1", "starts_at": "2026-12-01T12:00:00+00:00"},
    )
    names = people(house, 51)  # one more than may go without a word
    pausing = {
        name: (house.folder / f"campaigns/{name}.yaml") for name in ("welcome", "interviews")
    }
    for file in pausing.values():
        file.write_text(file.read_text().replace("status: live", "status: paused"))
    house.reload()
    house.run_for(days=7, hours=8)
    for file in pausing.values():
        file.write_text(file.read_text().replace("status: paused", "status: live"))
    house.reload()
    house.run_for(hours=8)
    assert got(house, "second", names) == []
    assert got(house, "reminder", ["i1"]) == ["i1"]
    let_go(house)
    house.run_for(days=1)
    assert got(house, "second", names) == names
    assert len({message_id for _, message_id in house.postman.offered}) == len(
        house.postman.offered
    )


def test_a_renamed_step_stays_the_same_step(house: World) -> None:
    names = people(house, 4)
    house.run_for(days=7)
    assert got(house, "second", names) == names
    renamed = SECOND.format(days=1) + "    id: greeting\n    was: second\n"
    house.campaign("welcome", FILE.format(status="live", steps=renamed))
    house.reload()
    house.run_for(days=3)
    assert len(house.postman.offered) == 8
    # The rows have the new id by now, so the line may go.
    house.campaign(
        "welcome", FILE.format(status="live", steps=SECOND.format(days=1) + "    id: greeting\n")
    )
    house.reload()
    house.run_for(days=3)
    assert len(house.postman.offered) == 8


def test_an_audience_that_becomes_live_is_held_if_it_is_for_many(house: World) -> None:
    names = people(house, 5)
    for status in ("draft", "live"):
        house.campaign(
            "pool",
            f"name: Pool\nstatus: {status}\nenter:\n  if: candidate.email\nsteps:\n"
            "  - send: notes/third\n",
        )
        house.reload()
        house.run_for(days=1)
    assert got(house, "third", names) == []
    row = rows(house)["pool"]
    assert (row.state, row.cause) == ("held", "audience")
    let_go(house, campaign="pool")
    house.run_for(days=2)
    assert got(house, "third", names) == names
