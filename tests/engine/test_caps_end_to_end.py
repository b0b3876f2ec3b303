"""Caps hold across campaigns, in the order of necessity, on both databases."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.world import World

CAMPAIGN = """\
name: {name}
status: live
enter:
  on: application.created
steps:
  - send: notes/{name}
"""


@pytest.mark.acceptance("A10.1")
def test_three_campaigns_on_one_morning_give_one_mail_a_day_by_priority(world: World) -> None:
    (world.folder / "config.yaml").write_text(
        "caps: [{at_most: 1, per: 20 hours}]\ngap: null\nbundle: {at_most: 1}\n"
        "categories:\n"
        "  first: {class: service, priority: 60}\n"
        "  second: {class: service, priority: 50}\n"
        "  third: {class: service, priority: 40}\n"
    )
    world.restart()
    for name in ("third", "first", "second"):
        world.template(f"notes/{name}", name)
        world.campaign(name, CAMPAIGN.format(name=name))
    world.reload()
    start = world.clock.now()
    world.tell("application.created", application={"id": "a1"})
    world.work()

    assert [step for step, _ in world.sent()] == ["first"]
    for step, days in (("second", 1), ("third", 2)):
        waiting = world.entry(step)
        assert waiting.verdict == "wait"
        assert waiting.reason in ("cap", "slot_reserved")
        assert waiting.at is not None
        assert timedelta(days=days - 1) < waiting.at - start < timedelta(days=days, hours=4)
        assert "at most 1 mail or call a day" in waiting.sentence
        assert "Lisbon" in waiting.sentence
    foretold = {step: world.entry(step).at for step in ("second", "third")}

    world.run_for(days=4)
    sent = dict(world.sent())
    assert list(sent) == ["first", "second", "third"]
    times = list(sent.values())
    assert all(later - earlier >= timedelta(hours=20) for earlier, later in pairwise(times))
    # What was foretold on the first morning is what happened.
    assert foretold == {step: sent[step] for step in ("second", "third")}


def test_a_queued_mail_obeys_an_unsubscribe_that_comes_in_between(world: World) -> None:
    world.template("notes/culture", "culture")
    world.campaign("culture", CAMPAIGN.format(name="culture"))
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    assert world.project.planner.tick() == 1  # decided and queued
    world.tell("candidate.unsubscribed")
    world.work()
    assert world.postman.offered == []
    assert world.entry("culture").reason == "unsubscribed"
