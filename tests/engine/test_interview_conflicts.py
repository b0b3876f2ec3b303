"""An interview at a time at which the candidate asked not to be met is a person's matter first."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from nurture.store import history
from tests.world import World


@pytest.fixture
def wishing(starter: World) -> World:
    """Ana brings the children to school."""
    starter.tell("candidate.preferences", preferences={"hours": ["not 08:00-09:15"]})
    return starter


def booked(world: World, type_: str, at: datetime) -> None:
    world.tell(
        type_,
        application={"id": "a1", "stage": "interviewing", "recruiter": "ida@example.com"},
        interview={"id": "i1", "kind": "video", "starts_at": at.isoformat()},
    )
    world.work()


def morning(world: World, days: int, hour: int = 8) -> datetime:
    return (world.clock.now() + timedelta(days=days)).replace(hour=hour, minute=0, second=0)


def warnings(world: World) -> list[dict[str, Any]]:
    with world.database.read() as connection:
        rows = history.task_rows(connection)
    return [dict(row) for row in rows if row["step"] == "conflict"]


def steps(world: World) -> list[str]:
    return [step for step, _ in world.sent()]


@pytest.mark.acceptance("A8.2")
def test_the_recruiter_is_warned_before_the_confirmation_goes_out(wishing: World) -> None:
    booked(wishing, "interview.scheduled", morning(wishing, 7))
    (task,) = warnings(wishing)
    assert '"not 08:00-09:15"' in task["text"]
    assert task["assignee"] == "ida@example.com"
    assert "confirmation" not in steps(wishing)
    wishing.run_for(hours=5)
    assert "confirmation" in steps(wishing), "nobody moved it, so they must know"


def test_once_it_is_moved_the_confirmation_of_the_new_time_goes(wishing: World) -> None:
    booked(wishing, "interview.scheduled", morning(wishing, 7))
    wishing.clock.set(wishing.clock.now() + timedelta(hours=1))
    booked(wishing, "interview.rescheduled", morning(wishing, 7, hour=11))
    assert "confirmation" in steps(wishing)
    assert len(warnings(wishing)) == 1


def test_an_interview_that_is_soon_is_confirmed_at_once(wishing: World) -> None:
    wishing.clock.set(wishing.clock.now().replace(hour=12))
    booked(wishing, "interview.scheduled", morning(wishing, 1))
    assert len(warnings(wishing)) == 1
    assert "confirmation" in steps(wishing)


def test_an_interview_against_no_wish_is_confirmed_at_once(wishing: World) -> None:
    booked(wishing, "interview.scheduled", morning(wishing, 7, hour=10))
    assert warnings(wishing) == []
    assert "confirmation" in steps(wishing)


def test_a_new_time_against_a_wish_is_told_to_the_recruiter_too(wishing: World) -> None:
    booked(wishing, "interview.scheduled", morning(wishing, 7, hour=10))
    wishing.clock.set(wishing.clock.now() + timedelta(hours=1))
    booked(wishing, "interview.rescheduled", morning(wishing, 7))
    assert [task["campaign"] for task in warnings(wishing)] == ["interview-changed"]


def test_wishes_are_of_the_candidates_own_clock(wishing: World) -> None:
    wishing.tell("candidate.upserted", candidate={"id": "c1", "timezone": "Asia/Tokyo"})
    booked(wishing, "interview.scheduled", morning(wishing, 7))
    assert warnings(wishing) == [], "08:00 in Lisbon is the afternoon in Tokyo"
    wishing.clock.set(wishing.clock.now() + timedelta(hours=1))
    booked(wishing, "interview.rescheduled", morning(wishing, 7, hour=0))
    assert len(warnings(wishing)) == 1, "and midnight in Lisbon is nine there"
