"""Promises of audiences: campaigns that people enter by what is true of them, without an event."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from nurture.engine import audience
from nurture.errors import OutsideError
from nurture.store import audience as store
from nurture.store import planning
from nurture.store.database import Database
from nurture.store.tables import candidates, enrollments
from tests.conftest import MONDAY
from tests.world import World

STEPS = "steps:\n  - send: news/hello\n"


def audience_of(
    world: World, enter: str, *, status: str = "live", more: str = STEPS, of: str = "culture"
) -> None:
    world.template("news/hello", of)
    world.campaign("pool", f"name: Pool\nstatus: {status}\nenter: {enter}\n{more}")
    world.reload()


def known(world: World, ref: str, **facts: Any) -> None:
    """Somebody told of as history: nobody is planned for it."""
    person = {"id": ref, "email": f"{ref}@example.com", **facts}
    world.tell("candidate.upserted", candidate=person, historical=True)


def entered(world: World) -> dict[str, int]:
    """How often each person is, or was, in the campaign."""
    with world.database.read() as connection:
        query = (
            select(candidates.c.ref, func.count().label("many"))
            .join(enrollments, enrollments.c.candidate_id == candidates.c.id)
            .group_by(candidates.c.ref)
        )
        return {row.ref: row.many for row in connection.execute(query)}


def rows(world: World) -> list[Any]:
    with world.database.read() as connection:
        return list(connection.execute(select(enrollments).order_by(enrollments.c.id)))


def scan(world: World) -> None:
    while world.project.planner.audiences.scan():
        pass


def test_who_is_known_already_enters_when_the_campaign_becomes_live(world: World) -> None:
    for ref, country in (("c1", "PT"), ("c2", "ES"), ("c3", "PT")):
        known(world, ref, country=country)
    audience_of(world, '{if: candidate.country == "PT"}', status="draft")
    world.work()
    assert entered(world) == {}
    audience_of(world, '{if: candidate.country == "PT"}')
    world.run_for(days=1)
    assert entered(world) == {"c1": 1, "c3": 1}
    assert [step for step, _ in world.sent("c1")] == ["hello"]
    assert world.sent("c2") == []


def test_who_comes_to_be_as_the_audience_is_enters_by_that_fact(world: World) -> None:
    audience_of(world, '{if: candidate.country == "PT"}')
    world.work()
    world.tell("candidate.upserted", candidate={"id": "c1", "country": "ES"})
    world.work()
    assert entered(world) == {}
    world.tell("candidate.upserted", candidate={"id": "c1", "country": "PT"})
    world.work()
    assert entered(world) == {"c1": 1}


def test_a_condition_that_turns_false_later_ends_nothing(world: World) -> None:
    known(world, "c1", country="PT")
    audience_of(world, '{if: candidate.country == "PT"}')
    world.work()
    world.tell("candidate.upserted", candidate={"id": "c1", "country": "ES"})
    world.work()
    (row,) = rows(world)
    assert row.ended_at is None


@pytest.mark.parametrize(
    "enter",
    [
        "days_since(candidate.consent_until) >= 3",
        'candidate.country == "PT" and days_since(candidate.consent_until) >= 3',
        "days_since(candidate.consent_until) >= 3 and sent_count() == 0",
    ],
)
@pytest.mark.parametrize("scanned", [True, False])
def test_who_qualifies_by_time_alone_enters_at_that_instant_without_polling(
    world: World, enter: str, scanned: bool
) -> None:
    facts = {"country": "PT", "timezone": "Asia/Kolkata", "consent_until": str(date(2026, 12, 10))}
    if scanned:
        known(world, "c1", **facts)
        audience_of(world, f"{{if: {enter}}}".replace("{if: ", "{if: '").replace("}", "'}"))
    else:
        audience_of(world, f"{{if: {enter}}}".replace("{if: ", "{if: '").replace("}", "'}"))
        world.work()
        world.tell("candidate.upserted", candidate={"id": "c1", **facts})
    world.work()
    at = datetime(2026, 12, 12, 18, 30, tzinfo=UTC)  # the 13th begins in Kolkata
    with world.database.read() as connection:
        assert planning.next_alarm(connection) == at
    world.run_until(at - timedelta(seconds=1))
    assert entered(world) == {}
    world.run_until(at)
    (row,) = rows(world)
    assert row.entered_at == at


def test_each_application_is_tried_and_only_active_ones_unless_the_condition_asks(
    world: World,
) -> None:
    for ref, stage, status in (
        ("a-1", "final", "active"),
        ("a-2", "applied", "active"),
        ("a-3", "final", "rejected"),
        ("a-4", "final", "active"),
    ):
        told = {"id": ref, "stage": stage, "status": status}
        world.tell("application.stage_changed", application=told, historical=True)
    audience_of(world, '{if: application.stage == "final", once_per: application}')
    world.work()
    assert [row.subject for row in rows(world)] == ["application:a-1", "application:a-4"]
    assert [row.application for row in rows(world)] == ["a-1", "a-4"]


def test_a_closed_application_ends_what_it_was_in_but_not_what_it_came_in_by(world: World) -> None:
    world.template("news/hello", "culture")
    silver = '{if: application.status == "rejected", once_per: application}'
    for name, enter in (
        ("silver", silver),
        ("any", '{if: application.status != "hired", once_per: application}'),
        ("active", "{if: candidate.email is defined, once_per: application}"),
    ):
        world.campaign(name, f"name: x\nstatus: live\nenter: {enter}\n{STEPS}")
    world.reload()
    world.tell("application.created", application={"id": "a-1"})
    world.work()
    assert {row.campaign: row.ended_at for row in rows(world)} == {"any": None, "active": None}
    world.clock.set(MONDAY + timedelta(hours=1))
    world.tell("application.rejected", application={"id": "a-1"})
    world.work()
    ends = {row.campaign: row.end_reason for row in rows(world)}
    assert ends == {"any": "application.closed", "active": "application.closed", "silver": None}


def test_who_must_not_be_written_to_never_enters(world: World) -> None:
    for ref in ("c1", "c2", "c3", "c4"):
        known(world, ref, country="PT")
    world.tell("candidate.do_not_contact", candidate={"id": "c1"})
    world.tell("candidate.erased", candidate={"id": "c2"})
    world.tell("candidate.merged", candidate={"id": "c3"}, into={"id": "c4"})
    audience_of(world, "{if: candidate.country is defined or sent_count() == 0}")
    world.work()
    for ref in ("c1", "c2", "c3"):
        world.tell("candidate.upserted", candidate={"id": ref, "locale": "pt"})
    world.work()
    assert entered(world) == {"c4": 1}


def test_again_after_a_time_opens_a_new_number_and_ends_the_former(world: World) -> None:
    known(world, "c1", country="PT")
    # A question: other nurture texts reach nobody twice.
    audience_of(world, '{if: candidate.country == "PT", again: 90 days}', of="check-in")
    world.run_for(days=89)
    assert [row.number for row in rows(world)] == [1]
    world.run_for(days=2)
    first, second = rows(world)
    assert (first.end_reason, second.number, second.ended_at) == ("again", 2, None)
    assert second.entered_at == MONDAY + timedelta(days=90)
    world.run_for(days=20)  # its mail keeps a distance from what else they had
    assert len(world.sent("c1")) == 2


def test_again_when_left_waits_until_they_left_and_lets_nobody_in_who_would_leave_at_once(
    world: World,
) -> None:
    leave = f"leave:\n  - on: candidate.replied\n  - if: candidate.phone is defined\n{STEPS}"
    known(world, "c1", country="PT")
    audience_of(world, '{if: candidate.country == "PT", again: when_left}', more=leave)
    world.work()
    world.tell("candidate.upserted", candidate={"id": "c1", "locale": "pt"})
    world.work()
    assert [row.number for row in rows(world)] == [1]
    world.tell("candidate.replied")
    world.tell("candidate.upserted", candidate={"id": "c1", "phone": "+351"})
    world.work()
    assert [(row.number, row.end_reason) for row in rows(world)] == [(1, "candidate.replied")]
    world.clock.set(MONDAY + timedelta(hours=1))
    world.tell("candidate.upserted", candidate={"id": "c1", "phone": None})
    world.work()
    assert [row.number for row in rows(world)] == [1, 2]


def test_again_holds_for_campaigns_with_an_event_too(world: World) -> None:
    audience_of(world, "{on: custom.met, once_per: candidate, again: 30 days}")
    for days in (0, 20, 31):
        world.run_until(MONDAY + timedelta(days=days))
        world.tell("custom.met")
        world.work()
    assert [(row.number, row.end_reason) for row in rows(world)] == [(1, "again"), (2, None)]


def test_nobody_is_mistaken_for_who_was_looked_at_before(world: World) -> None:
    world.template("news/hello", "culture")
    enter = '{on: interview.scheduled, if: interview.kind == "video"}'
    world.campaign("one", f"name: x\nstatus: live\nenter: {enter}\n{STEPS}")
    world.reload()
    for ref, kind in (("i-1", "phone"), ("i-2", "video")):
        world.tell("interview.scheduled", interview={"id": ref, "kind": kind})
    world.work()
    assert [row.interview for row in rows(world)] == ["i-2"]


CONDITIONS = {
    "in SQL": ('candidate.country == "PT"', "BATCH_IN_SQL"),
    "by rows": (
        'candidate.country not in ("ES",) and days_since(candidate.consent_until) < 1000',
        "BATCH_OF_ROWS",
    ),
    "by facts": ('candidate.country == "PT" and sent_count() == 0', "BATCH_OF_FACTS"),
}


@pytest.mark.parametrize("way", CONDITIONS)
def test_a_scan_that_crashes_goes_on_where_it_was_and_nobody_enters_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    condition, size = CONDITIONS[way]
    monkeypatch.setattr(audience, size, 2)
    for number in range(7):
        known(world, f"c{number}", country="PT", consent_until="2026-11-20")
    known(world, "other", country="ES", consent_until="2026-11-20")
    audience_of(world, f"{{if: '{condition}'}}")
    advance, batches = store.advance, 0

    def fails(*given: Any) -> None:
        nonlocal batches
        batches += 1
        if batches == 3:
            raise OutsideError("the power is gone")
        advance(*given)

    monkeypatch.setattr(store, "advance", fails)
    with pytest.raises(OutsideError):
        scan(world)
    assert len(rows(world)) == 4
    world.restart()
    (how_far,) = world.project.planner.audiences.under_way()
    assert (how_far.seen, how_far.total) == (4, 8)
    scan(world)
    assert world.project.planner.audiences.under_way() == []
    assert batches == 6  # three after the one that failed, and none of those before
    assert entered(world) == {f"c{number}": 1 for number in range(7)}
    scan(world)
    world.restart()
    scan(world)
    assert batches == 6


def test_an_edit_during_a_scan_begins_it_anew_and_ends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "BATCH_IN_SQL", 2)
    for number, country in enumerate(("PT", "PT", "ES", "ES", "PT", "ES")):
        known(world, f"c{number}", country=country)
    audience_of(world, '{if: candidate.country == "PT"}')
    world.project.planner.audiences.scan()
    assert entered(world) == {"c0": 1, "c1": 1}
    audience_of(world, '{if: candidate.country == "ES"}')
    scan(world)
    assert entered(world) == {"c0": 1, "c1": 1, "c2": 1, "c3": 1, "c5": 1}
    audience_of(world, '{if: candidate.country == "ES"}', more=STEPS + "    after: 1 day\n")
    assert world.project.planner.audiences.scan() == 0  # who is in it is the same


def test_a_paused_audience_takes_nobody_in_until_it_is_live_again(world: World) -> None:
    audience_of(world, '{if: candidate.country == "PT"}')
    world.work()
    audience_of(world, '{if: candidate.country == "PT"}', status="paused")
    world.tell("candidate.upserted", candidate={"id": "c1", "country": "PT"})
    world.work()
    assert entered(world) == {}
    audience_of(world, '{if: candidate.country == "PT"}')
    world.work()
    assert entered(world) == {"c1": 1}


def test_facts_are_served_between_two_batches(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "BATCH_IN_SQL", 2)
    for number in range(9):
        known(world, f"c{number}", country="PT")
    audience_of(world, '{if: candidate.country == "PT"}')
    told: list[audience.Progress] = []
    world.project.planner.audiences.watch = told.append
    world.project.planner.tick()
    world.tell("candidate.upserted", candidate={"id": "new", "country": "PT"})
    world.project.planner.tick()
    assert "new" in entered(world)
    assert (told[-1].campaign, told[-1].seen, told[-1].total) == ("pool", 4, 9)
    world.work()
    assert len(entered(world)) == 10
    assert (told[-1].seen, told[-1].total) == (10, 10)


def test_what_begins_on_entering_is_not_late_because_planning_came_later(world: World) -> None:
    known(world, "c1", country="PT")
    steps = "steps:\n  - send: news/hello\n    at: entered\n"
    audience_of(world, '{if: candidate.country == "PT"}', more=steps)
    scan(world)
    world.clock.set(MONDAY + timedelta(minutes=20))
    world.run_for(days=1)
    assert [step for step, _ in world.sent("c1")] == ["hello"]


def test_two_processes_scan_and_plan_at_once_and_nobody_enters_twice(
    empty_folder: Any, new_postgres: Callable[[], str], clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nurture.store import schema

    address = new_postgres()
    databases = [Database(address) for _ in range(2)]
    schema.upgrade(databases[0])
    worlds = [World(empty_folder, database, clock) for database in databases]
    monkeypatch.setattr(audience, "BATCH_IN_SQL", 5)
    for number in range(60):
        known(worlds[0], f"c{number}", country="PT")
        if number % 2:
            worlds[0].tell("candidate.upserted", candidate={"id": f"c{number}", "locale": "pt"})
    worlds[0].template("news/hello", "culture")
    text = f'name: x\nstatus: live\nenter: {{if: candidate.country == "PT"}}\n{STEPS}'
    worlds[0].campaign("pool", text)
    failed: list[BaseException] = []

    def work(world: World) -> None:
        try:
            world.reload()
            while world.project.planner.tick():
                pass
        except BaseException as error:
            failed.append(error)

    threads = [Thread(target=work, args=(world,)) for world in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert entered(worlds[0]) == {f"c{number}": 1 for number in range(60)}
    for world in worlds:
        world.database.close()
