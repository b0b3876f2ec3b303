"""What an agenda said at some instant is told the same for ever after."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from nurture.clock import SetClock
from nurture.engine.hindsight import Hindsight, hindsight
from nurture.engine.outlook import Entry, Outlook, outlook
from nurture.errors import UsageError
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.store import alarm
from nurture.store.database import Database
from nurture.store.tables import candidates, metadata
from tests.world import World

WELCOME = """
name: Welcome
status: live
enter: {on: application.created}
steps:
  - send: notes/hello
    at: 2 days after application.applied_at
  - send: notes/more
    after: 3 days
"""


@pytest.fixture
def sample(folder: Path, clock: SetClock) -> Iterator[World]:
    """The starter project with its sample candidates, in memory."""
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    world = World(folder, database, clock)
    now = clock.now()
    apply_all(database, sample_events(folder / "sample/events.jsonl", now), now)
    yield world
    database.close()


def on_record(seen: Outlook | Hindsight) -> list[Any]:
    """What is kept: all but steps without a date, and where forecasts move to, and why."""

    def kept(entry: Entry) -> tuple[Any, ...]:
        reason, at = (None, None) if entry.about else (entry.reason, entry.at)
        occasion = (entry.campaign, entry.application, entry.step, entry.template, entry.category)
        return (*occasion, entry.verdict, entry.about, reason, at)

    told = [*seen.past, *seen.ahead]
    return sorted((kept(each) for each in told if each.reason != "no_anchor"), key=repr)


def look_again(world: World) -> None:
    """Between two looks a reason can grow old, such as a cap that has run out overnight."""
    with world.database.write() as connection:
        everybody = connection.execute(select(candidates.c.id)).scalars().all()
        alarm.ring(connection, everybody, world.clock.now())
    world.work()


def test_an_agenda_of_the_past_is_the_one_that_was_shown_then(sample: World) -> None:
    people = [f"sample-{number:02}" for number in (1, 2, 4, 7, 9, 12)]
    shown: dict[tuple[str, datetime], list[Any]] = {}
    for _ in range(3):
        sample.run_for(days=1, hours=5)
        look_again(sample)
        for who in people:
            seen = outlook(sample.project, who, ahead=None)
            assert seen is not None
            shown[who, sample.clock.now()] = on_record(seen)
    assert sum(map(len, shown.values())) > 60
    for (who, at), then in shown.items():
        again = hindsight(sample.project, who, at)
        assert again is not None
        assert on_record(again) == then, (who, at)


def test_what_waited_is_told_with_why_and_until_when(world: World) -> None:
    world.template("notes/hello", "status")
    world.template("notes/more", "status")
    world.campaign("welcome", WELCOME)
    world.reload()
    before = world.clock.now() - timedelta(minutes=1)
    world.tell("application.created", application={"id": "a1"})
    world.work()
    told = world.clock.now() + timedelta(hours=1)
    was = world.entry("hello")
    world.run_for(days=9)
    assert [step for step, _ in world.sent()] == ["hello", "more"]

    then = hindsight(world.project, "c1", told)
    assert then is not None
    assert then.past == ()
    assert (then.ahead[0].step, then.ahead[0].verdict) == ("hello", "wait")
    assert then.ahead[0].at == was.at
    assert then.ahead[0].sentence == was.sentence
    assert then.ahead[0].recorded_at == told - timedelta(hours=1)
    assert (nothing := hindsight(world.project, "c1", before)) is not None
    assert (nothing.past, nothing.ahead) == ((), ())
    assert (now := hindsight(world.project, "c1", world.clock.now())) is not None
    assert [each.step for each in now.past] == ["hello", "more"]


def test_the_past_is_as_its_files_were_then(sample: World) -> None:
    sample.run_for(hours=1)
    told = sample.clock.now()
    was = hindsight(sample.project, "sample-01", told)
    sample.clock.set(told + timedelta(minutes=1))
    for path in (sample.folder / "campaigns").glob("*.yaml"):
        path.unlink()
    sample.project.reload()
    sample.run_for(days=2)
    again = hindsight(sample.project, "sample-01", told)
    assert was is not None
    assert again is not None
    assert on_record(again) == on_record(was)


def test_a_time_without_an_offset_is_the_candidates(starter: World) -> None:
    starter.tell(
        "candidate.upserted",
        candidate={"id": "c1", "email": "ana@example.com", "timezone": "Asia/Tokyo"},
    )
    seen = hindsight(starter.project, "c1", datetime(2026, 11, 23, 18, 0))  # noqa: DTZ001
    assert seen is not None
    assert seen.at == starter.clock.now() - timedelta(hours=1)


def test_the_future_is_no_past(starter: World) -> None:
    starter.tell("candidate.upserted")
    with pytest.raises(UsageError, match="look ahead"):
        hindsight(starter.project, "c1", starter.clock.now() + timedelta(seconds=1))
    assert hindsight(starter.project, "nobody", starter.clock.now()) is None
