"""What is owed to a candidate: made by the mail that says so, watched until it is kept."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import select

from nurture.core.model import Accepted, Deferred, Promise, Unknown
from nurture.engine.simulate import simulate
from nurture.errors import OutsideError
from nurture.store.facts import promise_from_row
from nurture.store.tables import events, promises, tasks
from tests.world import World

#: Thanked on Monday at noon: five business days later is the next Monday, by three o'clock.
THANKED = datetime(2026, 11, 23, 12, tzinfo=UTC)
DUE = datetime(2026, 11, 30, 15, tzinfo=UTC)

THANKS = """\
name: Thanks
status: live
enter:
  on: interview.completed
  once_per: application
steps:
  - send: thanks
    promise: {what: a decision, within: 5 business days}
"""
WATCH = """\
name: Promises
status: live
enter:
  on: promise.made
  once_per: promise
leave:
  - on: [promise.kept, promise.broken]
steps:
  - task: {text: "{{ candidate.first_name }} waits for {{ promise.what }}", to: recruiter}
    id: nudge
    at: 24 hours before promise.due
  - send: holding
    at: promise.due
    until: 5 days after promise.due
"""
RECRUITER = {"email": "ida@example.com", "name": "Ida Berg"}


@pytest.fixture
def watched(world: World) -> World:
    world.template("thanks", "logistics")
    world.template("holding", "logistics")
    for name, words in {
        "thanks": "You will have {{ promise.what }} by {{ promise.due | when }}.",
        "holding": "{{ promise.owner }} owes you {{ promise.what }} since {{ promise.due | day }}.",
    }.items():
        path = world.folder / "templates" / f"{name}.md"
        path.write_text(path.read_text() + words + "\n")
    world.campaign("thanks", THANKS)
    world.campaign("watch", WATCH)
    world.reload()
    world.clock.set(THANKED)
    return world


def thank(world: World, **more: Any) -> None:
    candidate = {"id": "c1", "email": "ana@example.com", "first_name": "Ana"}
    application = {"id": "a1", "recruiter": RECRUITER, **more}
    interview = {"id": "i1", "application": "a1"}
    world.tell(
        "interview.completed", candidate=candidate, application=application, interview=interview
    )
    world.work()


def owed(world: World) -> list[Promise]:
    with world.database.read() as connection:
        query = select(promises).order_by(promises.c.ref)
        return [promise_from_row(row) for row in connection.execute(query).mappings()]


def made(world: World) -> list[str]:
    with world.database.read() as connection:
        query = select(events.c.source_id).where(events.c.type == "promise.made")
        return list(connection.execute(query).scalars())


def tasks_of(world: World) -> list[tuple[str, datetime]]:
    with world.database.read() as connection:
        rows = connection.execute(select(tasks.c.text, tasks.c.created_at).order_by(tasks.c.id))
        return [tuple(row) for row in rows]


def test_a_promise_is_made_when_its_mail_is_sent_and_once(watched: World) -> None:
    thank(watched)
    (promise,) = owed(watched)
    assert (promise.what, promise.due_at, promise.status) == ("a decision", DUE, "open")
    assert (promise.application, promise.owner) == ("a1", "ida@example.com")
    assert made(watched) == [f"made:{promise.ref}"]
    watched.tell("candidate.upserted", candidate={"id": "c1", "phone": "123"})
    watched.restart()
    watched.work()
    assert len(owed(watched)) == len(made(watched)) == 1


def test_the_mail_says_the_date_that_is_owed(watched: World) -> None:
    raw: list[bytes] = []
    write = watched.sender.write

    def kept(*given: Any) -> Any:
        letter = write(*given)
        raw.append(letter.raw)
        return letter

    watched.sender.write = kept
    thank(watched)
    said = message_from_bytes(raw[0], policy=policy.default).get_body(("plain",))
    assert said is not None
    assert "a decision by Monday, 30 November 2026, 15:00" in " ".join(said.get_content().split())


def test_business_days_are_the_candidates_own(watched: World) -> None:
    """30 November 2026 is a holiday in Scotland: it does not count."""
    candidate = {"id": "c1", "country": "GB", "subdivision": "SCT", "email": "ana@example.com"}
    watched.tell("candidate.upserted", candidate=candidate)
    thank(watched)
    (promise,) = owed(watched)
    assert promise.due_at == DUE + timedelta(days=1)


def test_the_recruiter_is_reminded_a_day_before_and_the_candidate_written_to_at_due(
    watched: World,
) -> None:
    thank(watched)
    watched.run_until(DUE - timedelta(hours=24, minutes=1))
    assert tasks_of(watched) == []
    watched.run_until(DUE - timedelta(minutes=1))
    assert tasks_of(watched) == [("Ana waits for a decision", DUE - timedelta(hours=24))]
    watched.run_until(DUE + timedelta(hours=2))
    assert watched.sent() == [("thanks", THANKED), ("holding", DUE)]


@pytest.mark.parametrize("type_", ["promise.kept", "promise.broken"])
def test_a_promise_that_is_settled_before_that_has_neither(watched: World, type_: str) -> None:
    thank(watched)
    watched.run_until(DUE - timedelta(days=3))
    (promise,) = owed(watched)
    watched.tell(type_, promise={"id": promise.ref})
    watched.run_until(DUE + timedelta(days=10))
    (promise,) = owed(watched)
    assert promise.status == type_.partition(".")[2]
    assert tasks_of(watched) == []
    assert [step for step, _ in watched.sent()] == ["thanks"]


def test_settling_one_promise_leaves_another_open(watched: World) -> None:
    thank(watched)
    due = (DUE + timedelta(days=1)).isoformat()
    made = {"id": "p2", "what": "feedback", "due": due, "owner": RECRUITER["email"]}
    watched.tell("promise.made", promise=made)
    watched.tell("promise.kept", promise={"id": owed(watched)[0].ref})
    watched.run_until(DUE + timedelta(days=2))
    assert [text for text, _ in tasks_of(watched)] == ["Ana waits for feedback"]


def test_a_promise_needs_no_application(watched: World) -> None:
    """One that a person made on the phone, say."""
    watched.tell(
        "promise.made",
        candidate={"id": "c1", "email": "ana@example.com", "first_name": "Ana"},
        promise={
            "id": "p1",
            "what": "an answer",
            "due": DUE.isoformat(),
            "owner": "ida@example.com",
        },
    )
    watched.run_until(DUE + timedelta(hours=2))
    assert [text for text, _ in tasks_of(watched)] == ["Ana waits for an answer"]
    assert watched.sent() == [("holding", DUE)]


@pytest.mark.parametrize("outcome", [Unknown(text="no answer"), Deferred(text="later")])
def test_a_mail_that_may_not_have_arrived_promises_nothing(watched: World, outcome: Any) -> None:
    watched.postman.answers = [outcome]
    thank(watched)
    assert owed(watched) == []
    assert made(watched) == []


def test_a_mail_that_is_sent_at_its_second_attempt_promises_from_then_on(watched: World) -> None:
    watched.postman.answers = [Deferred(text="later"), Accepted()]
    thank(watched)
    watched.run_for(hours=3)
    ((_, at),) = watched.sent()
    (promise,) = owed(watched)
    assert at > THANKED
    assert promise.made_at == at


def test_a_promise_is_made_though_the_database_was_away_just_after_its_mail(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = watched.sender.outcomes.write
    failing = iter([OutsideError("database: gone")])

    def away(*given: Any) -> None:
        for error in failing:
            raise error
        record(*given)

    monkeypatch.setattr(watched.sender.outcomes, "write", away)
    with pytest.raises(OutsideError):
        thank(watched)
    assert owed(watched) == []
    watched.work()
    assert len(owed(watched)) == len(made(watched)) == 1
    assert len(watched.postman.offered) == 1


def test_the_next_step_can_hang_on_what_the_campaign_itself_promised(watched: World) -> None:
    more = "  - task: {text: Ask how it went}\n    at: 1 day after promise.due\n"
    watched.campaign("thanks", THANKS + more)
    watched.reload()
    thank(watched)
    watched.run_until(DUE + timedelta(days=2))
    assert ("Ask how it went", DUE + timedelta(days=1)) in tasks_of(watched)


def test_a_promise_goes_with_its_candidate_when_two_become_one(watched: World) -> None:
    thank(watched)
    watched.tell("candidate.upserted", candidate={"id": "c9", "email": "ana.c@example.com"})
    watched.tell("candidate.merged", candidate={"id": "c1"}, into={"id": "c9"})
    (promise,) = owed(watched)
    watched.tell("promise.kept", candidate={"id": "c9"}, promise={"id": promise.ref})
    assert owed(watched)[0].status == "kept"
    watched.run_until(DUE + timedelta(days=2))
    assert tasks_of(watched) == []


def test_erasure_removes_promises(watched: World) -> None:
    thank(watched)
    watched.tell("candidate.erased", candidate={"id": "c1"})
    assert owed(watched) == []
    watched.run_until(DUE + timedelta(days=2))
    assert tasks_of(watched) == []


def test_that_a_promise_was_kept_may_be_told_before_that_it_was_made(world: World) -> None:
    candidate = {"id": "c1", "email": "ana@example.com"}
    kept, told = "2026-11-23T09:30:00Z", "2026-11-23T09:00:00Z"
    world.tell("promise.kept", candidate=candidate, promise={"id": "p1"}, occurred_at=kept)
    due = {"id": "p1", "what": "a call", "due": "2026-12-04", "owner": RECRUITER["email"]}
    world.tell("promise.made", candidate=candidate, promise=due, occurred_at=told)
    (promise,) = owed(world)
    assert (promise.what, promise.status) == ("a call", "kept")
    assert promise.due_at == datetime(2026, 12, 4, 15, tzinfo=UTC)
    assert promise.made_at == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_a_simulation_shows_what_follows_from_a_promise_and_makes_none(watched: World) -> None:
    candidate = {"id": "c1", "email": "ana@example.com", "first_name": "Ana"}
    application = {"id": "a1", "recruiter": RECRUITER}
    watched.tell(
        "interview.completed",
        candidate=candidate,
        application=application,
        interview={"id": "i1", "application": "a1"},
    )
    rows = list(simulate(watched.project, 10))
    assert [row["step"] for row in rows] == ["thanks", "nudge", "holding"]
    assert owed(watched) == []


def test_the_date_of_a_promise_that_was_made_is_no_forecast(watched: World) -> None:
    """It moves with nothing that is sent: its steps hold their places, as those of interviews."""
    thank(watched)
    assert watched.entry("holding").at == DUE
    assert not watched.entry("holding").about
    more = "  - send: holding\n    at: promise.due\n"
    watched.campaign("thanks", THANKS + more)
    watched.reload()
    watched.work()
    again = {each.campaign: each for each in watched.agenda() if each.step == "holding"}
    assert not again["watch"].about
    assert again["thanks"].about, "what a campaign itself promises may move"
