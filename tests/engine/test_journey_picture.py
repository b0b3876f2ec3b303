"""What a journey looks like, and how many people are where in it."""

import pytest

from nurture.engine.flowchart import flowchart
from nurture.engine.picture import Picture, picture, totals, whereabouts
from nurture.store.census import census
from tests.engine.test_flowchart import parsed
from tests.world import World

FILE = """\
name: Welcome
status: live
enter:
  on: application.created
  if: application.stage != "lead"
  once_per: application
leave:
  - on: offer.accepted
  - if: application.status == "hired"
steps:
  - send: notes/hello
  - send: notes/reminder
    at: 2 days before interview.starts_at
  - wait_for: contact.logged
    up_to: 3 days
  - if: candidate.phone == "1"
    id: phone
    then:
      - task: {text: Call them, due: 2 days}
    else:
      - send: notes/write
        after: 1 day
  - send: notes/last
    after: 1 week
    if: application.stage == "offer"
"""


@pytest.fixture
def busy(world: World) -> World:
    """Six who entered, each somewhere else."""
    for name in ("hello", "reminder", "write", "last"):
        world.template(f"notes/{name}", "receipt")
    world.campaign("welcome", FILE)
    world.reload()
    for number in range(6):
        person = {"id": f"c{number}", "email": f"c{number}@example.com"}
        if number < 2:
            person["phone"] = "1"
        world.tell("application.created", candidate=person, application={"id": f"a{number}"})
    world.work()
    world.run_for(minutes=5)
    for number in (0, 2, 3):
        person = {"id": f"c{number}", "email": f"c{number}@example.com"}
        at = world.clock.now().isoformat()
        world.tell("contact.logged", candidate=person, contact={"kind": "call", "at": at})
    world.run_for(hours=30)
    world.tell(
        "offer.accepted",
        candidate={"id": "c4", "email": "c4@example.com"},
        application={"id": "a4"},
        offer={"id": "o4"},
    )
    world.tell(
        "application.rejected",
        candidate={"id": "c5", "email": "c5@example.com"},
        application={"id": "a5"},
    )
    world.work()
    return world


def seen(world: World) -> Picture:
    with world.database.read() as connection:
        return picture(world.project.library.campaigns["welcome"], census(connection, "welcome"))


def test_everybody_is_counted_where_they_are(busy: World) -> None:
    found = seen(busy)
    assert (found.census.entered, found.census.active) == (6, 4)
    assert found.census.left == {"application.closed": 1, "offer.accepted": 1}
    hello, reminder, gate, phone, last = found.nodes
    assert (hello.place.sent, hello.place.waiting) == (6, {})
    assert (reminder.place.sent, reminder.place.waiting) == (0, {}), "nobody has an interview"
    assert (gate.place.done, gate.place.waiting) == (3, {"wait_for": 1})
    assert gate.place.next_at is not None
    assert phone.place.chosen == {"then": 1, "else": 2}
    (task,), (write,) = phone.then, phone.otherwise
    assert (task.place.done, write.place.sent) == (1, 2)
    assert sum(last.place.waiting.values()) == 3
    assert totals(found.census).startswith("4 in it now, 0 finished, 2 left (1 app")

    busy.run_for(days=20)
    found = seen(busy)
    assert (found.census.active, found.census.finished) == (0, 4)
    assert whereabouts(found.nodes[-1]) == ["6 skipped (4 condition, 2 left)"]
    assert totals(found.census).startswith("0 in it now, 4 finished, 2 left")


def test_the_journey_is_told_in_the_words_of_the_file(busy: World) -> None:
    found = seen(busy)
    assert found.enters == (
        'on application.created, if application.stage != "lead", once per application'
    )
    assert found.leaves == ("on offer.accepted", 'if application.status == "hired"')
    hello, reminder, gate, phone, last = found.nodes
    assert (hello.title(), hello.when) == ("send notes/hello", "on entering")
    assert reminder.when == "at 2 days before interview.starts_at"
    assert (gate.title(), gate.limits) == ("wait for contact.logged", ("up to 3 days",))
    assert phone.title() == 'if candidate.phone == "1"'
    assert phone.then[0].limits == ("for the recruiter", "due in 2 days")
    assert phone.otherwise[0].when == "1 day after the choice"
    assert (last.when, last.limits[0]) == (
        "1 week after the step above",
        'if application.stage == "offer"',
    )


def test_steps_that_the_file_has_no_more_are_still_counted(busy: World) -> None:
    busy.campaign("welcome", FILE.replace("notes/hello", "notes/last\n    id: first"))
    busy.reload()
    found = seen(busy)
    assert {step: place.sent for step, place in found.gone.items()} == {"hello": 6}


def test_nobody_is_counted_without_a_census(busy: World) -> None:
    found = picture(busy.project.library.campaigns["welcome"])
    assert found.census.entered == 0
    assert all(whereabouts(node) == [] for node in found.nodes)


def test_the_flowchart_has_every_step_and_both_sides_of_a_branch(busy: World) -> None:
    drawn = parsed(flowchart(seen(busy)))
    by_words = {label.split("<br/>")[0]: name for name, label in drawn.nodes.items()}
    arrows = {(start, end) for start, end, _ in drawn.arrows}
    labels = {(start, end): label for start, end, label in drawn.arrows}
    hello, gate = by_words["send notes/hello"], by_words["wait for contact.logged"]
    phone = next(name for words, name in by_words.items() if words.startswith("if candidate"))
    call, write = by_words["task Call them"], by_words["send notes/write"]
    last, reminder = by_words["send notes/last"], by_words["send notes/reminder"]
    assert {("enter", hello), ("enter", reminder), (reminder, gate), (gate, phone)} <= arrows
    assert labels[phone, call] == "then (1)"
    assert labels[phone, write] == "else (2)"
    assert {(call, last), (write, last), (last, "finished")} <= arrows
    assert "6 sent" in drawn.nodes[hello]
