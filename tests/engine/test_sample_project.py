"""The sample project as a newcomer meets it: at any hour, simulated, and left untouched."""

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from nurture.authoring.library import Library
from nurture.clock import SetClock
from nurture.config import Config, load_config
from nurture.engine.project import Project
from nurture.engine.sender import Sender, until_idle
from nurture.engine.simulate import Progress, simulate
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.rendering.links import Signer
from nurture.rendering.renderer import Renderer
from nurture.store import history
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.conftest import REPOSITORY
from tests.world import Postman, World

#: Every hour of the day and every day of the week: 7 and 24 have no common divisor.
HOURS = [datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=hour) for hour in range(0, 168, 7)]


@pytest.fixture(scope="module")
def opened() -> tuple[Config, Library, Renderer]:
    config = load_config(REPOSITORY / "config.yaml", {})
    library = Library(config)
    return config, library, Renderer(library.templates, config, Signer([b"k" * 32]))


def first_start(opened: tuple[Config, Library, Renderer], now: datetime) -> Project:
    config, library, renderer = opened
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    clock = SetClock(now)
    signer = Signer([b"k" * 32])
    project = Project(config=config, clock=clock, database=database, library=library, signer=signer)
    project.letters.renderer = renderer  # what it knows of shapes is good at any hour
    apply_all(database, sample_events(REPOSITORY / "sample/events.jsonl", now), now)
    return project


def mails(project: Project) -> list[str]:
    postman = Postman()
    sender = Sender(
        project.database, project.planner, project.clock, project.letters.write, postman
    )
    until_idle(project.planner, sender)
    return [to for to, _ in postman.offered]


@pytest.mark.parametrize("now", [*HOURS, datetime(2026, 12, 25, 3, tzinfo=UTC)], ids=str)
def test_at_least_ten_mails_go_out_at_any_hour_of_any_day_and_none_twice(
    opened: tuple[Config, Library, Renderer], now: datetime
) -> None:
    project = first_start(opened, now)
    sent = mails(project)
    assert len(sent) >= 10
    assert mails(project) == []
    project.close()


def test_a_simulation_sends_nothing_writes_nothing_and_never_repeats_itself(
    folder: Path, project: Project
) -> None:
    now = project.clock.now()
    apply_all(project.database, sample_events(folder / "sample/events.jsonl", now), now)
    before = _digest(project)
    seen: list[Progress] = []
    rows = list(simulate(project, 60, seen.append))
    assert _digest(project) == before
    assert not (folder / "var/outbox").exists()

    sends = [row for row in rows if row["verdict"] == "send"]
    assert len(sends) > 60
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert all(0 <= each.share <= 1 for each in seen)
    twice = Counter(
        (row["candidate"], row["application"], row["template"])
        for row in sends
        if not row["template"].endswith(("changed", "day-before", "two-hours-before"))
    )
    assert [what for what, times in twice.items() if times > 1] == []


@pytest.mark.acceptance("A10.5")
def test_what_was_simulated_is_what_happens(starter: World) -> None:
    now = starter.clock.now()
    apply_all(starter.database, sample_events(REPOSITORY / "sample/events.jsonl", now), now)
    foretold = list(simulate(starter.project, 10))
    starter.run_until(now + timedelta(days=10))
    with starter.database.read() as connection:
        happened = list(history.final_verdicts(connection))
    assert len(happened) > 60
    assert foretold == happened


def _digest(project: Project) -> str:
    """All rows of all tables."""
    with project.database.read() as connection:
        rows = [repr(connection.execute(table.select()).all()) for table in metadata.sorted_tables]
    return hashlib.sha256("".join(rows).encode()).hexdigest()
