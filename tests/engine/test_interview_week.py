"""The default policy lets a whole interview week through, and moves with the interview."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.world import World

#: Thursday 3 December 2026, 11:00 in Lisbon.
THURSDAY = datetime(2026, 12, 3, 11, 0, tzinfo=UTC)
ANA = {"id": "c1", "email": "ana@example.com", "first_name": "Ana", "timezone": "Europe/Lisbon"}
APPLICATION = {
    "id": "a1",
    "stage": "interviewing",
    "job": {"id": "j1", "title": "Data Engineer"},
    "recruiter": {"email": "ida@example.com", "name": "Ida Berg"},
}


def book(world: World, starts_at: datetime = THURSDAY, type_: str = "interview.scheduled") -> None:
    world.tell(
        type_,
        candidate=ANA,
        application=APPLICATION,
        interview={
            "id": "i1",
            "kind": "video",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        },
    )


@pytest.mark.parametrize("days", [7, 3, 2, 1])
def test_everything_an_interview_needs_goes_out_and_culture_waits(
    starter: World, days: int
) -> None:
    starter.clock.set(THURSDAY - timedelta(days=days) - timedelta(minutes=20))
    starter.tell("application.stage_changed", candidate=ANA, application=APPLICATION, id="stage")
    book(starter)
    starter.run_until(THURSDAY + timedelta(days=10))

    times = dict(starter.sent())
    for step in ("confirmation", "what-to-expect", "day-before", "two-hours-before", "thank-you"):
        assert step in times, f"{step} did not go out: {starter.entry(step).sentence}"
    assert times["two-hours-before"] < THURSDAY <= times["thank-you"]
    for step in ("confirmation", "what-to-expect", "day-before"):
        assert times[step] < THURSDAY
    culture = times.pop("how-we-decide")
    # A note that there is no news waits for nothing, so it may follow at once.
    # What shares a mail with it is no other mail.
    notes = ("date-stands", "still-in-review", "taking-longer")
    times = {step: at for step, at in times.items() if step not in notes and at != culture}
    assert all(abs(culture - at) >= timedelta(hours=20) for at in times.values())
    if days < 7:
        assert culture > times["thank-you"]


def test_reminders_move_with_the_interview_and_vanish_when_it_is_cancelled(
    starter: World,
) -> None:
    starter.clock.set(THURSDAY - timedelta(days=9))
    book(starter)
    starter.work()
    before = starter.entry("two-hours-before")
    assert before.verdict == "wait"
    assert before.at == THURSDAY - timedelta(hours=2)

    later = THURSDAY + timedelta(days=1, hours=3)
    starter.clock.advance(timedelta(hours=1))
    book(starter, later, "interview.rescheduled")
    starter.work()
    assert starter.entry("two-hours-before").at == later - timedelta(hours=2)
    moved = [
        each
        for each in starter.agenda()
        if each.step == "two-hours-before" and each.reason == "moved"
    ]
    assert len(moved) == 1

    starter.clock.advance(timedelta(hours=1))
    starter.tell(
        "interview.cancelled", candidate=ANA, application={"id": "a1"}, interview={"id": "i1"}
    )
    starter.work()
    entry = starter.entry("two-hours-before")
    assert (entry.verdict, entry.reason) == ("skip", "left")
    assert "interview.cancelled" in entry.sentence
    starter.run_until(later + timedelta(days=3))
    assert not {step for step, _ in starter.sent()} & {"two-hours-before", "thank-you"}


def test_an_interview_moved_there_and_back_is_reminded_of_once(starter: World) -> None:
    starter.clock.set(THURSDAY - timedelta(days=9))
    book(starter)
    starter.work()
    for starts_at in (THURSDAY + timedelta(days=1), THURSDAY):
        starter.clock.advance(timedelta(hours=1))
        book(starter, starts_at, "interview.rescheduled")
        starter.work()
    starter.run_until(THURSDAY + timedelta(days=3))
    steps = [step for step, _ in starter.sent()]
    assert steps.count("two-hours-before") == 1
    assert steps.count("thank-you") == 1


def test_a_room_change_does_not_repeat_a_reminder(starter: World) -> None:
    starter.clock.set(THURSDAY - timedelta(days=9))
    book(starter)
    starter.run_until(THURSDAY - timedelta(hours=3))
    assert "day-before" in dict(starter.sent())
    book(starter, THURSDAY + timedelta(minutes=15), "interview.rescheduled")
    starter.run_until(THURSDAY + timedelta(days=3))
    steps = [step for step, _ in starter.sent()]
    assert steps.count("day-before") == 1
