"""Who can one try a project out with, before there is anybody? Its invented people, in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from nurture.clock import SetClock
from nurture.engine.project import Project
from nurture.errors import NurtureError
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.store.copying import empty


@contextmanager
def with_invented_people(project: Project, start: datetime | None = None) -> Iterator[Project]:
    """The same project with the people of `sample/events.jsonl`, told of just now (or at `start`),
    and nobody else. Their database is in memory and forgotten afterwards."""
    file = project.config.root / "sample" / "events.jsonl"
    if not file.is_file():
        raise NurtureError("there are no invented people: sample/events.jsonl is not there")
    now = start or project.clock.now()
    database = empty()
    try:
        apply_all(database, sample_events(file, now), now)
        yield replace(project, database=database, clock=SetClock(now))
    finally:
        database.close()
