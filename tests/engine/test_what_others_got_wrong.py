"""Reminders and edits: promises that keep other engines' bugs out, each named by its public issue.

What is pure is in tests/core: caps and zones.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nurture.clock import SetClock
from nurture.core.model import Blame, Rejected
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.world import World

#: Thursday 3 December 2026, 11:00 in Lisbon.
THURSDAY = datetime(2026, 12, 3, 11, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)

REMINDERS = """
name: Reminders
status: live
enter: {on: interview.scheduled}
steps:
  - send: notes/day-before
    at: 1 day before interview.starts_at
  - send: notes/two-hours
    at: 2 hours before interview.starts_at
"""
DRIP = """
name: Drip
status: live
enter: {on: application.created}
steps:
  - send: notes/one
  - send: notes/two
    after: 10 days
"""
RULES = """
gap: null
{more}
categories:
  note: {{class: service, priority: 60, hours: any, bundle: false}}
  news: {{class: nurture, priority: 15, hours: any, bundle: false}}
"""


@pytest.fixture
def world(empty_folder: Path, clock: SetClock) -> Iterator[World]:
    """A project of reminders and a drip, in memory, without caps."""
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    (empty_folder / "config.yaml").write_text(RULES.format(more="caps: []"))
    world = World(empty_folder, database, clock)
    for name in ("day-before", "two-hours", "one", "two", "three"):
        world.template(f"notes/{name}", "note")
    world.campaign("reminders", REMINDERS)
    world.campaign("drip", DRIP)
    world.reload()
    yield world
    database.close()


def rules(world: World, more: str) -> None:
    (world.folder / "config.yaml").write_text(RULES.format(more=more))
    world.restart()


def interview(world: World, type_: str, at: datetime = THURSDAY, **more: Any) -> None:
    about = {"id": "i1", "kind": "video", "starts_at": at.isoformat(), **more}
    world.tell(f"interview.{type_}", application={"id": "a1"}, interview=about)


def apply_for(world: World) -> None:
    world.tell("application.created", application={"id": "a1"})
    world.work()


# --- reminders -------------------------------------------------------------------------------


def test_no_reminder_goes_out_after_a_cancellation(world: World) -> None:
    """Cal.com #7225, #6973: reminders of cancelled bookings."""
    interview(world, "scheduled")
    world.run_until(THURSDAY - 30 * HOUR)
    interview(world, "cancelled")
    world.run_until(THURSDAY + DAY)
    assert world.sent() == []


def test_a_cancellation_stops_even_what_is_queued_already(world: World) -> None:
    """Cal.com #6973: the reminder had been handed to a queue."""
    world.clock.set(THURSDAY - DAY)
    interview(world, "scheduled")
    while world.project.planner.tick():
        pass
    assert world.entry("day-before").verdict == "send"
    interview(world, "cancelled")
    world.work()
    assert world.postman.offered == []


def test_a_rescheduled_interview_has_the_reminders_of_its_new_time_alone(world: World) -> None:
    """Cal.com #12407: the reminder of the old time still comes."""
    interview(world, "scheduled")
    world.run_until(THURSDAY - 2 * DAY)
    later = THURSDAY + 4 * DAY
    interview(world, "rescheduled", later)
    world.run_until(later + DAY)
    assert world.sent() == [("day-before", later - DAY), ("two-hours", later - 2 * HOUR)]


def test_a_reminder_whose_moment_is_past_does_not_fire_at_once(world: World) -> None:
    """Cal.com #10749: booked ninety minutes ahead, "two hours before" came at once."""
    world.clock.set(THURSDAY - timedelta(minutes=90))
    interview(world, "scheduled")
    world.run_until(THURSDAY + DAY)
    assert world.sent() == []
    assert {world.entry(step).reason for step in ("day-before", "two-hours")} == {"late"}


def test_the_same_event_told_again_sends_nothing_again(world: World) -> None:
    """Cal.com #10166, Novu #12373: the same trigger twice, two reminders."""
    interview(world, "scheduled")
    interview(world, "rescheduled")  # to where it was
    world.run_until(THURSDAY - 5 * HOUR)
    interview(world, "rescheduled", location="Room 2")
    world.run_until(THURSDAY + DAY)
    assert [step for step, _ in world.sent()] == ["day-before", "two-hours"]


# --- edits under way -------------------------------------------------------------------------


def edit(world: World, text: str) -> None:
    world.campaign("drip", text)
    world.reload()
    world.work()


def test_a_step_that_is_added_reaches_those_who_are_past_the_others(world: World) -> None:
    """Mautic #6323, #6445: new steps never reach people who are through."""
    apply_for(world)
    world.run_for(days=11)
    edit(world, DRIP + "  - send: notes/three\n    after: 3 days\n")
    world.run_for(days=4)
    assert [step for step, _ in world.sent()] == ["one", "two", "three"]


def test_a_wait_can_be_shortened_for_those_who_wait(world: World) -> None:
    """Mautic #11634: it cannot be pulled earlier. Notifuse and Dittofeed keep what was computed."""
    apply_for(world)
    start = world.clock.now()
    world.run_for(days=2)
    edit(world, DRIP.replace("10 days", "4 days"))
    world.run_for(days=3)
    assert world.sent()[-1] == ("two", start + 4 * DAY)


def test_a_pause_freezes_and_loses_nobody(world: World) -> None:
    """Dittofeed: who waits while a journey is paused skips the mail and exits."""
    apply_for(world)
    edit(world, DRIP.replace("live", "paused"))
    world.run_for(days=12)
    assert [step for step, _ in world.sent()] == ["one"]
    assert world.entry("two").reason == "campaign_paused"
    edit(world, DRIP)
    assert [step for step, _ in world.sent()] == ["one", "two"]


def test_going_on_after_a_pause_does_not_fire_the_whole_backlog(world: World) -> None:
    """Mautic #3340: republishing sends everything at once."""
    rules(world, "caps: []\nrelease_at_most: 2")
    for name in ("one", "two"):
        world.template(f"notes/{name}", "news")
    world.restart()
    for number in range(5):
        person = {"id": f"p{number}", "email": f"p{number}@example.com"}
        world.tell("application.created", candidate=person, application={"id": f"a{number}"})
    world.work()
    edit(world, DRIP.replace("live", "paused"))
    world.run_for(days=13)
    edit(world, DRIP)
    assert len(world.postman.offered) == 5, "the first step of each, and no more"
    assert world.entry("two", "p4").reason == "release"


def test_a_step_that_is_taken_out_sends_nobody_back_to_the_first(world: World) -> None:
    """Heya: a removed step puts the membership back to the first one."""
    apply_for(world)
    edit(world, DRIP + "  - send: notes/three\n    after: 3 days\n")
    world.run_for(days=11)
    edit(world, DRIP.partition("  - send: notes/two")[0] + "  - send: notes/three\n")
    world.run_for(days=5)
    assert [step for step, _ in world.sent()] == ["one", "two", "three"]


# --- what counts -----------------------------------------------------------------------------


def test_a_mail_that_was_refused_counts_against_no_cap_and_is_not_told_as_sent(
    world: World,
) -> None:
    """Mautic counts failed sends; #1364, #2425: "sent" is recorded before anything was sent."""
    rules(world, "caps: [{at_most: 1, per: 5 days}]")
    world.campaign("drip", DRIP.replace("10 days", "1 minute"))
    world.reload()
    world.postman.answers = [Rejected(text="554 no", code=554, blame=Blame.SERVER)]
    apply_for(world)
    world.run_for(days=1)
    assert [step for step, _ in world.sent()] == ["two"]


def test_looking_changes_no_time(world: World) -> None:
    """Warmbly #437, #442: the preview took the randomised path, so each look moved the mail."""
    interview(world, "scheduled")
    world.work()
    seen = {str([(entry.step, entry.at) for entry in world.agenda()]) for _ in range(5)}
    assert len(seen) == 1
