"""One mail at once, later, or not at all: what somebody decides by hand, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nurture.clock import SetClock
from nurture.core.model import Reason, Verdict
from nurture.engine.by_hand import changed, foreseen
from nurture.engine.outlook import Entry
from nurture.intake.events import parse_event
from nurture.store.database import Database
from nurture.store.tables import metadata
from tests.world import World

BY, WHY = "ida@example.com", "they asked for it"


@pytest.fixture
def house(empty_folder: Path, clock: SetClock) -> Iterator[World]:
    """A letter at once, one a day later, and culture in a campaign of its own; one capped mail in
    five days."""
    database = Database("sqlite://")
    with database.write() as connection:
        metadata.create_all(connection)
    (empty_folder / "config.yaml").write_text(
        "contact_hours: {holidays: none, spread: 0 minutes}\nbundle: {at_most: 1}\ngap: null\n"
        "caps: [{at_most: 1, per: 5 days}]\n"
    )
    world = World(empty_folder, database, clock)
    world.template("notes/first", "help")
    world.template("notes/second", "help")
    world.template("notes/culture", "culture")
    world.template("notes/reminder", "logistics")
    world.template("notes/answer", "decision")
    world.campaign(
        "welcome",
        "name: Welcome\nstatus: live\nenter: {on: application.created}\nsteps:\n"
        "  - send: notes/first\n  - send: notes/second\n    after: 1 day\n",
    )
    world.campaign(
        "culture",
        "name: Culture\nstatus: live\nenter: {on: application.created}\nsteps:\n"
        "  - {send: notes/culture, at: 2 days after application.applied_at}\n",
    )
    world.campaign(
        "interviews",
        "name: Interviews\nstatus: live\nenter: {on: interview.scheduled, once_per: interview}\n"
        "steps:\n  - {send: notes/reminder, at: 1 day before interview.starts_at}\n",
    )
    world.campaign(
        "answers",
        "name: Answers\nstatus: live\nenter: {on: application.rejected}\n"
        "steps:\n  - {send: notes/answer, after: 2 hours}\n",
    )
    world.reload()
    world.tell("application.created", application={"id": "a-1", "job": {"title": "Baker"}})
    world.work()
    yield world
    database.close()


def word(world: World, type_: str, step: str, **also: Any) -> dict[str, Any]:
    entry = world.entry(step)
    about = {"enrollment": entry.enrollment, "id": step, "occurrence": entry.occurrence}
    return {
        "type": type_,
        "source": "web",
        "occurred_at": world.clock.now().isoformat(),
        "candidate": {"id": "c1"},
        "by": BY,
        "reason": WHY,
        "step": about,
        **also,
    }


def decide(world: World, type_: str, step: str, **also: Any) -> None:
    told = word(world, type_, step, **also)
    del told["type"], told["source"], told["occurred_at"]
    world.tell(type_, **told)


def seen(world: World, type_: str, step: str) -> Entry:
    found = foreseen(world.project, "c1", parse_event(word(world, type_, step)))
    (own,) = [each.after for each in found if each.after and each.after.step == step]
    return own


def test_what_is_wanted_at_once_goes_at_once_and_counts(house: World) -> None:
    at = house.clock.now()
    assert [step for step, _ in house.sent()] == ["first"]
    decide(house, "step.hurried", "culture")
    house.work()
    assert house.sent() == [("first", at), ("culture", at)]
    assert f"{BY} asked for it at once: {WHY}. That passes over" in house.entry("culture").sentence
    house.run_for(days=9)
    by_then = dict(house.sent())
    assert by_then["second"] >= at + timedelta(days=5), "it waits as after any other mail"
    assert [step for step, _ in house.sent()].count("culture") == 1


def test_what_it_passes_over_is_foreseen_sentence_by_sentence(house: World) -> None:
    before = house.project.database
    entry = seen(house, "step.hurried", "culture")
    assert (entry.verdict, entry.reason) == (Verdict.SEND, Reason.ASKED_FOR)
    assert [each["reason"] for each in entry.detail["passed_over"]] == ["scheduled", "cap"]
    assert f"{BY} asked for it at once: {WHY}. That passes over" in entry.sentence
    assert "at most 1 mail or call in 5 days, and the last was Welcome (notes/first)" in (
        entry.sentence
    )
    with before.read() as connection:
        assert "step.hurried" not in str(
            connection.exec_driver_sql("select type from events").all()
        )


@pytest.mark.parametrize(
    ("told", "facts", "reason"),
    [
        ("candidate.paused", {"until": "2027-01-11T09:00:00+00:00"}, Reason.CANDIDATE_PAUSED),
        ("candidate.unsubscribed", {"topics": ["culture"]}, Reason.UNSUBSCRIBED),
        ("candidate.do_not_contact", {}, Reason.DO_NOT_CONTACT),
        ("candidate.sensitive", {"until": "2027-01-11T09:00:00+00:00"}, Reason.SENSITIVE),
        ("message.bounced", {"message": {"permanent": True}}, Reason.UNDELIVERABLE),
        ("candidate.preferences", {"preferences": {"pace": "only_what_matters"}}, Reason.PACE),
        (
            "candidate.preferences",
            {"preferences": {"channel": "phone", "phone": "+351 1"}},
            Reason.PHONE_FIRST,
        ),
    ],
)
def test_no_wish_and_no_law_is_passed_over(
    house: World, told: str, facts: dict[str, Any], reason: Reason
) -> None:
    decide(house, "step.hurried", "culture")
    house.tell(told, **facts)
    house.work()
    assert [step for step, _ in house.sent()] == ["first"]
    assert house.entry("culture").reason is reason


def test_their_own_hours_make_it_wait_for_them_and_no_longer(house: World) -> None:
    house.tell("candidate.preferences", preferences={"hours": ["not 08:00-15:00"]})
    decide(house, "step.hurried", "culture")
    house.work()
    entry = house.entry("culture")
    assert (entry.verdict, entry.reason) == (Verdict.WAIT, Reason.OWN_HOURS)
    house.run_for(hours=12)
    opened = datetime(2026, 11, 23, 15, tzinfo=UTC)
    assert house.sent()[-1] == ("culture", opened)


def test_at_once_is_meant_for_a_day(house: World) -> None:
    house.tell("candidate.paused", until=(house.clock.now() + timedelta(days=1)).isoformat())
    decide(house, "step.hurried", "culture")
    house.run_for(days=16)
    sent = dict(house.sent())
    assert sent["culture"] - sent["second"] >= timedelta(days=5), "the house's caps hold again"


def test_an_approval_is_asked_for_all_the_same(house: World) -> None:
    house.tell("application.rejected", application={"id": "a-1"})
    house.work()
    decide(house, "step.hurried", "answer")
    house.work()
    assert house.entry("answer").reason is Reason.APPROVAL
    house.run_for(days=5)
    assert "answer" not in dict(house.sent())


def test_what_is_skipped_never_goes_and_says_who_did_it(house: World) -> None:
    decide(house, "step.skipped", "second")
    house.work()
    entry = house.entry("second")
    assert (entry.verdict, entry.reason) == (Verdict.SKIP, Reason.SKIPPED)
    assert entry.sentence == f"Not sent: {BY} skipped it: {WHY}"
    house.run_for(days=40)
    assert "second" not in dict(house.sent())
    assert "culture" in dict(house.sent()), "everything else goes on"


def test_a_skip_is_about_one_appointment(house: World) -> None:
    def interview(day: int, minute: int = 0) -> dict[str, Any]:
        return {"id": "i-1", "starts_at": f"2026-12-{day:02}T10:{minute:02}:00+00:00"}

    house.tell("interview.scheduled", application={"id": "a-1"}, interview=interview(3))
    house.work()
    decide(house, "step.skipped", "reminder")
    house.work()
    house.tell("interview.rescheduled", interview=interview(3, 15))
    house.work()
    assert house.entry("reminder").reason is Reason.SKIPPED, "another room is no other interview"
    house.tell("interview.rescheduled", interview=interview(8))
    house.run_for(days=20)
    assert house.sent()[-1] == ("reminder", datetime(2026, 12, 7, 10, tzinfo=UTC))


def test_what_is_put_off_waits_until_then_and_goes(house: World) -> None:
    until = house.clock.now() + timedelta(days=14)
    decide(house, "step.snoozed", "culture", until=until.isoformat())
    house.work()
    entry = house.entry("culture")
    assert (entry.reason, entry.at) == (Reason.SNOOZED, until)
    assert entry.sentence.endswith(f"{BY} put it off: {WHY}")
    house.run_for(days=20)
    assert dict(house.sent())["culture"] == until


def test_a_mail_that_ends_a_silence_becomes_a_task_when_it_is_skipped(house: World) -> None:
    house.template("notes/holding", "status")
    house.campaign(
        "silence",
        "name: Silence\nstatus: live\nenter: {if: 'application.status == \"active\"', "
        "once_per: application}\nsteps:\n"
        "  - {send: notes/holding, at: 0 days after application.silence_due, repeat: {}}\n",
    )
    house.reload()
    house.project.catch_up()
    house.run_for(days=1)
    decide(house, "step.skipped", "holding")
    house.work()
    entry = house.entry("holding")
    assert (entry.verdict, entry.reason) == (Verdict.TASK, Reason.SKIPPED)


def test_what_a_word_changed_is_told_afterwards(house: World) -> None:
    house.clock.advance(timedelta(minutes=5))
    since = house.clock.now()
    house.clock.advance(timedelta(minutes=1))
    decide(house, "step.skipped", "culture")
    for planned in (False, True):
        if planned:
            house.work()
        found = changed(house.project, "c1", since)
        (own,) = [each for each in found if each.before and each.before.step == "culture"]
        assert own.after is not None
        assert own.before is not None
        assert own.before.reason is Reason.SLOT_RESERVED
        assert own.after.reason is Reason.SKIPPED
