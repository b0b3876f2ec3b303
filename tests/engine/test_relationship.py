"""What the ten steps of a good relationship ask for and no other test says: docs/relationship."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nurture.clock import SetClock
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.world import World

SECOND = timedelta(seconds=1)
DAY = timedelta(hours=20)  # of the caps


@pytest.fixture
def bare(empty_folder: Path, clock: SetClock) -> Iterator[World]:
    """A project without campaigns, in memory."""
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    (empty_folder / "config.yaml").write_text("bundle: {at_most: 1}\n")
    yield World(empty_folder, database, clock)
    database.close()


def interviewing(world: World) -> None:
    application = {"id": "a1", "stage": "interviewing", "recruiter": "ida@example.com"}
    world.tell("application.stage_changed", application=application)


@pytest.mark.acceptance("A3.2")
@pytest.mark.parametrize("rejected", [True, False])
def test_who_is_rejected_a_second_before_gets_no_culture_mail(
    starter: World, rejected: bool
) -> None:
    interviewing(starter)
    starter.work()
    due = starter.entry("how-we-decide").at
    assert due is not None
    starter.run_until(due - SECOND)
    if rejected:
        starter.tell("application.rejected", application={"id": "a1"})
    starter.run_for(days=2)
    assert ("how-we-decide" in [step for step, _ in starter.sent()]) is not rejected


@pytest.mark.acceptance("A5.4")
def test_no_word_of_a_candidate_changes_what_may_be_said_to_them(starter: World) -> None:
    interviewing(starter)
    starter.work()

    def planned() -> list[tuple[Any, ...]]:
        return [(each.step, each.verdict, each.reason, each.at) for each in starter.agenda()]

    before = planned()
    said = {"text": "My father has died. I am in despair, and furious with you."}
    starter.tell("custom.said", data=said)
    starter.tell("candidate.upserted", candidate={"id": "c1", "mood": said["text"], "note": "sad"})
    starter.work()
    assert planned() == before
    # What a person declares does.
    until = starter.clock.now() + timedelta(days=20)
    starter.tell("candidate.sensitive", until=until.isoformat())
    starter.work()
    assert planned() != before
    assert "sensitive" in {reason for _, _, reason, _ in planned()}


THREE_AT_ONCE = """
name: Help
status: live
enter: {on: application.created, once_per: application}
steps:
  - {send: help/one, after: 0 minutes}
  - {send: help/two, after: 0 minutes}
  - {send: help/three, after: 0 minutes}
"""


@pytest.mark.acceptance("A10.4")
def test_two_recruiters_in_two_jobs_have_one_cap_between_them(bare: World) -> None:
    for name in ("one", "two", "three"):
        bare.template(f"help/{name}", "help")
    bare.campaign("help", THREE_AT_ONCE)
    bare.reload()
    for number, recruiter in enumerate(("ida@example.com", "marco@example.com")):
        about = {"id": f"a{number}", "job": {"id": f"j{number}", "title": "A job"}}
        bare.tell("application.created", application={**about, "recruiter": recruiter})
    bare.run_for(days=9)
    sent = sorted(at for _, at in bare.sent())
    assert len(sent) == 6
    assert max(_within(sent, at) for at in sent) == 2


def _within(sent: list[datetime], first: datetime) -> int:
    return sum(first <= at < first + DAY for at in sent)


@pytest.mark.acceptance("A1.5")
def test_a_closing_note_that_nobody_approves_becomes_a_task_in_time(starter: World) -> None:
    application = {"id": "a1", "job": {"id": "j1", "title": "A job"}, "stage": "applied"}
    starter.tell("application.created", application=application)
    starter.run_for(hours=2)
    starter.tell("job.closed", job={"id": "j1"}, candidate=None)
    starter.run_for(days=6)
    assert starter.entry("role-closed").verdict == "wait"
    starter.run_for(days=4)  # five working days are over
    assert starter.entry("must-be-told").verdict == "task"
