"""What hostile days must not do to mail: lose it, double it, stop it."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nurture.core.model import Accepted, Deferred, Outcome
from nurture.engine import daemon as daemon_module
from nurture.engine import planner as planner_module
from nurture.engine.approving import approve
from nurture.engine.daemon import Daemon
from nurture.engine.journal import Journal
from nurture.engine.planner import Planner
from nurture.errors import OutsideError
from nurture.store import alarm, history, planning
from tests.world import World

LETTER = """\
name: Letter
status: live
enter:
  on: application.created
  once_per: application
steps:
  - {does}
    id: first
"""


@pytest.fixture
def ready(world: World) -> World:
    world.template("notes/one", "receipt")
    world.template("notes/two", "receipt")
    world.campaign("letter", LETTER.format(does="send: notes/one"))
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    return world


def rows(world: World) -> list[dict[str, Any]]:
    with world.database.read() as connection:
        return [dict(row) for row in history.message_rows(connection)]


def another(world: World, name: str = "b") -> None:
    world.tell(
        "application.created",
        candidate={"id": name, "email": f"{name}@example.com"},
        application={"id": f"a-{name}"},
    )


def test_a_queued_mail_goes_out_in_its_templates_category_after_the_old_one_was_renamed(
    ready: World,
) -> None:
    assert ready.project.planner.tick() == 1
    (ready.folder / "config.yaml").write_text(
        "categories:\n  word: {class: service, priority: 95, capped: false, hours: any}\n"
    )
    for name in ("one", "two"):
        ready.template(f"notes/{name}", "word")
    ready.restart()
    ready.project.catch_up()
    ready.work()
    assert [(row["state"], row["category"]) for row in rows(ready)] == [("sent", "word")]


def test_a_step_that_became_a_task_while_its_mail_was_queued_sends_no_mail(ready: World) -> None:
    assert ready.project.planner.tick() == 1
    ready.campaign(
        "letter",
        LETTER.format(does="task: {text: Call them, to: recruiter}").rstrip()
        + "\n    after: 2 hours\n",
    )
    ready.reload()
    for _ in range(10):
        if not (ready.project.planner.tick() or ready.sender.window()):
            break
    else:
        pytest.fail("there is always something to do, and nothing is done")
    ready.run_for(hours=3)
    assert ready.postman.offered == []
    assert [row["state"] for row in rows(ready)] == ["cancelled"]


def test_a_queued_mail_follows_its_step_to_another_template(ready: World) -> None:
    assert ready.project.planner.tick() == 1
    ready.template("notes/two", "culture")
    ready.campaign("letter", LETTER.format(does="send: notes/two"))
    ready.reload()
    ready.run_for(days=3)
    assert [(row["template"], row["category"]) for row in rows(ready)] == [("notes/two", "culture")]
    assert len(ready.postman.offered) == 1


def test_a_mail_in_hand_is_not_forgotten_by_a_planning_meanwhile(ready: World) -> None:
    def meanwhile() -> Outcome:
        ready.tell("contact.logged", contact={"kind": "call"})
        ready.project.planner.tick()
        return Accepted()

    ready.postman.answers = [meanwhile]
    ready.run_for(days=2)
    assert len(ready.postman.offered) == 1
    assert [step for step, _ in ready.sent()] == ["first"]
    ready.tell("contact.logged", contact={"kind": "call"})
    ready.work()
    assert [step for step, _ in ready.sent()] == ["first"]
    with ready.database.read() as connection:
        assert history.counts(connection)["set_aside"] == {}


def test_a_task_that_cannot_be_worded_holds_up_no_mail(ready: World) -> None:
    ready.campaign(
        "call",
        LETTER.format(does='task: {text: "Call {{ candidate.first_name }}", to: recruiter}'),
    )
    ready.reload()
    another(ready)
    ready.work()
    assert "first" in dict(ready.sent("b"))
    waiting = [each for each in ready.agenda("b") if each.campaign == "call"][-1]
    assert (waiting.verdict, waiting.reason) == ("wait", "cannot_render")
    assert "first_name" in waiting.sentence
    ready.tell(
        "candidate.upserted",
        candidate={"id": "b", "email": "b@example.com", "first_name": "Bo"},
    )
    ready.work()
    with ready.database.read() as connection:
        assert [row["text"] for row in history.task_rows(connection)] == ["Call Bo"]


def test_a_candidate_whose_rows_cannot_be_written_is_set_aside_alone(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    another(ready)
    sound = planner_module.changes

    def broken(decided: Any, now: Any) -> Any:
        found = sound(decided, now)
        if decided.facts.candidate.ref == "c1":
            found.tasks.append({"candidate_id": found.candidate_id})  # a row that lacks everything
        return found

    monkeypatch.setattr(planner_module, "changes", broken)
    ready.work()
    assert "first" in dict(ready.sent("b"))
    monkeypatch.undo()
    ready.run_for(hours=1)
    assert "first" in dict(ready.sent("c1"))


def test_a_candidate_may_fail_for_ever_without_stopping_the_rest(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = Planner._decide

    def poisoned(self: Planner, facts: Any, *rest: Any) -> Any:
        if facts.candidate.ref == "c1":
            raise ZeroDivisionError("a poisoned fact")
        return sound(self, facts, *rest)

    monkeypatch.setattr(Planner, "_decide", poisoned)
    for call in range(60):
        ready.tell("contact.logged", contact={"kind": "call"}, id=str(call))
        ready.project.planner.tick()
    another(ready)
    ready.work()
    assert "first" in dict(ready.sent("b"))


def test_a_window_slower_than_its_lease_doubles_no_mail(ready: World, tmp_path: Path) -> None:
    another(ready)
    another(ready, "d")
    second = World(ready.folder, ready.database, ready.clock)
    second.postman = ready.postman
    for each in (ready, second):
        each.sender.journal = Journal(tmp_path / "lanes")
    second.sender.carrier = ready.postman
    while ready.project.planner.tick():
        pass

    def slow() -> Outcome:
        ready.clock.advance(timedelta(minutes=11))
        second.sender.recover(everything=False)
        second.sender.window()
        return Accepted()

    ready.postman.answers = [slow]
    ready.work()
    ids = [message_id for _, message_id in ready.postman.offered]
    assert len(ids) == len(set(ids)) == 3


def test_a_candidate_merged_while_their_mail_is_handed_over_has_it_recorded(ready: World) -> None:
    another(ready)
    ready.tell("candidate.upserted", candidate={"id": "s", "email": "s@example.com"})

    def merge() -> Outcome:
        ready.tell("candidate.merged", into={"id": "s"})
        return Accepted()

    ready.postman.answers = [merge]
    ready.work()
    assert {row["state"] for row in rows(ready)} == {"sent"}
    assert "first" in dict(ready.sent("s"))


def test_a_mail_approved_after_a_week_survives_a_server_that_says_not_now(world: World) -> None:
    world.template("notes/one", "offer")
    world.campaign("letter", LETTER.format(does="send: notes/one"))
    world.reload()
    world.tell("application.created", application={"id": "a1"})
    world.run_for(days=7)
    with world.database.read() as connection:
        held = [row["id"] for row in history.message_rows(connection) if row["state"] == "held"]
    assert len(held) == 1
    approve(world.project, held, "ida@example.com")
    world.postman.answers = [Deferred(code=451, text="4.7.1 greylisted")] * 2
    world.run_for(days=2)
    assert [step for step, _ in world.sent()] == ["first"]


def test_what_was_handed_over_is_recorded_when_the_database_is_back(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound, failures = planning.record_outcomes, [1]

    def away(*arguments: Any) -> None:
        if failures:
            failures.pop()
            raise OSError("the database is away")
        sound(*arguments)

    monkeypatch.setattr(planning, "record_outcomes", away)
    with pytest.raises(OSError, match="away"):
        ready.work()
    ready.work()
    assert [row["state"] for row in rows(ready)] == ["sent"]
    assert len(ready.postman.offered) == 1


def test_a_mail_that_breaks_the_writer_stops_no_other(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    another(ready)
    sound = ready.sender.write

    def breaks(message: Any, facts: Any, now: Any) -> Any:
        if facts.candidate.ref == "c1":
            raise KeyError("a category that went")
        return sound(message, facts, now)

    ready.sender.write = breaks
    ready.work()
    assert "first" in dict(ready.sent("b"))
    assert ready.entry("first").reason == "cannot_render"
    ready.sender.write = sound
    ready.run_for(hours=2)
    assert "first" in dict(ready.sent("c1"))


def test_a_journal_that_cannot_be_written_puts_mail_off_and_loses_none(
    ready: World, tmp_path: Path
) -> None:
    (tmp_path / "lanes").write_text("a file where a folder should be")
    ready.sender.journal = Journal(tmp_path / "lanes")
    with pytest.raises(OutsideError, match="cannot be written"):
        ready.work()
    assert ready.postman.offered == []
    assert [row["state"] for row in rows(ready)] == ["queued"]
    (tmp_path / "lanes").unlink()
    ready.run_for(hours=1)
    assert [step for step, _ in ready.sent()] == ["first"]


def test_an_edit_met_by_a_busy_database_takes_effect_later(
    ready: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready.work()
    ready.campaign(
        "letter", LETTER.format(does="send: notes/one") + "  - send: notes/two\n    after: 1 hour\n"
    )
    sound, failures = alarm.rearm, [1]

    def busy(*arguments: Any) -> int:
        if failures:
            failures.pop()
            raise OSError("database is locked")
        return sound(*arguments)

    monkeypatch.setattr(alarm, "rearm", busy)
    with pytest.raises(OSError, match="locked"):
        ready.project.reload()
    ready.reload()
    ready.run_for(hours=2)
    assert [step for step, _ in ready.sent()] == ["first", "two"]


def test_a_daemon_with_nothing_to_do_does_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world.clock.set(datetime.now(UTC))
    monkeypatch.setattr(daemon_module, "LOOK", timedelta(milliseconds=100))
    looks, enough, ticks = 0, threading.Event(), 0
    tick, reload = world.project.planner.tick, world.project.reload

    def counted_tick() -> int:
        nonlocal ticks
        ticks += 1
        return tick()

    def counted_reload() -> Any:
        nonlocal looks
        looks += 1
        if looks == 5:
            enough.set()
        return reload()

    monkeypatch.setattr(world.project.planner, "tick", counted_tick)
    monkeypatch.setattr(world.project, "reload", counted_reload)
    daemon = Daemon(world.project, world.sender, sole=True)
    daemon.start()
    try:
        assert enough.wait(30)
    finally:
        daemon.stop()
    assert ticks <= 5
    asked = [record for record in caplog.records if "trigger: date" in record.getMessage()]
    assert not asked, "work was asked for while it was being done"


NEVER = "9999-12-31T23:30:00Z"


@pytest.mark.parametrize(
    ("event", "anchor", "told"),
    [
        ("offer.sent", "offer.expires_at", {"offer": {"id": "o1", "expires_at": NEVER}}),
        (
            "interview.scheduled",
            "interview.ends_at",
            {"interview": {"id": "i1", "starts_at": NEVER}},
        ),
        ("candidate.upserted", "candidate.consent_until", {}),
    ],
)
def test_a_date_that_means_never_holds_up_nothing_else(
    ready: World, event: str, anchor: str, told: dict[str, Any]
) -> None:
    about = anchor.partition(".")[0]
    ready.template("notes/two", "culture")
    ready.campaign(
        "later",
        f"name: Later\nstatus: live\nenter: {{on: {event}, once_per: {about}}}\n"
        f"steps:\n  - send: notes/two\n    at: {anchor}\n",
    )
    ready.reload()
    ana = {"id": "c1", "email": "ana@example.com", "consent_until": NEVER[:10]}
    ready.tell(event, candidate=ana, **told)
    ready.work()
    with ready.database.read() as connection:
        assert history.counts(connection)["set_aside"] == {}
    assert [step for step, _ in ready.sent()] == ["first"]
