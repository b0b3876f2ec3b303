"""By when each application must hear from us is kept beside it, and is what the report reckons."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from nurture.engine.silence import waiting
from nurture.intake.apply import apply_all
from nurture.intake.sample import sample_events
from nurture.store.tables import applications
from tests.world import World


def kept(world: World) -> dict[str, datetime]:
    query = select(applications.c.ref, applications.c.silence_due_at)
    with world.database.read() as connection:
        return {ref: at for ref, at in connection.execute(query) if at is not None}


def reckoned(world: World) -> dict[str, datetime]:
    return {each.application: each.due_at for each in waiting(world.project)}


def begin(world: World, **more: Any) -> None:
    application = {"id": "a1", "stage": "screening", "job": {"id": "j1", "title": "Engineer"}}
    world.tell("application.created", application=application | more)
    world.work()


def test_what_is_kept_is_what_the_report_reckons_for_every_sample_candidate(
    starter: World,
) -> None:
    now = starter.clock.now()
    events = sample_events(starter.folder / "sample/events.jsonl", now)
    apply_all(starter.database, events, now)
    starter.run_for(days=9)
    assert len(reckoned(starter)) > 3
    assert kept(starter) == reckoned(starter)


def test_a_call_begins_another_silence(starter: World) -> None:
    begin(starter)
    before = kept(starter)["a1"]
    starter.run_for(days=1)
    starter.tell("contact.logged", application={"id": "a1"}, contact={"kind": "call"})
    starter.work()
    assert kept(starter)["a1"] > before
    assert kept(starter) == reckoned(starter)


def test_who_was_told_or_must_not_be_written_to_waits_no_more(starter: World) -> None:
    begin(starter)
    starter.tell("application.rejected", application={"id": "a1"})
    starter.work()
    assert kept(starter) == reckoned(starter) != {}
    starter.tell("candidate.do_not_contact")
    starter.work()
    assert kept(starter) == reckoned(starter) == {}
