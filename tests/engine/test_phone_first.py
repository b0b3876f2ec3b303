"""Somebody who would rather be rung is rung, and written to only if nobody gets through."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from nurture.store import history
from tests.world import World

CAMPAIGN = """\
name: {name}
status: live
enter: {{on: {on}}}
steps:
  - send: notes/{name}
"""
NEWS = ("application.stage_changed", {"id": "a1", "stage": "final", "recruiter": "ida@example.com"})


@pytest.fixture
def phone(starter: World) -> World:
    """Ana, who is to be rung at lunch; three kinds of mail start when her application moves on."""
    world = starter
    config(world)
    for path in (world.folder / "campaigns").iterdir():
        path.unlink()
    categories = {"status": "status", "culture": "culture", "offer": "offer"}
    for name, category in categories.items():
        world.template(f"notes/{name}", category)
        world.campaign(name, CAMPAIGN.format(name=name, on=NEWS[0]))
    world.reload()
    world.tell(
        "candidate.preferences",
        preferences={"channel": "phone", "phone": "+351 910", "hours": ["mon-fri 12:00-13:00"]},
    )
    return world


def config(world: World, more: str = "") -> None:
    """Everybody's hours open on the dot."""
    file = world.folder / "config.yaml"
    file.write_text(f"contact_hours: {{spread: 0 minutes}}\n{more}")
    world.restart()


def moves_on(world: World) -> None:
    world.tell(NEWS[0], application=NEWS[1])
    world.work()


def calls(world: World, *, state: str | None = "open") -> list[dict[str, Any]]:
    with world.database.read() as connection:
        rows = history.task_rows(connection, state=state)
    return [dict(row) for row in rows if row["kind"] == "call"]


def status_call(world: World) -> dict[str, Any]:
    (found,) = (row for row in calls(world) if row["template"] == "notes/status")
    return found


def ring(world: World, outcome: str, **contact: Any) -> None:
    told = {"kind": "call", "outcome": outcome, **contact}
    world.tell("contact.logged", application={"id": "a1"}, contact=told)
    world.work()


def at_eleven(world: World) -> datetime:
    """The next Tuesday at eleven in Lisbon, where it is winter."""
    now = world.clock.now()
    day = now + timedelta(days=(1 - now.weekday()) % 7 or 7)
    return day.replace(hour=11, minute=0, second=0, microsecond=0)


@pytest.mark.acceptance("A2.1")
def test_a_call_in_their_hours_takes_the_place_of_the_mail(phone: World) -> None:
    phone.run_until(at_eleven(phone))
    moves_on(phone)
    call = status_call(phone)
    noon = at_eleven(phone) - timedelta(days=7) + timedelta(hours=1)
    assert call["best_at"] == noon
    assert call["due_at"] == noon + timedelta(hours=1), "by the end of the hour they named"
    assert call["fallback_at"] == noon - timedelta(hours=1) + timedelta(days=1)
    assert call["assignee"] == "ida@example.com"
    assert call["text"].split("\n")[0] == "Ring ana@example.com: About notes status"
    assert "Hello, this is notes/status." in call["text"]
    assert "http" not in call["text"], "no footer, no links"
    assert phone.postman.offered == []
    waits = phone.entry("status")
    assert (waits.verdict, waits.reason) == ("wait", "phone_first")
    assert waits.at == noon + timedelta(days=1), "their hour after nobody got through for a day"


@pytest.mark.acceptance("A2.1")
def test_nurture_mail_is_not_for_who_prefers_the_phone(phone: World) -> None:
    moves_on(phone)
    phone.run_for(days=10)
    assert "culture" not in [step for step, _ in phone.sent()]
    assert (phone.entry("culture").verdict, phone.entry("culture").reason) == (
        "skip",
        "phone_first",
    )


def test_who_was_spoken_to_gets_no_mail(phone: World) -> None:
    phone.run_until(at_eleven(phone))
    moves_on(phone)
    ring(phone, "spoke", task=status_call(phone)["id"])
    assert (phone.entry("status").verdict, phone.entry("status").reason) == ("done", "called")
    phone.run_for(days=10)
    assert "status" not in [step for step, _ in phone.sent()]
    assert [row["state"] for row in calls(phone, state=None) if row["tries"]] == ["done"]


def test_the_second_call_that_reaches_nobody_lets_the_mail_go(phone: World) -> None:
    phone.run_until(at_eleven(phone))
    moves_on(phone)
    noon = phone.clock.now() + timedelta(hours=1)
    phone.run_until(noon + timedelta(minutes=5))
    ring(phone, "no_answer")
    assert (status_call(phone)["tries"], phone.sent()) == (1, [])
    assert "nobody answered" in phone.entry("status").sentence
    ring(phone, "voicemail", at=phone.clock.now().isoformat())
    assert [step for step, _ in phone.sent()] == ["status"]
    assert not [row for row in calls(phone) if row["template"] == "notes/status"]


def test_after_a_wrong_number_the_mail_goes_at_once(phone: World) -> None:
    phone.run_until(at_eleven(phone) + timedelta(hours=1, minutes=5))
    moves_on(phone)
    assert phone.sent() == []
    ring(phone, "wrong_number")
    assert [step for step, _ in phone.sent()] == ["status"]


@pytest.mark.acceptance("A2.1")
def test_nobody_rang_in_time_so_the_mail_goes_and_the_call_is_off(phone: World) -> None:
    phone.run_until(at_eleven(phone))
    moves_on(phone)
    noon = phone.clock.now() + timedelta(hours=1)
    phone.run_for(days=2)
    assert phone.sent() == [("status", noon + timedelta(days=1))]
    (row,) = (each for each in calls(phone, state=None) if each["template"] == "notes/status")
    assert (row["state"], row["outcome"]) == ("dropped", None)


def test_config_says_how_long_the_mail_waits_for_a_call(phone: World) -> None:
    config(phone, "fallback_after: 3 business days\n")
    phone.run_until(at_eleven(phone))
    moves_on(phone)
    assert status_call(phone)["fallback_at"] == phone.clock.now() + timedelta(days=3)


def test_an_offer_is_told_by_phone_and_in_writing(phone: World) -> None:
    phone.run_until(at_eleven(phone) + timedelta(hours=1, minutes=5))
    moves_on(phone)
    (call,) = (row for row in calls(phone) if row["template"] == "notes/offer")
    assert phone.entry("offer").reason == "approval", "the mail waits to be looked at"
    ring(phone, "spoke", task=call["id"])
    assert phone.entry("offer").reason == "approval", "and still does"


def test_a_call_of_which_nobody_says_what_it_was_about_closes_none_of_several(
    phone: World,
) -> None:
    phone.run_until(at_eleven(phone) + timedelta(hours=1, minutes=5))
    moves_on(phone)
    assert len(calls(phone)) == 2
    ring(phone, "spoke")
    assert len(calls(phone)) == 2
    phone.clock.set(phone.clock.now() + timedelta(minutes=1))
    ring(phone, "no_answer")
    assert [row["tries"] for row in calls(phone)] == [1, 1]


def test_who_would_rather_be_written_to_after_all_gets_the_mail(phone: World) -> None:
    phone.run_until(at_eleven(phone) + timedelta(hours=1, minutes=5))
    moves_on(phone)
    phone.tell("candidate.preferences", preferences={"channel": "email"})
    phone.work()
    assert "status" in [step for step, _ in phone.sent()]
    assert not [row for row in calls(phone) if row["template"] == "notes/status"]


def test_a_call_for_what_is_over_is_off(phone: World) -> None:
    phone.run_until(at_eleven(phone))
    moves_on(phone)
    phone.tell("application.withdrawn", application={"id": "a1"})
    phone.work()
    assert calls(phone) == []
    assert {row["state"] for row in calls(phone, state=None)} == {"dropped"}


def test_who_has_no_address_is_rung_all_the_same(phone: World) -> None:
    phone.run_until(at_eleven(phone) + timedelta(hours=1, minutes=5))
    phone.tell("message.bounced", message={"id": "<x@example.com>"})
    moves_on(phone)
    assert status_call(phone)["state"] == "open"
    phone.run_for(days=3)
    assert (phone.entry("status").verdict, phone.entry("status").reason) == (
        "skip",
        "undeliverable",
    )
